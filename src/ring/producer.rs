//! Reserving.

use core::time::Duration;
use std::sync::Arc;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Lease, RegisterError, ReserveError, ReservedBatch};
use crate::dynptr::{DynPtr, Reserved};
use crate::notify::Space;
use crate::raw::{self, Claims, Mapped, Memory, NoSeat, Seat, Wakeup};
use crate::wire::{HEADER_BYTES, stride};

/// One of a ring's producers.
///
/// It has a slot of its own in the ring, in which it says where it is reserving, and gives it back when dropped. So has
/// every clone. It can be sent to another thread, and is not shared between threads: give each its own clone.
///
/// Reserving, writing and committing allocate nothing, take no lock and make no system call, unless a sleeping consumer is
/// to be woken.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ring = dynring::Ring::builder(4096).build()?;
/// let producer = ring.producer()?;
/// let another = producer.try_clone()?;
/// std::thread::spawn(move || another.output(b"from a thread")).join().unwrap()?;
/// producer.output(b"from here")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Producer {
    raw: raw::Producer<Mapped>,
    seat: Arc<Seat>,
    space: Space,
}

impl Producer {
    pub(crate) fn register(
        memory: &Mapped,
        claims: Option<Arc<dyn Claims>>,
        space: Space,
    ) -> Result<Self, RegisterError> {
        Self::seated(Seat::take(memory, claims), memory, space)
    }

    fn seated(seat: Result<Seat, NoSeat>, memory: &Mapped, space: Space) -> Result<Self, RegisterError> {
        let seat = seat.map_err(|error| RegisterError::new(error, memory.slots().len()))?;
        let raw = raw::Producer::new(memory.clone(), seat.registration());
        Ok(Self { raw, seat: Arc::new(seat), space })
    }

    /// Registers another producer.
    ///
    /// # Errors
    /// As many producers as the ring has room for are registered already.
    pub fn try_clone(&self) -> Result<Self, RegisterError> {
        Self::seated(self.seat.another(), self.raw.memory(), self.space.another())
    }

    /// The largest payload that a record can have, in bytes.
    #[inline]
    pub fn max_len(&self) -> usize {
        self.raw.memory().capacity().max_len() as usize
    }

    /// Reserves a record with a payload of `len` bytes, from 0 to [`max_len`](Self::max_len), to be written in place.
    ///
    /// Never waits for anybody. Whoever would try again until there is space is better off with
    /// [`reserve_blocking`](Self::reserve_blocking), which does not hold the consumer up by looking too often.
    ///
    /// # Errors
    /// There is not enough space at the moment, or never will be, or the consumer is gone.
    ///
    /// Source: `bpf_ringbuf_reserve_dynptr` in the kernel.
    #[doc(alias = "bpf_ringbuf_reserve")]
    #[inline(always)]
    pub fn reserve(&self, len: usize) -> Result<DynPtr<'_>, ReserveError> {
        self.reserve_raw(len).map(DynPtr::new)
    }

    #[inline(always)]
    pub(super) fn reserve_raw(&self, len: usize) -> Result<raw::Reservation<'_>, ReserveError> {
        let len = self.legal(len)?;
        Ok(self.raw.reserve_bytes(len)?)
    }

    /// Like [`reserve`](Self::reserve), with all bytes zero instead of what the ring held there before.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    #[inline]
    pub fn reserve_zeroed(&self, len: usize) -> Result<DynPtr<'_>, ReserveError> {
        let mut dynptr = self.reserve(len)?;
        dynptr.fill(0);
        Ok(dynptr)
    }

    /// Reserves a record that is one `T`. That records are aligned well enough for it is checked when the program is
    /// compiled.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    ///
    /// # Examples
    /// ```
    /// use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};
    ///
    /// #[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
    /// #[repr(C)]
    /// struct Sample {
    ///     time: u64,
    ///     value: f64,
    /// }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// let mut sample = producer.reserve_as::<Sample>()?;
    /// sample.time = 1;
    /// sample.value = 0.5;
    /// sample.commit();
    /// assert_eq!(consumer.next()?.unwrap().len(), 16);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn reserve_as<T>(&self) -> Result<Reserved<'_, T>, ReserveError>
    where
        T: FromBytes + IntoBytes + KnownLayout + Immutable,
    {
        const { Reserved::<T>::FITS };
        Ok(Reserved::new(self.reserve(size_of::<T>())?))
    }

    /// Reserves a record that borrows nothing: it keeps its slot and the ring by itself, and may outlive the producer. Costs two
    /// more atomic operations.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    pub fn reserve_owned(&self, len: usize) -> Result<DynPtr<'static>, ReserveError> {
        let len = self.legal(len)?;
        let reservation = self.raw.reserve_bytes(len)?;
        Ok(DynPtr::new(reservation.detach(Arc::clone(&self.seat))))
    }

    /// Reserves a record of each of these lengths, one directly behind the other, for the price of one.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve). All are reserved or none. Too large is what would not fit into the ring together:
    /// the length reported is that of all payloads with the headers between them.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// for (mut record, byte) in producer.reserve_batch(&[3, 0, 5])?.zip(b'a'..) {
    ///     record.fill(byte);
    ///     record.commit();
    /// }
    /// assert_eq!(&*consumer.next()?.unwrap(), b"aaa");
    /// assert_eq!(&*consumer.next()?.unwrap(), b"");
    /// assert_eq!(&*consumer.next()?.unwrap(), b"ccccc");
    /// # Ok(())
    /// # }
    /// ```
    pub fn reserve_batch<'l>(&self, lens: &'l [usize]) -> Result<ReservedBatch<'_, 'l>, ReserveError> {
        let mut span = 0u64;
        for &len in lens {
            // 128 GiB can list enough lengths of a GiB to pass 2⁶⁴.
            span = span.saturating_add(stride(self.legal(len)?));
        }
        let max = self.raw.memory().capacity().max_span();
        if span > max {
            let without_first_header = |span| (span - HEADER_BYTES) as usize;
            return Err(ReserveError::TooLarge { len: without_first_header(span), max: without_first_header(max) });
        }
        ReservedBatch::reserve(&self.raw, lens)
    }

    /// Copies `payload` into a record of its own, and commits it.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    ///
    /// Source: `bpf_ringbuf_output` in the kernel.
    #[doc(alias = "bpf_ringbuf_output")]
    #[inline]
    pub fn output(&self, payload: &[u8]) -> Result<(), ReserveError> {
        self.output_with(payload, Wakeup::Adaptive)
    }

    /// Like [`output`](Self::output), and wakes the consumer as `wakeup` says.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    #[inline]
    pub fn output_with(&self, payload: &[u8], wakeup: Wakeup) -> Result<(), ReserveError> {
        let mut dynptr = self.reserve(payload.len())?;
        dynptr.copy_from_slice(payload);
        dynptr.commit_with(wakeup);
        Ok(())
    }

    /// Like [`reserve`](Self::reserve), and waits for space: at most for `timeout`, or for as long as it takes. On a ring of the
    /// kernel, `timeout` is rounded up to milliseconds.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve); [`Full`](ReserveError::Full) means that the time is up.
    ///
    /// Source: `user_ring_buffer__reserve_blocking` in libbpf.
    #[doc(alias = "user_ring_buffer__reserve_blocking")]
    #[inline]
    pub fn reserve_blocking(&self, len: usize, timeout: Option<Duration>) -> Result<DynPtr<'_>, ReserveError> {
        self.reserve_raw_blocking(len, timeout).map(DynPtr::new)
    }

    #[inline]
    pub(super) fn reserve_raw_blocking(
        &self,
        len: usize,
        timeout: Option<Duration>,
    ) -> Result<raw::Reservation<'_>, ReserveError> {
        let len = self.legal(len)?;
        Ok(self.raw.reserve_bytes_with(len, self.space.patience(timeout))?)
    }

    /// Reserves `bytes` bytes, headers of 8 bytes for each record included, out of which records are then made without
    /// another look at the ring. At least one empty record fits, whatever `bytes` is.
    ///
    /// What is behind the lease in the ring waits until it is used up or dropped, so a lease is for records that are about
    /// to be written.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    pub fn lease(&self, bytes: usize) -> Result<Lease<'_>, ReserveError> {
        Ok(Lease::new(self.raw.lease_bytes(self.legal_lease(bytes)?)?))
    }

    /// Like [`lease`](Self::lease), and waits for space as [`reserve_blocking`](Self::reserve_blocking) does.
    ///
    /// # Errors
    /// As [`reserve_blocking`](Self::reserve_blocking).
    pub fn lease_blocking(&self, bytes: usize, timeout: Option<Duration>) -> Result<Lease<'_>, ReserveError> {
        Ok(Lease::new(self.raw.lease_bytes_with(self.legal_lease(bytes)?, self.space.patience(timeout))?))
    }

    /// The payload of a record of `bytes` bytes, header included, out of which others are made.
    fn legal_lease(&self, bytes: usize) -> Result<u32, ReserveError> {
        let len = bytes.saturating_sub(HEADER_BYTES as usize);
        let max = self.max_len() & !7;
        if len <= max { Ok(len.next_multiple_of(8) as u32) } else { Err(ReserveError::TooLarge { len, max }) }
    }

    #[inline(always)]
    fn legal(&self, len: usize) -> Result<u32, ReserveError> {
        let max = self.max_len();
        if len <= max { Ok(len as u32) } else { Err(ReserveError::TooLarge { len, max }) }
    }
}

/// Registers another producer. [`try_clone`](Producer::try_clone) is the same without the panic.
impl Clone for Producer {
    /// # Panics
    /// As many producers as the ring has room for are registered already.
    fn clone(&self) -> Self {
        match self.try_clone() {
            Ok(producer) => producer,
            Err(error) => panic!("{error}"),
        }
    }
}
