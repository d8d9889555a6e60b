//! What goes wrong with a set of rings.

use core::fmt;
use std::io;

use super::RingToken;
use crate::ring::Consumer;
use crate::wire::Corrupt;

/// A ring that could not be added to a set. It is handed back by [`into_consumer`](Self::into_consumer).
#[derive(Debug)]
pub struct AddError {
    consumer: Box<Consumer>,
    /// None: it is a ring of this crate.
    refused: Option<io::Error>,
}

impl AddError {
    pub(super) fn not_of_the_kernel(consumer: Consumer) -> Self {
        Self { consumer: Box::new(consumer), refused: None }
    }

    pub(super) fn refused(consumer: Consumer, error: io::Error) -> Self {
        Self { consumer: Box::new(consumer), refused: Some(error) }
    }

    /// The consumer that was to be added, as it was.
    pub fn into_consumer(self) -> Consumer {
        *self.consumer
    }
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.refused {
            None => {
                f.write_str("the consumer is that of a ring of this process; that of a ring of the kernel is allowed")
            }
            Some(error) => write!(f, "the system refused to watch one more ring: {error}"),
        }
    }
}

impl std::error::Error for AddError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.refused.as_ref().map(|error| error as _)
    }
}

/// Closes the ring that could not be added.
impl From<AddError> for io::Error {
    fn from(error: AddError) -> Self {
        let message = error.to_string();
        error.refused.unwrap_or_else(|| Self::new(io::ErrorKind::InvalidInput, message))
    }
}

/// What went wrong in a set of rings.
#[derive(Debug)]
#[non_exhaustive]
pub enum PollError {
    /// A ring holds what no correct peer can have written. This is said once; from then on, the set leaves the ring alone,
    /// until it is [removed](super::RingSet::remove). The other rings are not affected.
    Corrupt {
        /// The ring.
        ring: RingToken,
        /// What is in it.
        corrupt: Corrupt,
    },
    /// The system refused to wait.
    System(io::Error),
}

impl fmt::Display for PollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { ring, corrupt } => write!(f, "{ring}: {corrupt}"),
            Self::System(error) => write!(f, "the system refused to wait for records: {error}"),
        }
    }
}

impl std::error::Error for PollError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Corrupt { corrupt, .. } => Some(corrupt),
            Self::System(error) => Some(error),
        }
    }
}

impl From<PollError> for io::Error {
    fn from(error: PollError) -> Self {
        match error {
            PollError::System(error) => error,
            corrupt => Self::new(io::ErrorKind::InvalidData, corrupt),
        }
    }
}
