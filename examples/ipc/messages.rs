//! What goes through the ring, and what parent and children tell each other over sockets.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const PRODUCERS: usize = 4;

/// The beginning of each record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Head {
    pub producer: u64,
    /// Counts the records of this producer, from 0.
    pub number: u64,
}

/// Bytes of the record with that number: 16 to 515.
pub fn len_of(number: u64) -> usize {
    size_of::<Head>() + (number * 37 % 500) as usize
}

/// Bytes that such a record takes in the ring: 8 more for its header, in whole multiples of 8.
pub fn span_of(number: u64) -> u64 {
    (len_of(number) as u64 + 8).next_multiple_of(8)
}

/// What a producer has done.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Written {
    /// Committed.
    pub records: u64,
    /// Bytes of the ring that it has reserved and then discarded.
    pub discarded: u64,
}

/// How far a consumer has come: all that a successor has to know.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Progress {
    /// Of each producer, the number of the record that comes next.
    pub next: [u64; PRODUCERS],
    /// Bytes of the ring that all records until here have taken.
    pub bytes: u64,
    /// Records that were met again after a consumer had died between saying that it was done with them and giving them back.
    pub again: u64,
}

impl Progress {
    pub fn records(&self) -> u64 {
        self.next.iter().sum()
    }
}

/// A child is attached to the ring.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Ready {
    pub process: u64,
}

/// A producer shall begin.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Begin {
    /// How many records the holder writes before it holds one.
    pub records: u64,
}

/// A producer shall finish.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Finish {
    pub now: u64,
}
