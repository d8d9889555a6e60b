//! Draining: a program fills the ring, which does not count, and a peer reads what is there.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aya::maps::{Map, MapData};
use dynring::Consumer;
use libbpf_rs::{MapHandle, RingBufferBuilder};

use super::bare::Bare;
use crate::case::{At, Case, Round, Sample};
use crate::common::{Sizes, fold};
use crate::support::bpf::{Records, Ring};
use crate::support::id_of;
use crate::support::pages::page_size;

/// Bytes of the ring.
const RING: u32 = 1 << 20;

const LENS: [usize; 4] = [8, 64, 512, 4096];

/// What is done with a record. Returns its number.
trait Reading: 'static {
    const KIND: &'static str;
    const NAME: &'static str;

    fn read(payload: &[u8]) -> u64;
}

struct EveryByte;

impl Reading for EveryByte {
    const KIND: &'static str = "drain";
    const NAME: &'static str = "every byte";

    /// One piece of code for all peers: inlined into each, the same loop is up to a third slower in one than in another.
    #[inline(never)]
    fn read(payload: &[u8]) -> u64 {
        fold(payload)
    }
}

struct FirstWord;

impl Reading for FirstWord {
    const KIND: &'static str = "drain, first word";
    const NAME: &'static str = "first word";

    #[inline(always)]
    fn read(payload: &[u8]) -> u64 {
        payload.first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
    }
}

pub fn cases() -> Vec<Case> {
    let every_byte = LENS.into_iter().map(case::<EveryByte>);
    every_byte.chain(LENS.into_iter().map(case::<FirstWord>)).collect()
}

fn case<R: Reading>(len: usize) -> Case {
    Case::new(R::KIND, At::sizes(Sizes::Fixed(len)), format!("drain, {len} B, {}", R::NAME), "ns a record")
        .peer("dynring drain", move || round(len, dynring_drain::<R>))
        .peer("aya", move || round(len, aya::<R>))
        .peer("libbpf-rs", move || round(len, libbpf_rs::<R>))
        .peer("bare loop", move || round(len, bare::<R>))
        .peer("dynring next", move || round(len, dynring_next::<R>))
        .peer("dynring batch", move || round(len, dynring_batch::<R>))
        .baseline("bare loop")
        .goal("dynring drain", 1.00, &["aya", "libbpf-rs"])
        .goal("dynring drain", 1.10, &["bare loop"])
}

/// What was read: records, and the sum of their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Drained {
    records: u64,
    sum: u64,
}

impl Drained {
    #[inline(always)]
    fn add(&mut self, number: u64) {
        self.records += 1;
        self.sum = self.sum.wrapping_add(number);
    }
}

/// Empties the ring that it was made for.
type Drain = Box<dyn FnMut() -> Result<Drained>>;

/// Fills the ring and drains it as often as it takes.
fn round(len: usize, open: fn(&Ring) -> Result<Drain>) -> Result<Round> {
    let ring = Ring::new(RING)?;
    let program = ring.reserving(len as u32)?;
    let mut drain = open(&ring)?;
    let mut next = 1;
    Ok(Box::new(move |records| {
        let (mut read, mut time) = (0, Duration::ZERO);
        while read < records.max(1) {
            let written = program.run(&Records::one(next, &[]).times(u64::MAX))?.written;
            let begun = Instant::now();
            let drained = drain()?;
            time += begun.elapsed();
            let sum = (next..next + written).fold(0, u64::wrapping_add);
            ensure!(drained == Drained { records: written, sum }, "{drained:?} of {written} from {next}");
            (read, next) = (read + written, next + written);
        }
        Ok(Sample::each(read, time))
    }))
}

fn consumer(ring: &Ring) -> Result<Consumer> {
    Ok(dynring::kernel::RingBuf::from_fd(ring)?.into_consumer()?)
}

fn dynring_drain<R: Reading>(ring: &Ring) -> Result<Drain> {
    let mut consumer = consumer(ring)?;
    Ok(Box::new(move || {
        let mut drained = Drained::default();
        consumer.drain(|record| {
            drained.add(R::read(record));
            ControlFlow::Continue(())
        })?;
        Ok(drained)
    }))
}

fn dynring_next<R: Reading>(ring: &Ring) -> Result<Drain> {
    let mut consumer = consumer(ring)?;
    Ok(Box::new(move || {
        let mut drained = Drained::default();
        while let Some(record) = consumer.next()? {
            drained.add(R::read(&record));
        }
        Ok(drained)
    }))
}

fn dynring_batch<R: Reading>(ring: &Ring) -> Result<Drain> {
    let mut consumer = consumer(ring)?;
    Ok(Box::new(move || {
        let mut drained = Drained::default();
        let batch = consumer.batch();
        while let Some(record) = batch.next()? {
            drained.add(R::read(record));
        }
        Ok(drained)
    }))
}

fn aya<R: Reading>(ring: &Ring) -> Result<Drain> {
    let map = MapData::from_fd(ring.as_fd().try_clone_to_owned()?)?;
    let mut ring = aya::maps::RingBuf::try_from(Map::from_map_data(map)?)?;
    Ok(Box::new(move || {
        let mut drained = Drained::default();
        while let Some(item) = ring.next() {
            drained.add(R::read(&item));
        }
        Ok(drained)
    }))
}

fn libbpf_rs<R: Reading>(ring: &Ring) -> Result<Drain> {
    let map = MapHandle::from_map_id(id_of(ring.as_fd())?)?;
    let drained = Rc::new(Cell::new(Drained::default()));
    let mut builder = RingBufferBuilder::new();
    let seen = Rc::clone(&drained);
    builder.add(&map, move |record| {
        let mut drained = seen.get();
        drained.add(R::read(record));
        seen.set(drained);
        0
    })?;
    let ring = builder.build()?;
    Ok(Box::new(move || {
        ring.consume().context("ring_buffer__consume")?;
        Ok(drained.take())
    }))
}

fn bare<R: Reading>(ring: &Ring) -> Result<Drain> {
    let mut bare = Bare::open(ring.as_fd(), page_size(), RING as usize)?;
    Ok(Box::new(move || {
        let mut drained = Drained::default();
        bare.drain(|record| drained.add(R::read(record)));
        Ok(drained)
    }))
}
