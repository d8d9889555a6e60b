//! What is left of a ring's handles in a child.

#![expect(unsafe_code, reason = "calls fork(2)")]

use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dynring::{ConsumerError, Readiness, RegisterError, RepairError, ReserveError, SharedRing, TrustedRing};

use crate::scene::{Scene, TestResult, alone, content, report, times, trusted};
use crate::support::victim::{Victim, alarm, board, mark, until};

const LEN: usize = 40;

#[test]
fn handles_fail_cleanly_in_a_child_and_the_parent_notices_nothing() -> TestResult {
    let _alone = alone();
    for kernel_protocol in [false, true] {
        let Scene { ring, live, consumer, .. } = Scene::new(1, kernel_protocol)?;
        let (mut live, mut consumer) = (Some(live), Some(consumer));
        let copying = ring.ring().producer()?;
        for round in 0..times(20, 1000) {
            let records = [1, 2, 3].map(|number| content(round, number, LEN));
            live.as_ref().unwrap().output(&records[0])?;
            let mut reserved = live.as_ref().unwrap().reserve_owned(LEN)?;
            reserved.copy_from_slice(&records[1]);
            let mut reserved = Some(reserved);
            let before = ring.ring().stats()?;
            let child = Victim::fork(|| {
                let producer = live.take().unwrap();
                assert_eq!(producer.reserve(LEN).err(), Some(ReserveError::Closed));
                assert_eq!(producer.lease(100).err(), Some(ReserveError::Closed));
                assert_eq!(
                    producer.reserve_blocking(LEN, Some(Duration::from_secs(9))).err(),
                    Some(ReserveError::Closed)
                );
                assert_eq!(copying.output(b"child"), Err(ReserveError::Closed));
                let mut consumer = consumer.take().unwrap();
                assert!(consumer.next().unwrap().is_none());
                assert_eq!(consumer.wait(Some(Duration::from_secs(9))).unwrap(), Readiness::Disconnected);
                assert!(consumer.stalled().is_none());
                assert_eq!(consumer.arm().unwrap(), Some(Readiness::Disconnected));
                assert!(!consumer.recover().unwrap());
                assert_refused(&ring);
                assert!(matches!(producer.try_clone(), Err(RegisterError::Inherited)));
                // One is committed, one dropped.
                match round % 2 {
                    0 => reserved.take().unwrap().commit(),
                    _ => drop(reserved.take()),
                }
                drop(producer);
                drop(consumer);
            })?;
            assert!(child.join()?, "the child has failed");
            assert_eq!(ring.ring().stats()?, before, "the child has changed the ring");
            assert_eq!(ring.ring().repair()?.freed, 0, "a slot of the parent counts as dead");
            assert!(ring.ring().has_consumer()?);

            reserved.take().unwrap().commit();
            live.as_ref().unwrap().output(&records[2])?;
            assert_eq!(crate::scene::read_on(consumer.as_mut().unwrap()), records);
        }
    }
    report(&format!("2 times {} forks: the parents noticed nothing", times(20, 1000)));
    Ok(())
}

/// That an inherited handle makes nothing, and that attaching anew does.
fn assert_refused(inherited: &TrustedRing) {
    let ring = inherited.ring();
    assert!(matches!(ring.producer(), Err(RegisterError::Inherited)));
    assert!(matches!(inherited.producer(), Err(RegisterError::Inherited)));
    assert!(matches!(ring.consumer(), Err(ConsumerError::Inherited)));
    assert!(matches!(inherited.reading_consumer(), Err(ConsumerError::Inherited)));
    assert!(matches!(ring.repair(), Err(RepairError::Inherited)));
    assert_eq!(ring.stats().unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(ring.has_consumer().unwrap_err().kind(), ErrorKind::Unsupported);
    let anew = SharedRing::from_fd(ring).unwrap();
    assert!(anew.has_consumer().unwrap());
    assert!(anew.stats().unwrap().producers > 0);
}

#[test]
fn a_handle_that_a_child_has_never_used_before_is_refused_too() -> TestResult {
    let _alone = alone();
    // Nothing is mapped yet, and all slots are free.
    let ring = trusted(&crate::scene::builder(2, false).build_shared()?);
    let keeper = SharedRing::from_fd(ring.ring())?;
    let _consumer = keeper.consumer()?;
    let _producer = keeper.producer()?;
    let child = Victim::fork(|| {
        assert_refused(&ring);
        let grandchild = Victim::fork(|| assert_refused(&ring)).unwrap();
        assert!(grandchild.join().unwrap());
    })?;
    assert!(child.join()?);
    assert_eq!(keeper.stats()?.producers, 1);
    let _second = ring.producer()?;
    Ok(())
}

/// A way to get a child that outlives its parent.
type Leave = fn(&AtomicU64);

fn note(pid: &AtomicU64, child: std::io::Result<Child>) {
    pid.store(child.unwrap().id().into(), Ordering::SeqCst);
}

const WAYS: [(&str, Leave); 3] = [
    ("fork", |pid| {
        // SAFETY: the child does nothing but wait.
        match unsafe { libc::fork() } {
            0 => {
                alarm(30);
                loop {
                    // SAFETY: no preconditions.
                    unsafe { libc::pause() };
                }
            }
            -1 => panic!("{}", std::io::Error::last_os_error()),
            child => pid.store(child as u64, Ordering::SeqCst),
        }
    }),
    ("fork, exec", |pid| {
        let mut command = Command::new("sleep");
        // SAFETY: does nothing; that there is such a function rules vfork(2) out.
        let command = unsafe { command.arg("30").pre_exec(|| Ok(())) };
        note(pid, command.spawn());
    }),
    ("posix_spawn", |pid| note(pid, Command::new("sleep").arg("30").spawn())),
];

/// Kills it when dropped.
struct Orphan(libc::pid_t);

impl Orphan {
    /// The one that was noted last.
    fn noted(pid: &AtomicU64) -> Self {
        let noted = pid.swap(0, Ordering::SeqCst) as libc::pid_t;
        // Other numbers stand for groups of processes.
        assert!(noted > 0);
        Self(noted)
    }

    fn lives(&self) -> bool {
        // SAFETY: no signal is sent.
        unsafe { libc::kill(self.0, 0) == 0 }
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        // SAFETY: the process is of this test, and ends by itself no earlier than in half a minute.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
    }
}

#[test]
fn a_producer_is_dead_though_its_child_lives() -> TestResult {
    let _alone = alone();
    let pid = &board()[0];
    for (way, leave) in WAYS {
        for _ in 0..times(5, 100) {
            let mut scene = Scene::new(1, false)?;
            let inherited = scene.inherited();
            let parent = Victim::fork(|| {
                let ring = inherited.attach();
                let producer = ring.producer().unwrap();
                let _record = producer.reserve(LEN).unwrap();
                leave(pid);
                mark();
            })?;
            parent.until_stopped()?;
            let orphan = Orphan::noted(pid);
            let record = content(1, 1, LEN);
            scene.live.output(&record)?;
            assert!(scene.read_on().is_empty(), "{way}: the parent lives");
            parent.kill()?;
            // A child that has just called execve(2) has the descriptors of its parent for a moment.
            let mut got = Vec::new();
            until(way, || {
                got.extend(scene.read_on());
                scene.ring.ring().stats().unwrap().producers == 1 && !got.is_empty()
            });
            assert_eq!(got, [record], "{way}");
            assert!(orphan.lives());
            scene.assert_clean(1, way);
        }
    }
    report(&format!(
        "{} times each: fork, fork and exec, posix_spawn: the child's life is not its parent's",
        times(5, 100)
    ));
    Ok(())
}

#[test]
fn a_consumer_is_dead_though_its_child_lives() -> TestResult {
    let _alone = alone();
    let pid = &board()[0];
    for (way, leave) in WAYS {
        let ring = trusted(&crate::scene::builder(1, false).build_shared()?);
        let inherited = crate::scene::Inherited::of(ring.ring());
        let parent = Victim::fork(|| {
            let _consumer = inherited.attach().consumer().unwrap();
            leave(pid);
            mark();
        })?;
        parent.until_stopped()?;
        let orphan = Orphan::noted(pid);
        assert!(ring.consumer().is_err(), "{way}: the parent lives");
        parent.kill()?;
        until(way, || ring.consumer().is_ok());
        assert!(orphan.lives());
    }
    Ok(())
}
