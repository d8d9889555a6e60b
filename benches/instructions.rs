//! One operation, many times: for whoever counts instructions.
//!
//! `instructions OPERATION TIMES`. What it takes to start is the same for any number of times, so two runs give the
//! instructions of one operation: `.ci/instructions` does that, and compares with `benches/instructions.txt`.

use std::env;
use std::error::Error;
use std::hint::black_box;
use std::ops::ControlFlow;

use dynring::{Consumer, Producer, Ring};

type Operation = fn(&Producer, &mut Consumer) -> Result<(), Box<dyn Error>>;

/// What a producer does that is not alone.
const IN_COMPANY: &str = "output-8-next-in-company";

const OPERATIONS: [(&str, Operation); 6] = [
    ("reserve-commit-next", |producer, consumer| {
        let mut record = producer.reserve(8)?;
        record.copy_from_slice(&black_box(7u64).to_ne_bytes());
        record.commit();
        black_box(&*consumer.next()?.ok_or("no record")?);
        Ok(())
    }),
    (IN_COMPANY, |producer, consumer| {
        producer.output(black_box(&[7; 8]))?;
        black_box(&*consumer.next()?.ok_or("no record")?);
        Ok(())
    }),
    ("reserve-drop-next", |producer, consumer| {
        drop(producer.reserve(8)?);
        black_box(consumer.next()?.is_none());
        Ok(())
    }),
    ("output-64-next", |producer, consumer| {
        producer.output(black_box(&[7; 64]))?;
        black_box(&*consumer.next()?.ok_or("no record")?);
        Ok(())
    }),
    ("lease-of-100-drain", |producer, consumer| {
        let mut lease = producer.lease(1600)?;
        for number in 0..100u64 {
            lease.output(&black_box(number).to_ne_bytes())?;
        }
        drop(lease);
        consumer.drain(|record| {
            black_box(record);
            ControlFlow::Continue(())
        })?;
        Ok(())
    }),
    ("nothing-to-read", |_, consumer| {
        black_box(consumer.next()?.is_none());
        Ok(())
    }),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [operation, times] = arguments.as_slice() else {
        println!("{}", OPERATIONS.map(|(name, _)| name).join("\n"));
        return Ok(());
    };
    let found = OPERATIONS.iter().find(|(name, _)| name == operation);
    let (name, operation) = found.ok_or_else(|| format!("{operation} is no operation"))?;
    let ring = Ring::builder(64 * 1024).build()?;
    let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    let _other = (*name == IN_COMPANY).then(|| ring.producer()).transpose()?;
    for _ in 0..times.parse::<u64>()? {
        operation(&producer, &mut consumer)?;
    }
    Ok(())
}
