//! The same operations, by this crate.

use dynring::{DynPtr, DynPtrError, Packet, Producer, View, ViewMut};

use crate::ops::{BORROWED, COPIED, INVALID, MOST, NULL, Op, Outcome, SLOTS, Slot, Tally};

/// What the operations work on.
#[derive(Debug)]
pub(crate) struct Ours<'w> {
    pub(crate) memory: Vec<u8>,
    payload: &'w [u8],
    producer: &'w Producer,
    records: Vec<Option<DynPtr<'w>>>,
    pub(crate) packet: Option<Packet<'w>>,
    slots: [Pointer; SLOTS],
}

/// A dynamic pointer. In the kernel, several that can be written point to the same memory; here, each is made when it is
/// used: a view of its memory, adjusted as often as it has been.
#[derive(Clone, Debug, Default)]
enum Pointer {
    /// There is none, and no operation on it.
    #[default]
    None,
    /// What the kernel has where this crate has an error.
    Null,
    To(Target, Vec<(u64, u64)>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    Memory { at: usize, len: usize },
    Record(usize),
    Packet,
}

impl<'w> Ours<'w> {
    pub(crate) fn new(memory: &[u8], payload: &'w [u8], producer: &'w Producer) -> Self {
        let slots = Default::default();
        Self { memory: memory.to_vec(), payload, producer, records: Vec::new(), packet: None, slots }
    }

    /// Whether there is a pointer that is not null.
    pub(crate) fn points(&self, slot: Slot) -> bool {
        matches!(self.slots[slot], Pointer::To(..))
    }

    /// Whether there is a pointer, or a null pointer.
    pub(crate) fn is_there(&self, slot: Slot) -> bool {
        !matches!(self.slots[slot], Pointer::None)
    }

    pub(crate) fn is_packet(&self, slot: Slot) -> bool {
        matches!(self.slots[slot], Pointer::To(Target::Packet, _))
    }

    /// How long what is pointed to is, and where in the target it starts.
    pub(crate) fn window(&mut self, slot: Slot) -> (u64, u64) {
        let start = match &self.slots[slot] {
            Pointer::To(_, windows) => windows.iter().map(|(start, _)| start).sum(),
            _ => 0,
        };
        (self.view(slot).map_or(0, |view| view.size()), start)
    }

    /// No slot has a pointer any longer.
    pub(crate) fn forget(&mut self) {
        self.slots = Default::default();
        assert!(self.records.iter().all(Option::is_none), "a reservation is neither submitted nor discarded");
        self.records.clear();
    }

    /// What a slot points to, unless it is null.
    fn view(&mut self, slot: Slot) -> Option<ViewMut<'_>> {
        let Pointer::To(target, windows) = &self.slots[slot] else { return None };
        let mut view = match *target {
            Target::Memory { at, len } => ViewMut::new(&mut self.memory[at..][..len]),
            Target::Record(nth) => self.records[nth].as_mut()?.view_mut(),
            Target::Packet => self.packet.as_mut()?.view_mut().ok()?,
        };
        for (start, end) in windows {
            view.adjust(*start, *end).expect("it was adjusted to this before");
        }
        Some(view)
    }

    pub(crate) fn run(&mut self, op: &Op) -> Outcome {
        match *op {
            Op::FromMem { slot, at, len, flags } => {
                let target = Target::Memory { at: at as usize, len: len as usize };
                self.set(slot, (flags == 0).then_some(target))
            }
            Op::FromPacket { slot, flags } => self.set(slot, (flags == 0).then_some(Target::Packet)),
            Op::Reserve { slot, len } => {
                let record = self.producer.reserve(len as usize).ok();
                let target = record.is_some().then_some(Target::Record(self.records.len()));
                self.records.push(record);
                self.set(slot, target)
            }
            Op::Release { slot, submit } => self.release(slot, submit),
            Op::Clone { from, to } => {
                self.slots[to] = self.slots[from].clone();
                Outcome::of(if self.points(from) { 0 } else { INVALID })
            }
            Op::Adjust { slot, start, end } => self.adjust(slot, start.into(), end.into()),
            Op::IsNull { slot } => Outcome::of(self.view(slot).is_none().into()),
            Op::Copy { dst, offset, src, src_offset, len } => {
                self.copy((dst, offset.into()), (src, src_offset.into()), len.into())
            }
            Op::AdjustHead { delta } => self.move_packet(|packet| packet.adjust_head(delta.into())),
            Op::AdjustTail { delta } => self.move_packet(|packet| packet.adjust_tail(delta.into())),
            Op::AdjustMeta { delta } => self.move_packet(|packet| packet.adjust_meta(delta.into())),
            Op::Size { slot }
            | Op::IsRdonly { slot }
            | Op::Read { slot, .. }
            | Op::Write { slot, .. }
            | Op::Data { slot, .. }
            | Op::Slice { slot, .. }
            | Op::SliceMut { slot, .. }
            | Op::Memset { slot, .. } => {
                let (payload, is_packet) = (self.payload, self.is_packet(slot));
                match self.view(slot) {
                    Some(view) => access(view, payload, is_packet, op),
                    None => null(op),
                }
            }
        }
    }

    fn set(&mut self, slot: Slot, target: Option<Target>) -> Outcome {
        let result = if target.is_some() { 0 } else { INVALID };
        self.slots[slot] = target.map_or(Pointer::Null, |target| Pointer::To(target, Vec::new()));
        Outcome::of(result)
    }

    fn release(&mut self, slot: Slot, submit: bool) -> Outcome {
        let released = std::mem::take(&mut self.slots[slot]);
        if let Pointer::To(Target::Record(nth), _) = released {
            let record = self.records[nth].take().expect("a reservation is released once");
            match submit {
                true => record.commit(),
                false => record.discard(),
            }
            self.slots.iter_mut().for_each(|pointer| {
                if matches!(pointer, Pointer::To(Target::Record(other), _) if *other == nth) {
                    *pointer = Pointer::None;
                }
            });
        }
        Outcome::of(0)
    }

    fn adjust(&mut self, slot: Slot, start: u64, end: u64) -> Outcome {
        let Some(mut view) = self.view(slot) else { return Outcome::of(INVALID) };
        let result = code(view.adjust(start, end));
        if let (0, Pointer::To(_, windows)) = (result, &mut self.slots[slot]) {
            windows.push((start, end));
        }
        Outcome::of(result)
    }

    fn copy(&mut self, (dst, offset): (Slot, u64), (src, src_offset): (Slot, u64), len: u64) -> Outcome {
        let Pointer::To(from, windows) = self.slots[src].clone() else { unreachable!("a copy from a null pointer") };
        if dst == src {
            return Outcome::of(code(self.view(dst).expect("not null").copy_within(offset, src_offset, len)));
        }
        // What is copied is what was there before, also if source and destination overlap.
        let pieces = self.pieces(from);
        let (head, fragments) = pieces.split_first().expect("a piece");
        let mut source = View::with_fragments(head, &fragments);
        for (start, end) in windows {
            source.adjust(start, end).expect("it was adjusted to this before");
        }
        Outcome::of(code(self.view(dst).expect("not null").copy_from(offset, source, src_offset, len)))
    }

    /// A copy of what a target has, piece by piece.
    fn pieces(&self, target: Target) -> Vec<Vec<u8>> {
        let view = match target {
            Target::Memory { at, len } => View::new(&self.memory[at..][..len]),
            Target::Record(nth) => View::new(self.records[nth].as_deref().unwrap_or_default()),
            Target::Packet => self.packet.as_ref().expect("a packet").view(),
        };
        let pieces: Vec<_> = view.chunks().map(<[u8]>::to_vec).collect();
        if pieces.is_empty() { vec![Vec::new()] } else { pieces }
    }

    /// Pointers to the packet have to be made anew.
    fn move_packet(&mut self, adjust: impl FnOnce(&mut Packet<'w>) -> Result<(), dynring::AdjustError>) -> Outcome {
        for slot in 0..SLOTS {
            if self.is_packet(slot) {
                self.slots[slot] = Pointer::None;
            }
        }
        let adjusted = adjust(self.packet.as_mut().expect("a packet"));
        Outcome::of(adjusted.map_or_else(|error| -i64::from(error.errno()), |()| 0))
    }
}

/// Operations, and what has come of them here.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) ops: Vec<Op>,
    expected: Vec<Outcome>,
}

impl Batch {
    pub(crate) fn run(&mut self, ours: &mut Ours<'_>, op: Op) {
        self.expected.push(ours.run(&op));
        self.ops.push(op);
    }

    /// The same has come of them in the kernel.
    pub(crate) fn assert_same(&self, found: &[Outcome], tally: &mut Tally) {
        assert_eq!(found.len(), self.expected.len());
        for ((op, found), expected) in self.ops.iter().zip(found).zip(&self.expected) {
            assert_eq!(found, expected, "the kernel on the left: {op:?}");
            tally.count(op, found);
        }
    }
}

fn access(mut view: ViewMut<'_>, payload: &[u8], is_packet: bool, op: &Op) -> Outcome {
    match *op {
        Op::Size { .. } => Outcome::of(view.size() as i64),
        Op::IsRdonly { .. } => Outcome::of(view.is_rdonly().into()),
        Op::Read { offset, len, .. } => {
            let mut bytes = vec![0; len as usize];
            match code(view.read(offset.into(), &mut bytes)) {
                0 => Outcome { result: 0, bytes },
                error => Outcome::of(error),
            }
        }
        Op::Write { offset, at, len, .. } => {
            Outcome::of(code(view.write(offset.into(), &payload[at as usize..][..len as usize])))
        }
        // The kernel has no pointers into packets by this name.
        Op::Data { .. } if is_packet => Outcome::of(NULL),
        Op::Data { offset, len, byte, .. } | Op::SliceMut { offset, len, byte, buffer: false, .. } => {
            let Ok(bytes) = view.data_mut(offset.into(), len.into()) else { return Outcome::of(NULL) };
            Outcome { result: BORROWED, bytes: replace_last(bytes, byte) }
        }
        Op::SliceMut { offset, len, byte, .. } => {
            let mut buffer = [0; MOST as usize];
            let slice = view.slice_mut(offset.into(), len.into(), &mut buffer);
            let Ok(mut slice) = slice else { return Outcome::of(NULL) };
            let result = if slice.is_copy() { COPIED } else { BORROWED };
            Outcome { result, bytes: replace_last(&mut slice, byte) }
        }
        Op::Slice { offset, len, buffer: false, .. } => {
            let Ok(bytes) = view.data(offset.into(), len.into()) else { return Outcome::of(NULL) };
            Outcome { result: BORROWED, bytes: bytes.last().copied().into_iter().collect() }
        }
        Op::Slice { offset, len, .. } => {
            let mut buffer = [0; MOST as usize];
            let copied = view.data(offset.into(), len.into()).is_err();
            let Ok(bytes) = view.as_view().slice(offset.into(), len.into(), &mut buffer) else {
                return Outcome::of(NULL);
            };
            let result = if copied { COPIED } else { BORROWED };
            Outcome { result, bytes: bytes.last().copied().into_iter().collect() }
        }
        Op::Memset { offset, len, byte, .. } => Outcome::of(code(view.memset(offset.into(), len.into(), byte))),
        _ => unreachable!("{op:?} needs more than a view"),
    }
}

/// What the kernel does with a null pointer, in whose place there is an error here.
fn null(op: &Op) -> Outcome {
    Outcome::of(match op {
        Op::Size { .. } | Op::Read { .. } | Op::Write { .. } => INVALID,
        Op::IsRdonly { .. } => 0,
        Op::Data { .. } | Op::Slice { .. } | Op::SliceMut { .. } => NULL,
        _ => unreachable!("{op:?} of a null pointer"),
    })
}

/// Makes the last byte `byte`. Returns what it was.
fn replace_last(bytes: &mut [u8], byte: u8) -> Vec<u8> {
    bytes.last_mut().map(|last| std::mem::replace(last, byte)).into_iter().collect()
}

fn code(result: Result<(), DynPtrError>) -> i64 {
    result.map_or_else(|error| -i64::from(error.errno()), |()| 0)
}
