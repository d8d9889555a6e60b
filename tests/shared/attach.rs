//! Who may attach to what.

use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use dynring::{AttachError, BuildError, RegisterError, Ring, SharedRing};

use crate::alone::alone;
use crate::forge::{Attacked, SLOTS, at, hold};

type TestResult = Result<(), Box<dyn Error>>;

/// A path on a tmpfs that nothing is at.
fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("/dev/shm/dynring-test-{}-{name}", std::process::id()))
}

#[test]
fn a_ring_with_a_name_is_found_by_it_until_it_is_removed() -> TestResult {
    let path = path("named");
    let ring = Ring::builder(4096).build_at(&path)?;
    let error = Ring::builder(4096).build_at(&path).unwrap_err();
    assert!(matches!(&error, BuildError::Exists { path: found } if *found == path), "{error}");
    let other = SharedRing::open(&path)?;
    ring.producer()?.output(b"found")?;
    let mut record = Vec::new();
    assert!(other.consumer()?.next_into(&mut record)?);
    assert_eq!(record, b"found");

    assert!(!SharedRing::remove_stale(&path)?, "somebody is attached");
    drop(ring);
    assert!(!SharedRing::remove_stale(&path)?, "somebody is attached");
    drop(other);
    assert!(SharedRing::remove_stale(&path)?);
    assert!(!fs::exists(&path)?);
    assert!(
        matches!(SharedRing::open(&path), Err(AttachError::System(error)) if error.kind() == std::io::ErrorKind::NotFound)
    );
    Ok(())
}

#[test]
fn a_ring_is_not_made_on_a_disk() -> TestResult {
    let path = std::env::current_dir()?.join(format!("no-ring-{}", std::process::id()));
    match Ring::builder(4096).build_at(&path) {
        // Where the whole tree lies in memory.
        Ok(_) => fs::remove_file(&path)?,
        Err(BuildError::System { error, .. }) => {
            assert!(matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::IsADirectory), "{error}");
        }
        Err(error) => panic!("{error}"),
    }
    assert!(!fs::exists(&path)?);
    Ok(())
}

/// Slots whose owners seem to have died.
fn forge_dead(attacked: &Attacked) {
    for slot in 0..SLOTS {
        attacked.store_two(attacked.slot_at(slot, at::OWNER_AND_PROCESS), 60_000 + slot as u32, 1);
    }
    attacked.store_two(attacked.producer_page_at(at::SLOTS_USED_AND_REGISTRATIONS), SLOTS as u32, 60_010);
}

#[test]
fn as_many_who_come_at_once_as_there_are_slots_of_the_dead_get_them() -> TestResult {
    // Alone: a child that another test forks has the locks of the last round for a moment, as if its owners lived.
    alone("attach::as_many_who_come_at_once_as_there_are_slots_of_the_dead_get_them", || {
        let attacked = Attacked::new();
        let ring = &attacked.ring;
        for round in 0..100 {
            forge_dead(&attacked);
            let (all_here, all_there) = (Barrier::new(SLOTS), Barrier::new(SLOTS));
            thread::scope(|scope| {
                for _ in 0..SLOTS {
                    scope.spawn(|| {
                        all_here.wait();
                        let producer = ring.producer();
                        // None leaves a slot to another.
                        all_there.wait();
                        assert!(producer.is_ok(), "round {round}: {producer:?}");
                    });
                }
            });
        }
        Ok(())
    })
}

#[test]
fn a_free_slot_whose_lock_somebody_has_for_a_moment_is_waited_for() -> TestResult {
    let attacked = Attacked::new();
    let child = attacked.reopened()?;
    hold(&child, 4096, SLOTS as i64)?;
    assert!(matches!(attacked.ring.producer(), Err(RegisterError::Full { .. })));
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(5));
            drop(child);
        });
        assert!(attacked.ring.producer().is_ok());
    });
    Ok(())
}
