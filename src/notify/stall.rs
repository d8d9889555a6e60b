//! Records that are not finished.

use std::time::Instant;

use crate::raw::{self, Consumer, Mapped};
use crate::wire::Position;

/// A record that is reserved and neither committed nor discarded, or a producer that is about to reserve one, and holds up
/// everything behind it.
///
/// From [`Consumer::stalled`](crate::Consumer::stalled).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stalled {
    /// Where the record starts, in bytes since the ring began, modulo 2⁶⁴.
    pub position: u64,
    /// The payload length that was reserved, in bytes; `None` while the producer is still entering: it has announced that it
    /// reserves here, and nobody can tell yet whether it has.
    pub len: Option<usize>,
    /// The process of the producer, as it calls itself, in rings of this crate. `None` if the producer has gone, or nobody
    /// knows.
    pub process: Option<u32>,
    /// When this consumer has noticed it first. It may have been there for longer.
    pub since: Instant,
}

/// What a consumer remembers of the unfinished record that it has noticed last.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    seen: Option<(Position, Instant)>,
}

impl Sight {
    /// Whether the consumer was held up when it last looked.
    #[cfg(all(feature = "tokio", not(miri)))]
    pub(crate) fn is_held_up(&self) -> bool {
        self.seen.is_some()
    }

    /// Looks whether the consumer is held up.
    ///
    /// A position is that of one record for good: what is seen there again is the same reservation.
    #[cold]
    pub(crate) fn look(&mut self, consumer: &mut Consumer<Mapped>) -> Option<Stalled> {
        let found = consumer.held_up();
        self.seen = found.map(|found| match self.seen {
            Some(seen) if seen.0 == found.at => seen,
            _ => (found.at, Instant::now()),
        });
        let (found, (at, since)) = (found?, self.seen?);
        let process = found.slot.map(|slot| raw::process_of(consumer.memory(), slot));
        Some(Stalled { position: at.get(), len: found.len.map(|len| len as usize), process, since })
    }
}
