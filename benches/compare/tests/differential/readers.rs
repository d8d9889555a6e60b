//! Whoever reads rings of the kernel, in one shape.

#![expect(unsafe_code, reason = "asks libbpf for positions, for which libbpf-rs has no words")]

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use aya::maps::{Map, MapData, RingBuf as AyaRingBuf};
use dynring::{Consumer, Limits};
use libbpf_rs::libbpf_sys::{ring__consumer_pos, ring__producer_pos, ring_buffer__ring};
use libbpf_rs::{AsRawLibbpf, MapHandle, RingBuffer, RingBufferBuilder};

use crate::support::id_of;
use crate::support::pages::{Pages, READ, page_size};

/// Payloads in order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    pub lens: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Seen {
    pub fn add(&mut self, payload: &[u8]) {
        self.lens.push(payload.len());
        self.bytes.extend_from_slice(payload);
    }

    pub fn clear(&mut self) {
        self.lens.clear();
        self.bytes.clear();
    }
}

/// Where a ring is: `consumer_pos` and `producer_pos`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Positions {
    pub consumer: u64,
    pub producer: u64,
}

/// The pages in which positions are, mapped by nobody's code but the test's.
#[derive(Debug)]
pub struct PositionPages {
    consumer: Pages,
    producer: Pages,
}

impl PositionPages {
    pub fn of(map: BorrowedFd<'_>) -> Result<Self> {
        let page = |nth| Pages::map(map, READ, nth * page_size(), page_size());
        Ok(Self { consumer: page(0)?, producer: page(1)? })
    }

    pub fn read(&self) -> Positions {
        let word = |page: &Pages| page.word(0).load(Ordering::Acquire);
        Positions { consumer: word(&self.consumer), producer: word(&self.producer) }
    }
}

/// Reads a ring.
pub trait Reader {
    fn name(&self) -> &'static str;

    /// Reads what is there, but no more than `at_most` records. Returns how many it says that it was.
    fn read(&mut self, at_most: Option<u64>, seen: &mut Seen) -> Result<u64>;

    /// What it says of the ring's positions, if it says anything.
    fn positions(&self) -> Option<Positions>;
}

/// How a reader is opened.
pub type Open = fn(BorrowedFd<'_>) -> Result<Box<dyn Reader>>;

/// Everybody.
pub const READERS: [Open; 5] = [
    |map| Dynring::open(map, Manner::Next),
    |map| Dynring::open(map, Manner::Drain),
    |map| Dynring::open(map, Manner::Batch),
    Libbpf::open,
    Aya::open,
];

/// How dynring is asked for records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Next,
    Drain,
    Batch,
}

#[derive(Debug)]
pub struct Dynring {
    consumer: Consumer,
    manner: Manner,
}

impl Dynring {
    pub fn open(map: BorrowedFd<'_>, manner: Manner) -> Result<Box<dyn Reader>> {
        let consumer = dynring::kernel::RingBuf::from_fd(map)?.into_consumer()?;
        Ok(Box::new(Self { consumer, manner }))
    }

    fn next(&mut self, at_most: u64, seen: &mut Seen) -> Result<u64> {
        let mut records = 0;
        while records < at_most {
            let Some(record) = self.consumer.next()? else { break };
            seen.add(&record);
            records += 1;
        }
        Ok(records)
    }

    fn batch(&mut self, at_most: u64, seen: &mut Seen) -> Result<u64> {
        let (batch, mut records) = (self.consumer.batch(), 0);
        while records < at_most {
            let Some(record) = batch.next()? else { break };
            seen.add(record);
            records += 1;
        }
        Ok(records)
    }
}

impl Reader for Dynring {
    fn name(&self) -> &'static str {
        match self.manner {
            Manner::Next => "dynring next",
            Manner::Drain => "dynring drain",
            Manner::Batch => "dynring batch",
        }
    }

    fn read(&mut self, at_most: Option<u64>, seen: &mut Seen) -> Result<u64> {
        let each = |seen: &mut Seen, record: &[u8]| {
            seen.add(record);
            ControlFlow::Continue(())
        };
        match (self.manner, at_most) {
            (Manner::Drain, None) => Ok(self.consumer.drain(|record| each(seen, record))?),
            (Manner::Drain, records) => {
                let limits = Limits { records, ..Limits::default() };
                Ok(self.consumer.drain_up_to(limits, |record| each(seen, record))?)
            }
            (Manner::Next, _) => self.next(at_most.unwrap_or(u64::MAX), seen),
            (Manner::Batch, _) => self.batch(at_most.unwrap_or(u64::MAX), seen),
        }
    }

    fn positions(&self) -> Option<Positions> {
        let positions = Positions { consumer: self.consumer.consumer_pos(), producer: self.consumer.producer_pos() };
        assert_eq!(self.consumer.available(), positions.producer - positions.consumer);
        Some(positions)
    }
}

pub struct Libbpf {
    ring: RingBuffer<'static>,
    seen: Rc<RefCell<Seen>>,
}

impl Libbpf {
    pub fn open(map: BorrowedFd<'_>) -> Result<Box<dyn Reader>> {
        let seen = Rc::new(RefCell::new(Seen::default()));
        let told = Rc::clone(&seen);
        let ring = libbpf_ring(map, move |payload| {
            told.borrow_mut().add(payload);
            0
        })?;
        Ok(Box::new(Self { ring, seen }))
    }
}

/// libbpf's consumer of a ring, which calls `each` with each record.
pub fn libbpf_ring(map: BorrowedFd<'_>, each: impl FnMut(&[u8]) -> i32 + 'static) -> Result<RingBuffer<'static>> {
    let map = MapHandle::from_map_id(id_of(map)?)?;
    let mut builder = RingBufferBuilder::new();
    builder.add(&map, each)?;
    Ok(builder.build()?)
}

/// What libbpf says of the positions of the one ring.
pub fn libbpf_positions(ring: &RingBuffer<'_>) -> Positions {
    // SAFETY: the pointer is that of a living object, which has one ring.
    let ring = unsafe { ring_buffer__ring(ring.as_libbpf_object().as_ptr(), 0) };
    // SAFETY: as above.
    let consumer = unsafe { ring__consumer_pos(ring) };
    // SAFETY: as above.
    let producer = unsafe { ring__producer_pos(ring) };
    Positions { consumer, producer }
}

impl Reader for Libbpf {
    fn name(&self) -> &'static str {
        "libbpf-rs"
    }

    fn read(&mut self, at_most: Option<u64>, seen: &mut Seen) -> Result<u64> {
        let count = match at_most {
            // It would consume one: `differences::libbpf_consumes_one_when_asked_for_none`.
            Some(0) => 0,
            Some(most) => self.ring.consume_raw_n(most as usize),
            None => self.ring.consume_raw(),
        };
        std::mem::swap(seen, &mut self.seen.borrow_mut());
        self.seen.borrow_mut().clear();
        Ok(u64::try_from(count)?)
    }

    fn positions(&self) -> Option<Positions> {
        Some(libbpf_positions(&self.ring))
    }
}

pub struct Aya(AyaRingBuf<MapData>);

impl Aya {
    pub fn open(map: BorrowedFd<'_>) -> Result<Box<dyn Reader>> {
        Ok(Box::new(Self(aya_ring(map)?)))
    }
}

/// aya's consumer of a ring.
pub fn aya_ring(map: BorrowedFd<'_>) -> Result<AyaRingBuf<MapData>> {
    let map = MapData::from_fd(map.try_clone_to_owned()?)?;
    Ok(AyaRingBuf::try_from(Map::from_map_data(map)?)?)
}

impl Reader for Aya {
    fn name(&self) -> &'static str {
        "aya"
    }

    fn read(&mut self, at_most: Option<u64>, seen: &mut Seen) -> Result<u64> {
        let mut records = 0;
        while at_most.is_none_or(|most| records < most) {
            let Some(record) = self.0.next() else { break };
            seen.add(&record);
            records += 1;
        }
        Ok(records)
    }

    fn positions(&self) -> Option<Positions> {
        None
    }
}
