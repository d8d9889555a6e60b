//! What goes wrong with a ring that processes share.

use core::fmt;
use std::io;

use crate::ring::error::INHERITED;
use crate::wire::Corrupt;

/// A repair that failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RepairError {
    /// What the dead have left behind is what no correct producer can have written.
    Corrupt(Corrupt),
    /// The handle was inherited through fork(2), and is of no use here: attach to the ring anew.
    Inherited,
    /// The system refused.
    System(io::Error),
}

impl fmt::Display for RepairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(corrupt) => corrupt.fmt(f),
            Self::Inherited => f.write_str(INHERITED),
            Self::System(error) => write!(f, "the system refused to repair the ring: {error}"),
        }
    }
}

impl std::error::Error for RepairError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Corrupt(corrupt) => Some(corrupt),
            Self::Inherited => None,
            Self::System(error) => Some(error),
        }
    }
}

impl From<RepairError> for io::Error {
    fn from(error: RepairError) -> Self {
        match error {
            RepairError::Corrupt(corrupt) => corrupt.into(),
            RepairError::Inherited => Self::new(io::ErrorKind::Unsupported, error),
            RepairError::System(error) => error,
        }
    }
}

/// A consumer that could not be had.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConsumerError {
    /// The ring has a consumer, in this process or another.
    Taken,
    /// A consumer has closed the ring for good.
    Closed,
    /// The handle was inherited through fork(2), and is of no use here: attach to the ring anew.
    Inherited,
    /// The system refused.
    System(io::Error),
}

impl fmt::Display for ConsumerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("the ring has a consumer; there is one at a time"),
            Self::Closed => f.write_str("the ring was closed for good"),
            Self::Inherited => f.write_str(INHERITED),
            Self::System(error) => write!(f, "the system refused a consumer: {error}"),
        }
    }
}

impl std::error::Error for ConsumerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ConsumerError> for io::Error {
    fn from(error: ConsumerError) -> Self {
        match error {
            ConsumerError::Taken => Self::new(io::ErrorKind::ResourceBusy, error),
            ConsumerError::Closed => Self::new(io::ErrorKind::BrokenPipe, error),
            ConsumerError::Inherited => Self::new(io::ErrorKind::Unsupported, error),
            ConsumerError::System(error) => error,
        }
    }
}
