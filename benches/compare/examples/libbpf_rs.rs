//! A program loads its BPF programs and makes its maps with libbpf-rs, and has dynring read one ring and fill another.
//!
//! ```sh
//! cargo run --example libbpf_rs
//! ```

#[allow(clippy::manual_is_multiple_of, reason = "shared with what builds with an older Rust")]
#[path = "../../../tests/support/mod.rs"]
mod support;

use std::ops::ControlFlow;
use std::os::fd::AsFd;

use anyhow::Result;
use dynring::kernel::{RingBuf, UserRingBuf};
use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapHandle, MapType};
use support::bpf::{Records, Ring};
use support::drain::UserRing;
use support::pages::page_size;
use support::require_kernel;

/// A map as libbpf-rs makes it. Those of a skeleton are in its `maps`, and have descriptors likewise: `AsFd`.
fn create(map_type: MapType, name: &str) -> Result<MapHandle> {
    let options = bpf_map_create_opts { sz: size_of::<bpf_map_create_opts>() as u64, ..Default::default() };
    Ok(MapHandle::create(map_type, Some(name), 0, 0, page_size() as u32, &options)?)
}

/// Programs write to the ring, dynring reads it.
fn consume() -> Result<()> {
    let map = create(MapType::RingBuf, "events")?;
    let mut consumer = RingBuf::from_fd(&map)?.into_consumer()?;

    // Stands for what the programs of the skeleton do.
    let programs = Ring::of(map.as_fd().try_clone_to_owned()?)?;
    let written = programs.output(&Records::one(1, &[0; 24]).times(10))?.written;

    let mut numbers = Vec::new();
    consumer.drain(|record| {
        assert_eq!(record.len(), 24);
        numbers.extend(record.first_chunk().map(|number| u64::from_ne_bytes(*number)));
        ControlFlow::Continue(())
    })?;
    assert_eq!((written, numbers), (10, (1..=10).collect()));
    assert_eq!((consumer.consumer_pos(), consumer.producer_pos()), (320, 320));
    println!("a ring made by libbpf-rs: dynring has read {written} records");
    Ok(())
}

/// dynring fills the ring, from two threads, and programs drain it.
fn produce() -> Result<()> {
    let map = create(MapType::UserRingBuf, "commands")?;
    let ring = UserRingBuf::from_fd(&map)?;
    let (one, other) = (ring.producer()?, ring.producer()?);
    std::thread::scope(|scope| {
        scope.spawn(move || one.output(b"from one"));
        scope.spawn(move || other.output(b"from another"));
    });

    // Stands for what the programs of the skeleton do.
    let mut programs = UserRing::of(map.as_fd().try_clone_to_owned()?)?;
    let mut samples = programs.drained()?;
    samples.sort();
    assert_eq!(samples, [&b"from another"[..], b"from one"]);
    println!("a user ring made by libbpf-rs: the kernel has drained {} samples of dynring's", samples.len());
    Ok(())
}

fn main() -> Result<()> {
    if require_kernel(page_size() as u32).is_none() {
        return Ok(());
    }
    consume()?;
    produce()
}
