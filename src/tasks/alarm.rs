//! Waking a task though nobody rings.

use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::unix::AsyncFd;

use super::watched;
use crate::sys::timerfd;

/// Wakes a task after a time. A descriptor rather than the runtime's clock, which not every runtime has.
#[derive(Debug)]
pub(super) struct Alarm {
    timer: AsyncFd<OwnedFd>,
}

impl Alarm {
    /// To be called in a runtime.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { timer: watched(timerfd::timer()?)? })
    }

    /// Has the task woken after `time`, and no more after the time that was set before.
    pub(super) fn set(&self, cx: &mut Context<'_>, time: Duration) -> io::Result<()> {
        // In this order: what is forgotten is of another time.
        while let Poll::Ready(heard) = self.timer.poll_read_ready(cx) {
            heard?.clear_ready();
        }
        timerfd::set(self.timer.get_ref().as_fd(), time)
    }
}
