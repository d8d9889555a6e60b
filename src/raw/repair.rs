//! Putting right what producers that have died while they were reserving have left behind.
//!
//! What they had reserved is no matter of repair: the consumer passes records that nobody is left to finish, see
//! [`Consumer::skip_abandoned`](super::Consumer::skip_abandoned).

use super::claim::write_header;
use super::finish::wake_any;
use super::{Memory, Slot, alone, publish, released};
use crate::sync::{Edge, Ordering, acquire, fence_acquire, release};
use crate::wire::{Corrupt, HEADER_BYTES, Header, Position, SlotWord, Tag, stride};

/// Who can tell that producers are dead.
pub trait Liveness {
    /// While it exists, the slot is given to nobody, and its owner stays dead.
    type Proof<'l>
    where
        Self: 'l;

    /// Proof that the owner of a slot is dead, with everything that it did in sight. None if it lives, or nobody knows.
    fn prove_dead(&self, slot: u32) -> Option<Self::Proof<'_>>;
}

/// What a repair has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Repaired {
    /// Slots of dead producers that were freed.
    pub freed: u32,
    /// Slots of dead producers that have to wait for one that lives.
    pub left: u32,
}

/// A dead producer.
struct Dead<'m, P> {
    slot: &'m Slot,
    owner: u16,
    word: SlotWord,
    span: u64,
    _proof: P,
}

impl<P> Dead<'_, P> {
    fn is_at(&self, start: Position) -> bool {
        self.word.is_entering() && self.word.position() == start
    }
}

/// Frees the slots of the dead, having found out for each that was reserving whether it has reserved.
///
/// At most one caller at a time, which may write whatever producers may. It may die itself: then another repair goes on from
/// there.
///
/// # Errors
/// The slots say what no correct producer can have written, or not enough to decide who has reserved.
pub fn repair<M: Memory, L: Liveness>(memory: &M, liveness: &L) -> Result<Repaired, Corrupt> {
    let mut dead = find_dead(memory, liveness);
    let floor = released(memory);
    // Tries at one start lie together, the shortest first.
    dead.sort_by_key(|dead| (dead.word.position().since(floor), dead.word.is_entering(), dead.span));
    let mut repaired = Repaired::default();
    let (mut settled, mut gone) = (true, Vec::new());
    for at in 0..dead.len() {
        let word = dead[at].word;
        let first = at == 0 || dead[at - 1].word != word;
        if word.is_entering() && first {
            let start = word.position();
            let end = dead[at..].iter().position(|dead| !dead.is_at(start)).map_or(dead.len(), |count| at + count);
            settled = settle(memory, start, &dead[at..end], &dead)?;
        }
        if word.is_entering() && !settled {
            repaired.left += 1;
        } else {
            gone.push(&dead[at]);
        }
    }
    free_all(memory, &gone);
    repaired.freed = gone.len() as u32;
    Ok(repaired)
}

/// Gives the slots of those who are gone back, whose words say that they have left.
fn free_all<M: Memory, P>(memory: &M, gone: &[&Dead<'_, P>]) {
    if gone.is_empty() {
        return;
    }
    if memory.plain_readers() {
        // While the slots have owners: if this is as far as it gets, the next repair finds them, and comes here as well.
        publish::publish(memory);
    }
    for dead in gone {
        free(memory, dead);
    }
    wake_any(memory, Edge::GoneFence);
}

fn find_dead<'m, 'l, M: Memory, L: Liveness>(memory: &'m M, liveness: &'l L) -> Vec<Dead<'m, L::Proof<'l>>> {
    let dead = |(slot, index): (&'m Slot, u32)| {
        if slot.owner.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let proof = liveness.prove_dead(index)?;
        // Anew: it may have freed its slot before it died.
        let owner = slot.owner.load(Ordering::Relaxed) as u16;
        let word = SlotWord::from_word(slot.word.load(Ordering::Relaxed));
        let span = slot.span.load(Ordering::Relaxed);
        (owner != 0).then_some(Dead { slot, owner, word, span, _proof: proof })
    };
    // All slots: a registrant may die before it has counted its own as used.
    memory.slots().iter().zip(0..).filter_map(dead).collect()
}

/// Gives a slot whose word says that its owner has left back.
fn free<M: Memory, P>(memory: &M, dead: &Dead<'_, P>) {
    if dead.slot.wanted.load(Ordering::Relaxed) != 0 {
        dead.slot.wanted.store(0, Ordering::Relaxed);
        memory.producer().registry.waiting.fetch_sub(1, Ordering::Relaxed);
    }
    dead.slot.owner.store(0, release(Edge::SlotFree));
}

/// Finds out what has become of the tries to reserve at `start`, all of which are `tries`, and makes their words say so. Whether it is
/// known yet: somebody who lives, and tries too, may not have said.
fn settle<M: Memory, P>(
    memory: &M,
    start: Position,
    tries: &[Dead<'_, P>],
    dead: &[Dead<'_, P>],
) -> Result<bool, Corrupt> {
    // Whoever died alone has reserved without moving head.
    alone::end(memory);
    let head = Position::new(memory.head().load(acquire(Edge::HeadLoad)));
    if head == start {
        // Nobody has reserved here, and the dead never will.
        lose(tries, start);
        return Ok(true);
    }
    if is_tried_by_the_living(memory, start, dead) {
        return Ok(false);
    }
    let owner = owner_of_this_lap(memory, start);
    // Reads the last of all swaps, and with it the `consumer_pos` that allowed it: had somebody reserved here anew on the next
    // lap, and thereby spoilt what was just read, `consumer_pos` would be past the start.
    let head = Position::new(memory.head().fetch_add(0, acquire(Edge::RepairHead)));
    let size = memory.size().bytes();
    let consumer = released(memory);
    if consumer.is_after(start) {
        lose(tries, start);
        return Ok(true);
    }
    if !head.is_after(start) || head.since(consumer) > size {
        return Err(Corrupt::ProducerPos { found: start, consumer, size });
    }
    match owner {
        Some(owner) => match tries.iter().find(|dead| dead.owner == owner) {
            Some(winner) => win(tries, winner, start, start.advance(legal_span(memory, winner, start, head)?)),
            None => lose(tries, start),
        },
        None => {
            let winner = winner(memory, start, tries, head)?;
            let span = legal_span(memory, winner, start, head)?;
            write_header(memory, start, Header::discarded((span - HEADER_BYTES) as u32), winner.owner);
            win(tries, winner, start, start.advance(span));
        }
    }
    Ok(true)
}

/// Whether somebody who is not among the `dead` tries to reserve at `start`. If not, then whoever has, and lives, has written its
/// header, which is in sight.
fn is_tried_by_the_living<M: Memory, P>(memory: &M, start: Position, dead: &[Dead<'_, P>]) -> bool {
    let announcement = SlotWord::entering(start).word();
    let lives = |slot: &Slot| !dead.iter().any(|dead| core::ptr::eq(dead.slot, slot));
    let tried = memory.used_slots().iter().any(|slot| slot.word.load(Ordering::Relaxed) == announcement && lives(slot));
    fence_acquire(Edge::RepairSlots);
    tried
}

/// Who has written the header at `at`, if that is of this lap. It is in sight whole: whoever lives has left the entering state, and
/// the slots have been looked at since; the dead do no more.
fn owner_of_this_lap<M: Memory>(memory: &M, at: Position) -> Option<u16> {
    let cell = memory.header(at);
    let tag = Tag::from_word(cell.tag.load(Ordering::Relaxed));
    let header = Header::from_word(cell.word.load(Ordering::Relaxed));
    let issued = memory.producer().registry.registrations.load(Ordering::Relaxed);
    let owner = tag.owner();
    // What is left of an old payload may look like a tag; that it looks like a header of a possible length, too, is less likely.
    let plausible = owner != 0
        && u32::from(owner) <= issued
        && tag == Tag::new(owner, at, memory.size())
        && stride(header.len()) <= memory.capacity().max_span();
    plausible.then_some(owner)
}

/// Which of the dead has reserved at `start`, where nobody else has, and none has written a header.
///
/// The end of what it has reserved is where head has been. The others' ends, if they are before that, are where head has not
/// been.
fn winner<'t, 'm, M: Memory, P>(
    memory: &M,
    start: Position,
    tries: &'t [Dead<'m, P>],
    head: Position,
) -> Result<&'t Dead<'m, P>, Corrupt> {
    let [only] = tries else {
        let reached = |dead: &&Dead<'_, P>| was_head(memory, start.advance(dead.span), head);
        return tries.iter().find(reached).ok_or(Corrupt::Undecided { at: start });
    };
    Ok(only)
}

/// Whether head has been at `at`: somebody has tried to reserve there, or has reserved up to there.
fn was_head<M: Memory>(memory: &M, at: Position, head: Position) -> bool {
    if !head.is_after(at) {
        return head == at;
    }
    let says_so = |slot: &Slot| SlotWord::from_word(slot.word.load(Ordering::Relaxed)).position() == at;
    let said = memory.used_slots().iter().any(says_so);
    fence_acquire(Edge::RepairSlots);
    said || owner_of_this_lap(memory, at).is_some()
}

/// How many bytes `dead` has reserved at `start`, if it can have been so many.
fn legal_span<M: Memory, P>(memory: &M, dead: &Dead<'_, P>, start: Position, head: Position) -> Result<u64, Corrupt> {
    let (span, available) = (dead.span, head.since(start));
    let legal = span % HEADER_BYTES == 0 && span >= HEADER_BYTES && span <= available;
    if legal && span <= memory.capacity().max_span() {
        Ok(span)
    } else {
        Err(Corrupt::Span { at: start, found: span, available })
    }
}

/// One of `tries` has reserved up to `end`, and the others have not.
fn win<P>(tries: &[Dead<'_, P>], winner: &Dead<'_, P>, start: Position, end: Position) {
    winner.slot.word.store(SlotWord::left(end).word(), release(Edge::Leave));
    for loser in tries.iter().filter(|dead| !core::ptr::eq(dead.slot, winner.slot)) {
        loser.slot.word.store(SlotWord::left(start).word(), release(Edge::GiveUp));
    }
}

/// None of `tries` has reserved.
fn lose<P>(tries: &[Dead<'_, P>], start: Position) {
    for dead in tries {
        dead.slot.word.store(SlotWord::left(start).word(), release(Edge::GiveUp));
    }
}
