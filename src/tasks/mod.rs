//! Consuming in asynchronous tasks.

mod consumer;
mod error;
mod stream;

pub use consumer::AsyncConsumer;
pub use error::IntoAsyncError;
pub use stream::RecordStream;
