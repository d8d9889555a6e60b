//! What goes wrong with a ring.

use core::fmt;
use std::io;

use crate::raw::{NoSeat, Refusal};
use crate::wire::{Corrupt, SizeError};

/// A ring that could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// No ring can have that capacity.
    Capacity(SizeError),
    /// No ring can have so many producers, or none at all.
    Producers {
        /// How many were asked for.
        found: u32,
        /// The most that is allowed; the least is 1.
        max: u32,
    },
    /// There is something at the path at which the ring was to be made.
    Exists {
        /// The path.
        path: std::path::PathBuf,
    },
    /// The system refused, most often because memory is short.
    System {
        /// Size of the ring in bytes.
        bytes: u64,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity(error) => error.fmt(f),
            Self::Producers { found, max } => {
                write!(f, "a ring for {found} producers was asked for; 1 to {max} are allowed")
            }
            Self::Exists { path } => write!(f, "there is something at {} already", path.display()),
            Self::System { bytes, error } => write!(f, "the system refused a ring of {bytes} bytes: {error}"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Capacity(error) => Some(error),
            Self::Producers { .. } | Self::Exists { .. } => None,
            Self::System { error, .. } => Some(error),
        }
    }
}

impl From<BuildError> for io::Error {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::System { error, .. } => error,
            error @ BuildError::Exists { .. } => Self::new(io::ErrorKind::AlreadyExists, error),
            error => Self::new(io::ErrorKind::InvalidInput, error),
        }
    }
}

/// What became of a handle.
pub(super) const INHERITED: &str = "the handle was inherited through fork(2); the ring can be attached to anew";

/// A producer that could not be registered.
#[derive(Debug)]
#[non_exhaustive]
pub enum RegisterError {
    /// No slot is free for another producer.
    Full {
        /// For how many producers the ring has room.
        max_producers: usize,
    },
    /// The handle was inherited through fork(2), and is of no use here: attach to the ring anew.
    Inherited,
    /// The system refused: the memory could not be mapped, or a lock that shows other processes that the producer lives could
    /// not be had.
    System(io::Error),
}

impl RegisterError {
    pub(crate) fn new(error: NoSeat, max_producers: usize) -> Self {
        match error {
            NoSeat::Taken => Self::Full { max_producers },
            NoSeat::Inherited => Self::Inherited,
            NoSeat::System(error) => Self::System(error),
        }
    }
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { max_producers } => {
                write!(f, "all {max_producers} producers that the ring has room for are registered already")
            }
            Self::Inherited => f.write_str(INHERITED),
            Self::System(error) => write!(f, "the system refused a producer: {error}"),
        }
    }
}

impl std::error::Error for RegisterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Full { .. } | Self::Inherited => None,
            Self::System(error) => Some(error),
        }
    }
}

impl From<RegisterError> for io::Error {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Full { .. } => Self::new(io::ErrorKind::QuotaExceeded, error),
            RegisterError::Inherited => Self::new(io::ErrorKind::Unsupported, error),
            RegisterError::System(error) => error,
        }
    }
}

/// The ring's one consumer has been handed out before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ConsumerTaken;

impl fmt::Display for ConsumerTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ring's consumer has been handed out before; there is only one")
    }
}

impl std::error::Error for ConsumerTaken {}

impl From<ConsumerTaken> for io::Error {
    fn from(error: ConsumerTaken) -> Self {
        Self::new(io::ErrorKind::ResourceBusy, error)
    }
}

/// A reservation that was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReserveError {
    /// Not enough space at the moment.
    Full,
    /// No record of this ring can be so large.
    TooLarge {
        /// The payload length asked for, in bytes.
        len: usize,
        /// The largest payload length, in bytes.
        max: usize,
    },
    /// The consumer is gone for good.
    Closed,
    /// Others have moved the ring's positions at each of about a million tries. Nothing is reserved; it may be tried again.
    ///
    /// Producers that reserve do not get so far ahead of one that tries: somebody writes positions in order to keep it trying.
    Contended,
    /// The ring holds what no correct peer can have written.
    Corrupt(Corrupt),
}

impl fmt::Display for ReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("not enough space in the ring at the moment"),
            Self::TooLarge { len, max } => {
                write!(f, "a record of {len} bytes was to be reserved; at most {max} are allowed")
            }
            Self::Closed => f.write_str("the ring's consumer is gone"),
            Self::Contended => f.write_str("the ring's positions have moved at each of a million tries to reserve"),
            Self::Corrupt(corrupt) => corrupt.fmt(f),
        }
    }
}

impl std::error::Error for ReserveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Corrupt(corrupt) => Some(corrupt),
            _ => None,
        }
    }
}

impl From<Refusal> for ReserveError {
    #[cold]
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full { .. } => Self::Full,
            Refusal::Closed => Self::Closed,
            Refusal::Contended => Self::Contended,
            Refusal::Corrupt(corrupt) => Self::Corrupt(corrupt),
        }
    }
}

impl From<ReserveError> for io::Error {
    fn from(error: ReserveError) -> Self {
        let kind = match error {
            ReserveError::Full => io::ErrorKind::WouldBlock,
            ReserveError::TooLarge { .. } => io::ErrorKind::InvalidInput,
            ReserveError::Closed => io::ErrorKind::BrokenPipe,
            ReserveError::Contended => io::ErrorKind::ResourceBusy,
            ReserveError::Corrupt(_) => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
