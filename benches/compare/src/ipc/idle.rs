//! What it costs to wait for a record that does not come.

use std::hint;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use dynring::{CopyingConsumer, Ring, SharedRing};

use super::child::{Child, tell, told};
use crate::case::{At, Case, Round, Sample};
use crate::common::Sizes;

pub const NAME: &str = "idle";

/// How long nothing comes.
const WHILE: Duration = Duration::from_secs(2);

pub fn case() -> Case {
    let name = "a consumer without records, 2 s, measured once";
    Case::new("wait", At::default(), name, "ms of the processor's time")
        .peer("dynring, blocked", || round("blocked"))
        .peer("dynring, polling", || round("polling"))
        .goal("dynring, blocked", 0.1, &["dynring, polling"])
}

/// Measures once, whatever is asked for: nothing gets better by waiting more often.
fn round(role: &'static str) -> Result<Round> {
    let mut measured = None;
    Ok(Box::new(move |_| match measured {
        Some(sample) => Ok(sample),
        None => Ok(*measured.insert(measure(role)?)),
    }))
}

fn measure(role: &str) -> Result<Sample> {
    let child = Child::start(NAME, role, Sizes::Mixed)?;
    let ring = Ring::builder(1 << 20).build_shared()?;
    let producer = ring.producer()?;
    ring.share(&child.stream)?;
    thread::sleep(WHILE);
    producer.output(b"at last")?;
    let [nanoseconds] = told(&child.stream)?.context("the consumer is gone")?;
    Ok(Sample(nanoseconds as f64 / 1e6))
}

/// What the other process does: it waits for one record, and says how much of the processor's time that took.
pub fn consume(role: &str, parent: &UnixStream) -> Result<()> {
    let mut consumer = SharedRing::receive(parent)?.consumer()?;
    let before = processor_time();
    match role {
        "blocked" => drop(consumer.wait(None)?),
        "polling" => poll(&mut consumer)?,
        _ => bail!("no role: {role}"),
    }
    let took = processor_time() - before;
    tell(parent, [took.as_nanos() as u64])
}

fn poll(consumer: &mut CopyingConsumer) -> Result<()> {
    let (mut record, begun) = (Vec::new(), Instant::now());
    while !consumer.next_into(&mut record)? {
        if begun.elapsed() > 10 * WHILE {
            bail!("nothing has come");
        }
        hint::spin_loop();
    }
    Ok(())
}

/// Of this process, in user mode and in the kernel.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
