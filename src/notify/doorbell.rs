//! Waiting for the kernel.

use core::time::Duration;
use std::io;
use std::os::fd::AsFd;

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
pub(crate) struct Doorbell {
    epoll: Epoll,
    /// Epoll forgets a file whose last descriptor is closed.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no kernel under Miri"))]
    map: Box<dyn AsFd + Send + Sync>,
}

impl Doorbell {
    /// The doorbell of the ring that `map` is.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no kernel under Miri"))]
    pub(crate) fn new(map: impl AsFd + Send + Sync + 'static) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add_edge_triggered(map.as_fd(), 0)?;
        Ok(Self { epoll, map: Box::new(map) })
    }

    /// The ring's map.
    #[cfg(not(miri))]
    pub(crate) fn map(&self) -> std::os::fd::BorrowedFd<'_> {
        self.map.as_fd()
    }

    /// Sleeps until the kernel rings, at most for `timeout` in whole milliseconds, rounded up. May return early for no reason.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.epoll.wait(timeout, |_| {})
    }
}

impl core::fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Doorbell").field("epoll", &self.epoll).finish_non_exhaustive()
    }
}
