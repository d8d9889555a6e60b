//! Consuming in asynchronous tasks.

mod alarm;
mod consumer;
mod error;
mod stream;

pub use consumer::AsyncConsumer;
pub use error::IntoAsyncError;
pub use stream::RecordStream;

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The descriptor, which the runtime listens to from now on.
fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // What replaces the function is unsafe, since a descriptor might be closed meanwhile. An `OwnedFd` is not.
    #[allow(deprecated, reason = "only later versions of tokio have what replaces it")]
    AsyncFd::with_interest(fd, Interest::READABLE)
}
