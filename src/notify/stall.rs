//! Records that are not finished.

use std::time::Instant;

use crate::raw::{Consumer, Mapped};
use crate::wire::Position;

/// A record that is reserved and neither committed nor discarded, and holds up everything behind it.
///
/// From [`Consumer::stalled`](crate::Consumer::stalled).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stalled {
    /// Where the record starts, in bytes since the ring began, modulo 2⁶⁴.
    pub position: u64,
    /// The payload length that was reserved, in bytes.
    pub len: usize,
    /// When this consumer has noticed it first. It may have been there for longer.
    pub since: Instant,
}

/// What a consumer remembers of the unfinished record that it has noticed last.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    seen: Option<(Position, Instant)>,
}

impl Sight {
    /// Looks whether the consumer is held up.
    ///
    /// A position is that of one record for good: what is seen there again is the same reservation.
    #[cold]
    pub(crate) fn look(&mut self, consumer: &mut Consumer<Mapped>) -> Option<Stalled> {
        let found = consumer.unfinished();
        self.seen = found.map(|found| match self.seen {
            Some(seen) if seen.0 == found.at() => seen,
            _ => (found.at(), Instant::now()),
        });
        let (found, (at, since)) = (found?, self.seen?);
        Some(Stalled { position: at.get(), len: found.payload_len() as usize, since })
    }
}
