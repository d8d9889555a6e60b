//! One consumer for each map.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::OpenError;

/// A map that this process consumes, and does not open again meanwhile: a second consumer would give records back to the
/// kernel while the first one's user still reads them.
#[derive(Debug)]
pub(super) struct OpenMap {
    fd: OwnedFd,
    id: u32,
}

/// The identities of the maps that are open.
fn open() -> MutexGuard<'static, BTreeSet<u32>> {
    static OPEN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
    // Nothing panics while it is held.
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OpenMap {
    /// The map that `fd` is a descriptor of, and that has the identity `id`.
    pub(super) fn new(fd: OwnedFd, id: u32) -> Result<Self, OpenError> {
        if open().insert(id) { Ok(Self { fd, id }) } else { Err(OpenError::AlreadyOpen { id }) }
    }
}

impl Drop for OpenMap {
    fn drop(&mut self) {
        open().remove(&self.id);
    }
}

impl AsFd for OpenMap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
