//! Interrupting a wait from outside.

use std::sync::Arc;

use crate::sys::eventfd::EventFd;

/// A handle that interrupts [`RingSet::poll`](crate::RingSet::poll), from any thread.
///
/// Clones wake the same set. Once the set is gone, waking does nothing.
#[derive(Clone, Debug)]
pub struct Waker {
    bell: Arc<EventFd>,
}

impl Waker {
    pub(super) fn new(bell: Arc<EventFd>) -> Self {
        Self { bell }
    }

    /// Interrupts the poll that goes on; if none does, then the next one. Several wakes before a poll count as one.
    ///
    /// One system call, which neither blocks nor fails.
    pub fn wake(&self) {
        self.bell.add_one();
    }
}
