//! What a producer takes for records that wake nobody.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dynring::{Consumer, Producer, Readiness, Ring};

use super::asleep::Bed;
use crate::case::{At, Case, Round, Sample};
use crate::common::{Sizes, pin};
use crate::link::{By, Expected, ROOM, Sender};
use crate::ours::Plain;

const LEN: usize = 64;
const SIZES: Sizes = Sizes::Fixed(LEN);
const BY: By = By { sender: 0, sizes: SIZES, shared_core: false };

/// Records in a burst: half of what the ring has room for.
const BURST: u64 = (ROOM / 2 / (LEN + 8)) as u64;

/// How many times as much a record may cost if the consumer sleeps.
const GOAL: f64 = 1.05;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sleep {
    Never,
    Before,
    Now,
}

pub fn case() -> Case {
    let name = "a producer whose consumer sleeps or does not, 64 B";
    Case::new("producer", At::sizes(SIZES), name, "ns a record")
        .peer("never slept", || round(Sleep::Never))
        .peer("has slept", || round(Sleep::Before))
        .peer("sleeps", || round(Sleep::Now))
        .baseline("never slept")
        .goal_for_all(GOAL)
}

fn round(sleep: Sleep) -> Result<Round> {
    let mut pair = Pair::start(sleep)?;
    Ok(Box::new(move |records| {
        let bursts = records.div_ceil(BURST);
        let took = (0..bursts).map(|_| pair.burst()).sum::<Result<Duration>>()?;
        Ok(Sample::each(bursts * BURST, took))
    }))
}

/// A producer, and a thread that consumes a burst each time that it is told to.
struct Pair {
    sleep: Sleep,
    holder: Producer,
    sender: Plain,
    next: u64,
    bursts: u64,
    bed: Arc<Bed>,
    go: SyncSender<()>,
    done: Receiver<Result<()>>,
}

impl Pair {
    fn start(sleep: Sleep) -> Result<Self> {
        let ring = Ring::builder(ROOM).build()?;
        let (holder, sender, mut consumer) = (ring.producer()?, ring.producer()?.into(), ring.consumer()?);
        let bed = Arc::new(Bed::default());
        let ((go, told), (tell, done)) = (sync_channel(1), sync_channel(1));
        if sleep == Sleep::Before {
            ensure!(consumer.wait(Some(Duration::from_millis(1)))? == Readiness::TimedOut, "there was a record");
        }
        let theirs = Arc::clone(&bed);
        thread::spawn(move || {
            pin(1);
            let mut first = 1;
            // Until nobody is there any more to tell it anything.
            while let Ok(()) = told.recv()
                && tell.send(consume(&mut consumer, first, sleep, &theirs)).is_ok()
            {
                first += BURST;
            }
        });
        Ok(Self { sleep, holder, sender, next: 1, bursts: 0, bed, go, done })
    }

    /// Sends a burst, and waits until it has been consumed, which does not count.
    fn burst(&mut self) -> Result<Duration> {
        let held = self.holder.reserve(8)?;
        let sleeps = self.sleep == Sleep::Now;
        if sleeps {
            self.go.send(())?;
            self.bursts += 1;
            self.bed.wait_for(self.bursts)?;
        }
        let begun = Instant::now();
        self.sender.send(self.next..self.next + BURST, BY)?;
        let took = begun.elapsed();
        self.next += BURST;
        held.discard();
        if !sleeps {
            self.go.send(())?;
        }
        self.done.recv().context("the consumer is gone")??;
        Ok(took)
    }
}

fn consume(consumer: &mut Consumer, first: u64, sleep: Sleep, bed: &Bed) -> Result<()> {
    let mut expected = Expected::from(first, SIZES);
    let mut left = BURST;
    if sleep == Sleep::Now {
        bed.going();
        ensure!(consumer.wait(None)? == Readiness::Ready, "the producers are gone");
    }
    while left > 0 {
        let record = consumer.next()?.context("a record is missing")?;
        expected.take(&record);
        left -= 1;
    }
    expected.check(1, first + BURST)
}
