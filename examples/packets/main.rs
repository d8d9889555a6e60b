//! Frames, looked at through dynamic pointers; verdicts on them, in a ring; and a consumer that prints these.
//!
//! The frames are those of the loopback interface for a moment, where packet(7) sockets are allowed, and those of a file: one
//! that this program makes, or the one that it is told of, in the format of libpcap.
//!
//! ```text
//! cargo run --release --example packets [-- FILE]
//! ```

mod capture;
mod frames;
mod parse;
mod pcap;
mod verdict;

use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io, thread};

use capture::Capture;
use dynring::{Consumer, Producer, Readiness, Ring, View};
use pcap::Frames;
use verdict::{Verdict, judge};

/// Frames that are captured at most.
const MOST: usize = 50;

/// How long the loopback interface may be silent.
const PATIENCE: Duration = Duration::from_millis(300);

fn main() -> Result<(), Box<dyn Error>> {
    let ring = Ring::builder(64 * 1024).build()?;
    let (producer, consumer) = (ring.producer()?, ring.consumer()?);
    let printer = thread::spawn(move || print(consumer));

    let given = env::args_os().nth(1).map(PathBuf::from);
    let captured = given.is_none().then(|| captured(&producer));
    let file = match &given {
        Some(path) => fs::read(path)?,
        None => made()?,
    };
    let in_file = in_file(&file, &producer)?;
    drop(producer);

    let dropped = printer.join().map_err(|_| "the consumer has panicked")??;
    match captured {
        Some(Ok(captured)) => println!("{captured:>12} frames were captured on the loopback interface"),
        Some(Err(error)) => println!("No frames of the loopback interface: packet(7) is not allowed here ({error})."),
        None => {}
    }
    println!("{in_file:>12} frames were in the file");
    println!("{dropped:>12} of them are to be dropped");
    Ok(())
}

/// Prints verdicts until there are no more. Returns how many frames are to be dropped.
fn print(mut consumer: Consumer) -> io::Result<u64> {
    let mut dropped = 0;
    while consumer.wait(None)? == Readiness::Ready {
        consumer.drain(|record| {
            let view = View::new(record);
            let size = size_of::<Verdict>() as u64;
            if let Ok(verdict) = view.read_as::<Verdict>(0) {
                let shown = view.data(size, view.size() - size).unwrap_or_default();
                println!("{verdict}  {}", shown.escape_ascii());
                dropped += u64::from(verdict.drop);
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(dropped)
}

/// Judges frames of the loopback interface, to which this process sends some. Returns how many there were.
fn captured(producer: &Producer) -> io::Result<usize> {
    let capture = Capture::on_loopback(PATIENCE)?;
    let sender = thread::spawn(frames::send);
    let mut buffer = vec![0; 1 << 16];
    let mut count = 0;
    while count < MOST {
        let Some(frame) = capture.next(&mut buffer)? else { break };
        judge(View::new(frame), producer)?;
        count += 1;
    }
    sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok(count)
}

/// Judges frames of a file. Returns how many there were.
fn in_file(file: &[u8], producer: &Producer) -> Result<usize, Box<dyn Error>> {
    let mut count = 0;
    for frame in Frames::of(View::new(file))? {
        judge(frame?, producer)?;
        count += 1;
    }
    Ok(count)
}

/// A file that this program makes.
fn made() -> io::Result<Vec<u8>> {
    let mut file = Vec::new();
    pcap::write(&mut file, &frames::made()?)?;
    Ok(file)
}
