//! A dynamic pointer to memory of an arena.

use core::fmt;
use core::ops::{Deref, DerefMut};
use std::io;

use super::Token;
use crate::dynptr::{DynPtrError, View, ViewMut};
use crate::raw::arena::{Attached, Lent};

/// Memory of an [`Arena`](super::Arena), of a size that is known only at run time.
///
/// **Dropping it frees the memory**, also when a panic unwinds. [`Map::insert`](super::Map::insert) moves it into a map instead,
/// and [`into_token`](Self::into_token) sends it to somebody else. `mem::forget` keeps the memory until the arena's handle is gone,
/// which it also keeps; in an arena that processes share, until the process is.
///
/// It is a slice of bytes, aligned to 64; the kernel's other operations are those of its [`view`](Self::view) and its
/// [`view_mut`](Self::view_mut). It may be sent to other threads.
///
/// It borrows the arena. One from [`alloc_owned`](super::Arena::alloc_owned) borrows nothing.
///
/// Source: `bpf_dynptr_from_mem` in the kernel, of memory that was allocated.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let arena = dynring::Arena::builder(1 << 20).build()?;
/// let mut value = arena.alloc_zeroed(8)?;
/// let mut view = value.view_mut();
/// view.adjust(2, 4)?;
/// view.write(0, b"at")?;
/// assert!(view.write(0, b"two").is_err());
/// assert_eq!(&*value, b"\0\0at\0\0\0\0");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "bpf_dynptr")]
#[must_use = "memory that is dropped is freed"]
pub struct ArenaPtr<'a> {
    pub(super) lent: Lent<'a>,
    /// Where `io::Write` goes on.
    written: usize,
}

impl<'a> ArenaPtr<'a> {
    #[inline]
    pub(super) fn new(lent: Lent<'a>) -> Self {
        Self { lent, written: 0 }
    }

    /// All of the memory, to be read.
    #[inline]
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    /// All of the memory, to be written.
    #[inline]
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut::new(self)
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
        self.view().read(offset, dst)
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
        self.view_mut().write(offset, src)
    }

    /// Bytes written through [`io::Write`], which starts at the beginning.
    #[inline]
    pub fn written(&self) -> usize {
        self.written
    }

    /// What stands for the memory, to be sent to another thread or process, which [claims](super::Arena::claim) it.
    ///
    /// Until then, the memory is the sender's: **it is freed when the last handle of the sender on the arena is dropped, or the
    /// sender dies**, and then the token cannot be claimed any more. What is to outlive its sender belongs in a
    /// [`Map`](super::Map).
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dynring::{Arena, ClaimError, Ring, Token};
    ///
    /// let arena = Arena::builder(1 << 20).build()?;
    /// let ring = Ring::builder(4096).build()?;
    /// let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    ///
    /// let mut large = arena.alloc(100_000)?; // more than the ring has
    /// large.fill(7);
    /// producer.output(large.into_token().as_bytes())?;
    ///
    /// let token = Token::from_bytes(&consumer.next()?.unwrap())?;
    /// let large = arena.claim(token)?;
    /// assert_eq!((large.len(), large[99_999]), (100_000, 7));
    /// assert_eq!(arena.claim(token).unwrap_err(), ClaimError::Stale);
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_token(self) -> Token {
        Token::new(Attached::send(self.lent))
    }

    /// Where the memory is, in bytes from the start of the arena's data: the same in every process, and no other's meanwhile.
    pub fn offset(&self) -> u64 {
        self.lent.offset()
    }
}

impl Deref for ArenaPtr<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.lent.bytes()
    }
}

impl DerefMut for ArenaPtr<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.lent.bytes_mut()
    }
}

/// Writes from the start of the memory on. Once it is full, writes return 0.
impl io::Write for ArenaPtr<'_> {
    #[inline]
    fn write(&mut self, src: &[u8]) -> io::Result<usize> {
        let mut rest = &mut self.lent.bytes_mut()[self.written..];
        let count = io::Write::write(&mut rest, src)?;
        self.written += count;
        Ok(count)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for ArenaPtr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArenaPtr").field("offset", &self.offset()).field("len", &self.len()).finish_non_exhaustive()
    }
}
