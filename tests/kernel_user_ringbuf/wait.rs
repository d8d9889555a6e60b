//! When the kernel wakes those who wait for space.

use std::error::Error;
use std::fs;
use std::io;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use dynring::kernel::UserRingBuf;
use dynring::{Producer, ReserveError};

use crate::support::bpf::{FORCE_WAKEUP, NO_WAKEUP};
use crate::support::drain::UserRing;
use crate::support::pages::page_size;
use crate::support::require_user_ring;

type TestResult = Result<(), Box<dyn Error>>;

/// Longer than anything takes that does happen.
const LONG: Duration = Duration::from_secs(20);
/// For what does not happen.
const SHORT: Duration = Duration::from_millis(100);

/// Four samples of this length fill the ring.
fn quarter() -> usize {
    page_size() / 4 - 8
}

fn filled(quarters: usize) -> Result<Option<(UserRing, Producer)>, Box<dyn Error>> {
    let Some(ring) = require_user_ring(page_size() as u32) else { return Ok(None) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    for _ in 0..quarters {
        producer.reserve(quarter())?.commit();
    }
    Ok(Some((ring, producer)))
}

/// Whether a producer that waits for `quarters` quarters of the ring has them `within` a time after `drain`.
fn wakes(
    (ring, producer): (&UserRing, &Producer),
    quarters: usize,
    within: Duration,
    drain: impl FnOnce() -> io::Result<i64>,
) -> Result<bool, Box<dyn Error>> {
    let (done, reserved) = mpsc::channel();
    let waiting = producer.try_clone()?;
    let len = quarters * (quarter() + 8) - 8;
    thread::scope(|scope| {
        scope.spawn(move || done.send(waiting.reserve_blocking(len, Some(2 * LONG)).map(|sample| sample.discard())));
        assert!(reserved.recv_timeout(SHORT).is_err(), "before there is space");
        drain()?;
        let answer = reserved.recv_timeout(within);
        if let Ok(answer) = answer {
            answer?;
            return Ok(true);
        }
        // Lets it go.
        ring.drain_with(u64::MAX, FORCE_WAKEUP)?;
        reserved.recv_timeout(LONG)??;
        Ok(false)
    })
}

#[test]
fn a_drain_wakes_who_waits_for_space() -> TestResult {
    let Some((ring, producer)) = filled(4)? else { return Ok(()) };
    assert!(wakes((&ring, &producer), 1, LONG, || ring.drain(u64::MAX))?);
    Ok(())
}

#[test]
fn a_drain_that_stops_early_wakes_too_and_one_that_makes_too_little_space_is_waited_out() -> TestResult {
    let Some((ring, producer)) = filled(4)? else { return Ok(()) };
    assert!(!wakes((&ring, &producer), 2, SHORT, || ring.drain(1))?);
    let Some((ring, producer)) = filled(4)? else { return Ok(()) };
    assert!(wakes((&ring, &producer), 2, LONG, || ring.drain(1).and_then(|_| ring.drain(1)))?);
    Ok(())
}

#[test]
fn no_wakeup_does_not_wake_and_forcing_does() -> TestResult {
    let Some((ring, producer)) = filled(4)? else { return Ok(()) };
    assert!(!wakes((&ring, &producer), 1, SHORT, || ring.drain_with(u64::MAX, NO_WAKEUP))?);
    let Some((ring, producer)) = filled(4)? else { return Ok(()) };
    let quietly_then_forced = || {
        ring.drain_with(u64::MAX, NO_WAKEUP)?;
        ring.drain_with(u64::MAX, FORCE_WAKEUP)
    };
    assert!(wakes((&ring, &producer), 1, LONG, quietly_then_forced)?);
    Ok(())
}

#[test]
fn a_drain_of_nothing_but_discarded_samples_wakes() -> TestResult {
    let Some((ring, producer)) = filled(0)? else { return Ok(()) };
    for _ in 0..4 {
        producer.reserve(quarter())?.discard();
    }
    assert!(wakes((&ring, &producer), 1, LONG, || ring.drain(u64::MAX))?);
    Ok(())
}

#[test]
fn who_waits_for_more_space_than_there_is_sleeps() -> TestResult {
    /// How often the calling thread has gone to sleep.
    fn sleeps() -> io::Result<u64> {
        let status = fs::read_to_string("/proc/thread-self/status")?;
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse().ok());
        count.ok_or_else(|| io::Error::other(status))
    }

    let Some((_ring, producer)) = filled(2)? else { return Ok(()) };
    let before = sleeps()?;
    let begun = Instant::now();
    let refused = producer.reserve_blocking(3 * quarter(), Some(3 * SHORT)).unwrap_err();
    assert_eq!(refused, ReserveError::Full);
    assert!(begun.elapsed() >= 3 * SHORT);
    let slept = sleeps()? - before;
    assert!((1..10).contains(&slept), "{slept} times");
    Ok(())
}

#[test]
fn a_timeout_is_not_cut_short() -> TestResult {
    let Some((_ring, producer)) = filled(4)? else { return Ok(()) };
    for micros in [0, 1, 300, 1500] {
        let (timeout, begun) = (Duration::from_micros(micros), Instant::now());
        assert_eq!(producer.reserve_blocking(0, Some(timeout)).unwrap_err(), ReserveError::Full);
        assert!(begun.elapsed() >= timeout);
    }
    let too_large = producer.reserve_blocking(page_size(), None).unwrap_err();
    assert!(matches!(too_large, ReserveError::TooLarge { .. }), "at once");
    Ok(())
}

#[test]
fn a_process_that_is_stopped_and_goes_on_still_waits() -> TestResult {
    let Some((ring, producer)) = filled(4)? else { return Ok(()) };
    // epoll_wait(2) returns EINTR then.
    let stop_and_go_on = || {
        let me = std::process::id();
        let script = format!("kill -STOP {me}; sleep 0.05; kill -CONT {me}");
        assert!(Command::new("sh").args(["-c", &script]).status()?.success());
        thread::sleep(SHORT);
        ring.drain(u64::MAX)
    };
    assert!(wakes((&ring, &producer), 1, LONG, stop_and_go_on)?);
    Ok(())
}

#[test]
fn everyone_who_waits_is_woken() -> TestResult {
    const WAITING: usize = 4;

    let Some((ring, producer)) = filled(4)? else { return Ok(()) };
    thread::scope(|scope| -> TestResult {
        let mut threads = Vec::new();
        for _ in 0..WAITING {
            let waiting = producer.try_clone()?;
            threads.push(scope.spawn(move || waiting.reserve_blocking(quarter(), Some(LONG)).map(|it| it.commit())));
        }
        thread::sleep(SHORT);
        assert_eq!(ring.drain(u64::MAX)?, 4);
        for thread in threads {
            thread.join().expect("a producer")?;
        }
        Ok(())
    })?;
    assert_eq!(ring.drain(u64::MAX)?, WAITING as i64);
    Ok(())
}

#[test]
fn no_wake_up_is_lost() -> TestResult {
    const SAMPLES: u64 = 20_000;

    let Some((mut ring, producer)) = filled(0)? else { return Ok(()) };
    thread::scope(|scope| -> TestResult {
        let sender = scope.spawn(move || -> Result<(), ReserveError> {
            for number in 0..SAMPLES {
                let len = 8 + (number * 131 % 900) as usize;
                let mut sample = producer.reserve_blocking(len, Some(LONG))?;
                sample[..8].copy_from_slice(&number.to_ne_bytes());
                sample.commit();
            }
            Ok(())
        });
        let mut got = Vec::new();
        while !sender.is_finished() {
            ring.drain(1 + got.len() as u64 % 5)?;
            got.extend(ring.reported()?);
        }
        sender.join().expect("the sender")?;
        got.extend(ring.drained()?);
        assert!(got.iter().map(|sample| u64::from_ne_bytes(*sample.first_chunk().expect("a number"))).eq(0..SAMPLES));
        Ok(())
    })
}
