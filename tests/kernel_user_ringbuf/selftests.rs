//! What the kernel's own tests ask of libbpf, under the names that it has there.
//!
//! Source: `tools/testing/selftests/bpf/prog_tests/user_ringbuf.c` in the kernel.

use std::error::Error;
use std::io;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use dynring::kernel::{OpenError, RingBuf, UserRingBuf};
use dynring::{Corrupt, ReserveError};

use crate::drain::Window;
use crate::support::bpf::{Records, Ring};
use crate::support::drain::UserRing;
use crate::support::pages::{EXECUTE, Pages, READ, WRITE, page_size};
use crate::support::require_user_ring;

type TestResult = Result<(), Box<dyn Error>>;

fn page() -> u32 {
    page_size() as u32
}

/// Bytes of each sample that is sent in numbers, and of its header.
const SAMPLE: usize = 32;

fn sample(number: u64) -> [u8; SAMPLE] {
    let mut sample = [0xa5; SAMPLE];
    sample[..8].copy_from_slice(&number.to_ne_bytes());
    sample
}

fn number(sample: &[u8]) -> u64 {
    u64::from_ne_bytes(*sample.first_chunk().expect("a number"))
}

/// How many samples fit into a ring of one page, which may be full to the last byte.
fn all() -> u64 {
    page_size() as u64 / (SAMPLE as u64 + 8)
}

#[test]
fn mappings() -> io::Result<()> {
    fn refused<T>(with: i32, result: io::Result<T>) {
        assert_eq!(result.err().and_then(|error| error.raw_os_error()), Some(with));
    }

    let page = page_size();
    let Some(ring) = require_user_ring(page as u32) else { return Ok(()) };
    let map = |protection, offset, bytes| Pages::map(ring.as_fd(), protection, offset, bytes);
    // The consumer page can not be written, nor become so.
    refused(libc::EPERM, map(WRITE, 0, page));
    refused(libc::EPERM, map(WRITE, 0, 2 * page));
    let consumer = map(READ, 0, page)?;
    refused(libc::EACCES, consumer.protect(WRITE));
    refused(libc::EACCES, consumer.protect(EXECUTE));
    // Everything else can, but not be executed.
    for (offset, bytes) in [(page, page), (2 * page, 2 * page), (page, 3 * page)] {
        refused(libc::EACCES, map(WRITE, offset, bytes)?.protect(EXECUTE));
    }
    map(READ, 0, 4 * page)?;
    refused(libc::EINVAL, map(READ, page, 4 * page));
    refused(libc::EINVAL, map(WRITE, 4 * page, page));
    // What the crate maps beside it is no hindrance.
    UserRingBuf::from_fd(&ring).map(drop)?;
    Ok(())
}

/// What is made of a header that claims `len` bytes when `producer_pos` is as given.
struct Posted {
    /// What the kernel says.
    drained: i64,
    /// What the crate does.
    opened: Result<(), OpenError>,
}

fn post(ring: &UserRing, len: u32, producer_pos: u64) -> io::Result<Posted> {
    let window = Window::of(ring)?;
    window.set_header(0, len);
    window.set_producer_pos(producer_pos);
    let drained = ring.count()?;
    assert_eq!(ring.count()?, drained, "again and again");
    assert_eq!(ring.positions()?, (0, producer_pos));
    Ok(Posted { drained, opened: UserRingBuf::from_fd(ring).map(drop) })
}

#[test]
fn post_misaligned() -> TestResult {
    let Some(ring) = require_user_ring(page()) else { return Ok(()) };
    let Posted { drained, opened } = post(&ring, 32, 47)?;
    assert_eq!(drained, -i64::from(libc::EINVAL));
    assert!(matches!(opened, Err(OpenError::Corrupt(Corrupt::ProducerPos { found, .. })) if found.get() == 47));
    Ok(())
}

#[test]
fn post_producer_wrong_offset() -> TestResult {
    let Some(ring) = require_user_ring(page()) else { return Ok(()) };
    let Posted { drained, opened } = post(&ring, 32, 32)?;
    assert_eq!(drained, -i64::from(libc::EINVAL));
    opened?;
    Ok(())
}

#[test]
fn post_larger_than_ringbuf_sz() -> TestResult {
    let Some(ring) = require_user_ring(page()) else { return Ok(()) };
    let Posted { drained, opened } = post(&ring, page(), u64::from(page()) + 8)?;
    assert_eq!(drained, -i64::from(libc::E2BIG));
    assert!(matches!(opened, Err(OpenError::Corrupt(Corrupt::ProducerPos { .. }))));
    Ok(())
}

#[test]
fn basic() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    producer.output(&sample(1))?;
    producer.output(&sample(2))?;
    assert_eq!(ring.drained()?, [sample(1), sample(2)]);
    assert_eq!(ring.drained()?, [[0_u8; 0]; 0]);
    Ok(())
}

#[test]
fn sample_full_ring_buffer() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    let whole = page_size() - 8;
    assert_eq!(producer.max_len(), whole);
    // From the second on, they reach over the end of the data.
    for lead in [0, 8, 8, 1000] {
        if lead > 0 {
            producer.output(&vec![0; lead])?;
            assert_eq!(ring.drained()?.len(), 1);
        }
        let payload: Vec<u8> = (0..whole).map(|at| (at * 7 + lead) as u8).collect();
        producer.output(&payload)?;
        assert_eq!(producer.output(b"").unwrap_err(), ReserveError::Full);
        assert_eq!(ring.drained()?, [payload]);
    }
    Ok(())
}

#[test]
fn post_alignment_autoadjust() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    let odd = vec![0x5a; SAMPLE + 1];
    producer.output(&odd)?;
    assert_eq!(ring.positions()?, (0, SAMPLE as u64 + 16));
    assert_eq!(ring.drained()?, [odd]);
    Ok(())
}

#[test]
fn overfill() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let producer = user.producer()?;
    let sent: Vec<_> = (0..5 * all()).filter(|&number| producer.output(&sample(number)).is_ok()).collect();
    assert_eq!(sent, Vec::from_iter(0..all()));
    assert_eq!(producer.output(&sample(0)).unwrap_err(), ReserveError::Full);
    assert_eq!(user.stats().refused, 4 * all() + 1);
    assert_eq!(ring.drained()?.len() as u64, all());
    Ok(())
}

#[test]
fn discards_properly_ignored() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    for _ in 0..all() {
        producer.reserve(SAMPLE)?.discard();
    }
    assert_eq!(producer.reserve(SAMPLE).unwrap_err(), ReserveError::Full);
    assert_eq!(ring.drain(u64::MAX)?, 0);
    assert_eq!(ring.reported()?, [[0_u8; 0]; 0]);
    for number in 0..all() {
        producer.output(&sample(number))?;
    }
    assert!(ring.drained()?.iter().map(|sample| number(sample)).eq(0..all()));
    Ok(())
}

#[test]
fn loop_() -> TestResult {
    const SAMPLES: u64 = 8192;

    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    let (mut sent, mut got) = (0, Vec::new());
    while sent < SAMPLES {
        while sent < SAMPLES && producer.output(&sample(sent)).is_ok() {
            sent += 1;
        }
        got.extend(ring.drained()?);
    }
    assert!(got.iter().map(|sample| number(sample)).eq(0..SAMPLES));
    Ok(())
}

#[test]
fn msg_protocol() -> TestResult {
    const OPERATIONS: u64 = 64;
    const A_KICK: u64 = 8;

    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    // Where the kernel answers.
    let answers = Ring::new(page())?;
    let mut reader = RingBuf::from_fd(&answers)?.into_consumer()?;
    let (mut asked, mut answered) = (0, 0);
    while answered < OPERATIONS {
        while asked < OPERATIONS && producer.output(&sample(asked)).is_ok() {
            asked += 1;
        }
        assert_eq!(ring.drain(A_KICK)?, A_KICK as i64);
        for operation in ring.reported()? {
            answers.output(&Records::one(number(&operation), &[0; 8]))?;
        }
        for _ in 0..A_KICK {
            assert_eq!(number(&reader.next()?.expect("an answer")), answered);
            answered += 1;
        }
        assert!(reader.next()?.is_none());
    }
    Ok(())
}

#[test]
fn blocking_reserve() -> TestResult {
    const TIMEOUT: Duration = Duration::from_secs(1);

    fn drain_later(ring: &UserRing) -> io::Result<i64> {
        thread::sleep(TIMEOUT / 10);
        ring.drain(u64::MAX)
    }

    let Some(ring) = require_user_ring(page()) else { return Ok(()) };
    let producer = UserRingBuf::from_fd(&ring)?.producer()?;
    while producer.output(&sample(0)).is_ok() {}
    let begun = Instant::now();
    assert_eq!(producer.reserve_blocking(SAMPLE, Some(TIMEOUT)).unwrap_err(), ReserveError::Full);
    assert!(begun.elapsed() >= TIMEOUT, "{:?}", begun.elapsed());
    thread::scope(|scope| -> TestResult {
        let drainer = scope.spawn(|| drain_later(&ring));
        producer.reserve_blocking(SAMPLE, None)?.commit();
        assert_eq!(drainer.join().expect("the drainer")?, all() as i64);
        Ok(())
    })
}
