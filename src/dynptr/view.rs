//! A pointer through which memory is read.

use core::fmt;

use zerocopy::{FromBytes, IntoBytes};

use super::bounds::{first, window, within};
use super::fragments::len_of;
use super::{Chunks, DynPtrError, Fragments};

/// A pointer to memory that is read: contiguous bytes, or a head and the fragments behind it.
///
/// It carries where the memory starts and ends, and every access is checked against that. A copy of it is a view of the same
/// memory, which is [adjusted](Self::adjust) independently. Bytes are borrowed where they lie in one piece, and copied where
/// they do not.
///
/// This is what the kernel calls a read-only dynptr. There is no null pointer: what can fail returns an error instead.
///
/// Source: `struct bpf_dynptr` in the kernel.
///
/// # Examples
/// ```
/// use dynring::View;
/// use zerocopy::big_endian::U16;
///
/// let mut view = View::new(b"\x08\x00payload");
/// assert_eq!(view.read_as::<U16>(0)?.get(), 0x0800);
/// view.adjust(2, view.size())?;
/// assert_eq!(view.data(0, 7)?, b"payload");
/// assert!(view.data(0, 8).is_err());
/// # Ok::<(), dynring::DynPtrError>(())
/// ```
#[doc(alias = "bpf_dynptr")]
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub(super) memory: Memory<'a>,
}

/// What a view reaches: the head, and behind it, from byte `skip` on, the fragments.
///
/// # Invariants
/// 1. The head is at most `size` bytes long, and all of it is reached.
/// 2. `skip` is 0 unless the head is empty.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    pub(super) head: &'a [u8],
    pub(super) fragments: Option<&'a dyn Fragments>,
    pub(super) skip: usize,
    pub(super) size: usize,
}

impl<'a> View<'a> {
    /// All of `bytes`.
    ///
    /// Source: `bpf_dynptr_from_mem` in the kernel.
    #[doc(alias = "bpf_dynptr_from_mem")]
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { memory: Memory { head: bytes, fragments: None, skip: 0, size: bytes.len() } }
    }

    /// All of `head`, and all fragments behind it.
    ///
    /// Source: `bpf_dynptr_from_xdp` in the kernel.
    #[doc(alias = "bpf_dynptr_from_xdp")]
    #[doc(alias = "bpf_dynptr_from_skb")]
    pub fn with_fragments<F: Fragments>(head: &'a [u8], fragments: &'a F) -> Self {
        let size = head.len().saturating_add(len_of(fragments));
        Self { memory: Memory { head, fragments: Some(fragments), skip: 0, size } }
    }

    /// How long the memory is, in bytes.
    ///
    /// Source: `bpf_dynptr_size` in the kernel.
    #[doc(alias = "bpf_dynptr_size")]
    #[inline]
    pub const fn size(&self) -> u64 {
        self.memory.size as u64
    }

    /// How much of it lies in the first piece, in bytes.
    #[inline]
    pub(crate) const fn head_len(&self) -> u64 {
        self.memory.head.len() as u64
    }

    /// Whether writes are refused: they are, and do not compile.
    ///
    /// Source: `bpf_dynptr_is_rdonly` in the kernel.
    #[doc(alias = "bpf_dynptr_is_rdonly")]
    #[inline]
    pub const fn is_rdonly(&self) -> bool {
        true
    }

    /// Makes it a view of the bytes from `start` to `end`, counted from where it starts. It never grows.
    ///
    /// # Errors
    /// `start` is behind `end`, or one of them outside. The view is what it was.
    ///
    /// Source: `bpf_dynptr_adjust` in the kernel.
    #[doc(alias = "bpf_dynptr_adjust")]
    #[inline]
    pub fn adjust(&mut self, start: u64, end: u64) -> Result<(), DynPtrError> {
        let memory = &mut self.memory;
        let range = window(start, end, memory.size)?;
        let (from, to) = (range.start.min(memory.head.len()), range.end.min(memory.head.len()));
        memory.head = &memory.head[from..to];
        memory.skip += range.start - from;
        memory.size = range.len();
        Ok(())
    }

    /// Copies `dst.len()` bytes from `offset` on into `dst`.
    ///
    /// # Errors
    /// The range reaches outside the memory; nothing is copied.
    ///
    /// Source: `bpf_dynptr_read` in the kernel.
    #[doc(alias = "bpf_dynptr_read")]
    #[inline]
    pub fn read(&self, offset: u64, dst: &mut [u8]) -> Result<(), DynPtrError> {
        match within(self.memory.head, offset, dst.len() as u64) {
            Some(src) => {
                dst.copy_from_slice(src);
                Ok(())
            }
            None => self.read_pieces(offset, dst),
        }
    }

    /// Reads a value at `offset`, aligned or not.
    ///
    /// The types of [`zerocopy::big_endian`] and [`zerocopy::little_endian`] have a byte order of their own; others have the
    /// machine's.
    ///
    /// # Errors
    /// The value reaches outside the memory.
    ///
    /// # Examples
    /// ```
    /// use dynring::View;
    /// use zerocopy::{big_endian, little_endian};
    ///
    /// let view = View::new(&[1, 2, 3, 4]);
    /// assert_eq!(view.read_as::<big_endian::U16>(1)?.get(), 0x0203);
    /// assert_eq!(view.read_as::<little_endian::U16>(1)?.get(), 0x0302);
    /// assert!(view.read_as::<u64>(0).is_err());
    /// # Ok::<(), dynring::DynPtrError>(())
    /// ```
    #[inline]
    pub fn read_as<T: FromBytes + IntoBytes>(&self, offset: u64) -> Result<T, DynPtrError> {
        match within(self.memory.head, offset, size_of::<T>() as u64).map(T::read_from_bytes) {
            Some(Ok(value)) => Ok(value),
            _ => self.read_pieces_as(offset),
        }
    }

    /// Borrows `len` bytes from `offset` on.
    ///
    /// # Errors
    /// The range reaches outside the memory, or lies in several fragments.
    ///
    /// Source: `bpf_dynptr_data` and, without a buffer, `bpf_dynptr_slice` in the kernel.
    #[doc(alias = "bpf_dynptr_data")]
    #[inline]
    pub fn data(&self, offset: u64, len: u64) -> Result<&'a [u8], DynPtrError> {
        match within(self.memory.head, offset, len) {
            Some(bytes) => Ok(bytes),
            None => self.data_of_fragment(offset, len),
        }
    }

    /// Borrows `len` bytes from `offset` on where they lie in one piece, and copies them to the start of `scratch` where they
    /// do not.
    ///
    /// # Errors
    /// The range reaches outside the memory. `scratch` is shorter than `len`, needed or not.
    ///
    /// Source: `bpf_dynptr_slice` in the kernel.
    ///
    /// # Examples
    /// ```
    /// use dynring::View;
    ///
    /// let (head, fragments) = (b"abc", [b"def"]);
    /// let view = View::with_fragments(head, &fragments);
    /// let mut scratch = [0; 4];
    /// assert_eq!(view.slice(0, 3, &mut scratch)?, b"abc");
    /// assert_eq!(scratch, [0; 4]);
    /// assert_eq!(view.slice(2, 3, &mut scratch)?, b"cde");
    /// assert_eq!(&scratch, b"cde\0");
    /// # Ok::<(), dynring::DynPtrError>(())
    /// ```
    #[doc(alias = "bpf_dynptr_slice")]
    #[inline]
    pub fn slice<'s>(&self, offset: u64, len: u64, scratch: &'s mut [u8]) -> Result<&'s [u8], DynPtrError>
    where
        'a: 's,
    {
        let scratch = first(scratch, len)?;
        match self.data(offset, len) {
            Err(DynPtrError::Fragmented { .. }) => {
                self.read_pieces(offset, scratch)?;
                Ok(scratch)
            }
            other => other,
        }
    }

    /// The pieces that the memory lies in, in order. None is empty.
    ///
    /// # Examples
    /// ```
    /// use dynring::View;
    ///
    /// let (head, fragments) = (b"abc", [b"def", b"ghi"]);
    /// let mut view = View::with_fragments(head, &fragments);
    /// view.adjust(1, 7)?;
    /// assert_eq!(view.chunks().collect::<Vec<_>>(), [b"bc".as_slice(), b"def", b"g"]);
    /// # Ok::<(), dynring::DynPtrError>(())
    /// ```
    pub fn chunks(&self) -> Chunks<'a> {
        Chunks::new(self.memory, 0..self.memory.size)
    }
}

impl<'a> From<&'a [u8]> for View<'a> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Memory { head, size, .. } = self.memory;
        f.debug_struct("View").field("size", &size).field("head", &head.len()).finish_non_exhaustive()
    }
}
