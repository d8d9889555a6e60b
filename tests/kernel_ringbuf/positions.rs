//! Positions that no correct peer writes.

use std::error::Error;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use dynring::wire::Corrupt;

use crate::bpf::{Query, Records, Ring};
use crate::reader::Reader;
use crate::support::pages::{Pages, WRITE, page_size};
use crate::support::require_kernel;

type TestResult = Result<(), Box<dyn Error>>;

fn page() -> u32 {
    page_size() as u32
}

/// Writes `consumer_pos` behind the consumer's back.
pub(crate) fn forge(ring: &Ring, consumer_pos: u64) -> TestResult {
    Pages::map(ring.as_fd(), WRITE, 0, page_size())?.word(0).store(consumer_pos, Ordering::Relaxed);
    assert_eq!(ring.query(Query::ConsPos)?, consumer_pos, "the kernel takes it at its word");
    Ok(())
}

/// What is wrong, and again and again, whatever programs write meanwhile.
fn sticky(ring: &Ring, reader: &mut Reader) -> Result<Corrupt, Box<dyn Error>> {
    let corrupt = reader.next().expect_err("corrupt");
    for _ in 0..3 {
        ring.output(&Records::one(0, &[0; 8]))?;
        assert_eq!(reader.next().expect_err("still corrupt"), corrupt);
    }
    Ok(corrupt)
}

#[test]
fn a_consumer_position_off_the_grid_is_refused() -> TestResult {
    for off in [1, 4, 7] {
        let Some(ring) = require_kernel(page()) else { return Ok(()) };
        ring.output(&Records::one(0, &[0; 100]))?;
        forge(&ring, off)?;
        let corrupt = sticky(&ring, &mut Reader::open(&ring)?)?;
        let Corrupt::ConsumerPos { found, producer, .. } = corrupt else { panic!("{corrupt}") };
        assert_eq!((found.get(), producer.get()), (off, 112), "{corrupt}");
        assert_eq!(ring.query(Query::ConsPos)?, off, "left as it is");
    }
    Ok(())
}

#[test]
fn a_consumer_position_ahead_of_the_producers_is_refused() -> TestResult {
    for ahead in [8, 4096, 1 << 32, 1 << 63] {
        let Some(ring) = require_kernel(page()) else { return Ok(()) };
        ring.output(&Records::one(0, &[0; 8]))?;
        forge(&ring, 16 + ahead)?;
        let corrupt = sticky(&ring, &mut Reader::open(&ring)?)?;
        assert!(matches!(corrupt, Corrupt::ProducerPos { consumer, .. } if consumer.get() == 16 + ahead), "{corrupt}");
    }
    Ok(())
}

#[test]
fn a_consumer_position_further_behind_than_the_ring_is_long_is_refused() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    for _ in 0..3 {
        ring.output(&Records::one(0, &[0; 1000]))?;
        reader.drain()?;
        ring.output(&Records::one(0, &[0; 2000]))?;
        reader.drain()?;
    }
    drop(reader);
    forge(&ring, 0)?;
    let corrupt = sticky(&ring, &mut Reader::open(&ring)?)?;
    assert!(matches!(corrupt, Corrupt::ProducerPos { .. }), "{corrupt}");
    Ok(())
}

#[test]
fn a_ring_that_was_overrun_under_the_consumer_is_refused() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    let all = u64::from(page()) / 16 - 1;
    assert_eq!(ring.output(&Records::one(0, &[0; 8]).times(all))?.written, all);
    forge(&ring, all * 16)?;
    assert_eq!(ring.output(&Records::one(all, &[0; 8]).times(all))?.written, all);
    let corrupt = sticky(&ring, &mut reader)?;
    assert!(matches!(corrupt, Corrupt::ProducerPos { .. }), "{corrupt}");
    Ok(())
}

#[test]
fn a_payload_that_is_mistaken_for_a_header_reaches_no_further_than_the_producers() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    ring.output(&Records::one(0x3fff_ffff, &[0; 8]))?;
    forge(&ring, 8)?;
    let corrupt = sticky(&ring, &mut Reader::open(&ring)?)?;
    assert!(matches!(corrupt, Corrupt::Length { found: 0x3fff_ffff, available: 8, .. }), "{corrupt}");
    Ok(())
}
