//! Rings of the kernel, beside the loops that people write by hand: draining what programs have filled, and filling what
//! programs drain. What the kernel does is not counted.
//!
//! Other libraries are in `benches/compare`.

#[path = "common/bare.rs"]
mod bare;
#[path = "common/mod.rs"]
mod common;
#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use bare::{Bare, BareProducer};
use common::{fill, fold, pin};
use criterion::{BenchmarkId, Criterion, Throughput};
use dynring::kernel::{RingBuf, UserRingBuf};
use support::bpf::{Records, Ring};
use support::drain::UserRing;
use support::pages::page_size;
use support::{require_kernel, require_user_ring};

/// Bytes of a ring that programs fill.
const RING: u32 = 1 << 20;

/// Bytes of a ring that programs drain.
const USER_RING: u32 = 256 << 10;

/// Bytes of a lease.
const LEASE: usize = 16 << 10;

/// Empties the ring, every byte read, and returns how many records it was.
type Drain = Box<dyn FnMut() -> u64>;

fn check(record: &[u8]) {
    assert_ne!(black_box(fold(record)), 0, "a torn record");
}

fn drain(ring: &Ring) -> io::Result<Drain> {
    let mut consumer = RingBuf::from_fd(ring)?.into_consumer()?;
    Ok(Box::new(move || {
        let drained = consumer.drain(|record| {
            check(record);
            ControlFlow::Continue(())
        });
        drained.unwrap()
    }))
}

fn next(ring: &Ring) -> io::Result<Drain> {
    let mut consumer = RingBuf::from_fd(ring)?.into_consumer()?;
    Ok(Box::new(move || {
        let mut records = 0;
        while let Some(record) = consumer.next().unwrap() {
            check(&record);
            records += 1;
        }
        records
    }))
}

fn batch(ring: &Ring) -> io::Result<Drain> {
    let mut consumer = RingBuf::from_fd(ring)?.into_consumer()?;
    Ok(Box::new(move || {
        let (batch, mut records) = (consumer.batch(), 0);
        while let Some(record) = batch.next().unwrap() {
            check(record);
            records += 1;
        }
        records
    }))
}

fn bare_drain(ring: &Ring) -> io::Result<Drain> {
    let mut bare = Bare::open(ring.as_fd(), page_size(), RING as usize)?;
    Ok(Box::new(move || bare.drain(check)))
}

/// The time that it takes to drain `records` records of `len` bytes.
fn drained(records: u64, len: usize, open: fn(&Ring) -> io::Result<Drain>) -> io::Result<Duration> {
    let ring = Ring::new(RING)?;
    let (program, mut drain) = (ring.reserving(len as u32)?, open(&ring)?);
    let (mut left, mut time) = (records, Duration::ZERO);
    while left > 0 {
        let written = program.run(&Records::one(1, &[]).times(left))?.written;
        let begun = Instant::now();
        assert_eq!(drain(), written);
        time += begun.elapsed();
        left -= written;
    }
    Ok(time)
}

/// Produces as many records of as many bytes as it is told. They fit.
type Send = Box<dyn FnMut(u64, usize)>;

fn reserve(ring: &UserRing) -> io::Result<Send> {
    let producer = UserRingBuf::from_fd(ring)?.producer()?;
    Ok(Box::new(move |records, len| {
        for nth in 1..=records {
            let mut sample = producer.reserve(len).unwrap();
            fill(&mut sample, nth);
            sample.commit();
        }
    }))
}

fn lease(ring: &UserRing) -> io::Result<Send> {
    let producer = UserRingBuf::from_fd(ring)?.producer()?;
    Ok(Box::new(move |records, len| {
        let mut nth = 1;
        while nth <= records {
            let mut lease = producer.lease(LEASE.min((records - nth + 1) as usize * (len + 8))).unwrap();
            while let (true, Ok(mut sample)) = (nth <= records, lease.reserve(len)) {
                fill(&mut sample, nth);
                sample.commit();
                nth += 1;
            }
        }
    }))
}

fn bare_send(ring: &UserRing) -> io::Result<Send> {
    let mut bare = BareProducer::open(ring.as_fd(), page_size(), USER_RING as usize)?;
    Ok(Box::new(move |records, len| {
        for nth in 1..=records {
            assert!(bare.send(len, |payload| fill(payload, nth)));
        }
    }))
}

/// The time that it takes to produce `records` records of `len` bytes.
fn produced(records: u64, len: usize, open: fn(&UserRing) -> io::Result<Send>) -> io::Result<Duration> {
    let ring = UserRing::new(USER_RING)?;
    let mut send = open(&ring)?;
    let fit = u64::from(USER_RING) / (len as u64 + 8);
    let (mut left, mut time) = (records, Duration::ZERO);
    while left > 0 {
        let count = left.min(fit);
        let begun = Instant::now();
        send(count, len);
        time += begun.elapsed();
        assert_eq!(ring.count()?, count as i64);
        left -= count;
    }
    Ok(time)
}

fn benchmarks(criterion: &mut Criterion) {
    let drains = [("drain", drain as fn(&Ring) -> _), ("next", next), ("batch", batch), ("bare loop", bare_drain)];
    for len in [8, 64, 512, 4096] {
        let mut group = criterion.benchmark_group(format!("kernel ring, {len} B"));
        group.throughput(Throughput::Elements(1));
        for (name, open) in drains {
            let id = BenchmarkId::from_parameter(name);
            group.bench_function(id, |bencher| bencher.iter_custom(|records| drained(records, len, open).unwrap()));
        }
    }
    let sends = [("reserve", reserve as fn(&UserRing) -> _), ("lease", lease), ("bare loop", bare_send)];
    for len in [8, 64] {
        let mut group = criterion.benchmark_group(format!("user ring, {len} B"));
        group.throughput(Throughput::Elements(1));
        for (name, open) in sends {
            let id = BenchmarkId::from_parameter(name);
            group.bench_function(id, |bencher| bencher.iter_custom(|records| produced(records, len, open).unwrap()));
        }
    }
}

fn main() {
    if require_kernel(RING).is_none() || require_user_ring(USER_RING).is_none() {
        return;
    }
    pin(0);
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    benchmarks(&mut criterion);
    criterion.final_summary();
}
