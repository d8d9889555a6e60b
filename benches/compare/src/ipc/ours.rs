//! dynring: consumers that may write to the data, that only read, and that copy; leases, and records left to gather.

use std::marker::PhantomData;
use std::os::unix::net::UnixStream;

use anyhow::Result;
use dynring::{Consumer, CopyingConsumer, Producer, Ring, SharedRing, TrustedRing};

use super::Kind;
use crate::common::Sizes;
use crate::link::{ROOM, Receiver, Sender};
use crate::ours::{Copying, CopyingOut, Gathering, Leasing, Plain, Reading};

pub type ByDefault = Trusting<Plain, Reading, true>;
pub type ReadOnly = Trusting<Plain, Reading, false>;
pub type Gathered = Trusting<Plain, Gathering, true>;
pub type Leased = Trusting<Leasing, Reading, true>;
pub type LeasedGathered = Trusting<Leasing, Gathering, true>;

/// Among those who trust each other. The consumer writes to what it has read, as by default, or not.
pub struct Trusting<S, R, const WRITES: bool>(PhantomData<(S, R)>);

/// Among those who do not.
pub struct Copied;

#[expect(unsafe_code, reason = "whom to trust is for programs to say")]
fn trusted(ring: &SharedRing) -> TrustedRing {
    // SAFETY: both processes are this program, which uses the ring through dynring only.
    unsafe { ring.trusted() }
}

fn build(other: &UnixStream) -> Result<SharedRing> {
    let ring = Ring::builder(ROOM).build_shared()?;
    ring.share(other)?;
    Ok(ring)
}

/// How a type is called across processes.
trait Named {
    const NAME: &'static str;
}

macro_rules! named {
    ($($kind:ty: $name:literal),* $(,)?) => {
        $(impl Named for $kind {
            const NAME: &'static str = $name;
        })*
    };
}

named! {
    ByDefault: "dynring",
    ReadOnly: "dynring-reading",
    Gathered: "dynring-gather",
    Leased: "dynring-lease",
    LeasedGathered: "dynring-lease-gather",
}

impl<S, R, const WRITES: bool> Kind for Trusting<S, R, WRITES>
where
    Self: Named + 'static,
    S: Sender + From<Producer> + 'static,
    R: Receiver + From<Consumer> + 'static,
{
    const NAME: &'static str = <Self as Named>::NAME;

    type Sender = S;
    type Receiver = R;

    fn receiver(other: &UnixStream, _: Sizes) -> Result<R> {
        let ring = trusted(&build(other)?);
        Ok(if WRITES { ring.consumer()? } else { ring.reading_consumer()? }.into())
    }

    fn sender(other: &UnixStream, _: Sizes) -> Result<S> {
        Ok(trusted(&SharedRing::receive(other)?).producer()?.into())
    }
}

impl Kind for Copied {
    const NAME: &'static str = "dynring-copying";

    type Sender = Copying;
    type Receiver = CopyingOut;

    fn receiver(other: &UnixStream, _: Sizes) -> Result<CopyingOut> {
        let consumer: CopyingConsumer = build(other)?.consumer()?;
        Ok(consumer.into())
    }

    fn sender(other: &UnixStream, _: Sizes) -> Result<Copying> {
        Ok(SharedRing::receive(other)?.producer()?.into())
    }
}
