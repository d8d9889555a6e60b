//! A dynamic pointer to a reservation in a ring.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use std::io;

use super::{DynPtrError, TooLong, View, ViewMut};
use crate::raw::{Reservation, Wakeup};

/// A reserved record: memory of a size that is known only at run time, written in place and then committed.
///
/// **Dropping it discards the record**, as does [`discard`](Self::discard); [`commit`](Self::commit) delivers it. The
/// consumer sees records in the order in which they were reserved, so one that is neither committed nor dropped holds up
/// those behind it. `mem::forget` holds them up for good; that is a stall, and never unsound.
///
/// The bytes are what the ring held there before, unless reserved with
/// [`reserve_zeroed`](crate::Producer::reserve_zeroed). They are aligned to 8.
///
/// It is a slice of bytes; the kernel's other operations are those of its [`view`](Self::view) and its
/// [`view_mut`](Self::view_mut).
///
/// It borrows the [`Producer`](crate::Producer), which may reserve more meanwhile, and may be sent to another thread that
/// commits it. One from [`reserve_owned`](crate::Producer::reserve_owned) borrows nothing.
///
/// Source: `bpf_ringbuf_reserve_dynptr` in the kernel.
///
/// # Examples
/// ```
/// use std::io::Write;
/// # fn main() -> std::io::Result<()> {
/// let ring = dynring::Ring::builder(4096).build()?;
/// let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
///
/// let mut record = producer.reserve(64)?;
/// write!(record, "{} + {} = {}", 2, 3, 2 + 3)?;
/// let written = record.written();
/// record.commit_len(written)?;
///
/// assert_eq!(&*consumer.next()?.unwrap(), b"2 + 3 = 5");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "bpf_dynptr")]
#[must_use = "a reservation that is dropped is discarded"]
pub struct DynPtr<'p> {
    reservation: Reservation<'p>,
    /// Where `io::Write` goes on.
    written: usize,
}

impl<'p> DynPtr<'p> {
    #[inline]
    pub(crate) fn new(reservation: Reservation<'p>) -> Self {
        Self { reservation, written: 0 }
    }

    /// All of the reservation, to be read.
    #[inline]
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    /// All of the reservation, to be written. What is committed is the whole, however the view is adjusted.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// let mut record = producer.reserve_zeroed(8)?;
    /// let mut view = record.view_mut();
    /// view.adjust(2, 4)?;
    /// view.write(0, b"at")?;
    /// assert!(view.write(0, b"two").is_err());
    /// record.commit();
    /// assert_eq!(&*consumer.next()?.unwrap(), b"\0\0at\0\0\0\0");
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut::new(self)
    }

    /// Copies `dst.len()` bytes from `offset` on into `dst`.
    ///
    /// # Errors
    /// The range reaches outside the reservation; nothing is copied.
    ///
    /// Source: `bpf_dynptr_read` in the kernel.
    #[doc(alias = "bpf_dynptr_read")]
    #[inline]
    pub fn read(&self, offset: u64, dst: &mut [u8]) -> Result<(), DynPtrError> {
        self.view().read(offset, dst)
    }

    /// Copies `src` to `offset`.
    ///
    /// # Errors
    /// The range reaches outside the reservation; nothing is copied.
    ///
    /// Source: `bpf_dynptr_write` in the kernel.
    #[doc(alias = "bpf_dynptr_write")]
    #[inline]
    pub fn write(&mut self, offset: u64, src: &[u8]) -> Result<(), DynPtrError> {
        self.view_mut().write(offset, src)
    }

    /// Bytes written through [`io::Write`], which starts at the beginning.
    #[inline]
    pub fn written(&self) -> usize {
        self.written
    }

    /// Delivers the record. Wakes the consumer if it sleeps and waits for this very record.
    ///
    /// Source: `bpf_ringbuf_submit_dynptr` in the kernel.
    #[doc(alias = "submit")]
    #[doc(alias = "bpf_ringbuf_submit_dynptr")]
    #[inline]
    pub fn commit(self) {
        self.commit_with(Wakeup::Adaptive);
    }

    /// Delivers the record, and wakes the consumer as `wakeup` says.
    #[inline]
    pub fn commit_with(self, wakeup: Wakeup) {
        // A finished reservation has nothing to drop.
        ManuallyDrop::new(self).reservation.commit(wakeup);
    }

    /// Delivers the first `len` bytes as a record of `len` bytes, and discards the rest.
    ///
    /// # Errors
    /// `len` is more than was reserved. The reservation is handed back as it was.
    #[inline]
    pub fn commit_len(mut self, len: usize) -> Result<(), TooLong<'p>> {
        match u32::try_from(len) {
            Ok(short) if len <= self.len() => {
                self.reservation.commit_len(short, Wakeup::Adaptive);
                Ok(())
            }
            _ => Err(TooLong { dynptr: self, len }),
        }
    }

    /// Drops the record: the consumer skips it. Wakes the consumer if it sleeps and waits for this very record.
    ///
    /// Source: `bpf_ringbuf_discard_dynptr` in the kernel.
    #[doc(alias = "bpf_ringbuf_discard_dynptr")]
    #[inline]
    pub fn discard(self) {
        self.discard_with(Wakeup::Adaptive);
    }

    /// Drops the record, and wakes the consumer as `wakeup` says.
    #[inline]
    pub fn discard_with(self, wakeup: Wakeup) {
        ManuallyDrop::new(self).reservation.discard(wakeup);
    }
}

impl Drop for DynPtr<'_> {
    #[inline]
    fn drop(&mut self) {
        self.reservation.discard(Wakeup::Adaptive);
    }
}

impl Deref for DynPtr<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.reservation.bytes()
    }
}

impl DerefMut for DynPtr<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.reservation.bytes_mut()
    }
}

/// Writes from the start of the reservation on. Once it is full, writes return 0.
impl io::Write for DynPtr<'_> {
    #[inline]
    fn write(&mut self, src: &[u8]) -> io::Result<usize> {
        let mut rest = &mut self.reservation.bytes_mut()[self.written..];
        let count = io::Write::write(&mut rest, src)?;
        self.written += count;
        Ok(count)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for DynPtr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynPtr").field("at", &self.reservation.at()).field("len", &self.len()).finish_non_exhaustive()
    }
}
