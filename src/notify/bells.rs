//! Waiting for many rings of the kernel.

use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::Waker;
use crate::sys::epoll::{Epoll, Ready};
use crate::sys::eventfd::EventFd;

/// The [`Doorbell`](super::Doorbell)s of many rings, each with a number, and a bell that anyone can ring.
///
/// A ring of the kernel is heard once, also when it came before [`wait`](Self::wait). To sleep without missing a record, what
/// the doorbell asks of the consumer of one ring has to be done for each of them. The bell for anyone is heard until it is
/// [silenced](Self::silence).
#[derive(Debug)]
pub(crate) struct Bells {
    epoll: Epoll,
    waker: Arc<EventFd>,
}

/// The number of the bell that anyone can ring.
const WAKER: u64 = u64::MAX;

impl Bells {
    pub(crate) fn new() -> io::Result<Self> {
        let (epoll, waker) = (Epoll::new()?, Arc::new(EventFd::new()?));
        epoll.add_level_triggered(waker.as_fd(), WAKER)?;
        Ok(Self { epoll, waker })
    }

    /// Hears `map` too, as `number`, which is not the largest one. It must be [removed](Self::remove) before its last
    /// descriptor is closed.
    pub(crate) fn add(&self, map: BorrowedFd<'_>, number: u64) -> io::Result<()> {
        debug_assert_ne!(number, WAKER);
        self.epoll.add_edge_triggered(map, Ready::ToRead, number)
    }

    /// Does not hear `map` any more.
    pub(crate) fn remove(&self, map: BorrowedFd<'_>) -> io::Result<()> {
        self.epoll.remove(map)
    }

    /// Who can ring the bell that is for anyone.
    pub(crate) fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.waker))
    }

    /// Sleeps until something rings, at most for `timeout` in whole milliseconds, rounded up. Calls `rung` with the numbers
    /// of rings that did. Returns whether the bell for anyone did. May return early for no reason.
    pub(crate) fn wait(&self, timeout: Option<Duration>, mut rung: impl FnMut(u64)) -> io::Result<bool> {
        let mut woken = false;
        self.epoll.wait(timeout, |number| if number == WAKER { woken = true } else { rung(number) })?;
        Ok(woken)
    }

    /// The bell for anyone is heard no more, until it is rung again.
    pub(crate) fn silence(&self) {
        self.waker.reset();
    }
}

/// Readable while something has rung that was not heard.
impl AsFd for Bells {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
