//! Bytes that the consumer holds, and nobody writes.

use core::cell::RefCell;
use core::ops::ControlFlow;
use core::slice;

use super::{Consumer, Found, Mapped, load_bytes};
use crate::wire::{Corrupt, Position};

/// Copies the record that the consumer has just found to the end of `into`, without a reference to it, and counts it as handed
/// out.
pub fn copy(consumer: &mut Consumer<Mapped>, found: Found, into: &mut Vec<u8>) {
    let (begin, len) = (into.len(), found.payload_len() as usize);
    into.resize(begin + len, 0);
    load_bytes(consumer.memory().payload_words(found.at(), found.payload_len()), &mut into[begin..]);
    consumer.accept(found);
}

/// The next record, which is not taken, and where it starts.
///
/// # Errors
/// The ring is corrupt; sticky.
#[inline]
pub fn peek(consumer: &mut Consumer<Mapped>) -> Result<Option<(Position, &[u8])>, Corrupt> {
    let Some(found) = consumer.peek()? else { return Ok(None) };
    let data = consumer.memory().payload(found.at());
    // SAFETY: `peek` has checked that the record is committed and ends within what has been produced: `len` bytes that
    // nobody writes until they are published, for which the consumer is needed exclusively, in memory that it keeps mapped.
    let bytes = unsafe { slice::from_raw_parts(data.as_ptr(), found.payload_len() as usize) };
    Ok(Some((found.at(), bytes)))
}

/// Calls `each` with the payloads of records that are known to be there: [`Consumer::run`].
#[inline(always)]
pub fn run(consumer: &mut Consumer<Mapped>, mut each: impl FnMut(&[u8]) -> ControlFlow<()>) -> ControlFlow<()> {
    consumer.run(|memory, found| {
        let data = memory.payload(found.at());
        // SAFETY: `run` has checked that the record is committed and ends within what has been produced: `len` bytes that
        // nobody writes until they are given back, which is after this.
        each(unsafe { slice::from_raw_parts(data.as_ptr(), found.payload_len() as usize) })
    })
}

/// Records that were taken and are not given back before [`release`](Self::release).
///
/// # Invariants
/// 1. All records that `take` returned lie between the consumer's published and taken positions for as long as this value is
///    borrowed: only `release`, which needs it exclusively, publishes.
#[derive(Debug)]
pub struct Held<'c> {
    consumer: RefCell<&'c mut Consumer<Mapped>>,
}

impl<'c> Held<'c> {
    /// Nothing is held yet.
    #[inline(always)]
    pub fn new(consumer: &'c mut Consumer<Mapped>) -> Self {
        Self { consumer: RefCell::new(consumer) }
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    #[inline]
    pub fn take(&self) -> Result<Option<&[u8]>, Corrupt> {
        let mut consumer = self.consumer.borrow_mut();
        let Some(found) = consumer.take()? else { return Ok(None) };
        let data = consumer.memory().payload(found.at());
        // SAFETY: `take` has checked that the record is committed and ends within what has been produced: `len` bytes that
        // nobody writes until they are published (invariant 1), in memory that the consumer keeps mapped.
        let bytes = unsafe { slice::from_raw_parts(data.as_ptr(), found.payload_len() as usize) };
        Ok(Some(bytes))
    }

    /// Gives back all that was taken.
    #[inline(always)]
    pub fn release(&mut self) {
        self.consumer.get_mut().publish();
    }
}

/// One record, not given back before [`release`](Self::release).
///
/// # Invariants
/// 1. The record lies between the consumer's published and taken positions until `released`.
#[derive(Debug)]
pub struct Taken<'c> {
    consumer: &'c mut Consumer<Mapped>,
    at: Position,
    len: u32,
}

impl<'c> Taken<'c> {
    /// Takes the record that the consumer has just found.
    #[inline(always)]
    pub fn new(consumer: &'c mut Consumer<Mapped>, found: Found) -> Self {
        consumer.accept(found);
        Self { consumer, at: found.at(), len: found.payload_len() }
    }

    /// Where the record starts.
    #[inline]
    pub fn at(&self) -> Position {
        self.at
    }

    /// The payload; empty once released.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        let data = self.consumer.memory().payload(self.at);
        // SAFETY: the consumer has checked that the record is committed and ends within what has been produced: `len` bytes
        // that nobody writes until they are published (invariant 1), and none once they are.
        unsafe { slice::from_raw_parts(data.as_ptr(), self.len as usize) }
    }

    /// Gives the record back.
    #[inline(always)]
    pub fn release(&mut self) {
        self.len = 0;
        self.consumer.publish();
    }
}
