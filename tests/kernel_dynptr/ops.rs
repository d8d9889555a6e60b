//! Operations on dynamic pointers.

use std::collections::{BTreeMap, BTreeSet};

/// A dynamic pointer, by where it is kept.
pub(crate) type Slot = usize;

/// How many dynamic pointers there are.
pub(crate) const SLOTS: usize = 12;

/// The longest range that is read, or borrowed, in bytes.
pub(crate) const MOST: u32 = 64;

/// One operation of the kernel. Offsets and lengths are what those of the kernel are: 32 bits.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    FromMem {
        slot: Slot,
        at: u32,
        len: u32,
        flags: u32,
    },
    FromPacket {
        slot: Slot,
        flags: u32,
    },
    Reserve {
        slot: Slot,
        len: u32,
    },
    Release {
        slot: Slot,
        submit: bool,
    },
    Size {
        slot: Slot,
    },
    IsNull {
        slot: Slot,
    },
    IsRdonly {
        slot: Slot,
    },
    Adjust {
        slot: Slot,
        start: u32,
        end: u32,
    },
    Clone {
        from: Slot,
        to: Slot,
    },
    Read {
        slot: Slot,
        offset: u32,
        len: u32,
    },
    /// Writes bytes of the payload.
    Write {
        slot: Slot,
        offset: u32,
        at: u32,
        len: u32,
    },
    /// Makes the last byte `byte`.
    Data {
        slot: Slot,
        offset: u32,
        len: u32,
        byte: u8,
    },
    Slice {
        slot: Slot,
        offset: u32,
        len: u32,
        buffer: bool,
    },
    /// Makes the last byte `byte`.
    SliceMut {
        slot: Slot,
        offset: u32,
        len: u32,
        buffer: bool,
        byte: u8,
    },
    Copy {
        dst: Slot,
        offset: u32,
        src: Slot,
        src_offset: u32,
        len: u32,
    },
    Memset {
        slot: Slot,
        offset: u32,
        len: u32,
        byte: u8,
    },
    AdjustHead {
        delta: i32,
    },
    AdjustTail {
        delta: i32,
    },
    AdjustMeta {
        delta: i32,
    },
}

// Errors.
pub(crate) const INVALID: i64 = -(libc::EINVAL as i64);
pub(crate) const OUT_OF_RANGE: i64 = -(libc::ERANGE as i64);
pub(crate) const TOO_BIG: i64 = -(libc::E2BIG as i64);
pub(crate) const DENIED: i64 = -(libc::EACCES as i64);

/// A null pointer.
pub(crate) const NULL: i64 = 0;
/// A pointer to the memory itself.
pub(crate) const BORROWED: i64 = 1;
/// A pointer to the buffer.
pub(crate) const COPIED: i64 = 2;

/// What an operation returns, and the bytes that it has read: those of a range, or the last one that was pointed to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    pub(crate) result: i64,
    pub(crate) bytes: Vec<u8>,
}

impl Outcome {
    pub(crate) fn of(result: i64) -> Self {
        Self { result, bytes: Vec::new() }
    }
}

/// Which results operations have had.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<String, BTreeSet<i64>>);

impl Tally {
    pub(crate) fn count(&mut self, op: &Op, outcome: &Outcome) {
        let op = format!("{op:?}");
        let name = op.split_once(' ').map_or(op.as_str(), |(name, _)| name);
        self.0.entry(name.to_owned()).or_default().insert(outcome.result);
    }

    /// An operation of this name has had each of these results.
    pub(crate) fn assert(&self, name: &str, results: &[i64]) {
        let found = self.0.get(name);
        let all = results.iter().all(|result| found.is_some_and(|found| found.contains(result)));
        assert!(all, "{name} was to have {results:?}, and has had {found:?}");
    }
}
