//! Producers in several processes, which share nothing but the map.

use std::env;
use std::error::Error;
use std::mem::forget;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

use dynring::kernel::UserRingBuf;

use crate::producers::{Account, send};
use crate::support::bpf::map_by_id;
use crate::support::child::in_a_child_that_is_killed;
use crate::support::pages::page_size;
use crate::support::{id_of, require_user_ring};

type TestResult = Result<(), Box<dyn Error>>;

const SAMPLES: u32 = 10_000;

/// The map, and the first number of the producers, of a process that a test has started.
const MAP: &str = "DYNRING_TEST_MAP";
const FIRST: &str = "DYNRING_TEST_FIRST";

#[test]
fn of_several_processes_every_sample_is_drained_once_and_in_order() -> TestResult {
    let Some(mut ring) = require_user_ring(16 * page_size() as u32) else { return Ok(()) };
    let id = id_of(ring.as_fd())?;
    let mut account = Account::default();
    for _round in 0..2 {
        let mut children = [0, 100, 200].map(|first| process(id, first));
        account.drain_while(&mut ring, || {
            children.iter_mut().flatten().any(|child| matches!(child.try_wait(), Ok(None)))
        })?;
        for child in children {
            assert!(child?.wait()?.success());
        }
        let total = account.total();
        assert!(total > u64::from(6 * SAMPLES), "{total}");
        account = Account::default();
        assert_eq!(UserRingBuf::from_fd(&ring)?.stats().producers, 0);
    }
    Ok(())
}

fn process(map: u32, first: u32) -> std::io::Result<Child> {
    Command::new(env::current_exe()?)
        .args(["--exact", "processes::of_a_process_that_a_test_has_started", "--quiet"])
        .env(MAP, map.to_string())
        .env(FIRST, first.to_string())
        .stdout(Stdio::null())
        .spawn()
}

#[test]
fn a_process_that_dies_keeps_its_slots_and_what_it_had_reserved_stops_the_drain() -> TestResult {
    let Some(mut ring) = require_user_ring(page_size() as u32) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let producer = user.producer()?;
    let killed = in_a_child_that_is_killed(|| {
        let producer = user.producer().expect("a slot");
        producer.output(b"committed").expect("space");
        forget(producer.reserve(8).expect("space"));
        forget(producer);
        true
    })?;
    assert!(killed, "the child did not come that far");
    producer.output(b"behind")?;
    assert_eq!(ring.drained()?, [b"committed"]);
    assert_eq!(ring.drain(u64::MAX)?, 0);
    assert_eq!(UserRingBuf::from_fd(&ring)?.stats().producers, 2);
    Ok(())
}

/// Does nothing unless it runs in such a process.
#[test]
fn of_a_process_that_a_test_has_started() -> TestResult {
    let (Ok(map), Ok(first)) = (env::var(MAP), env::var(FIRST)) else { return Ok(()) };
    let first: u32 = first.parse()?;
    let user = UserRingBuf::from_fd(map_by_id(map.parse()?, 0)?)?;
    std::thread::scope(|scope| -> TestResult {
        let threads = [first, first + 1].map(|who| {
            let user = user.clone();
            scope.spawn(move || send(&user.producer().expect("a slot"), who, SAMPLES))
        });
        threads.into_iter().try_for_each(|thread| thread.join().expect("a producer"))?;
        Ok(())
    })
}
