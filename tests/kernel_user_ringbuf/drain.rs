//! What the kernel makes of a ring.

use std::error::Error;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use dynring::ReserveError;
use dynring::kernel::UserRingBuf;

use crate::support::drain::{MAX_SAMPLES, UserRing};
use crate::support::pages::{Pages, WRITE, page_size};
use crate::support::require_user_ring;

type TestResult = Result<(), Box<dyn Error>>;

/// The producer page and the data twice, written as a lone producer does that knows only the kernel's protocol.
pub(crate) struct Window {
    pages: Pages,
    size: u64,
}

impl Window {
    pub(crate) fn of(ring: &UserRing) -> std::io::Result<Self> {
        let size = UserRingBuf::from_fd(ring)?.size().bytes();
        let pages = Pages::map(ring.as_fd(), WRITE, page_size(), page_size() + 2 * size as usize)?;
        Ok(Self { pages, size })
    }

    pub(crate) fn set_producer_pos(&self, position: u64) {
        self.pages.word(0).store(position, Ordering::Release);
    }

    /// The word at `offset` of the producer page.
    pub(crate) fn word(&self, offset: usize) -> &std::sync::atomic::AtomicU64 {
        assert!(offset < page_size());
        self.pages.word(offset)
    }

    pub(crate) fn set_header(&self, at: u64, word: u32) {
        let mut header = [0; 8];
        header[..4].copy_from_slice(&word.to_ne_bytes());
        let offset = page_size() + (at % self.size) as usize;
        self.pages.word(offset).store(u64::from_ne_bytes(header), Ordering::Relaxed);
    }

    /// Sends a sample of 8 bytes, as libbpf does.
    pub(crate) fn send(&self, payload: u64) {
        let at = self.pages.word(0).load(Ordering::Acquire);
        self.set_header(at, 8);
        let offset = page_size() + ((at + 8) % self.size) as usize;
        self.pages.word(offset).store(payload, Ordering::Relaxed);
        self.set_producer_pos(at + 16);
    }
}

fn page() -> u32 {
    page_size() as u32
}

#[test]
fn a_reservation_that_is_not_finished_stops_the_drain_there() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let (producer, another) = (user.producer()?, user.producer()?);
    producer.output(b"before")?;
    let held = producer.reserve(4)?;
    another.output(b"behind")?;
    assert_eq!(ring.drained()?, [b"before"]);
    assert_eq!(ring.drain(u64::MAX)?, 0, "no data, which is no error");
    held.discard();
    assert_eq!(ring.drained()?, [b"behind"]);
    Ok(())
}

#[test]
fn one_drain_looks_at_128_ki_samples_discarded_ones_included() -> TestResult {
    const RING: u32 = 4 << 20;

    let Some(ring) = require_user_ring(RING) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    for number in 0..2 * MAX_SAMPLES + 10 {
        let sample = producer.reserve(0)?;
        if number % 4 == 0 { sample.discard() } else { sample.commit() }
    }
    assert_eq!(ring.count()?, MAX_SAMPLES as i64 * 3 / 4);
    assert_eq!(ring.positions()?.0, MAX_SAMPLES * 8);
    assert_eq!(ring.count()?, MAX_SAMPLES as i64 * 3 / 4);
    assert_eq!(ring.count()?, 7);
    assert_eq!(ring.count()?, 0);
    Ok(())
}

#[test]
fn the_kernel_never_gets_past_a_sample_of_16_mib_which_is_refused_up_front() -> TestResult {
    const RING: u32 = 64 << 20;
    const MAX: usize = (1 << 24) - 1;

    let Some(ring) = require_user_ring(RING) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let producer = user.producer()?;
    assert_eq!((user.max_len(), producer.max_len()), (MAX, MAX));
    let too_large = |len, max| ReserveError::TooLarge { len, max };
    assert_eq!(producer.reserve(MAX + 1).unwrap_err(), too_large(MAX + 1, MAX));
    assert_eq!(producer.lease(MAX + 8).unwrap_err(), too_large(MAX, MAX - 7));
    drop(producer.lease(MAX)?);
    producer.reserve(MAX)?.commit();
    producer.reserve(MAX)?.commit_len(0).expect("shorter");
    assert_eq!(ring.count()?, 2);
    // Together, they may be more.
    assert_eq!(producer.reserve_batch(&[MAX, MAX, MAX])?.map(|sample| sample.commit()).count(), 3);
    assert_eq!(ring.count()?, 3);

    let (_, producer_pos) = ring.positions()?;
    let window = Window::of(&ring)?;
    window.set_header(producer_pos, 1 << 24);
    window.set_producer_pos(producer_pos + (1 << 24) + 8);
    for _ in 0..3 {
        assert_eq!(ring.count()?, -i64::from(libc::E2BIG));
    }
    Ok(())
}

#[test]
fn a_lease_that_is_held_is_no_data_and_its_samples_are_drained_as_they_come() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    let mut lease = producer.lease(256)?;
    assert_eq!(ring.drain(u64::MAX)?, 0);
    lease.output(b"first")?;
    assert_eq!(ring.drained()?, [b"first"]);
    lease.output(b"")?;
    lease.output(b"third")?;
    assert_eq!(ring.drained()?, [&b""[..], b"third"]);
    drop(lease);
    producer.output(b"behind")?;
    assert_eq!(ring.drained()?, [b"behind"]);
    let (consumer_pos, producer_pos) = ring.positions()?;
    assert_eq!(consumer_pos, producer_pos);
    Ok(())
}
