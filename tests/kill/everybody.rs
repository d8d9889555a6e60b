//! All processes of a ring are killed, and its file stays.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use dynring::{Ring, SharedRing, TrustedRing};

use crate::attach::Directory;
use crate::headers::{Headers, Skipped};
use crate::random::{CAPACITY, History, random, send_for_ever};
use crate::scene::{TestResult, alone, report, times, trusted};
use crate::support::victim::{Victim, board, until};

const PRODUCERS: u64 = 3;
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

fn open(path: &Path) -> TrustedRing {
    trusted(&SharedRing::open(path).unwrap())
}

/// Notes for each producer the number of the record after the last that it was handed, until it is killed.
fn receive_for_ever(path: &Path, board: &[AtomicU64]) {
    let mut consumer = open(path).consumer().unwrap();
    loop {
        let _ = consumer.wait(None).unwrap();
        let drained = consumer.drain(|record| {
            let word = |at: usize| u64::from_ne_bytes(record[at..at + 8].try_into().unwrap());
            board[word(0) as usize].store(word(8) + 1, Ordering::Relaxed);
            ControlFlow::Continue(())
        });
        drained.unwrap();
    }
}

/// Reads what the dead have left. The first record may be one that the dead consumer was handed last, and did not give back.
fn recover(ring: &TrustedRing, board: &[AtomicU64], sum: &mut (u64, Skipped)) -> TestResult {
    let begun = ring.ring().stats()?;
    let headers = Headers::of(ring.ring())?;
    let next: HashMap<u64, u64> = (0..)
        .zip(board)
        .map(|(whose, next)| (whose, next.load(Ordering::Relaxed)))
        .filter(|(_, next)| *next > 0)
        .collect();
    let mut history = History { headers, end: begun.consumer_pos, delivered: 0, skipped: Skipped::default(), next };
    let mut consumer = ring.consumer()?;
    // Only now: what the dead one had skipped and not given back is not among these.
    let before = Skipped { discarded: consumer.discarded(), abandoned: consumer.abandoned() };
    loop {
        while let Some(record) = consumer.next()? {
            if history.delivered == 0 {
                let word = |at: usize| u64::from_ne_bytes(record[at..at + 8].try_into().unwrap());
                let due = history.next.entry(word(0)).or_default();
                *due -= u64::from(word(8) + 1 == *due);
            }
            history.add(record.position(), &record);
        }
        if !consumer.recover()? {
            break;
        }
    }
    let stats = ring.ring().stats()?;
    history.headers.skipped(history.end, stats.head, &mut history.skipped);
    assert_eq!((stats.consumer_pos, stats.producers), (stats.head, 0), "{stats:?}");
    let (discarded, abandoned) = (stats.discarded - before.discarded, stats.abandoned - before.abandoned);
    assert_eq!(history.skipped, Skipped { discarded, abandoned });
    sum.0 += history.delivered;
    sum.1.discarded += discarded;
    sum.1.abandoned += abandoned;
    Ok(())
}

#[test]
fn after_the_death_of_all_the_file_says_what_was_committed() -> TestResult {
    let _alone = alone();
    let directory = Directory::new("everybody")?;
    let (path, board) = (directory.ring(), board());
    let rounds = times(30, 1000);
    let first = 0u64.wrapping_sub(10_000);
    let builder = Ring::builder(CAPACITY).max_producers(PRODUCERS as u32).first_position(first);
    drop(builder.build_at(&path)?);
    let (mut state, mut sum) = (SEED, (0, Skipped::default()));
    for round in 0..rounds {
        board.iter().for_each(|next| next.store(0, Ordering::Relaxed));
        let mut victims = (1..=PRODUCERS)
            .map(|whose| Victim::fork(|| send_for_ever(&open(&path), whose)))
            .collect::<Result<Vec<_>, _>>()?;
        victims.push(Victim::fork(|| receive_for_ever(&path, board))?);
        until("something is received", || board.iter().any(|next| next.load(Ordering::Relaxed) > 0));
        thread::sleep(Duration::from_micros(random(&mut state) % 3000));
        // In any order; nobody has the time to notice.
        victims.rotate_left((round % (PRODUCERS + 1)) as usize);
        victims.iter().try_for_each(Victim::send_kill)?;
        victims.into_iter().try_for_each(Victim::kill)?;
        recover(&open(&path), board, &mut sum)?;
    }
    assert!(SharedRing::remove_stale(&path)?);
    let (delivered, Skipped { discarded, abandoned }) = sum;
    report(&format!(
        "{rounds} times all {} processes killed, seed {SEED:#x}: {delivered} records were still there, \
         {discarded} discarded and {abandoned} abandoned between them",
        PRODUCERS + 1
    ));
    Ok(())
}
