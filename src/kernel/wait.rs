//! Waiting for the kernel.

use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys::epoll::Epoll;

/// What the kernel rings when it commits the record that the consumer waits for.
///
/// Each ring is heard once, also when it came before [`wait`](Self::wait): the epoll instance is edge-triggered. Level
/// triggering would not do, as the kernel calls a ring readable while its oldest record is still being written.
///
/// To sleep without missing a record: publish the consumer's position, run a full barrier, find nothing, wait. The kernel
/// commits with a full barrier before it loads that position, so that one of the two sees what the other did.
///
/// Source: `bpf_ringbuf_commit`, `ringbuf_map_poll_kern`.
#[derive(Debug)]
pub struct Doorbell {
    epoll: Epoll,
    map: OwnedFd,
}

impl Doorbell {
    /// The doorbell of the ring that `map` is.
    ///
    /// # Errors
    /// The system's limits on descriptors or on epoll watches are reached.
    pub fn new(map: OwnedFd) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add_edge_triggered(map.as_fd())?;
        Ok(Self { epoll, map })
    }

    /// Sleeps until the kernel rings, at most for `timeout` in whole milliseconds, rounded up. Whether it rang: if not, the
    /// time may not be up yet.
    ///
    /// # Errors
    /// epoll_wait(2) failed.
    pub fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
        self.epoll.wait(timeout).map(|ready| ready > 0)
    }
}

/// The map, for event loops: those that are edge-triggered can wait on it in place of this.
impl AsFd for Doorbell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}
