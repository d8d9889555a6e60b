//! How long it takes to wake a thread with a record.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dynring::{Readiness, Ring};
use rustix::io::Errno;
use rustix::thread::futex;

use super::asleep::Bed;
use crate::case::{At, Case, Round, Sample};
use crate::common::{Sizes, pin};
use crate::link::ROOM;
use crate::measure::quantile_of;
use crate::threads::AT_LEAST;

/// How many times as long as with a bare futex it may take.
const GOAL: f64 = 1.25;

/// How long a thread is left asleep, once it is: a core that has just nothing to do wakes faster than one that rests.
const REST: Duration = Duration::from_micros(20);

pub fn case(percent: usize) -> Case {
    let at = At::sizes(Sizes::Fixed(8)).percent(percent);
    let which = if percent == 50 { "median" } else { "p99" };
    let case = Case::new("wake", at, format!("from sending to a sleeper that has it, 8 B, {which}"), "ns")
        .peer("dynring", move || round(percent, dynring()?))
        .peer("bare futex", move || round(percent, bare_futex()))
        .peer("crossbeam-channel", move || round(percent, crossbeam_channel()))
        .peer("kanal", move || round(percent, kanal()))
        .peer("std sync_channel", move || round(percent, std_channel()))
        .baseline("bare futex");
    if percent == 50 { case.goal("dynring", GOAL, &["bare futex"]) } else { case }
}

/// Sends a word; sleeps until one comes.
struct Ends {
    send: Box<dyn FnMut(u64) -> Result<()>>,
    sleep: Box<dyn FnMut() -> Result<u64> + Send>,
}

impl Ends {
    fn new(send: impl FnMut(u64) -> Result<()> + 'static, sleep: impl FnMut() -> Result<u64> + Send + 'static) -> Self {
        Self { send: Box::new(send), sleep: Box::new(sleep) }
    }
}

/// The word that is sent is the time at which that was begun.
fn round(percent: usize, ends: Ends) -> Result<Round> {
    let Ends { mut send, mut sleep } = ends;
    let (epoch, bed) = (Instant::now(), Arc::new(Bed::default()));
    let (woken, took) = mpsc::channel();
    let theirs = Arc::clone(&bed);
    thread::spawn(move || {
        pin(1);
        loop {
            theirs.going();
            let sent = sleep();
            let now = epoch.elapsed().as_nanos() as u64;
            // An error after the other end has gone is the end.
            if woken.send(sent.map(|sent| now.saturating_sub(sent) as f64)).is_err() {
                return;
            }
        }
    });
    let mut nights = 0;
    Ok(Box::new(move |times| {
        let mut all = Vec::new();
        for _ in 0..times.max(AT_LEAST) {
            nights += 1;
            bed.wait_for(nights)?;
            let asleep = Instant::now();
            while asleep.elapsed() < REST {}
            send(epoch.elapsed().as_nanos() as u64)?;
            all.push(took.recv().context("the sleeper is gone")??);
        }
        Ok(Sample(quantile_of(all, percent, 100)))
    }))
}

fn dynring() -> Result<Ends> {
    let ring = Ring::builder(ROOM).build()?;
    let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    let send = move |word: u64| Ok(producer.output(&word.to_ne_bytes())?);
    Ok(Ends::new(send, move || {
        ensure!(consumer.wait(None)? == Readiness::Ready, "the producer is gone");
        let record = consumer.next()?.context("no record")?;
        Ok(u64::from_ne_bytes(record[..].try_into()?))
    }))
}

/// A word, and a count of what was sent, on which the other thread sleeps.
#[derive(Default)]
struct Word {
    word: AtomicU64,
    count: AtomicU32,
}

impl Word {
    fn send(&self, word: u64) -> Result<()> {
        self.word.store(word, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Release);
        futex::wake(&self.count, futex::Flags::PRIVATE, 1)?;
        Ok(())
    }
}

/// Says that nobody will send any more.
struct Last(Arc<Word>);

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.0.send(u64::MAX);
    }
}

fn bare_futex() -> Ends {
    let word = Arc::new(Word::default());
    let (last, mut seen) = (Last(Arc::clone(&word)), 0);
    Ends::new(
        move |sent| last.0.send(sent),
        move || {
            while word.count.load(Ordering::Acquire) == seen {
                match futex::wait(&word.count, futex::Flags::PRIVATE, seen, None) {
                    Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            seen = seen.wrapping_add(1);
            Ok(word.word.load(Ordering::Relaxed))
        },
    )
}

fn crossbeam_channel() -> Ends {
    let (sender, receiver) = crossbeam_channel::bounded(ROOM / 8);
    Ends::new(move |word| Ok(sender.send(word)?), move || Ok(receiver.recv()?))
}

fn kanal() -> Ends {
    let (sender, receiver) = kanal::bounded(ROOM / 8);
    Ends::new(move |word| Ok(sender.send(word)?), move || Ok(receiver.recv()?))
}

fn std_channel() -> Ends {
    let (sender, receiver) = mpsc::sync_channel(ROOM / 8);
    Ends::new(move |word| Ok(sender.send(word)?), move || Ok(receiver.recv()?))
}
