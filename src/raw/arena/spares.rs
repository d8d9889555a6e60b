//! Blocks that a process sets apart for itself when they are given back, so that they are taken again without a locked instruction.
//!
//! They are noted in memory of the process, which one of its threads has to itself: the spares are *biased* to it. Others take them
//! from it when they need them, and never wait for it.

use core::fmt;

use super::edge::{Edge, acquire, heavy, light, release};
use crate::sync::{AtomicU32, AtomicU64, Ordering, Thread};

/// How many of a class there can be.
const DEPTH: usize = if cfg!(dynring_loom) { 1 } else { 62 };

/// How many classes there can be.
const CLASSES: usize = if cfg!(dynring_loom) { 2 } else { 24 };

/// The part of an arena that spares may keep from others, those of all processes together: one in so many.
const PART: u32 = 32;

/// How often others give blocks back before one of them takes the spares over for the first time.
const PATIENCE: u32 = 1 << 10;

/// How often a block found no room among the spares before all make room.
const CROWDED: u32 = 1 << 8;

/// Each thread that has the spares has a seat of its own, where it says that it is at them.
const SEAT_BITS: u32 = if cfg!(dynring_loom) { 1 } else { 4 };
const SEATS: usize = 1 << SEAT_BITS;

/// Nobody has had the spares yet.
const NOBODY: u64 = 1 << 63;

/// They are about to be taken from the thread that has them.
const REVOKED: u64 = 1 << 62;

/// Has all other threads of the process run a barrier. Whether they did.
pub type Barrier = fn() -> bool;

/// The spares of one process.
///
/// Who has them is at them between `busy = 1` and `busy = 0` of its seat, if it finds after the first that they are still its own.
/// Who takes them away says so in `bias` first, has everybody run a barrier, and then looks at `busy`: either that one sees that
/// they are not its own any more, or this one sees that it is at them, and goes without.
#[repr(align(128))]
pub struct Spares {
    /// Number of the thread that has them, and its seat.
    bias: AtomicU64,
    /// Whether the thread of a seat is at them. Written by that thread alone.
    busy: [AtomicU32; SEATS],
    barrier: Option<Barrier>,
    /// How many pages of slabs may yet be kept from others; and in all.
    left: AtomicU32,
    pages: u32,
    /// How often a block has found no room.
    crowded: AtomicU32,
    /// How often others have given blocks back, and when it is enough.
    missed: AtomicU32,
    patience: AtomicU32,
    classes: [OfClass; CLASSES],
}

#[repr(align(128))]
struct OfClass {
    /// How many there are.
    count: AtomicU32,
    /// How many there may be, for now.
    room: AtomicU32,
    units: [AtomicU32; DEPTH],
}

impl Spares {
    /// None yet. Those of an arena of `pages` pages that as many processes may share. Without a `barrier`, there never are.
    pub fn new(pages: u32, processes: u32, barrier: Option<Barrier>) -> Self {
        let pages = pages / PART / processes.max(1);
        let zero = || AtomicU32::new(0);
        Self {
            bias: AtomicU64::new(NOBODY),
            busy: std::array::from_fn(|_| zero()),
            barrier: barrier.filter(|_| pages > 0),
            left: AtomicU32::new(pages),
            pages,
            crowded: zero(),
            missed: zero(),
            patience: AtomicU32::new(PATIENCE),
            classes: std::array::from_fn(|_| OfClass {
                count: zero(),
                room: zero(),
                units: std::array::from_fn(|_| zero()),
            }),
        }
    }

    /// Them, if they are `thread`'s, and it is not at them already: a signal may have interrupted it.
    #[inline(always)]
    pub(super) fn enter(&self, thread: Thread) -> Option<Entered<'_>> {
        let bias = self.bias.load(Ordering::Relaxed);
        // Before it says anything: the seat is another's.
        if bias >> SEAT_BITS != thread.0 {
            return None;
        }
        let busy = &self.busy[bias as usize % SEATS];
        if busy.load(Ordering::Relaxed) != 0 {
            return None;
        }
        busy.store(1, Ordering::Relaxed);
        let entered = Entered { spares: self, busy };
        light(Edge::SpareFence);
        (self.bias.load(acquire(Edge::BiasLoad)) == bias).then_some(entered)
    }

    /// A block was given back by `thread` that is not among them. It has them from now on if nobody has, or if somebody else has had
    /// them while others gave many blocks back.
    pub(super) fn miss(&self, thread: Thread) {
        let bias = self.bias.load(Ordering::Relaxed);
        if self.barrier.is_none() || bias >> SEAT_BITS == thread.0 {
            return;
        }
        if bias != NOBODY {
            let (missed, patience) = (self.missed.load(Ordering::Relaxed), self.patience.load(Ordering::Relaxed));
            if missed < patience {
                return self.missed.store(missed + 1, Ordering::Relaxed);
            }
            self.missed.store(0, Ordering::Relaxed);
            self.patience.store(patience.saturating_mul(2), Ordering::Relaxed);
        }
        self.take_over(thread);
    }

    /// `thread`, which has a number, has them from now on, unless who had them is at them.
    pub fn take_over(&self, thread: Thread) {
        let (first, order) = (thread.0 << SEAT_BITS, Ordering::Relaxed);
        let Err(bias) = self.bias.compare_exchange(NOBODY, first, order, order) else { return };
        if self.next_seat(bias, thread).is_none() {
            return;
        }
        let Some(mut revoked) = self.revoke() else { return };
        // Anew: it may have been somebody else's.
        if let Some(next) = self.next_seat(revoked.becomes, thread) {
            revoked.becomes = next;
        }
    }

    /// What says that `thread` has them after `bias` has said who had. None if it has them already, or there is no seat left: one that
    /// was somebody's stays so, as that one may be about to say that it is at them, for as long as it is stopped.
    fn next_seat(&self, bias: u64, thread: Thread) -> Option<u64> {
        let seat = bias as usize % SEATS + 1;
        (seat < SEATS && bias >> SEAT_BITS != thread.0).then_some(thread.0 << SEAT_BITS | seat as u64)
    }

    /// Takes them away from who has them, for a moment. None if that one is at them, or somebody else does the same; or
    /// if nobody has had them yet.
    pub fn revoke(&self) -> Option<Revoked<'_>> {
        let bias = self.bias.load(Ordering::Relaxed);
        if bias & (NOBODY | REVOKED) != 0 {
            return None;
        }
        let (order, failed) = (acquire(Edge::BiasLoad), Ordering::Relaxed);
        self.bias.compare_exchange(bias, bias | REVOKED, order, failed).ok()?;
        let revoked = Revoked { spares: self, becomes: bias };
        heavy(Edge::RevokeFence);
        let idle = self.barrier.is_some_and(|barrier| barrier())
            && self.busy[bias as usize % SEATS].load(acquire(Edge::SpareLook)) == 0;
        idle.then_some(revoked)
    }

    /// Whether there seem to be any.
    pub(super) fn are_there(&self) -> bool {
        self.classes.iter().any(|noted| noted.count.load(Ordering::Relaxed) != 0)
    }

    /// One of them, by who has them.
    #[inline(always)]
    fn pop(&self, class: u8) -> Option<u32> {
        let noted = self.classes.get(usize::from(class))?;
        let count = noted.count.load(Ordering::Relaxed).checked_sub(1)?;
        let unit = noted.units.get(count as usize)?.load(Ordering::Relaxed);
        noted.count.store(count, Ordering::Relaxed);
        Some(unit)
    }

    /// Forgets all of them, and tells `of` each.
    fn drain(&self, mut of: impl FnMut(u8, u32)) {
        for (noted, class) in self.classes.iter().zip(0..) {
            while let Some(unit) = self.pop(class) {
                of(class, unit);
            }
            noted.room.store(0, Ordering::Relaxed);
        }
        self.left.store(self.pages, Ordering::Relaxed);
        self.crowded.store(0, Ordering::Relaxed);
    }
}

impl fmt::Debug for Spares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spares").field("bias", &self.bias).field("pages", &self.pages).finish_non_exhaustive()
    }
}

/// Who has them is at them, until this is dropped.
#[must_use]
pub(super) struct Entered<'s> {
    spares: &'s Spares,
    busy: &'s AtomicU32,
}

impl Entered<'_> {
    /// Takes one off them.
    #[inline(always)]
    pub(super) fn pop(&self, class: u8) -> Option<u32> {
        self.spares.pop(class)
    }

    /// Notes one more. Whether there is room for it.
    #[inline(always)]
    pub(super) fn push(&self, class: u8, unit: u32) -> bool {
        let Some(noted) = self.spares.classes.get(usize::from(class)) else { return false };
        let count = noted.count.load(Ordering::Relaxed);
        let place = noted.units.get(count as usize).filter(|_| count < noted.room.load(Ordering::Relaxed));
        let Some(place) = place else { return false };
        place.store(unit, Ordering::Relaxed);
        noted.count.store(count + 1, Ordering::Relaxed);
        true
    }

    /// Makes room for one more of a class whose slabs have as many pages.
    ///
    /// # Errors
    /// There is none; and whether it is time that all others make room.
    pub(super) fn make_room(&self, class: u8, pages: u32) -> Result<(), bool> {
        let noted = self.spares.classes.get(usize::from(class)).ok_or(false)?;
        let room = noted.room.load(Ordering::Relaxed);
        if room as usize >= DEPTH || pages > self.spares.pages {
            return Err(false);
        }
        match self.spares.left.load(Ordering::Relaxed).checked_sub(pages) {
            Some(left) => {
                self.spares.left.store(left, Ordering::Relaxed);
                noted.room.store(room + 1, Ordering::Relaxed);
                Ok(())
            }
            None => {
                let crowded = self.spares.crowded.load(Ordering::Relaxed) + 1;
                self.spares.crowded.store(crowded, Ordering::Relaxed);
                Err(crowded >= CROWDED)
            }
        }
    }

    /// Forgets all of them, and tells `of` each.
    pub(super) fn drain(&self, of: impl FnMut(u8, u32)) {
        self.spares.drain(of);
    }
}

impl Drop for Entered<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.busy.store(0, release(Edge::SpareLeave));
    }
}

/// They were taken away from who had them, until this is dropped.
#[must_use]
pub struct Revoked<'s> {
    spares: &'s Spares,
    /// Who has them then.
    becomes: u64,
}

impl Revoked<'_> {
    /// Forgets all of them, and tells `of` each.
    pub(super) fn drain(&self, of: impl FnMut(u8, u32)) {
        self.spares.drain(of);
    }
}

impl Drop for Revoked<'_> {
    fn drop(&mut self) {
        self.spares.bias.store(self.becomes, release(Edge::BiasStore));
    }
}

#[cfg(all(test, not(dynring_loom)))]
mod tests {
    use super::*;

    const ONE: Thread = Thread(1);
    const TWO: Thread = Thread(2);

    /// Room for two of a class with slabs of one page; they are the first thread's.
    fn spares() -> Spares {
        let spares = Spares::new(2 * PART, 1, Some(|| true));
        spares.miss(ONE);
        spares
    }

    fn note(entered: &Entered<'_>, unit: u32) -> bool {
        entered.push(0, unit) || entered.make_room(0, 1).is_ok() && entered.push(0, unit)
    }

    #[test]
    fn one_thread_has_them_and_is_not_at_them_twice() {
        let spares = spares();
        assert!(spares.enter(TWO).is_none());
        let entered = spares.enter(ONE).unwrap();
        assert!(spares.enter(ONE).is_none(), "as in a signal handler");
        assert!(spares.revoke().is_none(), "nobody takes them away meanwhile");
        assert!(note(&entered, 7) && note(&entered, 8) && !note(&entered, 9));
        assert_eq!((entered.pop(0), entered.pop(0), entered.pop(0)), (Some(8), Some(7), None));
        drop(entered);
        let revoked = spares.revoke().unwrap();
        assert!(spares.enter(ONE).is_none() && spares.revoke().is_none());
        drop(revoked);
        assert!(spares.enter(ONE).is_some());
    }

    #[test]
    fn they_are_taken_over_by_who_misses_them_often_enough_and_a_seat_is_had_once() {
        let spares = spares();
        assert!(note(&spares.enter(ONE).unwrap(), 7));
        for turn in 1..SEATS {
            let (before, next) = if turn % 2 == 1 { (ONE, TWO) } else { (TWO, ONE) };
            for _ in 0..spares.patience.load(Ordering::Relaxed) {
                spares.miss(before);
                spares.miss(next);
                assert!(spares.enter(next).is_none());
            }
            spares.miss(next);
            assert!(spares.enter(before).is_none());
            assert_eq!(spares.enter(next).unwrap().pop(0), Some(7), "with what was noted");
            assert!(note(&spares.enter(next).unwrap(), 7));
            // It doubles, so that two who use the arena in turns do not go on taking them from each other.
            assert_eq!(spares.patience.swap(PATIENCE, Ordering::Relaxed), 2 * PATIENCE);
        }
        let seat = spares.bias.load(Ordering::Relaxed);
        spares.take_over(Thread(3));
        assert_eq!(spares.bias.load(Ordering::Relaxed), seat);
    }

    #[test]
    fn classes_that_keep_others_out_make_room() {
        let spares = spares();
        let entered = spares.enter(ONE).unwrap();
        assert!(note(&entered, 7) && note(&entered, 8));
        let times = (1..).find(|_| entered.make_room(1, 1) == Err(true)).unwrap();
        assert_eq!(times, CROWDED);
        assert_eq!(entered.make_room(2, 8), Err(false), "it never has room");
        let mut forgotten = Vec::new();
        entered.drain(|class, unit| forgotten.push((class, unit)));
        assert_eq!(forgotten, [(0, 8), (0, 7)]);
        assert_eq!(entered.make_room(1, 1), Ok(()));
    }

    #[test]
    fn without_a_barrier_or_in_a_small_arena_there_are_none() {
        for spares in [Spares::new(1 << 20, 1, None), Spares::new(2 * PART, 3, Some(|| true))] {
            spares.miss(ONE);
            assert!(spares.enter(ONE).is_none());
        }
    }
}
