//! Producers that do nothing cost nothing: the consumer looks at those slots only that it watches.
//!
//! It *lets go* of idle slots: it makes their bits in `let_go` different from those in `called`, has everybody run a barrier, and looks
//! at each of them once more. A producer that has announced a start looks at its bit; if that is different, it *calls*: it makes its own
//! the same, before it swaps. So either it sees that it was let go, or the consumer sees what it has announced, and goes on watching.

use super::limit::{first_pass, second_pass};
use super::{Memory, Registration, Slot, alone};
use crate::sync::{AtomicU64, Edge, Ordering, StoreLoad, fence_acquire, release};
use crate::wire::{Position, SlotWord, words};

/// As few slots as this are watched whether they are idle or not.
const FEW: usize = if cfg!(dynring_loom) { 1 } else { 4 };

/// After how many looks at slots those that are idle are let go. Their cost is what a barrier costs, and some.
const DUE: usize = 1 << 16;

/// The word with the bit by which the owner of a slot learns that it was let go. None where nobody is: in rings for plain readers, whose
/// producers look at each other, and where the barrier of who produces would cost each reservation more than idle slots cost the consumer.
#[inline(always)]
pub(super) fn let_go_word<M: Memory>(memory: &M, slot: Registration) -> Option<&AtomicU64> {
    let possible = memory.store_load() != StoreLoad::Fence || cfg!(dynring_loom);
    if possible { memory.let_go().get(slot.index() / 64) } else { None }
}

/// The slot's bit in a word of its 64.
#[inline(always)]
pub(super) fn bit(slot: Registration) -> u64 {
    1 << (slot.index() % 64)
}

/// The bit with which the owner of a slot, or one before it, has called last.
pub(super) fn called<M: Memory>(memory: &M, slot: Registration) -> u64 {
    let word = memory.called().get(slot.index() / 64);
    word.map_or(0, |word| word.load(Ordering::Relaxed) & bit(slot))
}

/// Has the consumer watch a slot that it has let go. To be called by its owner, between an announcement and the swap that follows.
#[cold]
pub(super) fn call<M: Memory>(memory: &M, slot: Registration) {
    if let Some(word) = memory.called().get(slot.index() / 64) {
        word.fetch_xor(bit(slot), Ordering::Relaxed);
        count_call(memory);
    }
}

/// Has the consumer look who has called. Whoever takes a slot does so, too: its last owner may have died with its call not counted.
pub(super) fn count_call<M: Memory>(memory: &M) {
    if !memory.called().is_empty() {
        memory.producer().registry.calls.fetch_add(1, release(Edge::Call));
    }
}

/// The slots that the consumer looks at.
///
/// # Invariants
/// 1. A slot whose bit is not set was idle, with nothing beyond the limit, when its bits in `let_go` and `called` differed and a barrier
///    had been run since; and none of the first `calls` calls since was its own.
/// 2. `slots` are those of the first `used` whose bits are set.
#[derive(Debug)]
pub(super) struct Watched {
    bits: Box<[u64]>,
    slots: Vec<u16>,
    used: usize,
    calls: u32,
    /// The limit when idle slots were let go last.
    mark: Position,
    /// Looks at slots since then.
    looks: usize,
    /// Room for as many bits.
    idle: Box<[u64]>,
}

impl Watched {
    /// Watches all slots: what the last consumer has let go, if it had time for the second look, nobody knows.
    pub(super) fn all<M: Memory>(memory: &M, limit: Position) -> Self {
        let slots = memory.slots().len();
        let (bits, idle) = (vec![!0; words(slots)].into(), vec![0; words(slots)].into());
        Self { bits, slots: Vec::with_capacity(slots), used: 0, calls: 0, mark: limit, looks: 0, idle }
    }

    /// [`limit`](super::limit()), of which all slots are watched that matter.
    pub(super) fn limit<M: Memory>(&mut self, memory: &M, floor: Position) -> Position {
        self.heed_calls(memory);
        let limit = first_pass(self.slots(memory), floor);
        fence_acquire(Edge::FirstPass);
        // Anew: whoever has made the furthest swap, or one before it, may not have been watched a moment ago.
        self.heed_calls(memory);
        if self.slots.len() > FEW {
            self.looks += self.slots.len();
        }
        if self.slots.len() > 1 && limit != floor { second_pass(self.slots(memory), floor, limit) } else { limit }
    }

    /// Whether idle slots have cost enough to be let go.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.looks >= DUE
    }

    /// Lets them cost as much again.
    pub(super) fn begin_anew(&mut self) {
        self.looks = 0;
    }

    fn slots<'m, M: Memory>(&self, memory: &'m M) -> impl Iterator<Item = &'m Slot> {
        let slots = memory.slots();
        self.slots.iter().map(|&slot| &slots[usize::from(slot)])
    }

    /// The first watched slot of that kind.
    pub(super) fn find<M: Memory>(&mut self, memory: &M, is_of_kind: impl Fn(&Slot) -> bool) -> Option<u32> {
        self.heed_calls(memory);
        let found = self.slots(memory).position(is_of_kind)?;
        Some(self.slots[found].into())
    }

    /// Whether a slot that is watched has an owner, as far as one look tells.
    pub(super) fn have_an_owner<M: Memory>(&self, memory: &M) -> bool {
        self.slots(memory).next().is_some_and(|slot| slot.owner.load(Ordering::Relaxed) != 0)
    }

    /// Watches those who have called or come since.
    #[inline]
    fn heed_calls<M: Memory>(&mut self, memory: &M) {
        let used = memory.used_slots().len();
        let calls =
            if memory.called().is_empty() { 0 } else { memory.producer().registry.calls.load(Ordering::Relaxed) };
        if (used, calls) != (self.used, self.calls) {
            self.watch_callers(memory, used, calls);
        }
    }

    #[cold]
    fn watch_callers<M: Memory>(&mut self, memory: &M, used: usize, calls: u32) {
        fence_acquire(Edge::CallLoad);
        for (bits, (called, let_go)) in self.bits.iter_mut().zip(memory.called().iter().zip(memory.let_go())) {
            *bits |= !(called.load(Ordering::Relaxed) ^ let_go.load(Ordering::Relaxed));
        }
        (self.used, self.calls) = (used, calls);
        self.list();
    }

    fn list(&mut self) {
        self.slots.clear();
        let used = ones(&self.bits).take_while(|&slot| slot < self.used);
        self.slots.extend(used.map(|slot| slot as u16));
    }

    /// Lets go of the slots that are idle since the last time, if they are worth the barrier.
    pub(super) fn let_go_of_the_idle<M: Memory>(&mut self, memory: &M, limit: Position) {
        self.begin_anew();
        self.heed_calls(memory);
        let mark = core::mem::replace(&mut self.mark, limit);
        if self.find_idle(memory, mark) < FEW {
            return;
        }
        for ((let_go, called), idle) in memory.let_go().iter().zip(memory.called()).zip(&self.idle) {
            let (kept, different) = (let_go.load(Ordering::Relaxed) & !idle, !called.load(Ordering::Relaxed) & idle);
            let_go.store(kept | different, Ordering::Relaxed);
        }
        // If there is none, they go on being watched, whatever their bits say.
        if memory.barrier(Edge::LetGoFence) {
            let slots = memory.slots();
            for slot in ones(&self.idle).filter(|&slot| is_idle(&slots[slot], limit)) {
                self.bits[slot / 64] &= !(1 << (slot % 64));
            }
            self.list();
        }
    }

    /// How many watched slots have reserved nothing beyond `mark`, and are not about to. The first slot is none of them before it is agreed
    /// how far its owner has come alone: that one does not call.
    fn find_idle<M: Memory>(&mut self, memory: &M, mark: Position) -> usize {
        self.idle.fill(0);
        let slots = memory.slots();
        let idle =
            |slot: &&u16| is_idle(&slots[usize::from(**slot)], mark) && (**slot != 0 || alone::has_ended(memory));
        let mut found = 0;
        for &slot in self.slots.iter().filter(idle) {
            self.idle[usize::from(slot / 64)] |= 1 << (slot % 64);
            found += 1;
        }
        found
    }
}

/// Whether the consumer may let slots go: whoever produces must be able to do with less than a fence.
pub(super) fn may_let_go<M: Memory>(memory: &M) -> bool {
    let cheap = matches!(memory.store_load(), StoreLoad::Asymmetric | StoreLoad::GlobalAsymmetric);
    !memory.plain_readers() && (cheap || cfg!(dynring_loom)) && !memory.let_go().is_empty()
}

/// Whether the owner of a slot has reserved nothing beyond `until`, and does not try to.
fn is_idle(slot: &Slot, until: Position) -> bool {
    let word = SlotWord::from_word(slot.word.load(Ordering::Relaxed));
    !word.is_entering() && !word.position().is_after(until)
}

/// Which bits are set.
fn ones(bits: &[u64]) -> impl Iterator<Item = usize> {
    let rest = |bits: u64| (bits != 0).then_some(bits);
    let ones = move |bits| core::iter::successors(rest(bits), move |bits| rest(bits & (bits - 1)));
    bits.iter()
        .zip(0..)
        .flat_map(move |(&bits, nth)| ones(bits).map(move |bits| 64 * nth + bits.trailing_zeros() as usize))
}
