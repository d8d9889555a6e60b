//! A pointer through which memory is read and written.

use core::{fmt, mem};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::bounds::{check, first, window, within, within_mut};
use super::fragments::len_of;
use super::view::Memory;
use super::{DynPtrError, FragmentsMut, SliceMut, View};

/// A pointer to memory that is read and written: contiguous bytes, or a head and the fragments behind it.
///
/// It has the operations of [`View`], and those that write. There is one at a time for any memory: instead of a copy,
/// [`reborrow`](Self::reborrow) makes one that is used in the meantime.
///
/// Source: `struct bpf_dynptr` in the kernel.
///
/// # Examples
/// ```
/// use dynring::ViewMut;
/// use zerocopy::big_endian::U32;
///
/// let mut bytes = [0xff; 8];
/// let mut view = ViewMut::new(&mut bytes);
/// view.adjust(1, 7)?;
/// view.write_as(0, &U32::new(0x0102_0304))?;
/// view.memset(4, 2, 0)?;
/// assert!(view.write(4, b"four").is_err());
/// assert_eq!(bytes, [0xff, 1, 2, 3, 4, 0, 0, 0xff]);
/// # Ok::<(), dynring::DynPtrError>(())
/// ```
#[doc(alias = "bpf_dynptr")]
pub struct ViewMut<'a> {
    /// At most `size` bytes long, and all of it is reached.
    pub(super) head: &'a mut [u8],
    /// Reached from byte `skip` on, behind the head. `skip` is 0 unless the head is empty.
    pub(super) fragments: Option<&'a mut dyn FragmentsMut>,
    pub(super) skip: usize,
    pub(super) size: usize,
}

impl<'a> ViewMut<'a> {
    /// All of `bytes`.
    ///
    /// Source: `bpf_dynptr_from_mem` in the kernel.
    #[doc(alias = "bpf_dynptr_from_mem")]
    #[inline]
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        let size = bytes.len();
        Self { head: bytes, fragments: None, skip: 0, size }
    }

    /// All of `head`, and all fragments behind it.
    ///
    /// Source: `bpf_dynptr_from_xdp` in the kernel.
    #[doc(alias = "bpf_dynptr_from_xdp")]
    #[doc(alias = "bpf_dynptr_from_skb")]
    pub fn with_fragments<F: FragmentsMut>(head: &'a mut [u8], fragments: &'a mut F) -> Self {
        let size = head.len().saturating_add(len_of(fragments.as_fragments()));
        Self { head, fragments: Some(fragments), skip: 0, size }
    }

    /// A view of the same memory, to be read while this one is not used to write.
    ///
    /// Source: `bpf_dynptr_clone` in the kernel.
    #[doc(alias = "bpf_dynptr_clone")]
    #[inline]
    pub fn as_view(&self) -> View<'_> {
        let fragments = self.fragments.as_ref().map(|fragments| fragments.as_fragments());
        View { memory: Memory { head: self.head, fragments, skip: self.skip, size: self.size } }
    }

    /// A view of the same memory, to be used before this one is used again. Adjusting it does not adjust this one.
    ///
    /// Source: `bpf_dynptr_clone` in the kernel.
    #[doc(alias = "bpf_dynptr_clone")]
    #[inline]
    pub fn reborrow(&mut self) -> ViewMut<'_> {
        let fragments = self.fragments.as_mut().map(|fragments| &mut **fragments as &mut dyn FragmentsMut);
        ViewMut { head: self.head, fragments, skip: self.skip, size: self.size }
    }

    /// How long the memory is, in bytes. See [`View::size`].
    #[doc(alias = "bpf_dynptr_size")]
    #[inline]
    pub const fn size(&self) -> u64 {
        self.size as u64
    }

    /// Whether writes are refused: they are not. See [`View::is_rdonly`].
    #[doc(alias = "bpf_dynptr_is_rdonly")]
    #[inline]
    pub const fn is_rdonly(&self) -> bool {
        false
    }

    /// Makes it a view of the bytes from `start` to `end`, counted from where it starts. It never grows. See [`View::adjust`].
    ///
    /// # Errors
    /// `start` is behind `end`, or one of them outside. The view is what it was.
    #[doc(alias = "bpf_dynptr_adjust")]
    #[inline]
    pub fn adjust(&mut self, start: u64, end: u64) -> Result<(), DynPtrError> {
        let range = window(start, end, self.size)?;
        let (from, to) = (range.start.min(self.head.len()), range.end.min(self.head.len()));
        self.head = &mut mem::take(&mut self.head)[from..to];
        self.skip += range.start - from;
        self.size = range.len();
        Ok(())
    }

    /// Copies `dst.len()` bytes from `offset` on into `dst`. See [`View::read`].
    ///
    /// # Errors
    /// The range reaches outside the memory; nothing is copied.
    #[doc(alias = "bpf_dynptr_read")]
    #[inline]
    pub fn read(&self, offset: u64, dst: &mut [u8]) -> Result<(), DynPtrError> {
        self.as_view().read(offset, dst)
    }

    /// Reads a value at `offset`, aligned or not. See [`View::read_as`].
    ///
    /// # Errors
    /// The value reaches outside the memory.
    #[inline]
    pub fn read_as<T: FromBytes + IntoBytes>(&self, offset: u64) -> Result<T, DynPtrError> {
        self.as_view().read_as(offset)
    }

    /// Borrows `len` bytes from `offset` on, to be read. See [`View::data`].
    ///
    /// # Errors
    /// The range reaches outside the memory, or lies in several fragments.
    #[inline]
    pub fn data(&self, offset: u64, len: u64) -> Result<&[u8], DynPtrError> {
        self.as_view().data(offset, len)
    }

    /// Copies `src` to `offset`.
    ///
    /// # Errors
    /// The range reaches outside the memory; nothing is copied.
    ///
    /// Source: `bpf_dynptr_write` in the kernel.
    #[doc(alias = "bpf_dynptr_write")]
    #[inline]
    pub fn write(&mut self, offset: u64, src: &[u8]) -> Result<(), DynPtrError> {
        match within_mut(self.head, offset, src.len() as u64) {
            Some(dst) => {
                dst.copy_from_slice(src);
                Ok(())
            }
            None => self.write_pieces(offset, src),
        }
    }

    /// Writes a value at `offset`, aligned or not. See [`View::read_as`] for byte orders.
    ///
    /// # Errors
    /// The value reaches outside the memory; nothing is written.
    #[inline]
    pub fn write_as<T: IntoBytes + Immutable>(&mut self, offset: u64, value: &T) -> Result<(), DynPtrError> {
        self.write(offset, value.as_bytes())
    }

    /// Borrows `len` bytes from `offset` on, to be written.
    ///
    /// # Errors
    /// The range reaches outside the memory, or lies in several fragments.
    ///
    /// Source: `bpf_dynptr_data` and, without a buffer, `bpf_dynptr_slice_rdwr` in the kernel.
    #[doc(alias = "bpf_dynptr_data")]
    #[inline]
    pub fn data_mut(&mut self, offset: u64, len: u64) -> Result<&mut [u8], DynPtrError> {
        // Looked for twice, as the borrow checker takes a slice that is returned to be borrowed where there is none, too.
        if within(self.head, offset, len).is_none() {
            return self.data_of_fragment(offset, len);
        }
        Ok(within_mut(self.head, offset, len).unwrap_or_default())
    }

    /// Borrows `len` bytes from `offset` on where they lie in one piece, and copies them to the start of `scratch` where they
    /// do not. What is written there is written back when what is returned is dropped.
    ///
    /// # Errors
    /// The range reaches outside the memory. `scratch` is shorter than `len`, needed or not.
    ///
    /// Source: `bpf_dynptr_slice_rdwr` in the kernel, after which the program writes back what was copied.
    ///
    /// # Examples
    /// ```
    /// use dynring::ViewMut;
    ///
    /// let (mut head, mut fragments) = (*b"abc", [*b"def"]);
    /// let mut view = ViewMut::with_fragments(&mut head, &mut fragments);
    /// view.slice_mut(2, 2, &mut [0; 2])?.fill(b'-');
    /// assert_eq!((&head, &fragments[0]), (b"ab-", b"-ef"));
    /// # Ok::<(), dynring::DynPtrError>(())
    /// ```
    #[doc(alias = "bpf_dynptr_slice_rdwr")]
    #[inline]
    pub fn slice_mut<'s>(
        &'s mut self,
        offset: u64,
        len: u64,
        scratch: &'s mut [u8],
    ) -> Result<SliceMut<'s>, DynPtrError> {
        let scratch = first(scratch, len)?;
        match self.data(offset, len) {
            Err(DynPtrError::Fragmented { .. }) => {
                self.read(offset, scratch)?;
                Ok(SliceMut::copied(scratch, self.reborrow(), offset))
            }
            _ => self.data_mut(offset, len).map(SliceMut::borrowed),
        }
    }

    /// Copies `len` bytes of `src` from `src_offset` on to `offset`.
    ///
    /// # Errors
    /// The range reaches outside the memory, or outside that of `src`; nothing is copied.
    ///
    /// Source: `bpf_dynptr_copy` in the kernel. For a source and a destination in the same memory, see
    /// [`copy_within`](Self::copy_within).
    ///
    /// # Examples
    /// ```
    /// use dynring::{View, ViewMut};
    ///
    /// let (mut head, mut fragments) = ([0; 3], [[0; 2], [0; 2]]);
    /// let mut view = ViewMut::with_fragments(&mut head, &mut fragments);
    /// view.copy_from(1, View::new(b"0123456789"), 3, 5)?;
    /// assert_eq!((head, fragments), (*b"\x0034", [*b"56", *b"7\0"]));
    /// # Ok::<(), dynring::DynPtrError>(())
    /// ```
    #[doc(alias = "bpf_dynptr_copy")]
    #[inline]
    pub fn copy_from(&mut self, offset: u64, src: View<'_>, src_offset: u64, len: u64) -> Result<(), DynPtrError> {
        match src.data(src_offset, len) {
            Ok(bytes) => self.write(offset, bytes),
            Err(DynPtrError::Fragmented { .. }) => self.copy_from_pieces(offset, src, src_offset, len),
            Err(error) => Err(error),
        }
    }

    /// Copies `len` bytes from `src_offset` on to `offset` in the same memory. The two may overlap.
    ///
    /// # Errors
    /// One of the ranges reaches outside the memory; nothing is copied.
    ///
    /// Source: `bpf_dynptr_copy` in the kernel, which goes wrong where source and destination overlap in fragments.
    #[doc(alias = "bpf_dynptr_copy")]
    #[inline]
    pub fn copy_within(&mut self, offset: u64, src_offset: u64, len: u64) -> Result<(), DynPtrError> {
        match (check(self.head.len(), src_offset, len), check(self.head.len(), offset, len)) {
            (Ok(src), Ok(dst)) => {
                self.head.copy_within(src, dst.start);
                Ok(())
            }
            _ => self.copy_within_pieces(offset, src_offset, len),
        }
    }

    /// Makes `len` bytes from `offset` on `value`.
    ///
    /// # Errors
    /// The range reaches outside the memory; nothing is written.
    ///
    /// Source: `bpf_dynptr_memset` in the kernel.
    #[doc(alias = "bpf_dynptr_memset")]
    #[inline]
    pub fn memset(&mut self, offset: u64, len: u64, value: u8) -> Result<(), DynPtrError> {
        match within_mut(self.head, offset, len) {
            Some(bytes) => {
                bytes.fill(value);
                Ok(())
            }
            None => self.memset_pieces(offset, len, value),
        }
    }
}

impl<'a> From<&'a mut [u8]> for ViewMut<'a> {
    #[inline]
    fn from(bytes: &'a mut [u8]) -> Self {
        Self::new(bytes)
    }
}

/// A view that is only read, for as long as the memory is borrowed.
impl<'a> From<ViewMut<'a>> for View<'a> {
    #[inline]
    fn from(view: ViewMut<'a>) -> Self {
        let ViewMut { head, fragments, skip, size } = view;
        let fragments = fragments.map(|fragments| fragments.as_fragments());
        View { memory: Memory { head, fragments, skip, size } }
    }
}

impl fmt::Debug for ViewMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, size, .. } = self;
        f.debug_struct("ViewMut").field("size", size).field("head", &head.len()).finish_non_exhaustive()
    }
}
