//! A reservation that holds one value of a known type.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::DynPtr;
use crate::raw::Wakeup;

/// A reserved record that is exactly one `T`, written in place and then committed.
///
/// **Dropping it discards the record**, as with [`DynPtr`]. The value is whatever the bytes in the ring make of it until it
/// is written, which is why any bytes must be a `T` and the other way round.
#[must_use = "a reservation that is dropped is discarded"]
#[derive(Debug)]
pub struct Reserved<'p, T> {
    dynptr: DynPtr<'p>,
    value: PhantomData<T>,
}

impl<'p, T: FromBytes + IntoBytes + KnownLayout + Immutable> Reserved<'p, T> {
    /// What a reservation's alignment allows, checked when the program is compiled.
    pub(crate) const FITS: () = assert!(align_of::<T>() <= 8, "records are aligned to 8 bytes");

    /// `dynptr` must have the size of a `T`.
    #[inline]
    pub(crate) fn new(dynptr: DynPtr<'p>) -> Self {
        const { Self::FITS };
        debug_assert_eq!(dynptr.len(), size_of::<T>());
        Self { dynptr, value: PhantomData }
    }

    /// Delivers the record. See [`DynPtr::commit`].
    #[inline]
    pub fn commit(self) {
        self.dynptr.commit();
    }

    /// Delivers the record, and wakes the consumer as `wakeup` says.
    #[inline]
    pub fn commit_with(self, wakeup: Wakeup) {
        self.dynptr.commit_with(wakeup);
    }

    /// Drops the record: the consumer skips it.
    #[inline]
    pub fn discard(self) {
        self.dynptr.discard();
    }

    /// The reservation as bytes.
    #[inline]
    pub fn into_dynptr(self) -> DynPtr<'p> {
        self.dynptr
    }
}

impl<T: FromBytes + IntoBytes + KnownLayout + Immutable> Deref for Reserved<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match T::ref_from_bytes(&self.dynptr) {
            Ok(value) => value,
            Err(_) => unreachable!("the reservation has the size of the type, and its alignment was checked"),
        }
    }
}

impl<T: FromBytes + IntoBytes + KnownLayout + Immutable> DerefMut for Reserved<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        match T::mut_from_bytes(&mut self.dynptr) {
            Ok(value) => value,
            Err(_) => unreachable!("the reservation has the size of the type, and its alignment was checked"),
        }
    }
}
