//! Children, and what they find.

use std::fs::File;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use memmap2::{MmapOptions, MmapRaw};

use super::*;
use crate::sys::child::Child;
use crate::sys::lock::{Kind, is_locked, try_lock};
use crate::sys::reopen::{Access, reopen};

const BYTES: usize = 3 * 4096;
const WORDS: usize = BYTES / 4;
const CLOSED: usize = WORDS / 2;

/// A shared mapping of a file of its own, each word with its number in it and one more.
struct Shared(MmapRaw);

impl Shared {
    fn new() -> io::Result<Self> {
        let file = File::from(memfd(c"fork")?);
        file.set_len(BYTES as u64)?;
        let shared = Self(MmapOptions::new().len(BYTES).map_raw(file.as_raw_fd())?);
        shared.words().iter().zip(1..).for_each(|(word, value)| word.store(value, Ordering::Relaxed));
        Ok(shared)
    }

    fn register(&self) -> io::Result<Registered> {
        let base = NonNull::new(self.0.as_mut_ptr()).expect("mapped");
        // SAFETY: the tests drop the result before `self`, and access the words atomically.
        unsafe { register_mapping(base, BYTES, 4 * CLOSED) }
    }

    fn words(&self) -> &[AtomicU32] {
        // SAFETY: a mapping of so many words, which are accessed atomically alone.
        unsafe { core::slice::from_raw_parts(self.0.as_mut_ptr().cast(), WORDS) }
    }

    fn is_untouched(&self) -> bool {
        self.words().iter().map(|word| word.load(Ordering::Relaxed)).eq(1..=WORDS as u32)
    }

    fn is_closed_and_empty(&self) -> bool {
        let expected = (0..WORDS).map(|at| u32::from(at == CLOSED));
        self.words().iter().map(|word| word.load(Ordering::Relaxed)).eq(expected)
    }

    fn overwrite(&self) {
        self.words().iter().for_each(|word| word.store(u32::MAX, Ordering::Relaxed));
    }
}

#[test]
fn a_child_finds_a_closed_ring_and_does_not_touch_that_of_its_parent() -> io::Result<()> {
    let shared = Shared::new()?;
    let _registered = shared.register()?;
    let child = Child::fork(|_| {
        let found = shared.is_closed_and_empty();
        shared.overwrite();
        found
    })?;
    assert!(child.succeeds()?);
    assert!(shared.is_untouched());
    Ok(())
}

#[test]
fn a_child_of_a_child_finds_a_closed_ring_too() -> io::Result<()> {
    let shared = Shared::new()?;
    let _registered = shared.register()?;
    let child = Child::fork(|_| {
        shared.overwrite();
        Child::fork(|_| shared.is_closed_and_empty()).and_then(Child::succeeds).unwrap_or(false)
    })?;
    assert!(child.succeeds()?);
    assert!(shared.is_untouched());
    Ok(())
}

#[test]
fn a_child_is_of_another_generation_than_all_before_it() -> io::Result<()> {
    let _registered = Shared::new()?.register()?;
    let parent = Generation::current();
    let child = Child::fork(|_| {
        let own = Generation::current();
        let grandchild = Child::fork(|_| parent.has_passed() && own.has_passed());
        parent.has_passed() && !own.has_passed() && grandchild.and_then(Child::succeeds).unwrap_or(false)
    })?;
    assert!(child.succeeds()?);
    assert!(!parent.has_passed());
    Ok(())
}

#[test]
fn what_is_registered_no_more_is_left_alone() -> io::Result<()> {
    let [left, kept] = [Shared::new()?, Shared::new()?];
    let registered = left.register()?;
    let _registered = kept.register()?;
    drop(registered);
    let child = Child::fork(|_| {
        let found = left.is_untouched() && kept.is_closed_and_empty();
        left.overwrite();
        found
    })?;
    assert!(child.succeeds()?);
    assert!(!left.is_untouched());
    assert!(kept.is_untouched());
    Ok(())
}

#[test]
fn a_child_that_may_have_no_memory_for_a_ring_has_none() -> io::Result<()> {
    let shared = Shared::new()?;
    let _registered = shared.register()?;
    let parent = Child::fork(|_| {
        let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        let Ok(again) = Shared::new() else { return false };
        let Ok(_registered) = again.register() else { return false };
        for resource in [libc::RLIMIT_CORE, libc::RLIMIT_DATA] {
            // SAFETY: the pointer is to a limit.
            unsafe { libc::setrlimit(resource, &raw const limit) };
        }
        let child = Child::fork(|_| {
            again.overwrite();
            true
        });
        child.and_then(Child::ended_by).is_ok_and(|signal| signal == Some(libc::SIGSEGV)) && again.is_untouched()
    })?;
    assert!(parent.succeeds()?);
    Ok(())
}

/// A lock that a process takes that then has a child, and dies before it. Whether it is locked then.
fn survives_its_holder(registers: bool) -> io::Result<bool> {
    let file = memfd(c"fork")?;
    let mut holder = Child::fork(|test| {
        let own: io::Result<Box<dyn AsFd>> = match registers {
            true => LockFile::reopen(file.as_fd()).map(|own| Box::new(own) as _),
            false => reopen(file.as_fd(), Access::ReadWrite).map(|own| Box::new(own) as _),
        };
        let Ok(own) = own else { return false };
        if !try_lock(own.as_fd(), 0, Kind::Exclusive).unwrap_or(false) {
            return false;
        }
        // Stays until the test is done, and answers then.
        let child = Child::fork(|_| test.say(b'l') && test.hear() == Some(b'?') && test.say(b'!'));
        child.and_then(Child::succeeds).unwrap_or(false)
    })?;
    assert_eq!(holder.hear(), Some(b'l'));
    assert!(is_locked(file.as_fd(), 0)?);
    holder.kill()?;
    let locked = is_locked(file.as_fd(), 0)?;
    assert!(holder.say(b'?'));
    assert_eq!(holder.hear(), Some(b'!'), "the child is alive");
    Ok(locked)
}

#[test]
fn a_lock_goes_with_its_holder_though_a_child_lives() -> io::Result<()> {
    assert!(!survives_its_holder(true)?);
    Ok(())
}

#[test]
fn a_lock_that_is_not_registered_lives_as_long_as_a_child() -> io::Result<()> {
    assert!(survives_its_holder(false)?);
    Ok(())
}

#[test]
fn a_child_closes_nothing_but_its_own() -> io::Result<()> {
    let file = memfd(c"fork")?;
    let own = LockFile::reopen(file.as_fd())?;
    assert!(try_lock(own.as_fd(), 0, Kind::Exclusive)?);
    let (number, mut own) = (own.as_fd().as_raw_fd(), Some(own));
    let child = Child::fork(|_| {
        let Some(own) = own.take() else { return false };
        let refused = try_lock(own.as_fd(), 0, Kind::Exclusive).unwrap_err().raw_os_error();
        let Ok(stranger) = memfd(c"stranger") else { return false };
        drop(own);
        // Its number is free only now.
        let Ok(next) = stranger.try_clone() else { return false };
        let kept = stranger.as_raw_fd() != number && crate::sys::stat::status(stranger.as_fd()).is_ok();
        refused == Some(libc::EBADF) && kept && next.as_raw_fd() <= number
    })?;
    assert!(child.succeeds()?);
    assert!(is_locked(file.as_fd(), 0)?, "the parent's is still there");
    Ok(())
}

#[test]
fn what_takes_the_place_of_a_lock_is_close_on_exec() -> io::Result<()> {
    let own = LockFile::reopen(memfd(c"fork")?.as_fd())?;
    let child = Child::fork(|_| {
        // SAFETY: no preconditions.
        unsafe { libc::fcntl(own.as_fd().as_raw_fd(), libc::F_GETFD) & libc::FD_CLOEXEC == libc::FD_CLOEXEC }
    })?;
    assert!(child.succeeds()?);
    Ok(())
}

#[test]
fn threads_register_while_others_fork() -> io::Result<()> {
    let (shared, done) = (Shared::new()?, AtomicBool::new(false));
    let _registered = shared.register()?;
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let own = memfd(c"fork").expect("a descriptor");
                    let locks: Vec<_> = (0..20).map(|_| LockFile::reopen(own.as_fd())).collect();
                    assert!(locks.iter().all(Result::is_ok));
                }
            });
        }
        let forked = (0..50).try_for_each(|_| {
            let child = Child::fork(|_| {
                let again = memfd(c"fork").and_then(|own| LockFile::reopen(own.as_fd()).map(drop));
                shared.is_closed_and_empty() && again.is_ok()
            })?;
            if child.succeeds()? { Ok(()) } else { Err(io::Error::other("a child failed")) }
        });
        done.store(true, Ordering::Relaxed);
        forked
    })?;
    assert!(shared.is_untouched());
    Ok(())
}

/// Takes a lock, once nobody has it any more. A child that has just been forked has it for a moment.
fn lock_soon(own: &LockFile) -> io::Result<()> {
    let begun = Instant::now();
    while !try_lock(own.as_fd(), 0, Kind::Exclusive)? {
        assert!(begun.elapsed() < Duration::from_secs(20), "a child has kept it");
        thread::yield_now();
    }
    Ok(())
}

#[test]
fn no_child_keeps_a_lock_that_was_about_to_be_taken_or_given_back() -> io::Result<()> {
    let (file, done) = (memfd(c"fork")?, AtomicBool::new(false));
    let mut children = Vec::new();
    thread::scope(|threads| {
        let locker = threads.spawn(|| {
            let mut taken = 0_u64;
            while !done.load(Ordering::Relaxed) {
                let own = LockFile::reopen(file.as_fd())?;
                lock_soon(&own)?;
                drop(own);
                taken += 1;
            }
            Ok::<u64, io::Error>(taken)
        });
        while children.len() < 100 && !locker.is_finished() {
            // It lives until it is dropped.
            children.push(Child::fork(|test| test.hear().is_some())?);
        }
        done.store(true, Ordering::Relaxed);
        assert!(locker.join().expect("no panic")? > 0);
        Ok(())
    })
}
