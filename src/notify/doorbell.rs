//! Waiting for the kernel.

use core::time::Duration;
use std::io;
use std::os::fd::AsFd;

use crate::sys::epoll::{Epoll, Ready};

/// What the kernel rings when it has done something to a ring: committed the record that the consumer waits for, or drained
/// samples and thereby made space.
///
/// Each ring is heard once, also when it came before [`wait`](Self::wait): the epoll instance is edge-triggered. Level
/// triggering would not do, as the kernel calls a ring readable while its oldest record is still being written, and writable
/// while there is any space at all, be it too little.
///
/// To sleep without missing a record: publish the consumer's position, run a full barrier, find nothing, wait. The kernel
/// commits with a full barrier before it loads that position, so that one of the two sees what the other did.
///
/// To sleep without missing space: have the doorbell, find none, wait. The kernel rings after each drain without looking
/// whether anybody waits. So either it rings after the doorbell has been hung up, and the wait hears it, or what it has drained is
/// in sight, by the lock under which it rings. Each waits with a doorbell of its own, lest one hear what rang for another.
///
/// Source: `bpf_ringbuf_commit`, `bpf_user_ringbuf_drain`, `ringbuf_map_poll_kern`, `ringbuf_map_poll_user`.
pub(crate) struct Doorbell {
    epoll: Epoll,
    /// Epoll forgets a file whose last descriptor is closed.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no kernel under Miri"))]
    map: Box<dyn AsFd + Send + Sync>,
}

impl Doorbell {
    /// The doorbell of the ring that `map` is, for those who wait until it is `ready`.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no kernel under Miri"))]
    pub(crate) fn new(map: impl AsFd + Send + Sync + 'static, ready: Ready) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add_edge_triggered(map.as_fd(), ready, 0)?;
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

/// Readable while the kernel has rung and nobody has waited since.
#[cfg(not(miri))]
impl AsFd for Doorbell {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl core::fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Doorbell").field("epoll", &self.epoll).finish_non_exhaustive()
    }
}
