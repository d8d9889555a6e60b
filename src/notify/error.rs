//! What goes wrong with waiting.

use std::io;

use crate::wire::Corrupt;

/// Waiting that went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError {
    /// The ring holds what no correct peer can have written; sticky.
    Corrupt(Corrupt),
    /// The system refused to wait.
    System(io::Error),
}

impl core::fmt::Display for WaitError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Corrupt(corrupt) => corrupt.fmt(f),
            Self::System(error) => write!(f, "the system refused to wait for a record: {error}"),
        }
    }
}

impl std::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Corrupt(corrupt) => Some(corrupt),
            Self::System(error) => Some(error),
        }
    }
}

impl From<Corrupt> for WaitError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}

impl From<WaitError> for io::Error {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Corrupt(corrupt) => corrupt.into(),
            WaitError::System(error) => error,
        }
    }
}
