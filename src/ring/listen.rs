//! Waiting for records in an event loop of one's own.

#[cfg(feature = "tokio")]
use core::time::Duration;
use std::io;
use std::os::fd::BorrowedFd;
#[cfg(feature = "tokio")]
use std::os::fd::OwnedFd;

use super::Consumer;
#[cfg(feature = "tokio")]
use super::Record;
use crate::notify::{self, LastLook, Readiness, WaitError};
#[cfg(feature = "tokio")]
use crate::raw::{Found, Taken};
#[cfg(feature = "tokio")]
use crate::wire::Corrupt;

/// # Waiting in an event loop
///
/// A consumer has a descriptor that poll(2), epoll(7) and whatever is made of them can wait on, level-triggered or
/// edge-triggered. It is readable if the consumer was *armed*, found nothing, and should look again:
///
/// ```text
///   consume all there is  <-----------------------------.
///   arm  --- a record is there, or nobody is left -->   |
///    |                                                  |
///    | nothing                                          |
///    v                                                  |
///   wait until readable  --->  disarm  -----------------'
/// ```
///
/// In a ring that processes share, a producer that dies rings no bell: [`recover`](Consumer::recover) now and then, as on a timer.
/// (A consumer of a task, with the feature `tokio`, does so by itself.)
///
/// To wait without having armed is to miss a record. Once it is readable, the descriptor stays so until the consumer is armed
/// again: who leaves records for later needs no other reminder.
impl Consumer {
    /// The descriptor to wait on. It stays the same for as long as the consumer lives, and must neither be read nor written.
    ///
    /// In a ring of this crate, it is an eventfd, or in one that processes share a socket, made when it is asked for the first
    /// time. Until it is, producers wake with a futex; and so they do whenever the consumer sleeps in [`wait`](Self::wait). In a ring of the kernel, it is an epoll
    /// instance over the map: the map itself is readable also while its only record is still being written.
    ///
    /// # Errors
    /// File descriptors are short.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dynring::Readiness;
    /// use std::os::fd::AsRawFd;
    ///
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// # drop(ring);
    /// # let sender = std::thread::spawn(move || (0..100).try_for_each(|_| producer.output(b"record")));
    /// # let mut records = 0;
    /// loop {
    ///     while let Some(record) = consumer.next()? {
    ///         println!("{} bytes", record.len());
    /// #       records += 1;
    ///     }
    ///     match consumer.arm()? {
    ///         None => {
    ///             let fd = consumer.poll_fd()?.as_raw_fd();
    ///             let mut fds = [libc::pollfd { fd, events: libc::POLLIN, revents: 0 }]; // and others
    ///             unsafe { libc::poll(fds.as_mut_ptr(), 1, -1) };
    ///             consumer.disarm();
    ///         }
    ///         Some(Readiness::Disconnected) => break,
    ///         Some(_) => {}
    ///     }
    /// }
    /// # sender.join().unwrap()?;
    /// # assert_eq!(records, 100);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Source: `ring_buffer__epoll_fd` in libbpf.
    #[doc(alias = "ring_buffer__epoll_fd")]
    #[doc(alias = "eventfd")]
    pub fn poll_fd(&self) -> io::Result<BorrowedFd<'_>> {
        notify::level(self.raw.memory(), &self.sleep)
    }

    /// Looks once more before an event loop waits. `None`: there is nothing, and [`poll_fd`](Self::poll_fd) becomes readable
    /// once there is a record or nobody is left to produce one. It may also become readable for no reason. Otherwise, what
    /// is there; the time is never up.
    ///
    /// Records that are committed with [`Wakeup::None`](crate::Wakeup::None) make nothing readable, nor does one that is
    /// behind an unfinished one: the commit of that one does.
    ///
    /// Two system calls: one forgets what has made the descriptor readable, one is the barrier that producers are spared.
    ///
    /// # Errors
    /// The ring is corrupt; sticky. Or the system refuses to wait: file descriptors are short, or membarrier(2) was allowed when
    /// the ring was made and is not any more.
    pub fn arm(&mut self) -> Result<Option<Readiness>, WaitError> {
        if self.raw.is_inherited() {
            // The descriptor is the parent's, too.
            return Ok(Some(Readiness::Disconnected));
        }
        notify::silence(self.raw.memory(), &self.sleep).map_err(WaitError::System)?;
        loop {
            return Ok(match self.listen()? {
                LastLook::Nothing => None,
                LastLook::Record(_) => Some(Readiness::Ready),
                LastLook::Disconnected => Some(Readiness::Disconnected),
                LastLook::Skipped => continue,
            });
        }
    }

    /// Takes [`arm`](Self::arm) back: as long as the consumer is armed, each producer whose record it waits for makes a system call.
    /// Records can be consumed either way.
    pub fn disarm(&mut self) {
        notify::quit(&self.raw, &self.sleep);
    }

    /// What producers of other processes ring, if there can be any.
    pub(super) fn bell_for_others(&self) -> io::Result<Option<BorrowedFd<'_>>> {
        notify::for_others(self.raw.memory(), &self.sleep)
    }

    /// Arms without forgetting what has made the descriptor readable, and looks once.
    pub(crate) fn listen(&mut self) -> Result<LastLook, WaitError> {
        self.sight.look(&mut self.raw);
        self.watch.look_after(&mut self.raw)?;
        notify::listen(&mut self.raw, &self.sleep)
    }
}

/// What a task asks of its consumer.
#[cfg(feature = "tokio")]
impl Consumer {
    /// A descriptor of its own for an edge-triggered event loop, which [`listen`](Self::listen) is enough for.
    pub(crate) fn edges(&self) -> io::Result<OwnedFd> {
        notify::edge(self.raw.memory(), &self.sleep)?.try_clone_to_owned()
    }

    /// How long an event loop may wait, after [`listen`](Self::listen) has found nothing, before it listens again; `None` if
    /// whoever changes something wakes.
    pub(crate) fn nap(&self) -> Option<Duration> {
        self.watch.nap(self.sight.is_held_up())
    }

    /// To be called by an edge-triggered event loop that has just forgotten what it has heard, before it [listens](Self::listen).
    pub(crate) fn forget_edges(&self) {
        notify::forget(self.raw.memory());
    }

    /// The next record, which stays the next one until it is [taken](Self::take).
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<Option<Found>, Corrupt> {
        self.raw.peek()
    }

    /// Takes the record that was just found.
    #[inline]
    pub(crate) fn take(&mut self, found: Found) -> Record<'_> {
        Record::new(Taken::new(&mut self.raw, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ring;

    /// The last look alone, as if everything had happened since the one before.
    fn last_look(consumer: &mut Consumer) -> LastLook {
        notify::listen(&mut consumer.raw, &consumer.sleep).unwrap()
    }

    #[test]
    fn whoever_has_skipped_records_looks_again_before_it_waits() {
        let ring = Ring::builder(4096).build().unwrap();
        let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        let (dropped, unfinished) = (producer.reserve(8).unwrap(), producer.reserve(8).unwrap());
        dropped.discard();
        assert_eq!(last_look(&mut consumer), LastLook::Skipped);
        assert_eq!(consumer.consumer_pos(), 16, "what was skipped is given back");
        assert_eq!(last_look(&mut consumer), LastLook::Nothing);
        unfinished.commit();
        assert!(matches!(last_look(&mut consumer), LastLook::Record(_)));
        drop((ring, producer, consumer.next()));
        assert_eq!(last_look(&mut consumer), LastLook::Disconnected);
    }
}
