//! dynring: as it comes, with leases, with records left to gather, and with both.

use std::marker::PhantomData;

use anyhow::Result;
use dynring::Ring;

use super::Kind;
use crate::common::Sizes;
use crate::link::ROOM;
use crate::ours::{Gathering, Leasing, Plain, Reading};

pub type Reserve = Kinds<Plain, Reading>;
pub type Gather = Kinds<Plain, Gathering>;
pub type Lease = Kinds<Leasing, Reading>;
pub type LeaseGather = Kinds<Leasing, Gathering>;

/// Producers that a ring has room for unless it is told otherwise.
const PRODUCERS: usize = 32;

/// A ring of that many bytes.
pub struct Kinds<S, R, const CAPACITY: usize = ROOM>(PhantomData<(S, R)>);

impl<S, R, const CAPACITY: usize> Kind for Kinds<S, R, CAPACITY>
where
    S: crate::link::Sender + From<dynring::Producer> + Send + 'static,
    R: crate::link::Receiver + From<dynring::Consumer> + Send + 'static,
{
    type Sender = S;
    type Receiver = R;

    fn link(senders: usize, _: Sizes) -> Result<(Vec<S>, R)> {
        let ring = Ring::builder(CAPACITY).max_producers(senders.max(PRODUCERS).try_into()?).build()?;
        let consumer = ring.consumer()?.into();
        let senders = (0..senders).map(|_| Ok(ring.producer()?.into())).collect::<Result<_>>()?;
        Ok((senders, consumer))
    }
}
