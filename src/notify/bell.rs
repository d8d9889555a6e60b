//! What an event loop hears when a producer wakes the consumer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::Scope;
use crate::raw::{Bell, Mapped};
use crate::sys::datagram;
use crate::sys::eventfd::EventFd;

/// The bell of a ring of one process.
impl Bell for EventFd {
    fn ring(&self) {
        self.add_one();
    }

    fn silence(&self) {
        self.reset();
    }
}

/// The bell of a consumer whose producers are other processes, which cannot keep each other from ringing it without delay.
#[derive(Debug)]
struct SharedBell {
    hears: OwnedFd,
    rings: OwnedFd,
}

impl SharedBell {
    fn new() -> io::Result<Self> {
        let (hears, rings) = datagram::pair()?;
        Ok(Self { hears, rings })
    }
}

impl Bell for SharedBell {
    fn ring(&self) {
        datagram::send_byte(self.rings.as_fd());
    }

    fn silence(&self) {
        datagram::drain(self.hears.as_fd());
    }

    fn for_others(&self) -> Option<BorrowedFd<'_>> {
        Some(self.rings.as_fd())
    }

    fn rings_while_heard(&self) -> bool {
        false
    }
}

impl AsFd for SharedBell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hears.as_fd()
    }
}

/// What rings the bell of another process.
#[derive(Debug)]
struct RemoteBell(OwnedFd);

impl Bell for RemoteBell {
    fn ring(&self) {
        datagram::send_byte(self.0.as_fd());
    }

    fn silence(&self) {}
}

impl AsFd for RemoteBell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The bell of a ring of this crate, which is hung up when it is asked for the first time.
///
/// Another process that produces has to be given what it is rung with, and hang up a bell of that.
pub(super) fn bell(memory: &Mapped, scope: Scope) -> io::Result<&dyn Bell> {
    Ok(match (memory.bell(), scope) {
        (Some(bell), _) => bell,
        (None, Scope::Process) => memory.hang(Box::new(EventFd::new()?)),
        (None, Scope::Shared) => memory.hang(Box::new(SharedBell::new()?)),
    })
}

/// Whether `fd` can ring the bell of another process.
pub(crate) fn is_bell(fd: BorrowedFd<'_>) -> bool {
    datagram::is_datagram_socket(fd)
}

/// Hangs up a bell that belongs to the consumer of another process.
pub(crate) fn hang(memory: &Mapped, bell: OwnedFd) {
    memory.hang(Box::new(RemoteBell(bell)));
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::sys::epoll::{Epoll, Ready};

    #[test]
    fn a_full_bell_that_was_silenced_is_heard_by_an_edge_triggered_event_loop() -> io::Result<()> {
        let (bell, epoll) = (SharedBell::new()?, Epoll::new()?);
        epoll.add_edge_triggered(bell.as_fd(), Ready::ToRead, 0)?;
        let rings = || {
            let mut rings = 0;
            epoll.wait(Some(Duration::ZERO), |_| rings += 1).map(|()| rings)
        };
        for _ in 0..10 {
            (0..1000).for_each(|_| bell.ring());
            assert_eq!(rings()?, 1);
            bell.silence();
            assert_eq!(rings()?, 0);
        }
        Ok(())
    }
}
