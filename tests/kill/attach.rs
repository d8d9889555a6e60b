//! Processes that are killed while they attach to a ring, or make one, or remove one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dynring::{AttachError, SharedRing};

use crate::operation::places;
use crate::scene::{Inherited, Scene, TestResult, builder, content, read_on, report, require_ptrace, trusted};
use crate::support::victim::{Steps, Victim, mark};

/// Kills somebody who does `act` after any instruction, and calls `check` after each death.
fn kill_everywhere(
    what: &str,
    mut prepare: impl FnMut() -> TestResult,
    act: impl Fn(),
    mut check: impl FnMut(&str) -> TestResult,
) -> TestResult {
    let mut kill_after = |steps: u64| -> Result<Steps, Box<dyn std::error::Error>> {
        prepare()?;
        let mut victim = Victim::traced(|| {
            mark();
            act();
        })?;
        let made = victim.step(steps)?;
        victim.kill()?;
        check(&format!("{what}, killed after {steps} steps"))?;
        Ok(made)
    };
    let Steps::Marked(most) = kill_after(u64::MAX)? else { unreachable!() };
    let mut deaths = 1;
    for steps in places(most, 2) {
        kill_after(steps)?;
        deaths += 1;
    }
    report(&format!("{what}: {deaths} deaths after 0 to {most} steps"));
    Ok(())
}

#[test]
fn who_dies_while_he_attaches_leaves_nothing() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let mut scene = Scene::new(1, false)?;
    let inherited = scene.inherited();
    let mut number = 0;
    kill_everywhere(
        "attach as producer",
        || Ok(()),
        || {
            let producer = inherited.attach().producer().unwrap();
            mark();
            drop(producer);
        },
        |when| {
            number += 1;
            let record = content(1, number, 100);
            scene.live.output(&record)?;
            assert_eq!(scene.read_on(), [record], "{when}");
            scene.assert_clean(1, when);
            Ok(())
        },
    )?;

    let ring = trusted(&builder(1, false).build_shared()?);
    let (inherited, live) = (Inherited::of(ring.ring()), ring.producer()?);
    let mut number = 0;
    kill_everywhere(
        "attach as consumer",
        || Ok(()),
        || {
            let consumer = inherited.attach().consumer().unwrap();
            mark();
            drop(consumer);
        },
        |when| {
            number += 1;
            let record = content(1, number, 100);
            live.output(&record)?;
            assert!(!ring.ring().has_consumer()?, "{when}");
            assert_eq!(read_on(&mut ring.consumer()?), [record], "{when}");
            Ok(())
        },
    )
}

/// A directory on a tmpfs, removed when this is dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let path = PathBuf::from(format!("/dev/shm/dynring-test-{}-{name}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn ring(&self) -> PathBuf {
        self.0.join("ring")
    }

    fn names(&self) -> usize {
        fs::read_dir(&self.0).map_or(0, Iterator::count)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What is at `path` is a whole ring, to which nobody is attached.
fn assert_usable(path: &Path, when: &str) -> TestResult {
    let ring = SharedRing::open(path)?;
    ring.producer()?.output(b"whole")?;
    let mut record = Vec::new();
    assert!(ring.consumer()?.next_into(&mut record)?, "{when}");
    assert_eq!(record, b"whole", "{when}");
    drop(ring);
    assert!(SharedRing::remove_stale(path)?, "{when}: somebody seems to be attached");
    Ok(())
}

#[test]
fn a_ring_whose_maker_dies_is_there_whole_or_not_at_all() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let directory = Directory::new("made")?;
    let path = directory.ring();
    let (mut there, mut absent) = (0, 0);
    kill_everywhere(
        "build_at",
        || Ok(()),
        || {
            let ring = builder(1, false).build_at(&path).unwrap();
            mark();
            drop(ring);
        },
        |when| {
            assert_eq!(directory.names(), usize::from(fs::exists(&path)?), "{when}");
            if directory.names() == 0 {
                absent += 1;
                drop(builder(1, false).build_at(&path)?);
            } else {
                there += 1;
            }
            assert_usable(&path, when)?;
            assert_eq!(directory.names(), 0, "{when}");
            Ok(())
        },
    )?;
    report(&format!("build_at: {absent} times not there, {there} times whole"));
    assert!(absent > 0 && there > 0);
    Ok(())
}

#[test]
fn who_dies_while_he_opens_or_removes_a_ring_is_not_attached() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let directory = Directory::new("opened")?;
    let path = directory.ring();
    let make = || {
        drop(builder(1, false).build_at(&path)?);
        Ok(())
    };
    let open = || {
        let ring = SharedRing::open(&path).unwrap();
        mark();
        drop(ring);
    };
    kill_everywhere("open", make, open, |when| assert_usable(&path, when))?;
    let remove = || {
        assert!(SharedRing::remove_stale(&path).unwrap());
        mark();
    };
    kill_everywhere("remove_stale", make, remove, |when| match SharedRing::open(&path) {
        Ok(ring) => {
            drop(ring);
            assert_usable(&path, when)
        }
        Err(AttachError::System(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => panic!("{when}: {error}"),
    })
}
