//! Memory in real pages.

use core::ptr::NonNull;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};

use super::{ConsumerPage, HeaderCell, Memory, ProducerPage, Sleeper, Slot, WORD_BYTES};
use crate::sync::{AtomicU32, AtomicU64, Edge, StoreLoad};
use crate::wire::{Capacity, Position, RingSize, stride};

/// Who owns the pages of a ring, and keeps them mapped.
///
/// # Safety
/// For as long as the value lives, wherever it is moved, [`parts`](Self::parts) returns the same parts, and they keep the
/// promises on [`Parts`].
pub unsafe trait Pages: Send + Sync + core::fmt::Debug {
    /// Where everything is.
    fn parts(&self) -> Parts;
}

/// Where the parts of a ring are.
///
/// # Invariants
/// 1. `consumer` and `producer` are aligned to a page, initialised, and valid for atomic reads of a [`ConsumerPage`] and a
///    [`ProducerPage`]; `slots` for those of as many [`Slot`]s, and `called` and `let_go` for those of as many words.
/// 2. `data` is aligned to 8, initialised, and valid for reads of `size` bytes; if `mirrored`, for twice as many, and
///    byte `i` and byte `i + size` are the same memory.
/// 3. What the roles that this process plays write is valid for writes too: the consumer page and `let_go` if it consumes; the
///    producer page, `called`, the slots and the data if it produces; and the data if a consumer is to write there.
/// 4. Nothing in this process accesses these bytes in other ways than the protocol's.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// The consumer page.
    pub consumer: NonNull<ConsumerPage>,
    /// The producer page.
    pub producer: NonNull<ProducerPage>,
    /// The slots; none in rings that the kernel fills.
    pub slots: NonNull<[Slot]>,
    /// See [`Memory::called`].
    pub called: NonNull<[AtomicU64]>,
    /// See [`Memory::let_go`].
    pub let_go: NonNull<[AtomicU64]>,
    /// The data.
    pub data: NonNull<u8>,
    /// Bytes of the data, counted once.
    pub size: RingSize,
}

/// By which rules a ring is used.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// See [`Memory::capacity`].
    pub capacity: Capacity,
    /// See [`Memory::plain_readers`].
    pub plain_readers: bool,
    /// See [`Memory::consumer_writes_data`].
    pub consumer_writes_data: bool,
    /// See [`Memory::store_load`].
    pub store_load: StoreLoad,
    /// See [`Memory::barrier`].
    pub barrier: fn(StoreLoad, Edge) -> bool,
    /// See [`Memory::wake`].
    pub wake: fn(&Mapped, Sleeper),
}

/// What an event loop hears when a producer wakes the consumer.
///
/// The descriptor is readable from when the bell is rung until it is silenced, and each ring is an event, also when it was
/// readable before, but for bells that say otherwise. Ringing never blocks.
pub trait Bell: AsFd + Send + Sync + core::fmt::Debug {
    /// Makes the descriptor readable.
    fn ring(&self);

    /// The descriptor is readable no more, until the bell is rung.
    #[cfg_attr(miri, allow(dead_code, reason = "there is no eventfd under Miri"))]
    fn silence(&self);

    /// What other processes ring it with, if they can.
    #[cfg_attr(miri, allow(dead_code, reason = "there is no eventfd under Miri"))]
    fn for_others(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Whether each ring is an event, however often it was rung since it was last silenced.
    #[cfg_attr(any(miri, not(feature = "tokio")), allow(dead_code, reason = "only tasks wait for edges"))]
    fn rings_while_heard(&self) -> bool {
        true
    }
}

/// A ring's memory, shared by everyone who holds a clone.
///
/// The pointers are kept beside the owner, so that the fast path need not go through it.
#[derive(Clone, Debug)]
pub struct Mapped {
    parts: Parts,
    rules: Rules,
    /// Most rings never have one.
    bell: Arc<OnceLock<Box<dyn Bell>>>,
    /// Keeps the pages mapped.
    _owner: Arc<dyn Pages>,
}

// SAFETY: the pointers lead to memory that `_owner`, which is Send and Sync, keeps alive; what lies there is accessed
// through atomics, or by the one holder of a reservation or a record, as the protocol guarantees.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// The memory that `owner` keeps mapped.
    pub fn new(owner: Arc<dyn Pages>, rules: Rules) -> Self {
        Self { parts: owner.parts(), rules, bell: Arc::default(), _owner: owner }
    }

    /// The bell that wakes a consumer which an event loop waits for, if one has been hung up.
    pub fn bell(&self) -> Option<&dyn Bell> {
        self.bell.get().map(|bell| &**bell)
    }

    /// Hangs up `bell` for everyone who holds this memory, for good, unless there is one. Returns the one that is there.
    #[cfg_attr(miri, allow(dead_code, reason = "there is no eventfd under Miri"))]
    pub fn hang(&self, bell: Box<dyn Bell>) -> &dyn Bell {
        &**self.bell.get_or_init(|| bell)
    }

    /// The words that a payload of `len` bytes behind the header at `at` takes. To be used where somebody else may write them at
    /// any time.
    ///
    /// # Panics
    /// No record of this ring can be so long.
    #[inline]
    pub fn payload_words(&self, at: Position, len: u32) -> &[AtomicU32] {
        assert!(stride(len) <= self.parts.size.bytes(), "{len} bytes at {at}");
        let words = (len as usize).div_ceil(WORD_BYTES);
        // SAFETY: a record that starts in the data and takes no more than its size lies in it and what follows (`Parts`, 2);
        // positions and sizes are multiples of 8. All bytes are atomic words to whoever refers to them.
        unsafe { core::slice::from_raw_parts(self.payload(at).cast().as_ptr(), words) }
    }

    /// The payload behind the header at `at`, contiguous for as many bytes as a legal record there can have.
    #[inline]
    pub fn payload(&self, at: Position) -> NonNull<u8> {
        let offset = at.offset(self.parts.size) + crate::wire::HEADER_BYTES as usize;
        // SAFETY: `offset <= size`, and the data is one allocation of at least `size` bytes (`Parts`, 2).
        unsafe { self.parts.data.add(offset) }
    }
}

// SAFETY: positions that are equal modulo the size lead to the same words, as `header` masks them; `Parts` vouches for
// the validity of all words for as long as `_owner` lives.
unsafe impl Memory for Mapped {
    /// Miri cannot map a file twice: there, the memory is on the heap.
    const MIRRORED: bool = !cfg!(miri);

    #[inline]
    fn size(&self) -> RingSize {
        self.parts.size
    }

    #[inline]
    fn capacity(&self) -> Capacity {
        self.rules.capacity
    }

    #[inline]
    fn store_load(&self) -> StoreLoad {
        self.rules.store_load
    }

    #[inline]
    fn plain_readers(&self) -> bool {
        self.rules.plain_readers
    }

    #[inline]
    fn consumer_writes_data(&self) -> bool {
        self.rules.consumer_writes_data
    }

    #[inline(always)]
    #[cfg(not(miri))]
    fn about_to_write(&self, at: Position) {
        let address: *const HeaderCell = self.header(at);
        // SAFETY: tells the processor what to fetch, and neither accesses anything nor faults.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            core::arch::asm!("prefetchw [{}]", in(reg) address, options(readonly, nostack, preserves_flags));
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            core::arch::asm!("prfm pstl1keep, [{}]", in(reg) address, options(readonly, nostack, preserves_flags));
        }
    }

    fn barrier(&self, edge: Edge) -> bool {
        (self.rules.barrier)(self.rules.store_load, edge)
    }

    fn wake(&self, who: Sleeper) {
        (self.rules.wake)(self, who);
    }

    #[inline]
    fn consumer(&self) -> &ConsumerPage {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.consumer.as_ref() }
    }

    #[inline]
    fn producer(&self) -> &ProducerPage {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.producer.as_ref() }
    }

    #[inline]
    fn slots(&self) -> &[Slot] {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.slots.as_ref() }
    }

    #[inline]
    fn called(&self) -> &[AtomicU64] {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.called.as_ref() }
    }

    #[inline]
    fn let_go(&self) -> &[AtomicU64] {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.let_go.as_ref() }
    }

    #[inline]
    fn header(&self, at: Position) -> &HeaderCell {
        debug_assert!(at.is_aligned());
        // SAFETY: the offset is below `size` (`Parts`, 2).
        let header = unsafe { self.parts.data.add(at.offset(self.parts.size)) }.cast::<HeaderCell>();
        // SAFETY: positions are multiples of 8, and so is the size: 8 aligned bytes are there (`Parts`, 2).
        unsafe { header.as_ref() }
    }
}
