//! What cannot be.

use super::Position;

/// Words in a ring that no correct peer can have written.
///
/// Nothing is read or written on the strength of such words. The error is sticky: the handle that has met it returns it
/// from then on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Corrupt {
    /// A record that reaches past what has been produced.
    Length {
        /// Where the record starts.
        at: Position,
        /// The payload length in its header, in bytes.
        found: u32,
        /// Bytes from the record's start to the end of what has been produced.
        available: u64,
    },
    /// A producer position that is off the grid of 8 bytes, or not within one ring's size ahead of the consumer.
    ProducerPos {
        /// The position that was found.
        found: Position,
        /// Where the consumer is.
        consumer: Position,
        /// Size of the ring in bytes.
        size: u64,
    },
    /// A producer that has died while it reserved claims a span that nobody can have reserved.
    Span {
        /// Where it reserved.
        at: Position,
        /// The span in its slot, in bytes.
        found: u64,
        /// Bytes from there to the end of what has been reserved.
        available: u64,
    },
    /// Several producers have died while they reserved at one place, and which of them has can not be told any more.
    Undecided {
        /// Where they reserved.
        at: Position,
    },
    /// The ring is closed, and its consumer has not closed it.
    Closed {
        /// Where the consumer is.
        at: Position,
    },
    /// A consumer position that is off the grid of 8 bytes, or not within one ring's size behind the producers.
    ConsumerPos {
        /// The position that was found.
        found: Position,
        /// Where the producers are.
        producer: Position,
        /// Size of the ring in bytes.
        size: u64,
    },
    /// An overwrite position that is off the grid of 8 bytes, ahead of the producers, or further behind them than they leave
    /// records alone.
    OverwritePos {
        /// The position that was found.
        found: Position,
        /// Where the producers are.
        producer: Position,
        /// Size of the ring in bytes.
        size: u64,
    },
}

impl core::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length { at, found, available } => write!(
                f,
                "corrupt ring: the record at {at} claims a payload of {found} bytes, but {available} bytes with its header \
                 have been produced"
            ),
            Self::Span { at, found, available } => write!(
                f,
                "corrupt ring: a dead producer claims {found} bytes at {at}; a multiple of 8 from 8 to {available} is allowed"
            ),
            Self::Undecided { at } => {
                write!(f, "corrupt ring: which of several dead producers has reserved at {at} can not be told any more")
            }
            Self::Closed { at } => {
                write!(f, "corrupt ring: somebody else than its consumer, which is at {at}, has closed it")
            }
            Self::ProducerPos { found, consumer, size } => write!(
                f,
                "corrupt ring: producer position {found}; a multiple of 8 from {consumer} to {size} bytes further is allowed"
            ),
            Self::ConsumerPos { found, producer, size } => write!(
                f,
                "corrupt ring: consumer position {found}; a multiple of 8 from {producer} to {size} bytes before is allowed"
            ),
            Self::OverwritePos { found, producer, size } => write!(
                f,
                "corrupt ring: overwrite position {found}; a multiple of 8 from {producer} to less than {size} bytes before is \
                 allowed"
            ),
        }
    }
}

impl std::error::Error for Corrupt {}

impl From<Corrupt> for std::io::Error {
    fn from(corrupt: Corrupt) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, corrupt)
    }
}
