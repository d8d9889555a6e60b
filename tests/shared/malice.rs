//! Words that no correct peer writes: errors that stay, or a stall that is reported, and nothing else.

use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use dynring::{
    AttachError, ConsumerError, CopyingConsumer, CopyingProducer, Corrupt, Readiness, RegisterError, RepairError,
    ReserveError, SharedRing, WaitError,
};

use crate::alone::{TestResult, alone};
use crate::forge::{Attacked, BUSY, DISCARD, ENTERING, SIZE, SLOTS, at, hold, lock};
use crate::post::{blocking_eventfd, punch_hole, send};
use crate::support::pages::page_size;

const MOMENT: Option<Duration> = Some(Duration::from_millis(30));

/// The one error that every way to consume returns from now on.
fn consumer_refuses(consumer: &mut CopyingConsumer) -> Corrupt {
    let mut record = vec![1];
    let corrupt = consumer.next_into(&mut record).unwrap_err();
    assert_eq!(record, [1]);
    for timeout in [Some(Duration::ZERO), MOMENT, None] {
        let waited = consumer.wait(timeout).unwrap_err();
        assert!(matches!(waited, WaitError::Corrupt(found) if found == corrupt), "{waited}");
        assert_eq!(consumer.next_into(&mut record), Err(corrupt));
    }
    assert!(consumer.stalled().is_none());
    let _ = (consumer.available(), consumer.discarded(), consumer.abandoned());
    corrupt
}

/// The one error that every way to reserve returns from now on.
fn producer_refuses(producer: &CopyingProducer) -> Corrupt {
    let error = producer.reserve(8).unwrap_err();
    let ReserveError::Corrupt(corrupt) = error else { panic!("{error}") };
    for timeout in [Some(Duration::ZERO), MOMENT, None] {
        assert_eq!(producer.reserve(0).unwrap_err(), error);
        assert_eq!(producer.output(b"more").unwrap_err(), error);
        assert_eq!(producer.reserve_blocking(8, timeout).unwrap_err(), error);
    }
    corrupt
}

/// That nothing comes, and that nobody waits for ever.
fn nothing_comes(consumer: &mut CopyingConsumer) {
    let mut record = Vec::new();
    assert_eq!(consumer.next_into(&mut record), Ok(false));
    assert_eq!(consumer.wait(MOMENT).unwrap(), Readiness::TimedOut);
    assert_eq!(consumer.recover(), Ok(false));
    assert_eq!(consumer.next_into(&mut record), Ok(false));
}

fn next(consumer: &mut CopyingConsumer) -> Result<Option<Vec<u8>>, Corrupt> {
    let mut record = Vec::new();
    Ok(consumer.next_into(&mut record)?.then_some(record))
}

/// Whether it still works.
fn works(ring: &SharedRing) -> TestResult {
    ring.producer()?.output(b"intact")?;
    assert_eq!(next(&mut ring.consumer()?)?.as_deref(), Some(&b"intact"[..]));
    Ok(())
}

#[test]
fn a_slot_that_vouches_for_what_cannot_be_is_refused_for_good() -> TestResult {
    alone("malice::a_slot_that_vouches_for_what_cannot_be_is_refused_for_good", || {
        for forged in [16 + SIZE as u64 + 8, 1 << 40, (1 << 63) - 8, (16 + SIZE as u64 + 8) | ENTERING | 6] {
            let (attacked, other) = (Attacked::new(), Attacked::new());
            let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
            producer.output(b"one")?;
            assert!(next(&mut consumer)?.is_some());
            attacked.store(attacked.slot_at(0, at::WORD), forged);
            let corrupt = consumer_refuses(&mut consumer);
            assert!(matches!(corrupt, Corrupt::ProducerPos { found, .. } if found.get() == forged & !7), "{corrupt}");
            attacked.store(attacked.slot_at(0, at::WORD), 16);
            assert_eq!(consumer_refuses(&mut consumer), corrupt, "sticky");
            assert!(attacked.ring.stats()?.available <= SIZE as u64);
            works(&other.ring)?;
        }
        Ok(())
    })
}

#[test]
fn a_length_that_reaches_too_far_is_refused_for_good_and_the_records_before_are_intact() -> TestResult {
    alone("malice::a_length_that_reaches_too_far_is_refused_for_good_and_the_records_before_are_intact", || {
        for forged in [9, 16, 4096, 1 << 29, DISCARD - 1, DISCARD | 17, DISCARD | (DISCARD - 1)] {
            for attacked in Attacked::both() {
                let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
                producer.output(b"intact")?;
                producer.output(b"forged")?;
                attacked.store_header(16, forged);
                assert_eq!(next(&mut consumer)?.as_deref(), Some(&b"intact"[..]));
                let corrupt = consumer_refuses(&mut consumer);
                assert!(matches!(corrupt, Corrupt::Length { available: 16, .. }), "{corrupt}");
                attacked.store_header(16, 6);
                assert_eq!(consumer_refuses(&mut consumer), corrupt, "sticky");
            }
        }
        Ok(())
    })
}

#[test]
fn an_unfinished_record_of_any_length_is_a_stall_while_somebody_seems_to_live() -> TestResult {
    alone("malice::an_unfinished_record_of_any_length_is_a_stall_while_somebody_seems_to_live", || {
        for len in [0, 3, 4096, DISCARD - 1] {
            for attacked in Attacked::both() {
                let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
                producer.output(b"one")?;
                attacked.store_header(0, BUSY | len);
                nothing_comes(&mut consumer);
                let stalled = consumer.stalled().expect("a stall");
                assert_eq!((stalled.position, stalled.len), (0, Some(len as usize)));
                assert_eq!(stalled.process, Some(std::process::id()));
                attacked.store_header(0, 3);
                assert_eq!(next(&mut consumer)?.as_deref(), Some(&b"one"[..]));
            }
        }
        Ok(())
    })
}

#[test]
fn an_unfinished_record_of_nobody_is_passed_or_refused() -> TestResult {
    alone("malice::an_unfinished_record_of_nobody_is_passed_or_refused", || {
        for (len, legal) in [(3, true), (8, true), (9, false), (DISCARD - 1, false)] {
            for attacked in Attacked::both() {
                let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
                producer.output(b"one")?;
                attacked.store_two(attacked.data_at(0), BUSY | len, 0xffff_ffff);
                if legal {
                    assert_eq!(consumer.recover(), Ok(true));
                    assert_eq!((consumer.abandoned(), next(&mut consumer)?), (1, None));
                } else {
                    assert!(matches!(consumer.recover(), Err(Corrupt::Length { available: 16, .. })));
                    consumer_refuses(&mut consumer);
                }
            }
        }
        Ok(())
    })
}

#[test]
fn a_slot_that_is_entered_for_ever_is_a_stall() -> TestResult {
    alone("malice::a_slot_that_is_entered_for_ever_is_a_stall", || {
        let attacked = Attacked::new();
        let (one, other) = (attacked.ring.producer()?, attacked.ring.producer()?);
        let mut consumer = attacked.ring.consumer()?;
        one.output(b"one")?;
        attacked.store(attacked.slot_at(1, at::WORD), ENTERING);
        nothing_comes(&mut consumer);
        let stalled = consumer.stalled().expect("a stall");
        assert_eq!((stalled.position, stalled.len, stalled.process), (0, None, Some(std::process::id())));
        other.output(b"two")?;
        assert_eq!(next(&mut consumer)?.as_deref(), Some(&b"one"[..]));
        Ok(())
    })
}

/// Makes the slot look as if its owner had died while it reserved at `start`.
fn forge_dead(attacked: &Attacked, slot: usize, owner: u32, start: u64, span: u64) {
    attacked.store(attacked.slot_at(slot, at::WORD), start | ENTERING);
    attacked.store(attacked.slot_at(slot, at::SPAN), span);
    attacked.store_two(attacked.slot_at(slot, at::OWNER_AND_PROCESS), owner, 1);
}

#[test]
fn a_span_that_no_dead_producer_can_have_reserved_is_refused() -> TestResult {
    alone("malice::a_span_that_no_dead_producer_can_have_reserved_is_refused", || {
        for span in [0, 1, 7, 9, 24, SIZE as u64, 1 << 32, 1 << 63, u64::MAX, !7] {
            let attacked = Attacked::new();
            let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
            attacked.store_two(attacked.producer_page_at(at::SLOTS_USED_AND_REGISTRATIONS), 2, 2);
            // Somebody has reserved 16 bytes, and written no header.
            attacked.store(attacked.producer_page_at(at::PRODUCER_POS), 16);
            attacked.store(attacked.slot_at(0, at::WORD), 0);
            forge_dead(&attacked, 1, 2, 0, span);
            let error = attacked.ring.repair().unwrap_err();
            assert!(
                matches!(&error, RepairError::Corrupt(Corrupt::Span { found, available: 16, .. }) if *found == span)
            );
            let corrupt = consumer.recover().unwrap_err();
            assert_eq!(corrupt, consumer_refuses(&mut consumer));
            drop(producer);
        }
        Ok(())
    })
}

#[test]
fn dead_producers_that_cannot_be_told_apart_are_an_error() -> TestResult {
    alone("malice::dead_producers_that_cannot_be_told_apart_are_an_error", || {
        let attacked = Attacked::new();
        let mut consumer = attacked.ring.consumer()?;
        attacked.store_two(attacked.producer_page_at(at::SLOTS_USED_AND_REGISTRATIONS), u32::MAX, 9);
        attacked.store(attacked.producer_page_at(at::PRODUCER_POS), 64);
        for slot in 0..SLOTS {
            forge_dead(&attacked, slot, 5, 0, 24 + 8 * slot as u64 % 16);
        }
        let error = attacked.ring.repair().unwrap_err();
        assert!(matches!(error, RepairError::Corrupt(Corrupt::Undecided { .. })), "{error}");
        assert!(matches!(consumer.recover(), Err(Corrupt::Undecided { .. })));
        consumer_refuses(&mut consumer);
        Ok(())
    })
}

#[test]
fn a_registry_of_nonsense_misleads_nobody_who_is_there() -> TestResult {
    alone("malice::a_registry_of_nonsense_misleads_nobody_who_is_there", || {
        for (used, registrations) in [(u32::MAX, u32::MAX), (SLOTS as u32 + 1, 0), (1, 1 << 31)] {
            for attacked in Attacked::both() {
                let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
                attacked.store_two(attacked.producer_page_at(at::SLOTS_USED_AND_REGISTRATIONS), used, registrations);
                attacked.store_two(attacked.producer_page_at(at::OPENERS_AND_WAITING), u32::MAX, u32::MAX);
                attacked.store(attacked.slot_at(0, at::WANTED), u64::MAX);
                for number in 0..1000u32 {
                    producer.output(&number.to_ne_bytes())?;
                    assert_eq!(next(&mut consumer)?, Some(number.to_ne_bytes().to_vec()));
                }
                let others: Vec<_> = (0..SLOTS - 1).map(|_| attacked.ring.producer()).collect::<Result<_, _>>()?;
                assert!(matches!(attacked.ring.producer(), Err(RegisterError::Full { .. })));
                assert_eq!(attacked.ring.stats()?.producers, SLOTS as u32);
                drop((others, producer));
            }
        }
        Ok(())
    })
}

#[test]
fn bits_of_nonsense_let_nobody_go_whom_the_consumer_watches() -> TestResult {
    alone("malice::bits_of_nonsense_let_nobody_go_whom_the_consumer_watches", || {
        for attacked in Attacked::both() {
            let producers: Vec<_> = (0..SLOTS).map(|_| attacked.ring.producer()).collect::<Result<_, _>>()?;
            let mut consumer = attacked.ring.consumer()?;
            for number in 0..1000u32 {
                let forged = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let page = if number % 2 == 0 {
                    attacked.consumer_page_at(at::LET_GO)
                } else {
                    attacked.producer_page_at(at::CALLED)
                };
                attacked.store(page, forged);
                producers[number as usize % SLOTS].output(&number.to_ne_bytes())?;
                assert_eq!(next(&mut consumer)?, Some(number.to_ne_bytes().to_vec()));
            }
        }
        Ok(())
    })
}

#[test]
fn counts_at_their_end_go_on_from_zero() -> TestResult {
    alone("malice::counts_at_their_end_go_on_from_zero", || {
        for attacked in Attacked::both() {
            for (nth, word) in [1, u64::MAX, u64::MAX].into_iter().enumerate() {
                attacked.store(attacked.consumer_page_at(at::SKIPPED + 8 * nth), word);
            }
            let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
            producer.reserve(8)?.discard();
            std::mem::forget(producer.reserve(8)?);
            drop(producer);
            assert_eq!(next(&mut consumer)?, None);
            assert_eq!(consumer.recover(), Ok(true));
            assert_eq!((consumer.discarded(), consumer.abandoned()), (0, 0));
        }
        Ok(())
    })
}

#[test]
fn a_consumer_position_that_cannot_be_is_refused_by_producers_for_good() -> TestResult {
    alone("malice::a_consumer_position_that_cannot_be_is_refused_by_producers_for_good", || {
        for forged in [1, 4, 31, 40, 48, 1 << 40, 1 << 63, 32u64.wrapping_sub(SIZE as u64 + 8)] {
            for attacked in Attacked::both() {
                let old = attacked.ring.producer()?;
                old.output(b"one")?;
                old.output(b"two")?;
                attacked.store(attacked.consumer_page_at(at::CONSUMER_POS), forged);
                let new = attacked.ring.producer()?;
                let corrupt = producer_refuses(&new);
                assert!(matches!(corrupt, Corrupt::ConsumerPos { found, .. } if found.get() == forged), "{corrupt}");
                attacked.store(attacked.consumer_page_at(at::CONSUMER_POS), 0);
                assert_eq!(producer_refuses(&new), corrupt, "sticky");
                assert!(matches!(attacked.ring.producer()?.reserve(SIZE - 16), Err(ReserveError::Full)));
            }
        }
        Ok(())
    })
}

#[test]
fn a_consumer_that_starts_at_a_position_that_cannot_be_refuses() -> TestResult {
    alone("malice::a_consumer_that_starts_at_a_position_that_cannot_be_refuses", || {
        for forged in [1, 4, 7, 1 << 63 | 4, u64::MAX] {
            for attacked in Attacked::both() {
                attacked.store(attacked.consumer_page_at(at::CONSUMER_POS), forged);
                attacked.ring.producer().map(drop)?;
                let corrupt = consumer_refuses(&mut attacked.ring.consumer()?);
                assert!(matches!(corrupt, Corrupt::ConsumerPos { found, .. } if found.get() == forged), "{corrupt}");
            }
        }
        Ok(())
    })
}

#[test]
fn a_head_that_cannot_be_is_refused_by_producers_for_good() -> TestResult {
    alone("malice::a_head_that_cannot_be_is_refused_by_producers_for_good", || {
        for forged in [1, 4, 31, 1 << 40, 1 << 63, u64::MAX] {
            for (attacked, head) in Attacked::both().into_iter().zip([at::PRODUCER_POS, at::HEAD]) {
                // A lone producer does not look at head.
                let (producer, _other) = (attacked.ring.producer()?, attacked.ring.producer()?);
                producer.output(b"one")?;
                attacked.store(attacked.producer_page_at(head), forged);
                let corrupt = producer_refuses(&producer);
                attacked.store(attacked.producer_page_at(head), 16);
                assert_eq!(producer_refuses(&producer), corrupt, "sticky");
            }
        }
        Ok(())
    })
}

/// As in CVE-2024-41009.
#[test]
fn reservations_that_are_made_to_overlap_stay_within_the_data() -> TestResult {
    alone("malice::reservations_that_are_made_to_overlap_stay_within_the_data", || {
        for attacked in Attacked::both() {
            let (one, other) = (attacked.ring.producer()?, attacked.ring.producer()?);
            let descriptor = attacked.pages.copy(0, 64);
            let mut first = one.reserve(3000)?;
            let mut overlaps = 0;
            for round in 1..100u64 {
                // A consumer that gives back what nobody has finished.
                attacked.store(attacked.consumer_page_at(at::CONSUMER_POS), round * 3008);
                let mut second = other.reserve(3000)?;
                first.write(0, &[1; 3000])?;
                second.write(0, &[2; 3000])?;
                assert!(first.write(1, &[1; 3000]).is_err());
                overlaps += u32::from(round * 3008 % SIZE as u64 != 3008);
                second.commit();
            }
            assert!(overlaps > 0);
            first.commit();
            assert_eq!(attacked.pages.copy(0, 64), descriptor);
            // What the consumer then finds are whole records or an error.
            let mut consumer = attacked.ring.consumer()?;
            let mut record = Vec::new();
            while let Ok(true) = consumer.next_into(&mut record) {
                assert!(record.len() < SIZE);
            }
        }
        Ok(())
    })
}

#[test]
fn a_ring_that_somebody_else_closes_does_not_end_like_one_that_nobody_writes_to() -> TestResult {
    alone("malice::a_ring_that_somebody_else_closes_does_not_end_like_one_that_nobody_writes_to", || {
        for forged in [1, 2, u32::MAX] {
            for attacked in Attacked::both() {
                let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
                producer.output(b"one")?;
                producer.output(b"")?;
                let unfinished = producer.reserve(8)?;
                attacked.store_two(attacked.consumer_page_at(at::SLEEPING_AND_CLOSED), 0, forged);
                assert_eq!(producer.output(b"three"), Err(ReserveError::Closed));
                assert_eq!(next(&mut consumer)?.as_deref(), Some(&b"one"[..]));
                assert_eq!(next(&mut consumer)?.as_deref(), Some(&b""[..]));
                assert!(matches!(consumer_refuses(&mut consumer), Corrupt::Closed { at } if at.get() == 24));
                drop(unfinished);
                drop(producer);
                assert!(matches!(consumer_refuses(&mut consumer), Corrupt::Closed { .. }), "also when all have gone");
                assert!(matches!(attacked.ring.consumer(), Err(ConsumerError::Taken)));
            }
        }
        Ok(())
    })
}

#[test]
fn memory_that_is_taken_back_is_zero_to_those_who_are_there_and_refused_to_newcomers() -> TestResult {
    alone("malice::memory_that_is_taken_back_is_zero_to_those_who_are_there_and_refused_to_newcomers", || {
        for attacked in Attacked::both() {
            let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
            producer.output(b"one")?;
            producer.output(b"two")?;
            assert_eq!(next(&mut consumer)?.as_deref(), Some(&b"one"[..]));
            // All but the descriptor.
            punch_hole(&attacked.ring, page_size(), attacked.bytes() - page_size())?;
            let refused = SharedRing::from_fd(&attacked.ring).unwrap_err();
            assert!(matches!(refused, AttachError::Sparse { .. }), "{refused}");
            // Zeros look like records of nothing, as far as there was something, and say that nothing was ever produced.
            while let Ok(Some(record)) = next(&mut consumer) {
                assert!(record.is_empty());
            }
            let produced = producer.output(b"three");
            assert!(matches!(produced, Ok(()) | Err(ReserveError::Corrupt(_))), "{produced:?}");
            attacked.ring.stats()?;
        }
        Ok(())
    })
}

#[test]
fn a_producer_waits_no_longer_than_it_was_to_whoever_toggles_what() -> TestResult {
    alone("malice::a_producer_waits_no_longer_than_it_was_to_whoever_toggles_what", || {
        for attacked in Attacked::both() {
            let (producer, consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
            while producer.output(&[0; 100]).is_ok() {}
            attacked.store_two(attacked.consumer_page_at(at::SLEEPING_AND_CLOSED), u32::MAX, 0);
            attacked.store_two(attacked.producer_page_at(at::OPENERS_AND_WAITING), 0, 0);
            assert_eq!(producer.reserve_blocking(100, MOMENT).unwrap_err(), ReserveError::Full);
            attacked.store_two(attacked.consumer_page_at(at::SLEEPING_AND_CLOSED), 2, 7);
            assert_eq!(producer.reserve_blocking(100, None).unwrap_err(), ReserveError::Closed);
            drop(consumer);
            assert!(matches!(attacked.ring.consumer(), Err(ConsumerError::Closed)));
        }
        Ok(())
    })
}

#[test]
fn locks_in_the_wrong_hands_refuse_and_delay_nobody() -> TestResult {
    alone("malice::locks_in_the_wrong_hands_refuse_and_delay_nobody", || {
        let attacked = Attacked::new();
        let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
        std::mem::forget(producer.reserve(8)?);
        // Looks dead, and cannot be proved to be.
        attacked.store_two(attacked.producer_page_at(at::SLOTS_USED_AND_REGISTRATIONS), 2, 2);
        forge_dead(&attacked, 1, 2, 16, 16);
        let thief = attacked.reopened()?;
        hold(&thief, lock::REPAIR, 1)?;
        assert!(attacked.ring.repair()?.busy);
        nothing_comes(&mut consumer);
        hold(&thief, lock::SLOTS + 1, SLOTS as i64 - 1)?;
        assert!(matches!(attacked.ring.producer(), Err(RegisterError::Full { .. })));
        drop(consumer);
        hold(&thief, lock::CONSUMER, 1)?;
        assert!(matches!(attacked.ring.consumer(), Err(ConsumerError::Taken)));
        assert!(attacked.ring.has_consumer()?);
        drop(thief);
        assert!(!attacked.ring.repair()?.busy);
        attacked.ring.consumer()?;
        Ok(())
    })
}

#[test]
fn a_bell_that_is_filled_again_and_again_holds_up_no_producer() -> TestResult {
    alone("malice::a_bell_that_is_filled_again_and_again_holds_up_no_producer", || {
        let attacked = Attacked::new();
        // Both block, and whoever has them does so.
        let (bell, hears) = UnixDatagram::pair()?;
        let (near, far) = UnixStream::pair()?;
        send(&near, b"dynring1", &[attacked.ring.as_fd().as_raw_fd(), bell.as_raw_fd()])?;
        let ring = SharedRing::receive(&far)?;
        let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
        // Nobody ends them but the end of the process.
        thread::spawn(move || while bell.set_nonblocking(false).and_then(|()| bell.send(&[0; 100])).is_ok() {});
        let (empties, emptied) = mpsc::channel::<()>();
        let _reader = thread::spawn(move || while emptied.recv().is_ok() && hears.recv(&mut [0]).is_ok() {});
        for number in 0..20_000u32 {
            attacked.store_two(attacked.consumer_page_at(at::SLEEPING_AND_CLOSED), 2, 0);
            producer.output(&number.to_ne_bytes())?;
            assert_eq!(next(&mut consumer)?, Some(number.to_ne_bytes().to_vec()));
            // Full most of the time, and at times not.
            if number % 16 == 0 {
                empties.send(())?;
            }
        }
        Ok(())
    })
}

#[test]
fn a_descriptor_on_which_writing_could_block_is_no_bell() -> TestResult {
    let attacked = Attacked::new();
    let bell = blocking_eventfd(u64::MAX - 1)?;
    let (near, far) = UnixStream::pair()?;
    send(&near, b"dynring1", &[attacked.ring.as_fd().as_raw_fd(), bell.as_raw_fd()])?;
    assert!(matches!(SharedRing::receive(&far), Err(AttachError::Bell)));
    Ok(())
}
