//! The ways to measure what threads are linked with.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Kind;
use crate::case::{Round, Sample};
use crate::common::{Sizes, back_off, cores, pin};
use crate::link::{By, Expected, Receiver, Sender, receive_all};
use crate::measure::quantile_of;

/// How often something goes to and fro in a round: a median of fewer says nothing.
pub const AT_LEAST: u64 = 200;

/// How many records each of several threads sends in a round: fewer say how threads start.
const EACH_AT_LEAST: u64 = 512;

/// A way to measure a kind.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// One thread sends a record and receives it, and so on.
    Alone,
    /// That many threads send to this one.
    ToOne(usize),
    /// One record goes to and fro; what counts is how many percent of them were faster than.
    Latency { percent: usize },
}

impl Way {
    pub fn by<K: Kind>(self, sizes: Sizes) -> impl FnOnce() -> Result<Round> {
        move || self.measure::<K>(sizes)
    }

    pub fn measure<K: Kind>(self, sizes: Sizes) -> Result<Round> {
        match self {
            Self::Alone => alone::<K>(sizes),
            Self::ToOne(senders) => to_one::<K>(senders, sizes),
            Self::Latency { percent } => latency::<K>(sizes, percent),
        }
    }
}

fn alone<K: Kind>(sizes: Sizes) -> Result<Round> {
    let (mut senders, mut receiver) = K::link(1, sizes)?;
    let by = By { sender: 0, sizes, shared_core: false };
    let mut first = 1;
    Ok(Box::new(move |records| {
        let sender = senders.first_mut().context("a sender")?;
        let (mut expected, end) = (Expected::from(first, sizes), first + records);
        let begun = Instant::now();
        for nth in first..end {
            ensure!(sender.try_send(by.word(nth), sizes.len(nth))?, "no room for one record");
            receive_all(&mut receiver, 1, false, &mut expected)?;
        }
        let took = begun.elapsed();
        expected.check(1, end)?;
        first = end;
        Ok(Sample::each(records, took))
    }))
}

fn to_one<K: Kind>(count: usize, sizes: Sizes) -> Result<Round> {
    let (mut senders, mut receiver) = K::link(count, sizes)?;
    // Senders that share a core give it up while they wait.
    let shared_core = count >= cores();
    let mut first = 1;
    Ok(Box::new(move |records| {
        let each = records.div_ceil(count as u64).max(EACH_AT_LEAST);
        let (mut expected, end) = (Expected::from(first, sizes), first + each);
        let (ready, go) = (Barrier::new(count + 1), AtomicBool::new(false));
        let took = thread::scope(|scope| -> Result<Duration> {
            let mut sending = Vec::new();
            for (nth, sender) in senders.iter_mut().enumerate() {
                let (ready, go) = (&ready, &go);
                sending.push(scope.spawn(move || {
                    pin(core_of(nth));
                    ready.wait();
                    // Not before the receiver has looked at the clock.
                    while !go.load(Ordering::Acquire) {
                        back_off(shared_core);
                    }
                    sender.send(first..end, By { sender: nth, sizes, shared_core })
                }));
            }
            ready.wait();
            let begun = Instant::now();
            go.store(true, Ordering::Release);
            receive_all(&mut receiver, each * count as u64, false, &mut expected)?;
            let took = begun.elapsed();
            sending.into_iter().try_for_each(|thread| thread.join().expect("a sender panicked"))?;
            Ok(took)
        })?;
        expected.check(count, end)?;
        first = end;
        Ok(Sample::each(each * count as u64, took))
    }))
}

/// The receiver has the first core to itself, if there is another.
fn core_of(sender: usize) -> usize {
    1 + sender % (cores() - 1).max(1)
}

fn latency<K: Kind>(sizes: Sizes, percent: usize) -> Result<Round> {
    let (mut there, mut far) = K::link(1, sizes)?;
    let (mut back, mut near) = K::link(1, sizes)?;
    let shared_core = cores() < 2;
    let mut first = 1;
    Ok(Box::new(move |times| {
        let times = times.max(AT_LEAST);
        let by = By { sender: 0, sizes, shared_core };
        let numbers = first..first + times;
        let (there, back) = (there.first_mut().context("a sender")?, back.first_mut().context("a sender")?);
        let took = thread::scope(|scope| {
            let (far, echoed) = (&mut far, numbers.clone());
            let echo = scope.spawn(move || {
                pin(core_of(0));
                let mut expected = Expected::from(echoed.start, sizes);
                for nth in echoed.clone() {
                    receive_all(far, 1, shared_core, &mut expected)?;
                    back.send(nth..nth + 1, by)?;
                }
                expected.check(1, echoed.end)
            });
            let took = round_trips(there, &mut near, numbers, by);
            echo.join().expect("the echo panicked")?;
            took
        })?;
        first += times;
        Ok(Sample(quantile_of(took, percent, 100) / 2.0))
    }))
}

/// Nanoseconds that each record took to and fro.
pub fn round_trips(
    there: &mut impl Sender,
    back: &mut impl Receiver,
    numbers: std::ops::Range<u64>,
    by: By,
) -> Result<Vec<f64>> {
    let mut expected = Expected::from(numbers.start, by.sizes);
    let mut took = Vec::with_capacity((numbers.end - numbers.start) as usize);
    for nth in numbers.clone() {
        let begun = Instant::now();
        there.send(nth..nth + 1, by)?;
        receive_all(back, 1, by.shared_core, &mut expected)?;
        took.push(begun.elapsed().as_nanos() as f64);
    }
    expected.check(1, numbers.end)?;
    Ok(took)
}
