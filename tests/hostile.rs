//! Words that no correct peer writes, in a ring whose file others may write to: errors, and nothing else.
#![cfg(not(miri))]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/pages.rs"]
mod pages;

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dynring::{Consumer, Corrupt, Producer, Readiness, ReserveError, Ring, WaitError};
use pages::{Pages, WRITE, page_size};

const SIZE: usize = 4096;
const TIMEOUTS: [Option<Duration>; 3] = [Some(Duration::ZERO), Some(Duration::MAX), None];

// Offsets in the consumer page, the producer page and a slot, as in `docs::format`.
const CONSUMER_POS: usize = 0;
const SLEEPING_AND_CLOSED: usize = 128;
const PRODUCER_POS: usize = 0;
const HEAD: usize = 128;
const OPENERS_AND_WAITING: usize = 264;

/// A ring, and somebody who writes to its file.
struct Attacked {
    ring: Ring,
    pages: Pages,
    consumer_page: usize,
}

impl Attacked {
    fn new() -> Self {
        let ring = Ring::builder(SIZE).kernel_protocol(true).max_producers(4).build().unwrap();
        let consumer_page = ring.window_offset() as usize;
        let bytes = consumer_page + 2 * page_size() + ring.capacity();
        let pages = Pages::map(ring.as_fd(), WRITE, 0, bytes).unwrap();
        Self { ring, pages, consumer_page }
    }

    fn roles(&self) -> (Producer, Consumer) {
        (self.ring.producer().unwrap(), self.ring.consumer().unwrap())
    }

    fn forge_consumer_page(&self, offset: usize, word: u64) {
        self.pages.word(self.consumer_page + offset).store(word, Ordering::Relaxed);
    }

    fn forge_producer_page(&self, offset: usize, word: u64) {
        self.pages.word(self.consumer_page + page_size() + offset).store(word, Ordering::Relaxed);
    }

    fn forge_header(&self, offset: usize, len: u32) {
        let [a, b, c, d] = len.to_ne_bytes();
        let header = u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0]);
        self.pages.word(self.consumer_page + 2 * page_size() + offset).store(header, Ordering::Relaxed);
    }
}

/// The one error that every way to read returns, whatever is produced meanwhile.
fn consumer_refuses(consumer: &mut Consumer, producer: &Producer) -> Corrupt {
    let corrupt = consumer.next().unwrap_err();
    for timeout in TIMEOUTS {
        let _ = producer.output(b"more");
        assert_eq!(consumer.next().unwrap_err(), corrupt);
        assert_eq!(consumer.drain(|_| ControlFlow::Continue(())).unwrap_err(), corrupt);
        assert_eq!(consumer.batch().next().unwrap_err(), corrupt);
        let waited = consumer.wait(timeout).unwrap_err();
        assert!(matches!(waited, WaitError::Corrupt(found) if found == corrupt), "{waited}");
        let waited = consumer.wait_for(SIZE, Duration::MAX, timeout).unwrap_err();
        assert!(matches!(waited, WaitError::Corrupt(found) if found == corrupt), "{waited}");
    }
    corrupt
}

/// The one error that every way to reserve returns.
fn producer_refuses(producer: &Producer) -> Corrupt {
    let error = producer.reserve(8).unwrap_err();
    let ReserveError::Corrupt(corrupt) = error else { panic!("{error}") };
    for timeout in TIMEOUTS {
        assert_eq!(producer.reserve(0).unwrap_err(), error);
        assert_eq!(producer.output(b"more").unwrap_err(), error);
        assert_eq!(producer.lease(100).unwrap_err(), error);
        assert_eq!(producer.reserve_batch(&[1, 2]).unwrap_err(), error);
        assert_eq!(producer.reserve_blocking(8, timeout).unwrap_err(), error);
    }
    corrupt
}

#[test]
fn a_producer_position_that_cannot_be_is_refused_by_the_consumer_for_good() {
    for forged in [1, 4, 33, 24, 0, 32 + SIZE as u64 + 8, 1 << 63, u64::MAX] {
        let attacked = Attacked::new();
        let (producer, mut consumer) = attacked.roles();
        for payload in [b"one", b"two"] {
            producer.output(payload).unwrap();
        }
        assert_eq!(&*consumer.next().unwrap().unwrap(), b"one");
        assert_eq!(&*consumer.next().unwrap().unwrap(), b"two");
        attacked.forge_producer_page(PRODUCER_POS, forged);
        let corrupt = consumer_refuses(&mut consumer, &producer);
        assert!(matches!(corrupt, Corrupt::ProducerPos { found, .. } if found.get() == forged), "{corrupt}");
    }
}

#[test]
fn gathering_ends_when_the_ring_is_corrupt() {
    let attacked = Attacked::new();
    let (producer, mut consumer) = attacked.roles();
    producer.output(b"one").unwrap();
    assert_eq!(consumer.wait(None).unwrap(), Readiness::Ready);
    attacked.forge_producer_page(PRODUCER_POS, 1);
    let waited = consumer.wait_for(SIZE, Duration::MAX, None).unwrap_err();
    assert!(matches!(waited, WaitError::Corrupt(Corrupt::ProducerPos { .. })), "{waited}");
}

#[test]
fn gathering_goes_on_though_somebody_has_died_between_counting_itself_and_waiting() {
    let attacked = Attacked::new();
    let (producer, mut consumer) = attacked.roles();
    // One of each; the halves are the same in any order.
    let waiting = 1 << 32 | 1;
    attacked.forge_producer_page(OPENERS_AND_WAITING, waiting);
    producer.output(b"one").unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(30));
            (0..100).for_each(|_| producer.output(b"more").unwrap());
        });
        assert_eq!(consumer.wait_for(1024, Duration::from_secs(60), None).unwrap(), Readiness::Ready);
        assert!(consumer.available() >= 1024, "{} bytes", consumer.available());
    });
}

#[test]
fn a_length_that_reaches_too_far_is_refused_for_good_and_the_records_before_are_intact() {
    for forged in [9, 16, 4096, 1 << 29, (1 << 30) - 1, 1 << 30 | 17] {
        let attacked = Attacked::new();
        let (producer, mut consumer) = attacked.roles();
        producer.output(b"intact").unwrap();
        producer.output(b"forged").unwrap();
        attacked.forge_header(16, forged);
        assert_eq!(&*consumer.next().unwrap().unwrap(), b"intact");
        let corrupt = consumer_refuses(&mut consumer, &producer);
        assert!(matches!(corrupt, Corrupt::Length { available: 16, .. }), "{corrupt}");
    }
}

#[test]
fn headers_of_nothing_are_read_no_further_than_the_producers_have_come() {
    let attacked = Attacked::new();
    let (producer, mut consumer) = attacked.roles();
    producer.output(&vec![0; producer.max_len()]).unwrap();
    for (discarded, records) in [(0, SIZE as u64 / 8 - 1), (1 << 30, 0)] {
        for offset in (0..SIZE).step_by(8) {
            attacked.forge_header(offset, discarded);
        }
        assert_eq!(consumer.drain(|_| ControlFlow::Continue(())).unwrap(), records);
        drop(producer.lease(producer.max_len()).unwrap());
    }
}

#[test]
fn a_consumer_position_that_cannot_be_is_refused_by_producers_for_good() {
    for forged in [1, 4, 31, 40, 48, 1 << 40, 1 << 63, 32u64.wrapping_sub(SIZE as u64 + 8)] {
        let attacked = Attacked::new();
        let (old, _consumer) = attacked.roles();
        old.output(b"one").unwrap();
        old.output(b"two").unwrap();
        attacked.forge_consumer_page(CONSUMER_POS, forged);
        let new = attacked.ring.producer().unwrap();
        let corrupt = producer_refuses(&new);
        assert!(matches!(corrupt, Corrupt::ConsumerPos { found, .. } if found.get() == forged), "{corrupt}");
        attacked.forge_consumer_page(CONSUMER_POS, 0);
        assert_eq!(producer_refuses(&new), corrupt, "sticky");
        assert!(matches!(attacked.ring.producer().unwrap().reserve(SIZE - 16), Err(ReserveError::Full)));
    }
}

#[test]
fn a_producer_that_remembers_the_consumer_position_refuses_a_bad_one_once_it_looks() {
    let attacked = Attacked::new();
    let (producer, _consumer) = attacked.roles();
    producer.output(b"one").unwrap();
    attacked.forge_consumer_page(CONSUMER_POS, 1);
    let error = (0..).find_map(|_| producer.output(b"more").err()).unwrap();
    assert_eq!(ReserveError::Corrupt(producer_refuses(&producer)), error);
    assert!(attacked.ring.stats().available > SIZE as u64 - 24);
}

#[test]
fn a_head_that_cannot_be_is_refused_by_producers_for_good() {
    for forged in [1, 4, 31, 1 << 40, 1 << 63, u64::MAX] {
        for fresh in [false, true] {
            let attacked = Attacked::new();
            let (old, _consumer) = attacked.roles();
            // A lone producer does not look at head.
            let new = attacked.ring.producer().unwrap();
            old.output(b"one").unwrap();
            let producer = if fresh { new } else { old };
            attacked.forge_producer_page(HEAD, forged);
            let corrupt = producer_refuses(&producer);
            attacked.forge_producer_page(HEAD, 16);
            assert_eq!(producer_refuses(&producer), corrupt, "sticky");
        }
    }
}

#[test]
fn a_ring_that_somebody_else_closes_does_not_end_like_one_whose_producers_have_gone() {
    for records in [0, 1] {
        let attacked = Attacked::new();
        let (producer, mut consumer) = attacked.roles();
        (0..records).for_each(|_| producer.output(b"record").unwrap());
        attacked.forge_consumer_page(SLEEPING_AND_CLOSED, u64::from_ne_bytes([0, 0, 0, 0, 1, 1, 1, 1]));
        assert_eq!(consumer.drain(|_| ControlFlow::Break(())).ok(), (records > 0).then_some(records));
        let corrupt = consumer_refuses(&mut consumer, &producer);
        assert!(matches!(corrupt, Corrupt::Closed { .. }), "{corrupt}");
        assert_eq!(producer.output(b"more"), Err(ReserveError::Closed));
    }
}

#[test]
fn whoever_moves_all_positions_in_step_keeps_no_producer() {
    let (attacked, done) = (Attacked::new(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for at in (0u64..).step_by(8) {
                // The consumer never passes head.
                attacked.forge_producer_page(HEAD, at);
                attacked.forge_producer_page(PRODUCER_POS, at.wrapping_sub(at % 3 * 8));
                attacked.forge_consumer_page(CONSUMER_POS, at);
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let mut ends = [0; 2];
        for round in 0..20_000 {
            let producer = attacked.ring.producer().unwrap();
            ends[usize::from(producer.output(&[0; 8]).is_ok())] += 1;
            let waited = producer.reserve_blocking(round % 600, Some(Duration::ZERO));
            waited.map(|record| record.commit()).unwrap_or_default();
        }
        done.store(true, Ordering::Relaxed);
        println!("{} reservations, {} refusals", ends[1], ends[0]);
    });
}

/// xorshift64*
fn random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D)
}

/// Words that are likely to be taken for something.
fn forged(state: &mut u64) -> u64 {
    match random(state) % 6 {
        0 => random(state),
        1 => random(state) % (2 * SIZE as u64),
        2 => (random(state) % (2 * SIZE as u64)) & !7,
        3 => u64::MAX - random(state) % 32,
        4 => 1 << (random(state) % 64),
        _ => 0,
    }
}

#[test]
fn whatever_is_written_anywhere_nothing_panics_or_goes_on_for_ever() {
    for seed in 1..=3000u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let attacked = Attacked::new();
        let (producer, mut consumer) = attacked.roles();
        let other = attacked.ring.producer().unwrap();
        let size = attacked.consumer_page + 2 * page_size() + SIZE;
        for _ in 0..20 {
            // Most words are in the data; those of the control pages and the slots are few.
            let offset = match random(&mut state) % 4 {
                0 => attacked.consumer_page + (random(&mut state) % 33 * 8) as usize,
                1 => attacked.consumer_page + page_size() + (random(&mut state) % 49 * 8) as usize,
                2 => (random(&mut state) % 64 * 8) as usize,
                _ => size - SIZE + (random(&mut state) % (SIZE as u64 / 8) * 8) as usize,
            };
            attacked.pages.word(offset).store(forged(&mut state), Ordering::Relaxed);
            let len = (random(&mut state) % 600) as usize;
            let _ = match random(&mut state) % 5 {
                0 => producer.output(&vec![1; len]),
                1 => other.reserve_batch(&[len, 0, len / 2]).map(drop),
                2 => producer.lease(len).and_then(|mut lease| lease.output(b"leased")),
                3 => other.reserve_blocking(len, Some(Duration::ZERO)).map(drop),
                _ => other.reserve(len).map(|record| record.commit_len(len / 2).unwrap()),
            };
            let bounded = dynring::Limits { records: Some(2 * SIZE as u64), ..Default::default() };
            let _ = consumer.drain_up_to(bounded, |_| ControlFlow::Continue(()));
            let _ = consumer.wait_for(len, Duration::from_micros(1), Some(Duration::ZERO));
            let _ = (attacked.ring.stats(), consumer.is_disconnected(), consumer.discarded());
            let _ = attacked.ring.producer().map(|producer| producer.output(b"newcomer"));
        }
        let _: Result<Readiness, WaitError> = consumer.wait(Some(Duration::ZERO));
    }
}
