//! Records as a stream.

use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;

use super::AsyncConsumer;
use crate::notify::WaitError;

/// The records of a ring as a [`Stream`], each copied into a `Vec` of its own: what a stream yields cannot borrow from it.
/// From [`AsyncConsumer::into_stream`].
///
/// It ends once nobody is left to produce a record, and all are consumed; and after an error, which it yields once.
/// Dropping whatever waits for the next record loses nothing. Dropping the stream closes the ring.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tokio_stream::StreamExt;
///
/// # let ring = dynring::Ring::builder(4096).build()?;
/// # let producer = ring.producer()?;
/// let lens = ring.consumer()?.into_async()?.into_stream().map(|record| record.map(|bytes| bytes.len()));
/// # drop(ring);
///
/// producer.output(b"one")?;
/// producer.output(b"three")?;
/// drop(producer);
/// assert_eq!(lens.collect::<Result<Vec<_>, _>>().await?, [3, 5]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct RecordStream {
    consumer: AsyncConsumer,
    failed: bool,
}

impl RecordStream {
    pub(super) fn new(consumer: AsyncConsumer) -> Self {
        Self { consumer, failed: false }
    }

    /// The consumer, at the record that would have been yielded next.
    pub fn into_inner(self) -> AsyncConsumer {
        self.consumer
    }

    /// The consumer, to ask it how far it is.
    pub fn get_ref(&self) -> &AsyncConsumer {
        &self.consumer
    }
}

impl Stream for RecordStream {
    type Item = Result<Vec<u8>, WaitError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.get_mut();
        if stream.failed {
            return Poll::Ready(None);
        }
        let next = ready!(stream.consumer.poll_next_with(cx, |record| record.to_vec())).transpose();
        stream.failed = matches!(next, Some(Err(_)));
        Poll::Ready(next)
    }
}
