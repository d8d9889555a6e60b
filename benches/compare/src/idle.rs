//! What producers that do nothing cost.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use dynring::{Producer, Ring};

use crate::case::{At, Case, Group, Round, Sample};
use crate::common::Sizes;
use crate::link::{By, Expected, ROOM, Receiver, Sender};
use crate::ours::{Plain, Reading};

pub const GROUP: Group = Group {
    name: "idle",
    about: "what producers that are registered and do nothing cost",
    explained: "One producer sends records of 64 bytes, in the same thread as the consumer; 1, 16, 128 or 1,024 others have sent
        one record each before, and send no more. Records come 256 at a time, and what the consumer takes for them counts;
        or one at a time, and sending and receiving count. Ratios are to 1 idle producer.",
    packages: &[],
    ready: || Ok(()),
    needs: "idle",
    cases,
};

const SIZES: Sizes = Sizes::Fixed(64);
const BY: By = By { sender: 0, sizes: SIZES, shared_core: true };

const IDLE: [usize; 4] = [1, 16, 128, 1024];

/// Records that come at a time.
const BATCH: u64 = 256;

/// How many times as much a record may cost with more that are idle.
const GOAL: f64 = 1.1;

fn cases() -> Vec<Case> {
    let consumer = case("beside idle producers: 256 at a time, consumer", Crowd::batches);
    vec![consumer, case("beside idle producers: one at a time", Crowd::one_by_one)]
}

/// Sends and receives as many records as it is told, and says what that took.
type Work = fn(&mut Crowd, u64, &mut Expected) -> Result<Duration>;

fn case(name: &str, work: Work) -> Case {
    let peer = |idle| format!("{idle} idle");
    let case = Case::new("idle", At::sizes(SIZES), name, "ns a record").baseline(peer(1));
    let add = |case: Case, idle| case.peer_at(idle, peer(idle), move || round(idle, work));
    IDLE.into_iter().fold(case, add).goal_for_all(GOAL)
}

fn round(idle: usize, work: Work) -> Result<Round> {
    let mut crowd = Crowd::assemble(idle)?;
    Ok(Box::new(move |records| {
        let records = records.next_multiple_of(BATCH);
        let mut expected = Expected::from(crowd.next, SIZES);
        let took = work(&mut crowd, records, &mut expected)?;
        expected.check(1, crowd.next)?;
        Ok(Sample::each(records, took))
    }))
}

/// A ring with one producer that is at work, and some that have sent a record each, which has been read.
struct Crowd {
    sender: Plain,
    receiver: Reading,
    next: u64,
    _idle: Vec<Producer>,
}

impl Crowd {
    fn assemble(idle: usize) -> Result<Self> {
        let ring = Ring::builder(ROOM).max_producers(u32::try_from(idle)? + 1).build()?;
        let (working, mut consumer) = (ring.producer()?, ring.consumer()?);
        let idle = (0..idle).map(|_| ring.producer()).collect::<Result<Vec<_>, _>>()?;
        idle.iter().try_for_each(|producer| producer.output(b"the last"))?;
        let read = consumer.drain(|_| ControlFlow::Continue(()))?;
        ensure!(read == idle.len() as u64, "{read} records of {}", idle.len());
        Ok(Self { sender: working.into(), receiver: consumer.into(), next: 1, _idle: idle })
    }

    fn batches(&mut self, records: u64, expected: &mut Expected) -> Result<Duration> {
        let mut took = Duration::ZERO;
        for _ in 0..records / BATCH {
            self.send(BATCH)?;
            let begun = Instant::now();
            self.receive(BATCH, expected)?;
            took += begun.elapsed();
        }
        Ok(took)
    }

    fn one_by_one(&mut self, records: u64, expected: &mut Expected) -> Result<Duration> {
        let begun = Instant::now();
        for _ in 0..records {
            self.send(1)?;
            self.receive(1, expected)?;
        }
        Ok(begun.elapsed())
    }

    fn send(&mut self, count: u64) -> Result<()> {
        self.sender.send(self.next..self.next + count, BY)?;
        self.next += count;
        Ok(())
    }

    fn receive(&mut self, count: u64, expected: &mut Expected) -> Result<()> {
        let read = self.receiver.receive(count, |payload| expected.take(payload))?;
        ensure!(read == count, "{read} records of {count}");
        Ok(())
    }
}
