//! What the consumer gets.

use core::ops::Deref;

use crate::raw::{Held, Taken};
use crate::wire::Corrupt;

/// A committed record, readable in place.
///
/// **Dropping it gives its space back to the producers.**
#[derive(Debug)]
#[must_use = "a record that is dropped is consumed"]
pub struct Record<'c> {
    taken: Taken<'c>,
}

impl<'c> Record<'c> {
    #[inline]
    pub(super) fn new(taken: Taken<'c>) -> Self {
        Self { taken }
    }

    /// Where the record starts, in bytes since the ring began, modulo 2⁶⁴.
    #[inline]
    pub fn position(&self) -> u64 {
        self.taken.at().get()
    }
}

impl Deref for Record<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.taken.bytes()
    }
}

impl AsRef<[u8]> for Record<'_> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Record<'_> {
    #[inline]
    fn drop(&mut self) {
        self.taken.release();
    }
}

/// Several records at once, readable in place. From [`Consumer::batch`](crate::Consumer::batch).
///
/// **Dropping it gives the space of all of them back to the producers**, and not before.
#[derive(Debug)]
#[must_use = "the records of a batch that is dropped are consumed"]
pub struct Batch<'c> {
    held: Held<'c>,
}

impl<'c> Batch<'c> {
    #[inline]
    pub(super) fn new(held: Held<'c>) -> Self {
        Self { held }
    }

    /// The next record, if there is one. It stays readable for as long as the batch is.
    ///
    /// # Errors
    /// The ring is corrupt; sticky. The records before are intact.
    #[inline]
    pub fn next(&self) -> Result<Option<&[u8]>, Corrupt> {
        self.held.take()
    }

    /// The records to come, as an iterator that ends where [`next`](Self::next) finds nothing.
    pub fn iter(&self) -> impl Iterator<Item = Result<&[u8], Corrupt>> {
        core::iter::from_fn(|| self.next().transpose())
    }
}

impl Drop for Batch<'_> {
    #[inline]
    fn drop(&mut self) {
        self.held.release();
    }
}
