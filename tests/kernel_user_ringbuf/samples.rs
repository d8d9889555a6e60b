//! What is produced is what the kernel drains, wherever it lies.

use std::error::Error;

use dynring::ReserveError;
use dynring::kernel::UserRingBuf;

use crate::drain::Window;
use crate::support::pages::page_size;
use crate::support::require_user_ring;

type TestResult = Result<(), Box<dyn Error>>;

fn page() -> u32 {
    page_size() as u32
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + len) as u8).collect()
}

#[test]
fn a_sample_of_any_length_is_drained_whole_wherever_it_lies() -> TestResult {
    let Some(mut ring) = require_user_ring(4096.max(page())) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    for len in 0..=4088 {
        producer.output(&pattern(len))?;
        assert_eq!(ring.drained()?, [pattern(len)], "{len}");
    }
    Ok(())
}

#[test]
fn a_header_in_the_last_8_bytes_has_its_payload_at_the_start_of_the_data() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    for lap in 1..4 {
        let (_, producer_pos) = ring.positions()?;
        let last = lap * u64::from(page()) - 8;
        producer.reserve((last - producer_pos - 8) as usize)?.discard();
        ring.drain(u64::MAX)?;
        assert_eq!(ring.positions()?, (last, last));
        producer.output(b"at the start")?;
        let mut short = producer.reserve(100)?;
        short[..5].copy_from_slice(b"short");
        short.commit_len(5).expect("shorter");
        assert_eq!(ring.drained()?, [&b"at the start"[..], b"short"]);
    }
    Ok(())
}

#[test]
fn each_way_to_reserve_is_drained() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let producer = user.producer()?;
    let owned = producer.reserve_owned(5)?;
    for (mut record, byte) in producer.reserve_batch(&[3, 0, 5])?.zip(b'a'..) {
        record.fill(byte);
        record.commit();
    }
    drop(producer.reserve_batch(&[3, 4])?);
    *producer.reserve_as::<u64>()? = 0;
    producer.reserve_zeroed(2)?.commit();
    let mut lease = producer.lease(100)?;
    lease.output(b"leased")?;
    drop(lease);
    drop((producer, user));
    assert_eq!(ring.drain(u64::MAX)?, 0);
    let mut owned = owned;
    owned.copy_from_slice(b"owned");
    owned.commit();
    assert_eq!(ring.drained()?, [&b"owned"[..], b"aaa", b"", b"ccccc", b"\0\0", b"leased"]);
    Ok(())
}

#[test]
fn a_batch_may_fill_the_ring_to_the_last_byte() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    let half = page_size() / 2 - 8;
    for (mut record, byte) in producer.reserve_batch(&[half, half])?.zip(1..) {
        record.fill(byte);
        record.commit();
    }
    assert_eq!(ring.drained()?, [vec![1; half], vec![2; half]]);
    let error = producer.reserve_batch(&[half, half + 8]).unwrap_err();
    assert_eq!(error, ReserveError::TooLarge { len: page_size(), max: page_size() - 8 });
    Ok(())
}

#[test]
fn producing_goes_on_where_another_kind_of_producer_has_stopped() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let window = Window::of(&ring)?;
    let number = |sample: Vec<u8>| u64::from_ne_bytes(sample.try_into().expect("8 bytes"));
    let mut expected = Vec::new();
    for round in 0..200 {
        window.send(2 * round);
        let producer = UserRingBuf::from_fd(&ring)?.producer()?;
        producer.output(&(2 * round + 1).to_ne_bytes())?;
        expected.extend([2 * round, 2 * round + 1]);
        if round % 7 == 0 {
            let got: Vec<u64> = ring.drained()?.into_iter().map(number).collect();
            assert_eq!(got, std::mem::take(&mut expected), "{round}");
        }
    }
    Ok(())
}
