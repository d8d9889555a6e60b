//! The ways to measure what processes are linked with.

use std::time::Instant;

use anyhow::Result;

use super::Kind;
use super::child::{Child, tell};
use crate::case::{Round, Sample};
use crate::common::{Sizes, cores};
use crate::link::{By, Expected, receive_all};
use crate::measure::quantile_of;
use crate::threads::{AT_LEAST, round_trips};

/// A way to measure a kind.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// The other process sends to this one.
    Rate,
    /// One record goes to and fro; what counts is how many percent of them were faster than.
    Latency { percent: usize },
}

impl Way {
    pub fn by<K: Kind>(self, sizes: Sizes) -> impl FnOnce() -> Result<Round> {
        move || match self {
            Self::Rate => rate::<K>(sizes),
            Self::Latency { percent } => latency::<K>(sizes, percent),
        }
    }
}

/// From the moment at which the other process is told to send, to the last record.
fn rate<K: Kind>(sizes: Sizes) -> Result<Round> {
    let child = Child::start(K::NAME, "send", sizes)?;
    let mut receiver = K::receiver(&child.stream, sizes)?;
    let shared_core = cores() < 2;
    let mut first = 1;
    Ok(Box::new(move |records| {
        let mut expected = Expected::from(first, sizes);
        let begun = Instant::now();
        tell(&child.stream, [records])?;
        receive_all(&mut receiver, records, shared_core, &mut expected)?;
        let took = begun.elapsed();
        first += records;
        expected.check(1, first)?;
        Ok(Sample::each(records, took))
    }))
}

fn latency<K: Kind>(sizes: Sizes, percent: usize) -> Result<Round> {
    let child = Child::start(K::NAME, "echo", sizes)?;
    let mut back = K::receiver(&child.stream, sizes)?;
    let mut there = K::sender(&child.stream, sizes)?;
    let by = By { sender: 0, sizes, shared_core: cores() < 2 };
    let mut first = 1;
    Ok(Box::new(move |times| {
        let times = times.max(AT_LEAST);
        tell(&child.stream, [times])?;
        let took = round_trips(&mut there, &mut back, first..first + times, by)?;
        first += times;
        Ok(Sample(quantile_of(took, percent, 100) / 2.0))
    }))
}
