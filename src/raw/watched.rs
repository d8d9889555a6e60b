//! Producers that do nothing cost nothing: the consumer looks at those slots only that it watches.
//!
//! It *lets go* of idle slots: it makes their bits in `let_go` different from those in `called`, has everybody run a barrier, and looks
//! at each of them once more. A producer that has announced a start looks at its bit; if that is different, it *calls*: it makes its own
//! the same, before it swaps. So either it sees that it was let go, or the consumer sees what it has announced, and goes on watching.

use core::ops::Range;

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
/// 2. `runs` are those of the first `used` slots whose bits are set, `count` of them.
#[derive(Debug)]
pub(super) struct Watched {
    bits: Box<[u64]>,
    runs: Vec<Range<usize>>,
    count: usize,
    used: u32,
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
        let runs = Vec::with_capacity(slots.div_ceil(2));
        Self { bits, runs, count: 0, used: 0, calls: 0, mark: limit, looks: 0, idle }
    }

    /// [`limit`](super::limit()), of which all slots are watched that matter.
    pub(super) fn limit<M: Memory>(&mut self, memory: &M, floor: Position) -> Position {
        self.heed_calls(memory);
        let slots = memory.slots();
        let limit = self.runs.iter().fold(floor, |limit, run| first_pass(&slots[run.clone()], limit));
        fence_acquire(Edge::FirstPass);
        // Anew: whoever has made the furthest swap, or one before it, may not have been watched a moment ago.
        self.heed_calls(memory);
        if self.count > FEW {
            self.looks += self.count;
        }
        if self.count == 1 || limit == floor {
            return limit;
        }
        let limit = self.runs.iter().fold(limit, |limit, run| second_pass(&slots[run.clone()], floor, limit));
        fence_acquire(Edge::SecondPass);
        limit
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

    /// The numbers of those that are watched.
    fn numbers(&self) -> impl Iterator<Item = usize> {
        self.runs.iter().cloned().flatten()
    }

    /// The first watched slot of that kind.
    pub(super) fn find<M: Memory>(&mut self, memory: &M, is_of_kind: impl Fn(&Slot) -> bool) -> Option<u32> {
        self.heed_calls(memory);
        let slots = memory.slots();
        self.numbers().find(|&slot| is_of_kind(&slots[slot])).map(|slot| slot as u32)
    }

    /// Whether a slot that is watched has an owner, as far as one look tells.
    pub(super) fn have_an_owner<M: Memory>(&self, memory: &M) -> bool {
        let first = self.runs.first().map(|run| &memory.slots()[run.start]);
        first.is_some_and(|slot| slot.owner.load(Ordering::Relaxed) != 0)
    }

    /// Watches those who have called or come since.
    #[inline]
    fn heed_calls<M: Memory>(&mut self, memory: &M) {
        let registry = &memory.producer().registry;
        let used = registry.slots_used.load(Ordering::Relaxed);
        // Models of rings where nobody calls would only take longer.
        let counted = !cfg!(dynring_loom) || !memory.called().is_empty();
        let calls = if counted { registry.calls.load(Ordering::Relaxed) } else { 0 };
        if used != self.used || calls != self.calls {
            self.watch_callers(memory, used, calls);
        }
    }

    #[cold]
    fn watch_callers<M: Memory>(&mut self, memory: &M, used: u32, calls: u32) {
        fence_acquire(Edge::CallLoad);
        for (bits, (called, let_go)) in self.bits.iter_mut().zip(memory.called().iter().zip(memory.let_go())) {
            *bits |= !(called.load(Ordering::Relaxed) ^ let_go.load(Ordering::Relaxed));
        }
        (self.used, self.calls) = (used, calls);
        self.list(memory);
    }

    fn list<M: Memory>(&mut self, memory: &M) {
        let used = memory.slots().len().min(self.used as usize);
        self.runs.clear();
        self.count = 0;
        for slot in ones(&self.bits).take_while(|&slot| slot < used) {
            self.count += 1;
            match self.runs.last_mut() {
                Some(run) if run.end == slot => run.end += 1,
                _ => self.runs.push(slot..slot + 1),
            }
        }
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
            self.list(memory);
        }
    }

    /// How many watched slots have reserved nothing beyond `mark`, and are not about to. The first slot is none of them before it is agreed
    /// how far its owner has come alone: that one does not call.
    fn find_idle<M: Memory>(&mut self, memory: &M, mark: Position) -> usize {
        let slots = memory.slots();
        let (mut idle, mut found) = (core::mem::take(&mut self.idle), 0);
        idle.fill(0);
        let is_idle =
            |slot: &usize| is_idle(&slots[*slot], mark) && (*slot != 0 || alone::is_seen_to_have_ended(memory));
        for slot in self.numbers().filter(is_idle) {
            idle[slot / 64] |= 1 << (slot % 64);
            found += 1;
        }
        self.idle = idle;
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
