//! One who is attached to an arena.

use std::io;
use std::sync::Arc;

use super::attach::has_free_place;
use super::{
    Barrier, Block, By, Entries, Hand, Heap, Hints, Lent, Mapped, Memory, Spares, attach, in_use, largest_free, recover,
};
use crate::raw::seat::take_freed;
use crate::raw::{Claims, LivingClaim, NoSeat};
use crate::sync::Thread;
use crate::wire::arena::{TOKEN_BYTES, TokenFields, UNIT_BYTES};

/// Who has a place in an arena. What it has is given back when it is dropped, or has died.
#[derive(Debug)]
pub struct Attached {
    memory: Mapped,
    place: u16,
    secret: u64,
    hints: Hints,
    spares: Spares,
    claims: Option<Arc<dyn Claims>>,
    /// Ends when the place has been given back, or with the process.
    _claim: Option<Box<dyn LivingClaim>>,
}

/// One who could not be attached.
#[derive(Debug)]
pub enum NoPlace {
    /// All places are taken.
    Taken,
    /// The system refuses to show others that this process lives.
    System(io::Error),
}

impl From<NoSeat> for NoPlace {
    fn from(error: NoSeat) -> Self {
        match error {
            NoSeat::System(error) => Self::System(error),
            NoSeat::Taken | NoSeat::Inherited => Self::Taken,
        }
    }
}

impl Attached {
    /// Takes a free place. Without `claims`, there is one who lives as long as the memory. Without a `barrier`, it has no spares.
    ///
    /// # Errors
    /// All places are taken, or the system refuses.
    pub fn join(memory: Mapped, claims: Option<Arc<dyn Claims>>, barrier: Option<Barrier>) -> Result<Self, NoPlace> {
        let process = std::process::id();
        let (place, claim) = match &claims {
            None => (attach(&memory, process, &()), None),
            Some(claims) => {
                let claim = claims.open()?;
                let take = || attach(&memory, process, &*claim).ok_or(NoPlace::Taken);
                // A place that is free and could not be had: a child that was just forked has its lock until it becomes something else.
                let more = || claims.free_dead() || has_free_place(&memory);
                (take().or_else(|_| take_freed(more, take)).ok(), Some(claim))
            }
        };
        let place = place.ok_or(NoPlace::Taken)?;
        let (secret, hints) = (memory.secret(), Hints::new(Mapped::CLASSES.len()));
        let spares = Spares::new(memory.pages().len() as u32, memory.processes().len() as u32, barrier);
        Ok(Self { memory, place, secret, hints, spares, claims, _claim: claim })
    }

    /// The arena's memory.
    pub fn memory(&self) -> &Mapped {
        &self.memory
    }

    /// What is done in its name.
    #[inline(always)]
    pub(super) fn hand(&self) -> Hand<'_, Mapped> {
        Hand::new(&self.memory, self.place)
    }

    /// The map of maps.
    pub(super) fn root(&self) -> Entries<'_, Mapped> {
        Entries::root(self.hand(), self.secret)
    }

    pub(super) fn secret(&self) -> u64 {
        self.secret
    }

    #[inline(always)]
    fn heap(&self, thread: Thread) -> Heap<'_, Mapped> {
        Heap::new(self.hand(), &self.hints, Some(&self.spares), thread)
    }

    /// A block for `len` bytes. None if there is none, be it that those who have died are looked after.
    #[inline(always)]
    pub(super) fn alloc(&self, len: u64) -> Option<Block> {
        let units = len.div_ceil(UNIT_BYTES);
        match self.heap(Thread::current()).spare(units) {
            None => self.alloc_other(units),
            spare => spare,
        }
    }

    /// A block that is no spare.
    #[cold]
    #[inline(never)]
    fn alloc_other(&self, units: u64) -> Option<Block> {
        self.heap(Thread::current()).alloc_other(units).or_else(|| self.alloc_after_the_dead(units))
    }

    #[cold]
    fn alloc_after_the_dead(&self, units: u64) -> Option<Block> {
        let claims = self.claims.as_deref()?;
        take_freed(|| claims.free_dead(), || self.heap(Thread::current()).alloc(units).ok_or(())).ok()
    }

    #[inline(always)]
    pub(super) fn free(&self, block: Block) {
        if !self.heap(Thread::current()).set_apart(block) {
            self.free_other(block);
        }
    }

    /// Gives back a block that becomes no spare.
    #[cold]
    #[inline(never)]
    pub(super) fn free_other(&self, block: Block) {
        self.heap(Thread::numbered()).free_other(block);
    }

    /// `len` bytes. None if there is no block for them.
    #[inline(always)]
    pub fn lend(by: By<'_>, len: usize) -> Option<Lent<'_>> {
        let block = by.alloc(len as u64)?;
        Lent::new(by, block, len as u64)
    }

    /// What was lent is sent: these bytes stand for it. In a forked child, they stand for nothing.
    pub fn send(lent: Lent<'_>) -> [u8; TOKEN_BYTES] {
        let by = lent.by().clone();
        let (block, len) = lent.into_parts();
        by.hand().send(block);
        TokenFields { generation: block.word.generation(), unit: block.unit.into(), len }.to_bytes(by.secret)
    }

    /// What these bytes stand for, from now on lent by `by`.
    ///
    /// # Errors
    /// They stand for nothing in this arena; or it was claimed before, or its sender has gone.
    pub fn claim<'a>(by: By<'a>, token: &[u8; TOKEN_BYTES]) -> Result<Lent<'a>, NotClaimed> {
        let fields = TokenFields::from_bytes(token, by.secret).ok_or(NotClaimed::Forged)?;
        let unit = u32::try_from(fields.unit).map_err(|_| NotClaimed::Forged)?;
        let block = by.hand().claim(unit, fields.generation).ok_or(NotClaimed::Stale)?;
        if by.hand().units_of(block).saturating_mul(UNIT_BYTES) < fields.len {
            by.free_other(block);
            return Err(NotClaimed::Forged);
        }
        Lent::new(by, block, fields.len).ok_or(NotClaimed::Forged)
    }

    /// Bytes of all blocks that somebody has.
    pub fn in_use(&self) -> u64 {
        in_use(&self.memory) * UNIT_BYTES
    }

    /// Bytes of the largest block that can be had.
    pub fn largest_free(&self) -> u64 {
        self.heap(Thread::current()).give_spares();
        largest_free(&self.memory) * UNIT_BYTES
    }
}

/// A token that could not be claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotClaimed {
    /// It is none of this arena.
    Forged,
    /// It was claimed before, or its sender has gone.
    Stale,
}

impl Drop for Attached {
    fn drop(&mut self) {
        // In a forked child, the place is the parent's.
        if !self.memory.is_gone() {
            recover(&self.memory, self.place, self.secret);
        }
    }
}
