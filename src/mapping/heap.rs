//! Memory where files cannot be mapped twice.

use std::io;
use std::sync::Arc;

use super::{Mapping, Request};
use crate::sys;
use crate::wire::Layout;

/// Memory for a new ring, on the heap.
pub(crate) fn create(request: Request) -> io::Result<Mapping> {
    let page = sys::page_size();
    let layout = Layout::new(request.size, request.slots, page, page);
    let pages = sys::HeapPages::new(layout, request.slots, page)?;
    Ok(Mapping { pages: Arc::new(pages), file: None, layout, huge_pages: false })
}
