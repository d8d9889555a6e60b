//! Which pages a ring has, with which permissions, and what is asked of them.

mod arena;
#[cfg(not(miri))]
mod create;
#[cfg(not(miri))]
mod error;
#[cfg(miri)]
mod heap;
#[cfg(not(miri))]
mod shared;

#[cfg(not(miri))]
pub(crate) use arena::ArenaFile;
pub(crate) use arena::create_arena;
#[cfg(not(miri))]
pub(crate) use create::create;
#[cfg(not(miri))]
pub use error::AttachError;
#[cfg(miri)]
pub(crate) use heap::create;
#[cfg(not(miri))]
pub(crate) use shared::{RingFile, Writable};

use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::raw::Pages;
use crate::wire::{Layout, RingSize};

/// What the memory of a new ring is to be like.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(miri, expect(dead_code, reason = "the heap has no pages to choose"))]
pub(crate) struct Request {
    pub(crate) size: RingSize,
    pub(crate) slots: u32,
    pub(crate) huge_pages: bool,
    pub(crate) prefault: bool,
    /// Whether plain readers are served. They may map the file for writing.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no file under Miri"))]
    pub(crate) plain_readers: bool,
}

/// The memory of a new ring.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) pages: Arc<dyn Pages>,
    /// None under Miri, where the memory is on the heap.
    pub(crate) file: Option<OwnedFd>,
    pub(crate) layout: Layout,
    /// Whether the data lies in huge pages.
    pub(crate) huge_pages: bool,
}
