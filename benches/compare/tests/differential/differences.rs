//! Where others are known to differ from dynring. If one of these fails because a peer has changed: good, say so here.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use aya::maps::MapError;
use dynring::kernel::{OpenError, RingBuf, UserRingBuf};
use dynring::{Corrupt, Limits, ReserveError};
use libbpf_rs::RingBuffer;

use crate::readers::{PositionPages, Positions, aya_ring, libbpf_ring};
use crate::support::bpf::{MapType, Records, Ring, create_map};
use crate::support::pages::{Pages, WRITE, page_size};
use crate::support::{require_kernel, require_user_ring};
use crate::user::{Refused, libbpf_producer};

fn page() -> u32 {
    page_size() as u32
}

fn positions(map: impl AsFd) -> Result<(u64, u64)> {
    let Positions { consumer, producer } = PositionPages::of(map.as_fd())?.read();
    Ok((consumer, producer))
}

/// libbpf's consumer, which notes down lengths.
fn noting(ring: &Ring) -> Result<(RingBuffer<'static>, Rc<RefCell<Vec<usize>>>)> {
    let lens = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&lens);
    let libbpf = libbpf_ring(ring.as_fd(), move |record| {
        noted.borrow_mut().push(record.len());
        0
    })?;
    Ok((libbpf, lens))
}

/// A ring with one record of 64 bytes, which begin with `first`, and a `consumer_pos` that somebody has moved to `consumer`.
fn forged(first: u32, consumer: u64) -> Result<Ring> {
    let ring = Ring::new(page())?;
    ring.output(&Records::one(first.into(), &[0; 64]))?;
    Pages::map(ring.as_fd(), WRITE, 0, page_size())?.word(0).store(consumer, Ordering::Release);
    Ok(ring)
}

/// What dynring says of such a ring. It does not move `consumer_pos`.
fn refusal(ring: &Ring) -> Result<Corrupt> {
    let before = positions(ring)?;
    let mut consumer = RingBuf::from_fd(ring)?.into_consumer()?;
    let corrupt = consumer.next().map(|record| record.map(|record| record.to_vec())).expect_err("a corrupt ring");
    assert_eq!(consumer.drain(|_| ControlFlow::Continue(())), Err(corrupt), "sticky");
    drop(consumer);
    assert_eq!(positions(ring)?, before);
    Ok(corrupt)
}

#[test]
fn libbpf_consumes_one_when_asked_for_none() -> Result<()> {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    ring.output(&Records::one(0, &[0; 8]).times(3))?;
    let mut consumer = RingBuf::from_fd(&ring)?.into_consumer()?;
    let none = Limits { records: Some(0), ..Limits::default() };
    assert_eq!(consumer.drain_up_to(none, |_| ControlFlow::Continue(()))?, 0);
    assert_eq!(positions(&ring)?, (0, 48));
    drop(consumer);

    let (libbpf, lens) = noting(&ring)?;
    assert_eq!(libbpf.consume_raw_n(0), 1);
    assert_eq!((lens.take(), positions(&ring)?), (vec![8], (16, 48)));
    Ok(())
}

#[test]
fn a_length_beyond_what_was_produced_is_an_error_where_others_read_on() -> Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let Corrupt::Length { at, found, available } = refusal(&forged(200, 8)?)? else { panic!("not the length") };
    assert_eq!((at.get(), found, available), (8, 200, 64));

    let ring = forged(200, 8)?;
    let (libbpf, lens) = noting(&ring)?;
    assert_eq!(libbpf.consume_raw(), 1);
    assert_eq!((lens.take(), positions(&ring)?), (vec![200], (216, 72)));

    let ring = forged(200, 8)?;
    assert_eq!(aya_ring(ring.as_fd())?.next().map(|record| record.len()), Some(200));
    assert_eq!(positions(&ring)?, (216, 72));
    Ok(())
}

#[test]
fn a_length_beyond_the_ring_is_an_error_where_aya_masks_it() -> Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let overlong = page() + 40;
    let Corrupt::Length { found, .. } = refusal(&forged(overlong, 8)?)? else { panic!("not the length") };
    assert_eq!(found, overlong);

    let ring = forged(overlong, 8)?;
    assert_eq!(aya_ring(ring.as_fd())?.next().map(|record| record.len()), Some(40));

    // Which is still within what it has mapped.
    let ring = forged(overlong, 8)?;
    let (libbpf, lens) = noting(&ring)?;
    assert_eq!(libbpf.consume_raw(), 1);
    assert_eq!(lens.take(), [overlong as usize]);
    Ok(())
}

#[test]
fn a_consumer_position_off_the_grid_is_an_error_where_others_read_on() -> Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let Corrupt::ConsumerPos { found, .. } = refusal(&forged(0, 4)?)? else { panic!("not the consumer position") };
    assert_eq!(found.get(), 4);

    let (libbpf, lens) = noting(&forged(0, 4)?)?;
    assert!(libbpf.consume_raw() > 1);
    assert!(lens.take().iter().all(|&len| len != 64));

    assert_ne!(aya_ring(forged(0, 4)?.as_fd())?.next().map(|record| record.len()), Some(64));
    Ok(())
}

#[test]
fn a_consumer_ahead_of_producers_is_an_error_where_libbpf_sees_nothing_and_aya_records() -> Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let Corrupt::ProducerPos { found, consumer, .. } = refusal(&forged(0, 88)?)? else { panic!("not the producer") };
    assert_eq!((found.get(), consumer.get()), (72, 88));

    let (libbpf, _) = noting(&forged(0, 88)?)?;
    assert_eq!(libbpf.consume_raw(), 0);

    assert_eq!(aya_ring(forged(0, 88)?.as_fd())?.next().map(|record| record.len()), Some(0));
    Ok(())
}

#[test]
fn a_process_opens_a_ring_once_where_others_open_it_again() -> Result<()> {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let open = RingBuf::from_fd(&ring)?;
    assert!(matches!(RingBuf::from_fd(&ring), Err(OpenError::AlreadyOpen { .. })));
    drop(open);

    ring.output(&Records::one(0, &[0; 8]))?;
    let [(one, _), (other, _)] = [noting(&ring)?, noting(&ring)?];
    assert_eq!((one.consume_raw(), other.consume_raw()), (1, 0));

    ring.output(&Records::one(0, &[0; 8]))?;
    let [mut one, mut other] = [aya_ring(ring.as_fd())?, aya_ring(ring.as_fd())?];
    assert_eq!([one.next().is_some(), other.next().is_some()], [true, true], "the same record twice");
    Ok(())
}

#[test]
fn nobody_opens_what_is_no_ring_to_be_read() -> Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let other: OwnedFd = create_map(MapType::UserRingBuf, 0, 0, page())?;
    let error = RingBuf::from_fd(&other).unwrap_err();
    assert!(matches!(error, OpenError::WrongMapType { found: 31, expected: 27, .. }), "{error}");
    assert!(libbpf_ring(other.as_fd(), |_| 0).is_err());
    let error = aya_ring(other.as_fd()).err().and_then(|error| error.downcast().ok());
    assert!(matches!(error, Some(MapError::InvalidMapType { .. })), "{error:?}");
    Ok(())
}

#[test]
fn the_record_at_which_a_callback_stops_is_consumed_by_libbpf_too() -> Result<()> {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    ring.output(&Records::one(0, &[0; 8]).times(3))?;
    let mut consumer = RingBuf::from_fd(&ring)?.into_consumer()?;
    assert_eq!(consumer.drain(|_| ControlFlow::Break(()))?, 1);
    drop(consumer);
    assert_eq!(positions(&ring)?, (16, 48));

    // What the callback returns takes the place of the count.
    let libbpf = libbpf_ring(ring.as_fd(), |_| -7)?;
    assert_eq!((libbpf.consume_raw(), positions(&ring)?), (-7, (32, 48)));
    Ok(())
}

#[test]
fn a_sample_that_the_kernel_never_gets_past_is_refused_where_libbpf_reserves_it() -> Result<()> {
    const RING: u32 = 32 << 20;
    const MAX_DYNPTR: usize = (1 << 24) - 1;

    let Some(ring) = require_user_ring(RING) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let producer = user.producer()?;
    let error = producer.reserve(MAX_DYNPTR + 1).unwrap_err();
    assert_eq!(error, ReserveError::TooLarge { len: MAX_DYNPTR + 1, max: MAX_DYNPTR });
    producer.reserve(MAX_DYNPTR)?.commit();
    assert_eq!(ring.count()?, 1);
    drop((producer, user));

    let libbpf = libbpf_producer(&ring)?;
    libbpf.submit(libbpf.reserve(MAX_DYNPTR + 1)?)?;
    libbpf.submit(libbpf.reserve(8)?)?;
    let before = positions(&ring)?;
    for _ in 0..3 {
        assert_eq!(ring.count()?, -i64::from(libc::E2BIG));
    }
    assert_eq!(positions(&ring)?, before, "stuck");
    Ok(())
}

#[test]
fn a_length_of_more_than_32_bits_is_refused_where_libbpf_rs_truncates_it() -> Result<()> {
    const HUGE: usize = (1 << 32) + 8;

    let Some(ring) = require_user_ring(page()) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let error = user.producer()?.reserve(HUGE).unwrap_err();
    assert_eq!(error, ReserveError::TooLarge { len: HUGE, max: page_size() - 8 });
    assert_eq!((Refused::of_dynring(&error)?, positions(&ring)?), (Refused::TooBig, (0, 0)));
    drop(user);

    // Nobody may look at this sample: it believes that it is 4 GiB long.
    let sample = libbpf_producer(&ring)?.reserve(HUGE).map(drop);
    assert!(sample.is_ok());
    assert_eq!(positions(&ring)?, (0, 16));
    Ok(())
}
