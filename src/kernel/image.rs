//! Rings in a file, which look like rings of the kernel: for tests that have none.
//!
//! ```text
//!   +---------------+---------------+----------------------+----------------------+
//!   | consumer page | producer page |         data         |      data again      |
//!   +---------------+---------------+----------------------+----------------------+
//! ```

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use super::OverwriteRingBuf;
use super::error::{OpenError, OpenStep};
use super::ringbuf::consume;
use crate::notify::{Scope, Sleep};
use crate::ring::Consumer;
use crate::sys::{KernelPages, memfd, page_size};
use crate::wire::{RingSize, SizeError};

/// The consumer of a copy of `image`, a ring of `bytes` data bytes: the two pages and the data, once. Nobody produces into
/// it, and nobody ever wakes who waits for a record.
///
/// # Errors
/// No ring has that size, the image is shorter ([`io::ErrorKind::UnexpectedEof`]), or memory is short.
pub fn consumer(image: &[u8], bytes: u64) -> Result<Consumer, OpenError> {
    let page = page_size();
    let size = size_of_ring(bytes)?;
    let (pages, data) = (2 * page as usize, size.bytes() as usize);
    let image = image.get(..pages + data).ok_or_else(short)?;
    let mut file = File::from(memfd(c"dynring-image").map_err(OpenError::Os)?);
    file.write_all(image).and_then(|()| file.write_all(&image[pages..])).map_err(OpenError::Os)?;
    let pages = KernelPages::to_consume(file.as_fd(), size, page);
    let pages = pages.map_err(|error| OpenError::from_os(OpenStep::Map, error))?;
    Ok(consume(pages, size, Sleep::Futex(Scope::Process)))
}

/// The ring of `bytes` data bytes in `file`, whose producers overwrite: the two pages, and the data twice. Whoever else maps it
/// writes to it as the kernel would, by atomic accesses of words of 4 bytes in the data and of 8 in the pages.
///
/// A file that is truncated later makes whoever reads it fail with `SIGBUS`.
///
/// # Errors
/// No ring has that size, the file is shorter ([`io::ErrorKind::UnexpectedEof`]), or it cannot be mapped.
pub fn overwritten(file: impl AsFd, bytes: u64) -> Result<OverwriteRingBuf, OpenError> {
    let (size, page) = (size_of_ring(bytes)?, page_size());
    let fd: OwnedFd = file.as_fd().try_clone_to_owned().map_err(OpenError::Os)?;
    let file = File::from(fd);
    let len = file.metadata().map_err(OpenError::Os)?.len();
    if len < 2 * page + 2 * size.bytes() {
        return Err(short());
    }
    OverwriteRingBuf::map(file.into(), size, page).map_err(|error| OpenError::from_os(OpenStep::Map, error))
}

fn size_of_ring(bytes: u64) -> Result<RingSize, OpenError> {
    let page = page_size();
    let size = RingSize::new(bytes).ok().filter(|size| size.bytes() >= page && size.bytes() <= 1 << 31);
    size.ok_or(OpenError::Size(SizeError { found: bytes, min: page, max: 1 << 31 }))
}

fn short() -> OpenError {
    OpenError::Os(io::ErrorKind::UnexpectedEof.into())
}
