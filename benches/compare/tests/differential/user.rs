//! Rings that dynring and libbpf-rs have filled alike are drained alike by the kernel.

use std::collections::VecDeque;
use std::os::fd::AsFd;

use anyhow::{Result, bail, ensure};
use dynring::kernel::UserRingBuf;
use dynring::{DynPtr, Producer, ReserveError};
use libbpf_rs::{MapHandle, UserRingBuffer, UserRingBufferSample};

use crate::plan::Random;
use crate::readers::{PositionPages, Positions};
use crate::support::drain::{MAX_LEN, UserRing};
use crate::support::pages::page_size;
use crate::support::{id_of, require_user_ring};

/// Samples that are reserved and not finished, at most.
const MAX_OPEN: usize = 6;

/// Why a reservation is refused, in libbpf's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// `ENOSPC`.
    NoSpace,
    /// `E2BIG`.
    TooBig,
}

impl Refused {
    pub fn of_dynring(error: &ReserveError) -> Result<Self> {
        match error {
            ReserveError::Full => Ok(Self::NoSpace),
            ReserveError::TooLarge { .. } => Ok(Self::TooBig),
            error => bail!("dynring: {error}"),
        }
    }

    pub fn of_libbpf(error: &libbpf_rs::Error) -> Result<Self> {
        match error.to_string().as_str() {
            "not enough space in the ring buffer" => Ok(Self::NoSpace),
            "requested size is too large" => Ok(Self::TooBig),
            error => bail!("libbpf-rs: {error}"),
        }
    }
}

/// libbpf's producer of the ring.
pub fn libbpf_producer(ring: &UserRing) -> Result<UserRingBuffer> {
    Ok(UserRingBuffer::new(&MapHandle::from_map_id(id_of(ring.as_fd())?)?)?)
}

/// A sample in both rings.
struct Open<'r> {
    dynring: DynPtr<'r>,
    libbpf: UserRingBufferSample<'r>,
    /// Where it is in the model.
    at: u64,
}

/// A sample in the model.
struct Sample {
    payload: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Busy,
    Submitted,
    Discarded,
}

/// What the ring does, according to the kernel's documentation.
struct Model {
    size: u64,
    positions: Positions,
    samples: VecDeque<Sample>,
}

impl Model {
    fn reserve(&mut self, payload: Vec<u8>) -> Result<u64, Refused> {
        let stride = stride(payload.len());
        if stride > self.size {
            return Err(Refused::TooBig);
        }
        if self.positions.producer + stride - self.positions.consumer > self.size {
            return Err(Refused::NoSpace);
        }
        let at = self.positions.producer;
        self.positions.producer += stride;
        self.samples.push_back(Sample { payload, state: State::Busy });
        Ok(at)
    }

    fn finish(&mut self, at: u64, state: State) {
        let mut from = self.positions.consumer;
        for sample in &mut self.samples {
            if from == at {
                sample.state = state;
            }
            from += stride(sample.payload.len());
        }
    }

    /// Returns the samples that a program sees which stops after `limit`.
    fn drain(&mut self, limit: u64) -> Vec<Vec<u8>> {
        let mut seen = Vec::new();
        while (seen.len() as u64) < limit && self.samples.front().is_some_and(|sample| sample.state != State::Busy) {
            let Some(Sample { payload, state }) = self.samples.pop_front() else { break };
            self.positions.consumer += stride(payload.len());
            if state == State::Submitted {
                seen.push(payload);
            }
        }
        seen
    }
}

fn stride(len: usize) -> u64 {
    (len as u64 + 8).next_multiple_of(8)
}

/// Both rings, and the pages that say where they are.
struct Rings {
    dynring: UserRing,
    libbpf: UserRing,
    pages: [PositionPages; 2],
}

impl Rings {
    fn new(bytes: u32) -> Result<Self> {
        let (dynring, libbpf) = (UserRing::new(bytes)?, UserRing::new(bytes)?);
        let pages = [PositionPages::of(dynring.as_fd())?, PositionPages::of(libbpf.as_fd())?];
        Ok(Self { dynring, libbpf, pages })
    }

    fn check(&self, model: &Model) -> Result<()> {
        let found = self.pages.each_ref().map(PositionPages::read);
        ensure!(found == [model.positions; 2], "dynring, libbpf: {found:?}; {:?} is right", model.positions);
        Ok(())
    }

    /// Has the kernel drain both. Returns how many samples it was.
    fn drain(&mut self, limit: u64, flags: u64, model: &mut Model) -> Result<u64> {
        let results = [&self.dynring, &self.libbpf].map(|ring| ring.drain_with(limit, flags));
        let results = results.into_iter().collect::<Result<Vec<i64>, _>>()?;
        if flags > 3 {
            ensure!(results == [-i64::from(libc::EINVAL); 2], "flags {flags}: {results:?}");
            return Ok(0);
        }
        let expected = model.drain(limit);
        let count = expected.len() as u64;
        ensure!(results == [count as i64; 2], "dynring, libbpf: {results:?}; {count} is right");
        for ring in [&mut self.dynring, &mut self.libbpf] {
            ensure!(ring.reported()? == expected, "other samples");
        }
        self.check(model)?;
        Ok(count)
    }
}

/// Reserves in both, and in the model.
fn reserve<'r>(
    (dynring, libbpf): (&'r Producer, &'r UserRingBuffer),
    payload: &[u8],
    model: &mut Model,
) -> Result<Option<Open<'r>>> {
    let at = model.reserve(payload.to_vec());
    match (at, dynring.reserve(payload.len()), libbpf.reserve(payload.len())) {
        (Ok(at), Ok(mut dynring), Ok(mut libbpf)) => {
            dynring.copy_from_slice(payload);
            libbpf.copy_from_slice(payload);
            Ok(Some(Open { dynring, libbpf, at }))
        }
        (Err(refused), Err(dynring), Err(libbpf)) => {
            let found = [Refused::of_dynring(&dynring)?, Refused::of_libbpf(&libbpf)?];
            ensure!(found == [refused; 2], "dynring, libbpf: {found:?}; {refused:?} is right");
            Ok(None)
        }
        (at, dynring, libbpf) => {
            bail!("{} bytes: dynring: {dynring:?}, libbpf: {libbpf:?}; {at:?} is right", payload.len())
        }
    }
}

/// Goes through as many samples in rings of `bytes` bytes.
fn compare(bytes: u32, samples: u64) -> Result<u64> {
    let mut rings = Rings::new(bytes)?;
    let dynring = UserRingBuf::from_fd(&rings.dynring)?.producer()?;
    let libbpf = libbpf_producer(&rings.libbpf)?;
    let positions = Positions { consumer: 0, producer: 0 };
    let mut model = Model { size: bytes.into(), positions, samples: VecDeque::new() };
    let (mut random, mut open, mut drained, mut nth) = (Random::new(bytes.into()), Vec::new(), 0, 0_u64);
    while drained < samples {
        let choice = random.up_to(99);
        if choice < 45 && open.len() < MAX_OPEN {
            nth += 1;
            let len = random.len((bytes - 8).min(MAX_LEN as u32)) as usize;
            let payload: Vec<u8> = (0..len).map(|at| (nth as usize + at * 7) as u8).collect();
            open.extend(reserve((&dynring, &libbpf), &payload, &mut model)?);
        } else if choice < 95 && !open.is_empty() {
            let Open { dynring: dynptr, libbpf: sample, at } =
                open.swap_remove(random.up_to(open.len() as u64 - 1) as usize);
            if random.up_to(4) > 0 {
                dynptr.commit();
                libbpf.submit(sample)?;
                model.finish(at, State::Submitted);
            } else {
                dynptr.discard();
                drop(sample);
                model.finish(at, State::Discarded);
            }
        } else {
            let limit = if random.up_to(1) == 0 { u64::MAX } else { 1 + random.up_to(8) };
            // Each of `BPF_RB_NO_WAKEUP` and `BPF_RB_FORCE_WAKEUP`, or not, and a flag that is refused.
            drained += rings.drain(limit, random.up_to(4), &mut model)?;
        }
        rings.check(&model)?;
    }
    Ok(drained)
}

#[test]
fn the_kernel_drains_the_same_samples_and_refusals_are_the_same() -> Result<()> {
    let page = page_size() as u32;
    if require_user_ring(page).is_none() {
        return Ok(());
    }
    let (samples, mut drained) = (crate::records()?, 0);
    for pages in [1, 2] {
        drained += compare(pages * page, samples.div_ceil(2))?;
    }
    println!("{drained} samples were produced alike and drained alike");
    Ok(())
}
