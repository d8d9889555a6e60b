//! From several threads to one, and from the kernel to this process, through the same consumer.
//!
//! First, producer threads walk a directory tree (`/usr`, or the argument) and write what they find straight into
//! reservations of the right size; what turns out not to be a file is discarded. The consumer adds up. Then, where
//! bpf(2) is allowed, a small program in the kernel reports system calls as they happen.
//!
//! ```text
//! cargo run --release --example quickstart [DIRECTORY]
//! ```

mod bpf;
mod trace;

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io::Write;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use dynring::kernel::RingBuf;
use dynring::{Consumer, Producer, Readiness, Ring};
use trace::SyscallEvent;

const PRODUCERS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("/usr"), PathBuf::from);
    files(&root)?;
    match trace::attach(256 * 1024) {
        Ok(attached) => system_calls(RingBuf::from_fd(&attached)?.into_consumer()?)?,
        Err(error) => println!("\nNo events from the kernel: bpf(2) is not allowed here ({error})."),
    }
    Ok(())
}

/// Producers walk the tree; this thread consumes.
fn files(root: &Path) -> Result<(), Box<dyn Error>> {
    let ring = Ring::builder(256 * 1024).build()?;
    let mut consumer = ring.consumer()?;
    println!("{PRODUCERS} threads walk {}, into a ring of {} KiB.", root.display(), ring.capacity() / 1024);
    let directories = directories_near(root)?;
    let begun = Instant::now();
    let found = thread::scope(|scope| -> Result<Found, Box<dyn Error>> {
        for nth in 0..PRODUCERS {
            let producer = ring.producer()?;
            let share = directories.iter().skip(nth).step_by(PRODUCERS);
            scope.spawn(move || share.for_each(|directory| walk(&producer, directory)));
        }
        // The last producer to leave ends it.
        add_up(&mut consumer)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let stats = ring.stats();
    let per_second = |count: u64| count as f64 / seconds / 1e6;
    println!("{:>12} records of {} to {} bytes", found.records, found.shortest, found.longest);
    println!("{:>12} reservations discarded: directories, links and the like", stats.discarded);
    println!("{:>12} times the ring was full, and a producer waited", stats.refused);
    println!("{seconds:>12.3} seconds, the file system's share included");
    println!("{:>12.3} million records a second, {:.1} MB/s", per_second(found.records), per_second(found.bytes));
    println!("{:>12} bytes of files; the largest has {}: {}", found.file_bytes, found.largest.0, found.largest.1);
    Ok(())
}

/// The directories in `root`, which the producers share out.
fn directories_near(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut directories = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            directories.push(entry.path());
        }
    }
    directories.sort();
    Ok(directories)
}

/// One record for each file below `directory`: its size, then its path.
fn walk(producer: &Producer, directory: &Path) {
    // What cannot be read is not reported: this is an example.
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        report(producer, &entry);
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(producer, &entry.path());
        }
    }
}

fn report(producer: &Producer, entry: &DirEntry) {
    let path = entry.path();
    let name = path.as_os_str().as_bytes();
    // As many bytes as this record needs, known only now. Waits while the ring is full.
    let Ok(mut record) = producer.reserve_blocking(8 + name.len(), None) else { return };
    match entry.metadata() {
        Ok(metadata) if metadata.is_file() => {
            let written = record.write_all(&metadata.len().to_le_bytes()).and_then(|()| record.write_all(name));
            if written.is_ok() {
                record.commit();
            }
        }
        _ => record.discard(),
    }
}

/// What the consumer has seen.
#[derive(Default)]
struct Found {
    records: u64,
    bytes: u64,
    shortest: usize,
    longest: usize,
    file_bytes: u64,
    largest: (u64, String),
}

fn add_up(consumer: &mut Consumer) -> Result<Found, Box<dyn Error>> {
    let mut found = Found { shortest: usize::MAX, ..Found::default() };
    while consumer.wait(None)? == Readiness::Ready {
        consumer.drain(|record| {
            found.add(record);
            ControlFlow::Continue(())
        })?;
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, record: &[u8]) {
        let Some((size, path)) = record.split_first_chunk() else { return };
        let size = u64::from_le_bytes(*size);
        self.records += 1;
        self.bytes += record.len() as u64;
        self.shortest = self.shortest.min(record.len());
        self.longest = self.longest.max(record.len());
        self.file_bytes += size;
        if size > self.largest.0 {
            self.largest = (size, OsStr::from_bytes(path).to_string_lossy().into_owned());
        }
    }
}

/// Prints system calls of other processes as the kernel reports them, for a short while.
fn system_calls(mut consumer: Consumer) -> Result<(), Box<dyn Error>> {
    const SHOWN: u64 = 12;
    const WHILE: Duration = Duration::from_secs(1);

    println!("\nSystem calls on this machine, as the kernel reports them:");
    // So that there is something to report even on a machine that does nothing else.
    let mut child = std::process::Command::new("true").spawn();
    let (mut events, end) = (0, Instant::now() + WHILE);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || consumer.wait(Some(left))? != Readiness::Ready {
            break;
        }
        let limits = dynring::Limits { deadline: Some(end), ..Default::default() };
        consumer.drain_up_to(limits, |record| {
            events += 1;
            if events <= SHOWN {
                show(record);
            }
            ControlFlow::Continue(())
        })?;
    }
    println!("{events:>12} in {} s, the first {} shown", WHILE.as_secs(), events.min(SHOWN));
    if let Ok(child) = &mut child {
        child.wait()?;
    }
    Ok(())
}

fn show(record: &[u8]) {
    match SyscallEvent::from_record(record) {
        Some(event) => {
            let seconds = event.time_ns as f64 / 1e9;
            println!("{seconds:>16.6}  {:>7}  {:<16}  system call {}", event.pid, event.comm(), event.syscall);
        }
        None => println!("                  a record of {} bytes that is no event", record.len()),
    }
}
