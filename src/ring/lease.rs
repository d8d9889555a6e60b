//! Many records out of one reservation.

use super::ReserveError;
use crate::dynptr::DynPtr;
use crate::raw::{Leased, Wakeup};
use crate::wire::HEADER_BYTES;

/// Reserved space out of which records are made without another look at the ring. From
/// [`Producer::lease`](crate::Producer::lease).
///
/// Each record costs two plain stores, and is visible as soon as it is committed. **Dropping the lease discards what is
/// left of it.**
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let ring = dynring::Ring::builder(4096).build()?;
/// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
/// let mut lease = producer.lease(1024)?;
/// for number in 0..10u64 {
///     lease.output(&number.to_le_bytes())?;
/// }
/// drop(lease);
/// assert_eq!(*consumer.next()?.unwrap(), 0u64.to_le_bytes());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a lease that is dropped is discarded"]
pub struct Lease<'p> {
    leased: Leased<'p>,
}

impl<'p> Lease<'p> {
    #[inline]
    pub(super) fn new(leased: Leased<'p>) -> Self {
        Self { leased }
    }

    /// Bytes that are left, headers of 8 bytes for each record included.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.leased.left() as usize
    }

    /// Takes a record with a payload of `len` bytes out of the lease.
    ///
    /// # Errors
    /// [`Full`](ReserveError::Full): not enough is left of the lease.
    #[inline]
    pub fn reserve(&mut self, len: usize) -> Result<DynPtr<'p>, ReserveError> {
        // Less than what is left is less than 2³⁰.
        let fits = len as u64 <= self.leased.left().saturating_sub(HEADER_BYTES);
        let reservation = if fits { self.leased.carve(len as u32) } else { None };
        reservation.map(DynPtr::new).ok_or(ReserveError::Full)
    }

    /// Copies `payload` into a record of its own, and commits it.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    #[inline]
    pub fn output(&mut self, payload: &[u8]) -> Result<(), ReserveError> {
        let mut dynptr = self.reserve(payload.len())?;
        dynptr.copy_from_slice(payload);
        dynptr.commit();
        Ok(())
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.leased.discard(Wakeup::Adaptive);
    }
}
