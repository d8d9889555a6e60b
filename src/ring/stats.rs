//! How a ring is doing.

use crate::raw::{self, Mapped, Memory};

/// Figures of a ring, each read by itself while the ring goes on: together they are no snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Size of the data in bytes.
    pub capacity: u64,
    /// Everything below has been reserved: bytes since the ring began, modulo 2⁶⁴.
    pub head: u64,
    /// Everything below has been consumed: bytes since the ring began, modulo 2⁶⁴.
    pub consumer_pos: u64,
    /// Bytes that are reserved, committed or discarded and not yet consumed, headers included.
    pub available: u64,
    /// Registered producers.
    pub producers: u32,
    /// Reservations that were refused because the ring was full, since the ring began. Those that wait try several times.
    pub refused: u64,
    /// Records that the consumer has skipped because they were discarded, since the ring began. What is left of a lease and
    /// the rest behind a shortened record count too.
    pub discarded: u64,
    /// Records that the consumer has skipped because nobody was left to finish them, since the ring began: their producers
    /// have died, or have leaked them and gone.
    pub abandoned: u64,
    /// The most bytes that the consumer has found unread at a look, headers included: see
    /// [`Consumer::high_water_mark`](crate::Consumer::high_water_mark).
    pub high_water_mark: u64,
}

impl Stats {
    pub(crate) fn of(memory: &Mapped) -> Self {
        let raw::Figures { head, consumer_pos, producers, refused, discarded, abandoned, high_water } =
            raw::figures(memory);
        Self {
            capacity: memory.size().bytes(),
            head: head.get(),
            consumer_pos: consumer_pos.get(),
            available: head.since(consumer_pos),
            producers,
            refused,
            discarded,
            abandoned,
            high_water_mark: high_water,
        }
    }
}
