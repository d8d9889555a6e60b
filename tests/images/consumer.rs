//! The consumer of a kernel ring reads what is there, and says what cannot be.

use std::ops::ControlFlow;
use std::time::Duration;

use dynring::kernel::image;
use dynring::{Consumer, Corrupt, Limits, Readiness, WaitError};
use proptest::prelude::*;

use crate::image::{Image, SIZE, WRAPS, images, len, stride};
use crate::overwriting::{BUSY, DISCARD};

fn consumer(image: &Image) -> Consumer {
    image::consumer(&image.bytes(), SIZE).unwrap()
}

/// What should come of an image: records, how many discarded ones were skipped, where the consumer ends up, and what is wrong.
#[derive(PartialEq, Eq, Debug)]
struct Outcome {
    records: Vec<(u64, Vec<u8>)>,
    discarded: u64,
    consumer_pos: u64,
    corrupt: Option<Wrong>,
}

#[derive(PartialEq, Eq, Debug)]
enum Wrong {
    Consumer(u64),
    Producer(u64),
    Length { at: u64, found: u32, available: u64 },
}

/// The rules, spelled out once more.
fn expected(image: &Image) -> Outcome {
    let (mut at, end) = (image.consumer_pos, image.producer_pos);
    let mut outcome = Outcome { records: vec![], discarded: 0, consumer_pos: at, corrupt: None };
    if at % 8 != 0 {
        outcome.corrupt = Some(Wrong::Consumer(at));
    } else if end % 8 != 0 || end.wrapping_sub(at) > SIZE {
        outcome.corrupt = Some(Wrong::Producer(end));
    }
    while outcome.corrupt.is_none() && at != end {
        let (word, available) = (image.header_at(at), end.wrapping_sub(at));
        if word & BUSY != 0 {
            break;
        } else if stride(word) > available {
            outcome.corrupt = Some(Wrong::Length { at, found: len(word), available });
            break;
        } else if word & DISCARD != 0 {
            outcome.discarded += 1;
        } else {
            outcome.records.push((at, image.payload(at, len(word))));
        }
        at = at.wrapping_add(stride(word));
        outcome.consumer_pos = at;
    }
    outcome
}

/// What does come of it.
fn found(consumer: &mut Consumer) -> Outcome {
    let mut records = Vec::new();
    let corrupt = loop {
        match consumer.next() {
            Ok(Some(record)) => records.push((record.position(), record.to_vec())),
            Ok(None) => break None,
            Err(corrupt) => break Some(corrupt),
        }
    };
    let corrupt = corrupt.map(|corrupt| match corrupt {
        Corrupt::ConsumerPos { found, .. } => Wrong::Consumer(found.get()),
        Corrupt::ProducerPos { found, .. } => Wrong::Producer(found.get()),
        Corrupt::Length { at, found, available } => Wrong::Length { at: at.get(), found, available },
        other => panic!("{other}"),
    });
    Outcome { records, discarded: consumer.discarded(), consumer_pos: consumer.consumer_pos(), corrupt }
}

/// Every way to read says the same from now on.
fn assert_sticky(consumer: &mut Consumer) {
    let corrupt = consumer.next().map(drop).expect_err("corrupt");
    assert_eq!(consumer.drain(|_| ControlFlow::Continue(())), Err(corrupt));
    assert_eq!(consumer.drain_up_to(Limits::default(), |_| ControlFlow::Continue(())), Err(corrupt));
    assert_eq!(consumer.batch().next(), Err(corrupt));
    for timeout in [Some(Duration::ZERO), Some(Duration::MAX), None] {
        let waited = consumer.wait(timeout).unwrap_err();
        assert!(matches!(waited, WaitError::Corrupt(found) if found == corrupt), "{waited}");
    }
    assert_eq!(consumer.stalled(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_image_is_read_by_the_rules(image in images()) {
        let mut consumer = consumer(&image);
        let expected = expected(&image);
        let found = found(&mut consumer);
        // What was skipped before a length that cannot be is not given back: nobody needs the space any more.
        let consumer_pos = if expected.corrupt.is_some() { found.consumer_pos } else { expected.consumer_pos };
        let corrupt = expected.corrupt.is_some();
        prop_assert_eq!(found, Outcome { consumer_pos, ..expected });
        if corrupt {
            assert_sticky(&mut consumer);
        } else {
            prop_assert!(consumer.next().unwrap().is_none());
            prop_assert_eq!(consumer.wait(Some(Duration::ZERO)).unwrap(), Readiness::TimedOut);
        }
    }
}

#[test]
fn flags_decide_in_the_kernels_order_whether_a_record_is_waited_for_skipped_or_read() {
    for wrap in WRAPS {
        for (word, records, discarded, stalled) in [
            (12, 2, 0, None),
            (12 | DISCARD, 1, 1, None),
            (12 | BUSY, 0, 0, Some(12)),
            (12 | BUSY | DISCARD, 0, 0, Some(12)),
            (u32::MAX, 0, 0, Some((1 << 30) - 1)),
        ] {
            let mut image = Image::at(wrap.wrapping_sub(8));
            image.push(word);
            if len(word) != 12 {
                image.producer_pos = wrap.wrapping_add(16);
            }
            image.push(5);
            let mut consumer = consumer(&image);
            assert_eq!(consumer.drain(|_| ControlFlow::Continue(())), Ok(records), "{word:#x} at {wrap:#x}");
            assert_eq!(consumer.discarded(), discarded);
            assert_eq!(consumer.stalled().map(|stalled| stalled.len.unwrap_or_default()), stalled);
        }
    }
}

#[test]
fn a_length_may_reach_as_far_as_producers_have_come_and_not_8_bytes_further() {
    for wrap in WRAPS {
        for len in [0, 1, 8, 1000, SIZE as u32 - 16, SIZE as u32 - 8] {
            for flag in [0, DISCARD] {
                let mut image = Image::at(wrap.wrapping_sub(64));
                image.push(len | flag);
                let record = found(&mut consumer(&image));
                assert_eq!((record.corrupt, record.discarded), (None, u64::from(flag != 0)), "{len} at {wrap:#x}");
                image.producer_pos = image.producer_pos.wrapping_sub(8);
                let (at, available) = (image.consumer_pos, stride(len) - 8);
                let expected = (available > 0).then_some(Wrong::Length { at, found: len, available });
                assert_eq!(found(&mut consumer(&image)).corrupt, expected);
            }
        }
        for found_len in [1 << 29, (1 << 30) - 8, (1 << 30) - 1] {
            let mut image = Image::at(wrap.wrapping_sub(64));
            image.header(image.consumer_pos, found_len);
            image.producer_pos = image.consumer_pos.wrapping_add(SIZE - 8);
            let expected = Wrong::Length { at: image.consumer_pos, found: found_len, available: SIZE - 8 };
            assert_eq!(found(&mut consumer(&image)).corrupt, Some(expected));
        }
    }
}

#[test]
fn producers_that_are_behind_or_more_than_the_ring_ahead_are_refused() {
    for wrap in WRAPS {
        for first in [wrap, wrap.wrapping_sub(8), wrap.wrapping_sub(SIZE), wrap.wrapping_add(8)] {
            for ahead in [8u64.wrapping_neg(), SIZE.wrapping_neg(), SIZE + 8, 1 << 31, 1 << 32, 1 << 63, 4, 1, SIZE + 1]
            {
                let mut image = Image::at(first);
                image.header(first, 0);
                image.producer_pos = first.wrapping_add(ahead);
                let mut consumer = consumer(&image);
                assert_eq!(
                    found(&mut consumer).corrupt,
                    Some(Wrong::Producer(image.producer_pos)),
                    "{first:#x} {ahead:#x}"
                );
                assert_sticky(&mut consumer);
                assert_eq!(consumer.consumer_pos(), first, "left alone");
            }
        }
    }
}
