//! Rings in an asynchronous program: one thread reads what other threads send and what the kernel reports, and keeps time
//! meanwhile.
//!
//! The first ring is filled by threads of this process, as fast as they can. Where bpf(2) is allowed, the second one is filled
//! by a small program in the kernel, which reports system calls as they happen. Each has a task that reads it in place, and a
//! third task looks at the clock: a ring that is flooded does not starve it.
//!
//! ```text
//! cargo run --release --features tokio --example tokio
//! ```

#[path = "../quickstart/bpf.rs"]
mod bpf;
#[path = "../quickstart/trace.rs"]
mod trace;

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use dynring::kernel::RingBuf;
use dynring::{AsyncConsumer, Producer, Ring};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use trace::SyscallEvent;

const THREADS: usize = 3;
const RECORDS: usize = 200_000;
const WHILE: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = tokio::spawn(latest_tick());
    let ring = Ring::builder(64 * 1024).build()?;
    let sent = tokio::spawn(add_up(ring.consumer()?.into_async()?));
    for _ in 0..THREADS {
        let producer = ring.producer()?;
        thread::spawn(move || send(&producer));
    }
    drop(ring); // so that the last thread to end is the last producer to go

    match trace::attach(256 * 1024) {
        Ok(attached) => {
            let calls = system_calls(RingBuf::from_fd(&attached)?.into_consumer()?.into_async()?).await?;
            report(&calls);
        }
        Err(error) => println!("No events from the kernel: bpf(2) is not allowed here ({error})."),
    }
    let (records, bytes) = sent.await??;
    println!("{records:>12} records of {bytes} bytes together, from {THREADS} threads");
    let (ticks, late) = clock.await?;
    println!("{ticks:>12} ticks of the clock meanwhile, the latest by {} ms", late.as_millis());
    Ok(())
}

/// Sends records of differing sizes, and waits where the ring is full.
fn send(producer: &Producer) {
    for nth in 0..RECORDS {
        let Ok(mut record) = producer.reserve_blocking(nth % 100, None) else { return };
        record.fill(nth as u8);
        record.commit();
    }
}

/// Reads until the last producer has gone. Returns how many records and bytes it was.
async fn add_up(mut consumer: AsyncConsumer) -> io::Result<(u64, usize)> {
    let (mut records, mut bytes) = (0, 0);
    loop {
        let turn = consumer.drain(|record| {
            bytes += record.len();
            ControlFlow::Continue(())
        });
        match turn.await? {
            0 => return Ok((records, bytes)),
            more => records += more,
        }
    }
}

/// Counts the system calls of each program for a while. When the time is up, a wait is dropped; that would lose nothing.
async fn system_calls(mut consumer: AsyncConsumer) -> io::Result<BTreeMap<String, u64>> {
    // So that there is something to report even on a machine that does nothing else.
    let child = std::process::Command::new("true").spawn();
    let (mut calls, end) = (BTreeMap::new(), Instant::now() + WHILE);
    while let Ok(record) = timeout_at(end, consumer.next()).await {
        let Some(record) = record? else { break };
        if let Some(event) = SyscallEvent::from_record(&record) {
            *calls.entry(event.comm()).or_insert(0) += 1;
        }
    }
    if let Ok(mut child) = child {
        child.wait()?;
    }
    Ok(calls)
}

fn report(calls: &BTreeMap<String, u64>) {
    println!(
        "{:>12} system calls in {} s, the kernel says; most were made by",
        calls.values().sum::<u64>(),
        WHILE.as_secs()
    );
    let mut most: Vec<_> = calls.iter().collect();
    most.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (program, count) in most.into_iter().take(3) {
        println!("{count:>20}  {program}");
    }
}

/// Looks at the clock again and again for a while. Returns how often, and the most that it was late.
async fn latest_tick() -> (u32, Duration) {
    let mut clock = interval(Duration::from_millis(10));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut ticks, mut late, end) = (0, Duration::ZERO, Instant::now() + WHILE);
    while Instant::now() < end {
        let due = clock.tick().await;
        ticks += 1;
        late = late.max(due.elapsed());
    }
    (ticks, late)
}
