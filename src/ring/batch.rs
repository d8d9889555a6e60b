//! Several reservations for the price of one.

use core::iter::{Copied, Map};
use core::slice::Iter;

use super::ReserveError;
use crate::dynptr::DynPtr;
use crate::raw::{self, Mapped, Reservations};

type Lens<'l> = Map<Copied<Iter<'l, usize>>, fn(usize) -> u32>;

/// Records that were reserved together, in order. From [`Producer::reserve_batch`](crate::Producer::reserve_batch).
///
/// **Dropping it discards the records that were not taken out.**
#[derive(Debug)]
#[must_use = "reservations that are dropped are discarded"]
pub struct ReservedBatch<'p, 'l> {
    reservations: Option<Reservations<'p, Lens<'l>>>,
}

impl<'p, 'l> ReservedBatch<'p, 'l> {
    /// `lens` are legal, each and together.
    pub(super) fn reserve(producer: &'p raw::Producer<Mapped>, lens: &'l [usize]) -> Result<Self, ReserveError> {
        if lens.is_empty() {
            return Ok(Self { reservations: None });
        }
        let lens: Lens<'l> = lens.iter().copied().map(|len| len as u32);
        Ok(Self { reservations: Some(producer.reserve_all(lens)?) })
    }
}

impl<'p> Iterator for ReservedBatch<'p, '_> {
    type Item = DynPtr<'p>;

    #[inline]
    fn next(&mut self) -> Option<DynPtr<'p>> {
        self.reservations.as_mut()?.next().map(DynPtr::new)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.reservations.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

impl ExactSizeIterator for ReservedBatch<'_, '_> {}

impl Drop for ReservedBatch<'_, '_> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
