//! A program loads its BPF programs and makes its maps with aya, and has dynring read one ring and fill another.
//!
//! ```sh
//! cargo run --example aya
//! ```

#[allow(clippy::manual_is_multiple_of, reason = "shared with what builds with an older Rust")]
#[path = "../../../tests/support/mod.rs"]
mod support;

use std::ops::ControlFlow;
use std::os::fd::AsFd;

use anyhow::Result;
use aya::maps::MapData;
use aya_obj::generated::bpf_map_type;
use dynring::kernel::{RingBuf, UserRingBuf};
use support::bpf::{Records, Ring};
use support::drain::UserRing;
use support::pages::page_size;
use support::require_kernel;

/// A map as aya makes it. One of an object file is there once `Ebpf::load` has returned: `Ebpf::map` finds it by name.
fn create(map_type: bpf_map_type, name: &str) -> Result<MapData> {
    let definition = aya_obj::Map::new_from_params(map_type as u32, 0, 0, page_size() as u32, 0);
    Ok(MapData::create(definition, name, None)?)
}

/// Programs write to the ring, dynring reads it.
fn consume() -> Result<()> {
    let map = create(bpf_map_type::BPF_MAP_TYPE_RINGBUF, "events")?;
    let mut consumer = RingBuf::from_fd(map.fd())?.into_consumer()?;

    // Stands for what the programs of the object file do.
    let programs = Ring::of(map.fd().as_fd().try_clone_to_owned()?)?;
    let written = programs.output(&Records::one(1, &[0; 24]).times(10))?.written;

    let mut numbers = Vec::new();
    consumer.drain(|record| {
        assert_eq!(record.len(), 24);
        numbers.extend(record.first_chunk().map(|number| u64::from_ne_bytes(*number)));
        ControlFlow::Continue(())
    })?;
    assert_eq!((written, numbers), (10, (1..=10).collect()));
    assert_eq!((consumer.consumer_pos(), consumer.producer_pos()), (320, 320));
    println!("a ring made by aya: dynring has read {written} records");
    Ok(())
}

/// dynring fills the ring, from two threads, and programs drain it.
fn produce() -> Result<()> {
    let map = create(bpf_map_type::BPF_MAP_TYPE_USER_RINGBUF, "commands")?;
    let ring = UserRingBuf::from_fd(map.fd())?;
    let (one, other) = (ring.producer()?, ring.producer()?);
    std::thread::scope(|scope| {
        scope.spawn(move || one.output(b"from one"));
        scope.spawn(move || other.output(b"from another"));
    });

    // Stands for what the programs of the object file do.
    let mut programs = UserRing::of(map.fd().as_fd().try_clone_to_owned()?)?;
    let mut samples = programs.drained()?;
    samples.sort();
    assert_eq!(samples, [&b"from another"[..], b"from one"]);
    println!("a user ring made by aya: the kernel has drained {} samples of dynring's", samples.len());
    Ok(())
}

fn main() -> Result<()> {
    if require_kernel(page_size() as u32).is_none() {
        return Ok(());
    }
    consume()?;
    produce()
}
