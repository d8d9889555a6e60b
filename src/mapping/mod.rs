//! Which pages a ring has, and what is asked of them.

use std::io;
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
    /// Whether others may map the file for writing.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no file under Miri"))]
    pub(crate) others_write: bool,
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

/// Memory for a new ring, committed.
#[cfg(not(miri))]
pub(crate) fn create(request: Request) -> io::Result<Mapping> {
    use crate::sys::{self, RingPages};
    use std::os::fd::AsFd;

    /// Of x86-64, and of aarch64 with pages of 4 KiB; others are multiples of it.
    const HUGE_PAGE: u64 = 2 << 20;

    let Request { size, slots, huge_pages, prefault, others_write } = request;
    let page = sys::page_size();
    let huge = huge_pages && size.bytes() >= HUGE_PAGE;
    let align = if huge { HUGE_PAGE } else { page };
    let layout = Layout::new(size, slots, page, align);
    let window = layout.consumer_page();
    // What is committed beyond that would not fail here: the kernel would kill some process for it.
    if sys::meminfo::available().is_some_and(|available| available < layout.file_bytes()) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    fits_in_a_file(layout.file_bytes())?;
    let file = sys::memfd(c"dynring")?;
    sys::allocate(file.as_fd(), 0, layout.slot_bytes())?;
    sys::allocate(file.as_fd(), window, layout.file_bytes() - window)?;
    sys::seal_length(file.as_fd())?;
    let pages = RingPages::new(file.as_fd(), layout, slots, align, prefault)?;
    let huge_pages = huge && pages.use_huge_pages();
    if !others_write {
        sys::seal_contents(file.as_fd())?;
    }
    sys::seal_seals(file.as_fd())?;
    Ok(Mapping { pages: Arc::new(pages), file: Some(file), layout, huge_pages })
}

/// Whether this process may make a file of `bytes` bytes: to try would kill it.
#[cfg(not(miri))]
fn fits_in_a_file(bytes: u64) -> io::Result<()> {
    match crate::sys::limits::file_size_limit() {
        Some(limit) if limit < bytes => {
            let text = format!("it needs a file of {bytes} bytes; the process's limit (RLIMIT_FSIZE) is {limit}");
            Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
        }
        _ => Ok(()),
    }
}

/// Memory for a new ring, on the heap.
#[cfg(miri)]
pub(crate) fn create(request: Request) -> io::Result<Mapping> {
    let page = crate::sys::page_size();
    let layout = Layout::new(request.size, request.slots, page, page);
    let pages = crate::sys::HeapPages::new(layout, request.slots, page)?;
    Ok(Mapping { pages: Arc::new(pages), file: None, layout, huge_pages: false })
}
