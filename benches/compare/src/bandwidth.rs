//! How many bytes a second go from one thread to another, and how many could.
//!
//! The limit is measured without a ring: eight buffers, together as large as the ring, go round between two threads. One fills a
//! buffer with records and hands it over, the other reads it and gives it back, so that they meet only once for many records.
//! What is done with the bytes is one of three: both copy from and to memory of their own (memcpy); one writes and the other reads
//! them, as is done with records of a ring; or the reader writes a word of each cache line besides, which on some processors makes
//! the line cheaper to hand over next time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::case::{At, Case, Group, Round, Sample};
use crate::common::{Sizes, back_off, cores, fill, fold, pin};
use crate::ours::{Gathering, Leasing, Plain, Reading};
use crate::threads::{Kinds, Way};

pub const GROUP: Group = Group {
    name: "bandwidth",
    about: "bytes a second from one thread to another, and how many could be",
    explained: "Records of 4 KiB go from one thread to another through rings of 1 MiB and 8 MiB. The limit is measured without
        a ring: eight buffers, together as large, go round between two threads, each of which hands over a whole one. The
        bytes are copied in and out (memcpy), or written and read as those of records are; or the reader writes a word of
        each cache line besides. The goal is to the best of the three.",
    packages: &["rtrb"],
    ready: || Ok(()),
    needs: "bandwidth",
    cases,
};

const LEN: usize = 4096;
const SIZES: Sizes = Sizes::Fixed(LEN);

const BUFFERS: usize = 8;

/// How many times as long as the limit a record may take.
const GOAL: f64 = 1.25;

const LIMITS: [&str; 3] = ["hand-over: memcpy", "hand-over: write, read", "hand-over: write, read, take"];

fn cases() -> Vec<Case> {
    vec![case::<{ 1 << 20 }>("1 MiB"), case::<{ 8 << 20 }>("8 MiB")]
}

fn case<const CAPACITY: usize>(between: &str) -> Case {
    let (way, name) = (Way::ToOne(1), format!("4 KiB from thread to thread, {between} between them"));
    let limit = |touch: Touch| move || hand_over(CAPACITY / BUFFERS, touch);
    Case::new("bandwidth", At::sizes(SIZES), name, "ns a record")
        .moves(LEN as u64)
        .peer("dynring", way.by::<Kinds<Plain, Reading, CAPACITY>>(SIZES))
        .peer("dynring, gather", way.by::<Kinds<Plain, Gathering, CAPACITY>>(SIZES))
        .peer("dynring, lease", way.by::<Kinds<Leasing, Reading, CAPACITY>>(SIZES))
        .peer("dynring, lease and gather", way.by::<Kinds<Leasing, Gathering, CAPACITY>>(SIZES))
        .peer(LIMITS[0], limit(Touch::Copy))
        .peer(LIMITS[1], limit(Touch::Read))
        .peer(LIMITS[2], limit(Touch::Take))
        .goal("dynring", GOAL, &LIMITS)
        .goal("dynring, lease and gather", GOAL, &LIMITS)
}

/// What is done with the bytes.
#[derive(Clone, Copy)]
enum Touch {
    Copy,
    Read,
    Take,
}

type Buffer = Box<[u8]>;

/// One end of the round: where buffers come from, and where they go to.
struct End {
    from: rtrb::Consumer<Buffer>,
    to: rtrb::Producer<Buffer>,
    touch: Touch,
    /// What is copied from, or to.
    own: Buffer,
    /// The first record that was not what it should be, and what it should be.
    wrong: Option<(u64, u64)>,
}

impl End {
    /// Both ends, and all buffers with the writer.
    fn both(bytes: usize, touch: Touch) -> Result<(Self, Self)> {
        let (full, filled) = rtrb::RingBuffer::new(BUFFERS);
        let (mut empty, emptied) = rtrb::RingBuffer::new(BUFFERS);
        (0..BUFFERS).try_for_each(|_| empty.push(vec![0xff; bytes].into()))?;
        let end = |from, to| Self { from, to, touch, own: vec![0; LEN].into(), wrong: None };
        Ok((end(emptied, full), end(filled, empty)))
    }

    /// Passes on `count` buffers, each after `work` with its records and their numbers from `first` on.
    fn pass(&mut self, count: u64, first: u64, work: fn(&mut Self, &mut [u8], u64)) -> Result<()> {
        let mut nth = first;
        for _ in 0..count {
            let mut buffer = loop {
                match self.from.pop() {
                    Ok(buffer) => break buffer,
                    Err(_) => back_off(cores() < 2),
                }
            };
            for record in buffer.chunks_exact_mut(LEN) {
                work(self, record, nth);
                nth += 1;
            }
            self.to.push(buffer)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn write(&mut self, record: &mut [u8], nth: u64) {
        match self.touch {
            Touch::Copy => {
                fill(&mut self.own[..8], nth);
                record.copy_from_slice(&self.own);
            }
            Touch::Read | Touch::Take => fill(record, nth),
        }
    }

    #[inline(always)]
    fn read(&mut self, record: &mut [u8], nth: u64) {
        let found = match self.touch {
            Touch::Copy => {
                self.own.copy_from_slice(record);
                fold(&self.own[..8])
            }
            Touch::Read => fold(record),
            Touch::Take => {
                let found = fold(record);
                record.chunks_exact_mut(64).for_each(|line| fill(&mut line[..8], 0));
                found
            }
        };
        if found != nth {
            self.wrong.get_or_insert((found, nth));
        }
    }
}

fn hand_over(bytes: usize, touch: Touch) -> Result<Round> {
    let (mut writer, mut reader) = End::both(bytes, touch)?;
    let in_each = (bytes / LEN) as u64;
    let mut first = 1;
    Ok(Box::new(move |records| {
        let count = records.div_ceil(in_each);
        let go = AtomicBool::new(false);
        let took = thread::scope(|scope| -> Result<Duration> {
            let (writer, go) = (&mut writer, &go);
            let writing = scope.spawn(move || {
                pin(1);
                while !go.load(Ordering::Acquire) {
                    back_off(cores() < 2);
                }
                writer.pass(count, first, End::write)
            });
            // The other thread has come to its core.
            thread::sleep(Duration::from_micros(100));
            let begun = Instant::now();
            go.store(true, Ordering::Release);
            reader.pass(count, first, End::read)?;
            let took = begun.elapsed();
            writing.join().expect("the writer panicked")?;
            ensure!(reader.wrong.is_none(), "torn, or in the wrong place: {:x?}", reader.wrong);
            Ok(took)
        })?;
        let records = count * in_each;
        first += records;
        Ok(Sample::each(records, took))
    }))
}
