//! Rings with one thing otherwise.

use std::marker::PhantomData;

use anyhow::{Result, ensure};
use dynring::{Builder, Consumer, Producer, Ring};

use crate::common::Sizes;
use crate::link::{ROOM, Receiver, Sender};
use crate::threads::Kind;

/// Bytes of a ring in which huge pages can lie.
const LARGE: usize = 8 << 20;

/// How a ring is made.
pub trait Setup: 'static {
    fn builder() -> Builder {
        Ring::builder(ROOM)
    }

    fn ring() -> Result<Ring> {
        Ok(Self::builder().build()?)
    }

    fn ends() -> Result<(Producer, Consumer)> {
        let ring = Self::ring()?;
        Ok((ring.producer()?, ring.consumer()?))
    }
}

pub struct AsItComes;

impl Setup for AsItComes {}

/// Another producer has been there, and has gone.
pub struct Accompanied;

impl Setup for Accompanied {
    fn ends() -> Result<(Producer, Consumer)> {
        let ring = Self::ring()?;
        let producer = ring.producer()?;
        drop(ring.producer()?);
        Ok((producer, ring.consumer()?))
    }
}

pub struct ForPlainReaders;

impl Setup for ForPlainReaders {
    fn builder() -> Builder {
        Ring::builder(ROOM).kernel_protocol(true)
    }
}

/// The consumer cannot write to the data, as between processes if it is to be so.
pub struct OnlyRead;

impl Setup for OnlyRead {
    #[expect(unsafe_code, reason = "whom to trust is for programs to say")]
    fn ends() -> Result<(Producer, Consumer)> {
        // SAFETY: nobody else has the ring.
        let ring = unsafe { Self::builder().build_shared()?.trusted() };
        Ok((ring.producer()?, ring.reading_consumer()?))
    }
}

pub struct Large;

impl Setup for Large {
    fn builder() -> Builder {
        Ring::builder(LARGE)
    }
}

pub struct Huge;

impl Setup for Huge {
    fn builder() -> Builder {
        Ring::builder(LARGE).huge_pages(true)
    }
}

/// Whether the system has had huge pages to give.
pub fn is_huge(ring: Ring) -> Result<()> {
    ensure!(ring.huge_pages(), "huge pages: the system has none to give");
    Ok(())
}

/// A ring, and the ways to send and to receive.
pub struct Built<B, S, R>(PhantomData<(B, S, R)>);

impl<B, S, R> Kind for Built<B, S, R>
where
    B: Setup,
    S: Sender + From<Producer> + Send + 'static,
    R: Receiver + From<Consumer> + Send + 'static,
{
    type Sender = S;
    type Receiver = R;

    fn link(senders: usize, _: Sizes) -> Result<(Vec<S>, R)> {
        ensure!(senders == 1, "there is one sender, not {senders}");
        let (producer, consumer) = B::ends()?;
        Ok((vec![producer.into()], consumer.into()))
    }
}
