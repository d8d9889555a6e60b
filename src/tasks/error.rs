//! What goes wrong when a task is to consume.

use core::fmt;
use std::io;

use crate::ring::Consumer;

/// A consumer that could not become asynchronous. It is handed back by [`into_consumer`](Self::into_consumer).
#[derive(Debug)]
pub struct IntoAsyncError {
    consumer: Box<Consumer>,
    error: io::Error,
}

impl IntoAsyncError {
    pub(super) fn new(consumer: Consumer, error: io::Error) -> Self {
        Self { consumer: Box::new(consumer), error }
    }

    /// The consumer, as it was.
    pub fn into_consumer(self) -> Consumer {
        *self.consumer
    }
}

impl fmt::Display for IntoAsyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the system refused to watch the ring: {}", self.error)
    }
}

impl std::error::Error for IntoAsyncError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Closes the ring.
impl From<IntoAsyncError> for io::Error {
    fn from(error: IntoAsyncError) -> Self {
        error.error
    }
}
