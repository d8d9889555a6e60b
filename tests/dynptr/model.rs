//! Every operation, in random order, against a plain `Vec<u8>`.

use dynring::{DynPtrError, View, ViewMut};
use proptest::collection::vec;
use proptest::prelude::*;
use zerocopy::{big_endian, little_endian};

use crate::pieces::{Pieces, bytes};

/// Bytes of the largest memory.
const MOST: u64 = if cfg!(miri) { 70 } else { 600 };

/// Operations on one memory, and cases.
const OPS: usize = if cfg!(miri) { 8 } else { 40 };
const CASES: u32 = if cfg!(miri) { 2 } else { 500 };

#[derive(Clone, Debug)]
enum Op {
    Read(u64, u64),
    ReadAs(u64),
    Write(u64, Vec<u8>),
    WriteAs(u64, u32),
    Data(u64, u64),
    DataMut(u64, u64, u8),
    Slice(u64, u64, usize),
    SliceMut(u64, u64, usize, u8),
    Adjust(u64, u64),
    /// So much from the front, so much from the back.
    Trim(u64, u64),
    Memset(u64, u64, u8),
    CopyWithin(u64, u64, u64),
    CopyFrom(u64, u64, u64),
    /// With a view of the same memory, which is dropped afterwards.
    Clone(Vec<Op>),
}

/// Within the memory more often than not.
fn at() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..40u64, 3 => 0..MOST, 1 => any::<u64>(), 1 => u64::MAX - 9..=u64::MAX]
}

fn op() -> impl Strategy<Value = Op> {
    let scratch = || prop_oneof![1 => 0..20usize, 4 => Just(MOST as usize)];
    let simple = prop_oneof![
        (at(), 0..MOST).prop_map(|(at, len)| Op::Read(at, len)),
        at().prop_map(Op::ReadAs),
        (at(), vec(any::<u8>(), 0..MOST as usize / 2)).prop_map(|(at, bytes)| Op::Write(at, bytes)),
        (at(), any::<u32>()).prop_map(|(at, value)| Op::WriteAs(at, value)),
        (at(), at()).prop_map(|(at, len)| Op::Data(at, len)),
        (at(), at(), any::<u8>()).prop_map(|(at, len, value)| Op::DataMut(at, len, value)),
        (at(), at(), scratch()).prop_map(|(at, len, scratch)| Op::Slice(at, len, scratch)),
        (at(), at(), scratch(), any::<u8>())
            .prop_map(|(at, len, scratch, value)| Op::SliceMut(at, len, scratch, value)),
        (at(), at(), any::<u8>()).prop_map(|(at, len, value)| Op::Memset(at, len, value)),
        (at(), at(), 0..MOST).prop_map(|(at, from, len)| Op::CopyWithin(at, from, len)),
        (at(), at(), 0..MOST).prop_map(|(at, from, len)| Op::CopyFrom(at, from, len)),
        // Gently, as nothing makes a window larger again.
        (0..4u64, 0..4u64).prop_map(|(front, back)| Op::Trim(front, back)),
        (0..4u64, at()).prop_map(|(start, end)| Op::Adjust(start, end)),
    ];
    simple.prop_recursive(2, 16, 6, |op| vec(op, 0..6).prop_map(Op::Clone))
}

/// A window of a vector.
struct Model<'m> {
    memory: &'m mut Vec<u8>,
    start: usize,
    len: usize,
}

impl Model<'_> {
    fn range(&mut self, at: u64, len: u64) -> Result<&mut [u8], DynPtrError> {
        let size = self.len as u64;
        match at.checked_add(len) {
            Some(end) if end <= size => Ok(&mut self.memory[self.start..][at as usize..end as usize]),
            _ => Err(DynPtrError::OutOfBounds { offset: at, len, size }),
        }
    }

    fn adjust(&mut self, start: u64, end: u64) -> Result<(), DynPtrError> {
        let size = self.len as u64;
        if start > end {
            Err(DynPtrError::Backwards { start, end })
        } else if end > size {
            Err(DynPtrError::OutOfRange { start, end, size })
        } else {
            (self.start, self.len) = (self.start + start as usize, (end - start) as usize);
            Ok(())
        }
    }

    /// Makes a range what a function makes of it.
    fn change(&mut self, at: u64, len: u64, change: impl FnOnce(&mut [u8])) -> Result<(), DynPtrError> {
        self.range(at, len).map(change)
    }
}

/// What a slice that may have to be borrowed or copied should be, given that borrowing failed with `borrowing`.
fn is_what_it_should_be(
    borrowed: Result<&[u8], DynPtrError>,
    expected: Result<&mut [u8], DynPtrError>,
) -> Result<(), TestCaseError> {
    match (borrowed, expected) {
        (Ok(borrowed), expected) => prop_assert_eq!(Ok(borrowed), expected.map(|bytes| &*bytes)),
        // Whether a range crosses a border is checked where there is none, and where pieces are tested alone.
        (Err(DynPtrError::Fragmented { .. }), Ok(bytes)) => prop_assert!(bytes.len() > 1),
        (Err(error), expected) => prop_assert_eq!(Err(error), expected),
    }
    Ok(())
}

fn check(view: &mut ViewMut<'_>, model: &mut Model<'_>, other: View<'_>, op: &Op) -> Result<(), TestCaseError> {
    match *op {
        Op::Read(at, len) => {
            let mut read = vec![0; len as usize];
            let result = view.read(at, &mut read).map(|()| &mut read[..]);
            prop_assert_eq!(result, model.range(at, len));
        }
        Op::ReadAs(at) => {
            let expected = model.range(at, 4).map(|bytes| <[u8; 4]>::try_from(bytes).unwrap());
            prop_assert_eq!(view.read_as::<[u8; 4]>(at), expected);
            let big = view.read_as::<big_endian::U32>(at).map(big_endian::U32::get);
            prop_assert_eq!(big, expected.map(u32::from_be_bytes));
            let little = view.read_as::<little_endian::U32>(at).map(little_endian::U32::get);
            prop_assert_eq!(little, expected.map(u32::from_le_bytes));
        }
        Op::Write(at, ref bytes) => {
            let expected = model.change(at, bytes.len() as u64, |range| range.copy_from_slice(bytes));
            prop_assert_eq!(view.write(at, bytes), expected);
        }
        Op::WriteAs(at, value) => {
            let expected = model.change(at, 4, |range| range.copy_from_slice(&value.to_be_bytes()));
            prop_assert_eq!(view.write_as(at, &big_endian::U32::new(value)), expected);
        }
        Op::Data(at, len) => is_what_it_should_be(view.data(at, len), model.range(at, len))?,
        Op::DataMut(at, len, value) => {
            is_what_it_should_be(view.data_mut(at, len).map(|bytes| &*bytes), model.range(at, len))?;
            if let Ok(bytes) = view.data_mut(at, len) {
                bytes.fill(value);
                model.change(at, len, |range| range.fill(value)).unwrap();
            }
        }
        Op::Slice(at, len, scratch) => {
            let mut buffer = vec![0; scratch];
            let result = view.as_view().slice(at, len, &mut buffer);
            if len > scratch as u64 {
                prop_assert_eq!(result, Err(DynPtrError::ShortScratch { len, scratch: scratch as u64 }));
            } else {
                prop_assert_eq!(result, model.range(at, len).map(|bytes| &*bytes));
            }
        }
        Op::SliceMut(at, len, scratch, value) => {
            let mut buffer = vec![0; scratch];
            let result = view.slice_mut(at, len, &mut buffer).map(|mut slice| slice.fill(value));
            if len > scratch as u64 {
                prop_assert_eq!(result, Err(DynPtrError::ShortScratch { len, scratch: scratch as u64 }));
            } else {
                prop_assert_eq!(result, model.change(at, len, |range| range.fill(value)));
            }
        }
        Op::Adjust(start, end) => {
            let mut read_only = view.as_view();
            let result = read_only.adjust(start, end);
            prop_assert_eq!(view.adjust(start, end), result);
            prop_assert_eq!(model.adjust(start, end), result);
        }
        Op::Trim(front, back) => {
            check(view, model, other, &Op::Adjust(front, view.size().saturating_sub(back)))?;
        }
        Op::Memset(at, len, value) => {
            prop_assert_eq!(view.memset(at, len, value), model.change(at, len, |range| range.fill(value)));
        }
        Op::CopyWithin(at, from, len) => {
            let expected = match (model.range(from, len).map(|bytes| bytes.to_vec()), model.range(at, len)) {
                (Ok(bytes), Ok(range)) => {
                    range.copy_from_slice(&bytes);
                    true
                }
                _ => false,
            };
            prop_assert_eq!(view.copy_within(at, from, len).is_ok(), expected);
        }
        Op::CopyFrom(at, from, len) => {
            let mut copied = vec![0; len as usize];
            let expected = match (other.read(from, &mut copied), model.range(at, len)) {
                (Ok(()), Ok(range)) => {
                    range.copy_from_slice(&copied);
                    true
                }
                _ => false,
            };
            prop_assert_eq!(view.copy_from(at, other, from, len).is_ok(), expected);
        }
        Op::Clone(ref ops) => {
            let mut clone = view.reborrow();
            let mut clone_model = Model { memory: model.memory, start: model.start, len: model.len };
            for op in ops {
                check(&mut clone, &mut clone_model, other, op)?;
            }
        }
    }
    prop_assert_eq!(view.size(), model.len as u64);
    prop_assert_eq!(view.as_view().chunks().collect::<Vec<_>>().concat(), model.range(0, model.len as u64).unwrap());
    Ok(())
}

/// Cuts, some of which leave nothing between them.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1 => Just(0), 4 => 0..30usize, 2 => 0..300usize], 0..6)
}

fn memory() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..60), vec(any::<u8>(), 0..MOST as usize)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_in_pieces_is_like_a_vector(
        (bytes, cuts, other, other_cuts, ops) in (memory(), cuts(), memory(), cuts(), vec(op(), 0..OPS))
    ) {
        let (mut memory, mut pieces, other) = (bytes.clone(), Pieces::cut(&bytes, &cuts), Pieces::cut(&other, &other_cuts));
        let mut model = Model { start: 0, len: bytes.len(), memory: &mut memory };
        let mut view = pieces.view_mut();
        for op in &ops {
            check(&mut view, &mut model, other.view(), op)?;
        }
        prop_assert_eq!(pieces.joined(), memory);
    }

    #[test]
    fn memory_in_one_piece_is_like_a_vector_and_always_borrowed((bytes, ops) in (memory(), vec(op(), 0..OPS))) {
        let (mut memory, mut ours, other) = (bytes.clone(), bytes.clone(), bytes.clone());
        let mut model = Model { start: 0, len: bytes.len(), memory: &mut memory };
        let mut view = ViewMut::new(&mut ours);
        for op in &ops {
            check(&mut view, &mut model, View::new(&other), op)?;
            if let Op::Data(at, len) = *op {
                prop_assert_eq!(view.data(at, len), model.range(at, len).map(|bytes| &*bytes));
            }
        }
        prop_assert_eq!(ours, memory);
    }

    #[test]
    fn a_slice_is_borrowed_exactly_if_it_lies_in_one_piece(
        (content, cuts, at, len) in (memory(), cuts(), 0..MOST, 0..60u64)
    ) {
        let pieces = Pieces::cut(&content, &cuts);
        let at = at % (content.len() as u64 + 1);
        let len = len.min(content.len() as u64 - at);
        let mut borders = vec![pieces.head.len() as u64];
        for fragment in &pieces.fragments {
            borders.push(borders.last().unwrap() + fragment.len() as u64);
        }
        let crosses = borders.iter().any(|border| at < *border && *border < at + len);
        prop_assert_eq!(pieces.view().data(at, len).is_err(), crosses);
        let mut copy = pieces.clone();
        let mut buffer = vec![0; len as usize];
        prop_assert_eq!(copy.view_mut().slice_mut(at, len, &mut buffer).unwrap().is_copy(), crosses);
        prop_assert_eq!(copy, pieces);
    }

    #[test]
    fn a_window_of_a_window_is_a_window(
        (content, cuts, windows) in (memory(), cuts(), vec((0..30u64, 0..30u64), 0..6))
    ) {
        let pieces = Pieces::cut(&content, &cuts);
        let (mut view, mut expected) = (pieces.view(), &content[..]);
        for (from_front, from_back) in windows {
            let Some(end) = view.size().checked_sub(from_back) else { continue };
            if view.adjust(from_front, end).is_ok() {
                expected = &expected[from_front as usize..end as usize];
            }
            prop_assert_eq!(&bytes(view), expected);
        }
    }
}
