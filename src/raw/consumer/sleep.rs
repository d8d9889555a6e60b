//! What the consumer does around its sleep, and for producers that wait.

use super::Consumer;
use crate::raw::memory::{ASLEEP, AWAKE, LISTENING};
use crate::raw::{Memory, Sleeper, Slot};
use crate::sync::{Edge, Ordering, acquire, fence_acquire, fence_seq_cst};
use crate::wire::Position;

impl<M: Memory> Consumer<M> {
    /// Says that the consumer is about to sleep, and returns the futex value to sleep on.
    ///
    /// What must follow, in this order: the heavy side of the ring's [`StoreLoad`](crate::sync::StoreLoad),
    /// [`disconnected`](Self::disconnected) and one more [`peek`](Self::peek), the sleep if both find nothing and the consumer
    /// does not [owe](Self::owes_space), [`woken`](Self::woken).
    pub fn about_to_sleep(&mut self) -> u32 {
        self.publish();
        let seq = self.memory.producer().wake_seq.load(Ordering::Relaxed);
        self.memory.consumer().state.sleeping.store(ASLEEP, Ordering::Relaxed);
        seq
    }

    /// Says that an event loop is about to wait for the ring's bell, which has been hung up.
    ///
    /// What must follow is the same, but for the futex: the bell, silenced before the last look, is heard. The event loop may go
    /// on waiting while the consumer does other things, until [`woken`](Self::woken).
    #[cfg_attr(miri, allow(dead_code, reason = "there is no eventfd under Miri"))]
    pub fn about_to_listen(&mut self) {
        self.publish();
        self.memory.consumer().state.sleeping.store(LISTENING, Ordering::Relaxed);
    }

    /// Whether something was skipped or handed out that has not been given back.
    ///
    /// A consumer that owes must not sleep, for the last look may have skipped records: an adaptive commit goes by
    /// `consumer_pos` to tell whether its record is the one that is waited for, and producers may wait for the space.
    #[inline]
    pub fn owes_space(&self) -> bool {
        self.published != self.taken
    }

    /// Takes back [`about_to_sleep`](Self::about_to_sleep) and [`about_to_listen`](Self::about_to_listen).
    pub fn woken(&self) {
        self.memory.consumer().state.sleeping.store(AWAKE, Ordering::Relaxed);
    }

    /// Whether a producer waits for space, as far as the count of those who do goes. It stays too high for good if a producer dies
    /// between counting itself and saying what it waits for, as nobody can tell then whether it has.
    #[inline]
    pub(super) fn may_be_waited_for(&self) -> bool {
        self.is_ours() && self.memory.producer().registry.waiting.load(Ordering::Relaxed) != 0
    }

    /// Whether a producer says that it waits for space.
    pub fn is_waited_for(&self) -> bool {
        let waits = |slot: &Slot| slot.wanted.load(Ordering::Relaxed) != 0;
        self.may_be_waited_for() && self.memory.used_slots().iter().any(waits)
    }

    /// Whether nobody is left who could produce a record.
    ///
    /// If so, what [`peek`](Self::peek) finds from then on is all there is, until a new producer registers.
    pub fn disconnected(&self) -> bool {
        if !self.is_ours() || self.watched.have_an_owner(&self.memory) {
            return false;
        }
        let registry = &self.memory.producer().registry;
        // In this order: a first producer that comes in between must not look like the last one that has gone.
        let expected =
            registry.slots_used.load(Ordering::Relaxed) == 0 && registry.openers.load(Ordering::Relaxed) != 0;
        fence_acquire(Edge::RegisteredLoad);
        let gone = self.memory.used_slots().iter().all(|slot| slot.owner.load(Ordering::Relaxed) == 0);
        fence_acquire(Edge::OwnersLoad);
        gone && !expected
    }

    /// Says that the consumer is gone for good, and wakes producers that wait for space.
    pub fn close(&mut self) {
        self.publish();
        if !self.is_ours() {
            return;
        }
        self.memory.consumer().state.closed.store(1, Ordering::Relaxed);
        fence_seq_cst(Edge::CloseFence);
        if self.may_be_waited_for() {
            self.memory.wake(Sleeper::Producers);
        }
    }

    /// Wakes producers that wait for what the last consumer has given back, which may have died before it woke them.
    pub(super) fn wake_for_the_last(&self) {
        if self.is_ours() {
            self.memory.store_load().light(Edge::SpaceFence);
            if self.may_be_waited_for() {
                self.memory.wake(Sleeper::Producers);
            }
        }
    }

    /// Wakes producers if one waits for what has just been given back, and not only for what had been given back `before`: for that
    /// it has been woken, or has seen it when it looked a last time. It need not be woken again and again until it is up.
    #[cold]
    pub(super) fn wake_waiting(&mut self, before: Position) {
        let begun = self.memory.producer().registry.waits.load(acquire(Edge::WaitLoad));
        if begun == self.wanted.begun && self.wanted.next.is_none_or(|next| next.is_after(self.published)) {
            return;
        }
        let (mut next, mut enough) = (None, false);
        let wanted = self.memory.used_slots().iter().map(|slot| slot.wanted.load(Ordering::Relaxed));
        for wanted in wanted.filter(|&wanted| wanted != 0).map(|wanted| Position::new(wanted & !7)) {
            if !wanted.is_after(self.published) {
                enough |= wanted.is_after(before);
            } else if next.is_none_or(|next: Position| next.is_after(wanted)) {
                next = Some(wanted);
            }
        }
        self.wanted = Wanted { begun, next };
        if enough {
            self.memory.wake(Sleeper::Producers);
        }
    }
}

/// What is known of those who wait for space. To look for it in their slots for each record would take the lines away from them.
#[derive(Debug)]
pub(super) struct Wanted {
    /// How many waits had begun.
    begun: u32,
    /// The least of what is waited for, if it has not been given back.
    next: Option<Position>,
}

impl Wanted {
    /// Nothing is known: somebody may wait for `start`.
    pub(super) fn unknown(start: Position) -> Self {
        Self { begun: 0, next: Some(start) }
    }
}
