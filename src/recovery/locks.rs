//! Locks by which processes show each other that they live.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use crate::raw::{Claim, Liveness, LivingClaim};
use crate::sys::fork::LockFile;
use crate::sys::lock::{self, Kind};

/// An open file description of a ring's file that is there for its locks, and never mapped: a mapping that a child inherits
/// would keep them. They go with the process, however it goes.
///
/// ```text
///  byte        who locks it
///  0           the consumer
///  1           whoever repairs
///  2           everybody who is attached, shared
///  4096 + n    the owner of slot n, or whoever wants to know whether it is dead
/// ```
#[derive(Debug)]
pub(crate) struct Locks {
    file: LockFile,
}

const CONSUMER: u64 = 0;
const REPAIR: u64 = 1;
const ATTACHED: u64 = 2;
const SLOTS: u64 = 4096;

impl Locks {
    /// None is taken yet.
    pub(crate) fn open(file: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self { file: LockFile::reopen(file)? })
    }

    /// Becomes the consumer. Whether nobody else is.
    pub(crate) fn take_consumer(&self) -> io::Result<bool> {
        lock::try_lock(self.file.as_fd(), CONSUMER, Kind::Exclusive)
    }

    /// Whether somebody else consumes.
    pub(crate) fn has_consumer(&self) -> io::Result<bool> {
        lock::is_locked(self.file.as_fd(), CONSUMER)
    }

    /// Is counted among those who are attached. Not if somebody is about to remove the file.
    pub(crate) fn attach(&self) -> io::Result<bool> {
        lock::try_lock(self.file.as_fd(), ATTACHED, Kind::Shared)
    }

    /// Keeps everybody from attaching. Whether nobody was attached.
    pub(crate) fn take_all(&self) -> io::Result<bool> {
        lock::try_lock(self.file.as_fd(), ATTACHED, Kind::Exclusive)
    }

    /// Does `repair` unless somebody else repairs.
    pub(super) fn repairing<R>(&self, repair: impl FnOnce() -> R) -> Option<R> {
        if !self.take_byte(REPAIR) {
            return None;
        }
        let result = repair();
        self.give_back_byte(REPAIR);
        Some(result)
    }

    /// Whether nobody holds the lock of a slot at the moment.
    pub(super) fn looks_dead(&self, slot: u32) -> bool {
        matches!(lock::is_locked(self.file.as_fd(), SLOTS + u64::from(slot)), Ok(false))
    }

    fn take_byte(&self, byte: u64) -> bool {
        lock::try_lock(self.file.as_fd(), byte, Kind::Exclusive).unwrap_or(false)
    }

    fn give_back_byte(&self, byte: u64) {
        let unlocked = lock::unlock(self.file.as_fd(), byte);
        debug_assert!(unlocked.is_ok(), "{unlocked:?}");
    }
}

impl Claim for Locks {
    fn take(&self, slot: u32) -> bool {
        self.take_byte(SLOTS + u64::from(slot))
    }

    fn give_back(&self, slot: u32) {
        self.give_back_byte(SLOTS + u64::from(slot));
    }
}

impl LivingClaim for Locks {}

/// Not to be asked by a description that a slot has been claimed with: that does not exclude itself.
impl Liveness for Locks {
    type Proof<'l> = SlotLock<'l>;

    fn prove_dead(&self, slot: u32) -> Option<SlotLock<'_>> {
        self.take(slot).then_some(SlotLock { locks: self, slot })
    }
}

/// The lock of a slot whose owner does not have it any more.
#[derive(Debug)]
pub(crate) struct SlotLock<'l> {
    locks: &'l Locks,
    slot: u32,
}

impl Drop for SlotLock<'_> {
    fn drop(&mut self) {
        self.locks.give_back(self.slot);
    }
}
