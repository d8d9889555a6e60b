//! Memory that is handed out.

use std::sync::Arc;

use super::{AllocError, ArenaBuilder, ArenaPtr, ClaimError, Key, Map, MapError, MapSize, Token};
use crate::raw::arena::{Attached, By, NotClaimed};

/// Memory of which pieces are handed out whose size is known only at run time: to threads, and to processes that share it.
///
/// [`alloc`](Self::alloc) gives a dynamic pointer, [`ArenaPtr`], which frees its memory when it is dropped. It may be put into a
/// [`Map`], where other threads and processes find it; or its [token](ArenaPtr::into_token) may be sent, through a ring for
/// instance that it would not fit in. Taking memory and giving it back is lock-free: whoever is stopped in the middle of it
/// holds up nobody.
///
/// An arena of one process is made by [`build`](ArenaBuilder::build), one that processes share by
/// [`build_shared`](ArenaBuilder::build_shared) or [`build_at`](ArenaBuilder::build_at). There, what a process has is given back
/// when it dies, however it dies: [`SharedArena`](super::SharedArena).
///
/// # Sizes
/// Blocks are multiples of 64 bytes, and aligned to 64: to 512 bytes in steps of 64, then four sizes to each power of two, to
/// 8 KiB; what is larger takes whole pages of 4 KiB. So at most 63 bytes or a fifth of a block are not used, whichever is more;
/// below a third of what has pages of its own. When memory runs short, the least block that is left is taken, which may be larger.
/// Small blocks of one size share 4, 16 or 32 KiB, which are free for larger ones again when all of them are. Each byte that can be
/// handed out costs another eighth of a byte for the words that say whose it is. [`docs::arena`](crate::docs::arena) says more.
///
/// # Blocks that are set apart
/// A handle sets some of the small blocks that are given back apart for itself, and one thread takes them again without a locked
/// instruction. They are not in use, and whoever needs memory has them of the handle and its clones. Other processes' handles do not
/// have them until it is dropped or its process dies: at most a 32nd of the arena, for all handles together, is lacking then, and what
/// is left is less likely to be in one piece. In arenas of less than 128 KiB for each process that can be attached, nothing is set
/// apart.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let arena = dynring::Arena::builder(1 << 20).build()?;
///
/// let mut value = arena.alloc_zeroed(1000)?;
/// value.write(990, b"ten bytes!")?;
/// assert!(value.write(991, b"ten bytes!").is_err());
/// assert_eq!(arena.in_use(), 1024);
///
/// drop(value);
/// assert_eq!(arena.in_use(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Arena {
    attached: Arc<Attached>,
}

impl Arena {
    /// An arena with room for `bytes` bytes, rounded up to whole pages.
    pub fn builder(bytes: usize) -> ArenaBuilder {
        ArenaBuilder::new(bytes)
    }

    pub(super) fn new(attached: Attached) -> Self {
        Self { attached: Arc::new(attached) }
    }

    /// Memory for `len` bytes. They are what was there before: of others' values too, as all who share an arena trust each other.
    ///
    /// # Errors
    /// No free block is large enough, be it that those who have died are looked after first. While somebody else takes memory or
    /// gives it back, that may not be so a moment later.
    #[inline]
    pub fn alloc(&self, len: usize) -> Result<ArenaPtr<'_>, AllocError> {
        self.alloc_by(By::Borrowed(&self.attached), len)
    }

    /// Memory for `len` bytes, which are 0.
    ///
    /// # Errors
    /// As [`alloc`](Self::alloc).
    #[inline]
    pub fn alloc_zeroed(&self, len: usize) -> Result<ArenaPtr<'_>, AllocError> {
        let mut allocated = self.alloc(len)?;
        allocated.fill(0);
        Ok(allocated)
    }

    /// As [`alloc`](Self::alloc); but the result borrows nothing.
    ///
    /// # Errors
    /// As [`alloc`](Self::alloc).
    #[inline]
    pub fn alloc_owned(&self, len: usize) -> Result<ArenaPtr<'static>, AllocError> {
        self.alloc_by(By::Kept(Arc::clone(&self.attached)), len)
    }

    #[inline(always)]
    fn alloc_by<'a>(&self, by: By<'a>, len: usize) -> Result<ArenaPtr<'a>, AllocError> {
        match Attached::lend(by, len) {
            Some(lent) => Ok(ArenaPtr::new(lent)),
            None => Err(self.out_of_memory(len)),
        }
    }

    #[cold]
    fn out_of_memory(&self, len: usize) -> AllocError {
        if self.attached.memory().is_gone() {
            return AllocError::Forked;
        }
        AllocError::OutOfMemory { asked: len as u64, largest: self.largest_free() }
    }

    /// The memory that `token` stands for, from now on this process's. Each token can be claimed once.
    ///
    /// # Errors
    /// It was claimed before, or its sender has gone, and with it the memory; or it is no token of this arena.
    #[inline]
    pub fn claim(&self, token: Token) -> Result<ArenaPtr<'_>, ClaimError> {
        self.claim_by(By::Borrowed(&self.attached), token)
    }

    /// As [`claim`](Self::claim); but the result borrows nothing.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn claim_owned(&self, token: Token) -> Result<ArenaPtr<'static>, ClaimError> {
        self.claim_by(By::Kept(Arc::clone(&self.attached)), token)
    }

    fn claim_by<'a>(&self, by: By<'a>, token: Token) -> Result<ArenaPtr<'a>, ClaimError> {
        match Attached::claim(by, token.as_bytes()) {
            Ok(lent) => Ok(ArenaPtr::new(lent)),
            Err(_) if self.attached.memory().is_gone() => Err(ClaimError::Forked),
            Err(NotClaimed::Forged) => Err(ClaimError::Forged),
            Err(NotClaimed::Stale) => Err(ClaimError::Stale),
        }
    }

    /// Makes a map in the arena, and opens it. It stays there until it is [removed](Self::remove_map), whoever has made it.
    ///
    /// # Errors
    /// There is one of that name, or 64 of others; the name is longer than 32 bytes; the map is too large, or for keys that are
    /// too long; or there is no memory for it.
    pub fn create_map<K: Key + ?Sized>(&self, name: &str, size: MapSize) -> Result<Map<K>, MapError> {
        Map::create(&self.attached, name, size)
    }

    /// Opens a map that somebody has made.
    ///
    /// # Errors
    /// There is none of that name, or it is for other keys.
    pub fn open_map<K: Key + ?Sized>(&self, name: &str) -> Result<Map<K>, MapError> {
        Map::open(&self.attached, name)
    }

    /// Removes a map. Whether there was one of that name. Its memory and that of all its values is freed once nobody has it open,
    /// nor holds any of them.
    pub fn remove_map(&self, name: &str) -> bool {
        crate::raw::arena::OpenMap::remove(&self.attached, name.as_bytes())
    }

    /// Bytes that can be handed out in all.
    pub fn capacity(&self) -> u64 {
        self.attached.memory().bytes()
    }

    /// Bytes of all blocks that somebody has, that were sent, or that are in maps; and of the maps themselves. Walks the arena.
    ///
    /// What others take and give back meanwhile is counted or not.
    pub fn in_use(&self) -> u64 {
        self.attached.in_use()
    }

    /// Bytes of the largest piece that could be had. Walks the arena. What this process has set apart for itself is given back first.
    pub fn largest_free(&self) -> u64 {
        self.attached.largest_free()
    }
}
