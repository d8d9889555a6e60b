//! Operations in random order.

use crate::ops::{MOST, Op, SLOTS, Slot};
use crate::ours::{Batch, Ours};
use crate::support::random::Random;

/// Slots for pointers that need not be released. What is cloned from one of them goes to one of them.
pub(crate) const PLAIN: std::ops::Range<Slot> = 0..6;
/// Slots for reservations, and for clones of them: the kernel lets no other pointer be kept where one of these is.
const RESERVED: std::ops::Range<Slot> = 6..8;
const CLONES: std::ops::Range<Slot> = 8..SLOTS;

/// Makes operations up, knowing what has come of those before.
#[derive(Debug)]
pub(crate) struct Generator<'r> {
    pub(crate) random: &'r mut Random,
    pub(crate) memory: u64,
    pub(crate) payload: u64,
}

impl Generator<'_> {
    /// A number that is within `size` more often than not.
    fn offset(&mut self, size: u64) -> u32 {
        match self.random.below(16) {
            0 => self.random.next() as u32,
            1 => (size + self.random.below(3)) as u32,
            2 => size.saturating_sub(1) as u32,
            3 => u32::MAX - self.random.below(8) as u32,
            _ => self.random.below(size + 1) as u32,
        }
    }

    /// The length of a range that starts at `offset`, at most `most`.
    fn len(&mut self, size: u64, offset: u32, most: u32) -> u32 {
        let left = size.saturating_sub(offset.into());
        let len = match self.random.below(8) {
            0 => self.random.below(u64::from(most) + 1),
            1 => left + self.random.below(2),
            _ => self.random.below(left + 1),
        };
        len.min(most.into()) as u32
    }

    fn byte(&mut self) -> u8 {
        self.random.next() as u8
    }

    /// Memory of this program.
    pub(crate) fn memory(&mut self) -> Op {
        let (at, slot) = (self.random.below(self.memory) as u32, PLAIN.start + self.random.below(6) as Slot);
        let len = self.random.below(self.memory - u64::from(at) + 1) as u32;
        Op::FromMem { slot, at, len, flags: self.flags() }
    }

    /// Right nearly always.
    pub(crate) fn flags(&mut self) -> u32 {
        if self.random.once_in(30) { 1 + self.random.below(9) as u32 } else { 0 }
    }

    /// Two reservations: with memory that is the same in both rings, if there are any.
    pub(crate) fn reserve(&mut self, ours: &mut Ours<'_>, batch: &mut Batch) {
        for slot in RESERVED {
            let len = match self.random.below(12) {
                0 => 0,
                1 => self.random.below(6000) as u32,
                _ => self.random.below(900) as u32,
            };
            batch.run(ours, Op::Reserve { slot, len });
            if ours.points(slot) {
                batch.run(ours, Op::Memset { slot, offset: 0, len, byte: 0 });
            }
        }
    }

    /// An end for all reservations.
    pub(crate) fn release(&mut self, ours: &mut Ours<'_>, batch: &mut Batch) {
        for slot in RESERVED {
            batch.run(ours, Op::Release { slot, submit: !self.random.once_in(4) });
        }
    }

    /// An operation on one of the pointers that are there, if it can be done.
    pub(crate) fn op(&mut self, ours: &mut Ours<'_>) -> Option<Op> {
        let slot = self.random.below(SLOTS as u64) as Slot;
        if !ours.is_there(slot) {
            return None;
        }
        let (size, _) = ours.window(slot);
        let offset = self.offset(size);
        let (buffer, byte) = (ours.is_packet(slot) && !self.random.once_in(3), self.byte());
        Some(match self.random.below(20) {
            0 => Op::Size { slot },
            1 => Op::IsNull { slot },
            2 => Op::IsRdonly { slot },
            3 => Op::Adjust { slot, start: offset, end: self.offset(size) },
            4 => {
                let start = self.random.below(size.min(9) + 1);
                Op::Adjust { slot, start: start as u32, end: (size - self.random.below(size.min(9) + 1)) as u32 }
            }
            5 => Op::Clone { from: slot, to: self.clone_to(ours, slot)? },
            6..9 => Op::Read { slot, offset, len: self.len(size, offset, MOST) },
            9..12 => {
                let at = self.random.below(self.payload);
                let len = self.len(size, offset, (self.payload - at) as u32);
                Op::Write { slot, offset, at: at as u32, len }
            }
            12 => Op::Data { slot, offset, len: self.len(size, offset, MOST), byte },
            13 | 14 => Op::Slice { slot, offset, len: self.len(size, offset, MOST), buffer },
            15 | 16 => Op::SliceMut { slot, offset, len: self.len(size, offset, MOST), buffer, byte },
            17 | 18 => self.copy(ours, slot, offset)?,
            _ => {
                let len = if self.random.once_in(8) { self.offset(size) } else { self.len(size, offset, u32::MAX) };
                return ours.points(slot).then_some(Op::Memset { slot, offset, len, byte });
            }
        })
    }

    fn clone_to(&mut self, ours: &Ours<'_>, from: Slot) -> Option<Slot> {
        if PLAIN.contains(&from) {
            return Some(PLAIN.start + self.random.below(6) as Slot);
        }
        // Nor may a pointer to a reservation be written over.
        CLONES.clone().find(|slot| !ours.is_there(*slot))
    }

    fn copy(&mut self, ours: &mut Ours<'_>, dst: Slot, offset: u32) -> Option<Op> {
        let src = if self.random.once_in(4) { dst } else { self.random.below(SLOTS as u64) as Slot };
        if !ours.points(src) || !ours.points(dst) {
            return None;
        }
        let ((size, src_start), (dst_size, dst_start)) = (ours.window(src), ours.window(dst));
        let src_offset = self.offset(size);
        let len = self.len(size.min(dst_size), src_offset.max(offset), u32::MAX);
        if ours.is_packet(src) && ours.is_packet(dst) {
            // Where fragments overlap, the kernel copies what it has copied before.
            let (from, to) = (src_start + u64::from(src_offset), dst_start + u64::from(offset));
            if from.abs_diff(to) < len.into() {
                return None;
            }
        }
        Some(Op::Copy { dst, offset, src, src_offset, len })
    }
}
