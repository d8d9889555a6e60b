//! Reserving, writing, committing.

use std::io::{self, Write};
use std::mem::{self, ManuallyDrop};

use dynring::{Consumer, DynPtrError, Producer, Readiness, RegisterError, ReserveError, Ring};

fn ring() -> (Ring, Producer, Consumer) {
    let ring = Ring::builder(4096).build().unwrap();
    let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    (ring, producer, consumer)
}

fn fill(producer: &Producer) -> usize {
    (0..).take_while(|_| producer.output(&[0; 8]).is_ok()).count()
}

/// The payloads that are there.
fn all(consumer: &mut Consumer) -> Vec<Vec<u8>> {
    consumer.batch().iter().map(|record| record.unwrap().to_vec()).collect()
}

#[test]
#[cfg_attr(miri, ignore = "the heap that stands in for mapped memory has no mirror, which halves the largest record")]
fn a_record_of_the_size_of_the_ring_less_16_fits_and_none_larger() {
    let (ring, producer, mut consumer) = ring();
    producer.output(&[1; 4096 - 16]).unwrap();
    assert_eq!(consumer.next().unwrap().unwrap().len(), 4096 - 16);
    let too_large = ReserveError::TooLarge { len: 4096 - 15, max: 4096 - 16 };
    assert_eq!(producer.output(&[1; 4096 - 15]), Err(too_large));
    assert_eq!(ring.stats().refused, 0, "no space would have helped");
}

#[test]
fn a_length_that_can_never_fit_is_too_large_whoever_asks() {
    let (_ring, producer, _consumer) = ring();
    let max = producer.max_len();
    for len in [max + 1, 1 << 32, (1 << 32) + 8, usize::MAX - 7, usize::MAX] {
        let error = ReserveError::TooLarge { len, max };
        assert_eq!(producer.reserve(len).unwrap_err(), error);
        assert_eq!(producer.reserve_zeroed(len).unwrap_err(), error);
        assert_eq!(producer.reserve_owned(len).unwrap_err(), error);
        assert_eq!(producer.reserve_blocking(len, None).unwrap_err(), error);
        assert_eq!(producer.reserve_batch(&[0, len]).unwrap_err(), error);
        assert_eq!(error.to_string(), format!("a record of {len} bytes was to be reserved; at most {max} are allowed"));
    }
    let error = producer.lease(max + 9).unwrap_err();
    assert_eq!(error, ReserveError::TooLarge { len: max + 1, max });
    assert_eq!(producer.reserve_as::<[u64; 512]>().unwrap_err(), ReserveError::TooLarge { len: 4096, max });
}

#[test]
fn a_batch_that_can_never_fit_together_is_too_large() {
    let (ring, producer, _consumer) = ring();
    let max = producer.max_len();
    let half = max / 2 / 8 * 8;
    let error = ReserveError::TooLarge { len: half + 8 + half + 8, max };
    assert_eq!(producer.reserve_batch(&[half, half + 8]).unwrap_err(), error);
    assert_eq!(ring.stats().head, 0, "all are reserved or none");
    assert_eq!(producer.reserve_batch(&[half - 8, half]).unwrap().len(), 2);
}

#[test]
fn a_ring_is_full_by_the_kernels_rule() {
    let (ring, producer, mut consumer) = ring();
    assert_eq!(fill(&producer), 255);
    assert_eq!(producer.reserve(8).unwrap_err(), ReserveError::Full);
    let stats = ring.stats();
    assert_eq!((stats.head, stats.available, stats.refused), (4080, 4080, 2));
    producer.output(b"").unwrap();
    assert_eq!(producer.output(b"").unwrap_err(), ReserveError::Full);
    drop(consumer.next().unwrap());
    producer.output(b"").unwrap();
    producer.output(b"").unwrap();
    assert_eq!(producer.output(b"").unwrap_err(), ReserveError::Full);
    assert_eq!(ReserveError::Full.to_string(), "not enough space in the ring at the moment");
    assert_eq!(io::Error::from(ReserveError::Full).kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn whoever_asks_finds_a_full_ring_full() {
    let (ring, producer, _consumer) = ring();
    fill(&producer);
    let refused = ring.stats().refused;
    assert_eq!(producer.reserve(1).unwrap_err(), ReserveError::Full);
    assert_eq!(producer.reserve_zeroed(1).unwrap_err(), ReserveError::Full);
    assert_eq!(producer.reserve_owned(1).unwrap_err(), ReserveError::Full);
    assert_eq!(producer.reserve_as::<u64>().unwrap_err(), ReserveError::Full);
    assert_eq!(producer.reserve_batch(&[0, 0]).unwrap_err(), ReserveError::Full);
    assert_eq!(producer.lease(16).unwrap_err(), ReserveError::Full);
    assert_eq!(ring.stats().refused, refused + 6);
    assert_eq!(producer.try_clone().unwrap().reserve(1).unwrap_err(), ReserveError::Full);
}

#[test]
fn a_ring_whose_consumer_has_gone_is_closed() {
    let (ring, producer, consumer) = ring();
    let mut before = producer.reserve(8).unwrap();
    drop(consumer);
    let closed = ReserveError::Closed;
    assert_eq!(producer.output(b"").unwrap_err(), closed);
    assert_eq!(producer.reserve_owned(1).unwrap_err(), closed);
    assert_eq!(producer.reserve_blocking(1, None).unwrap_err(), closed);
    assert_eq!(producer.lease(100).unwrap_err(), closed);
    assert_eq!(producer.reserve_batch(&[1]).unwrap_err(), closed);
    assert_eq!(ring.producer().unwrap().output(b"").unwrap_err(), closed);
    assert_eq!(ring.stats().refused, 0);
    before.fill(1);
    before.commit();
    assert_eq!(closed.to_string(), "the ring's consumer is gone");
    assert_eq!(io::Error::from(closed).kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn empty_records_are_records() {
    let (_ring, producer, mut consumer) = ring();
    for _ in 0..3 {
        producer.output(b"").unwrap();
    }
    producer.reserve(0).unwrap().discard();
    assert_eq!(all(&mut consumer), vec![Vec::<u8>::new(); 3]);
    assert_eq!(consumer.discarded(), 1);
}

#[test]
fn a_reservation_that_is_dropped_is_discarded() {
    let (ring, producer, mut consumer) = ring();
    drop(producer.reserve(100).unwrap());
    producer.reserve(100).unwrap().discard();
    drop(producer.reserve_as::<u64>().unwrap());
    producer.reserve_as::<u64>().unwrap().discard();
    drop(producer.reserve_batch(&[1, 2, 3]).unwrap());
    drop(producer.lease(100).unwrap());
    producer.output(b"behind").unwrap();
    assert_eq!(all(&mut consumer), [b"behind"]);
    assert_eq!((consumer.discarded(), ring.stats().discarded), (8, 8));
    assert_eq!(ring.stats().available, 0);
}

#[test]
fn only_the_first_bytes_of_a_shortened_record_are_delivered() {
    let (ring, producer, mut consumer) = ring();
    for (reserved, len) in [(100, 100), (100, 99), (100, 1), (100, 0), (8, 8), (8, 1), (8, 0), (0, 0)] {
        let mut record = producer.reserve(reserved).unwrap();
        record.fill(reserved as u8);
        record.commit_len(len).unwrap();
        assert_eq!(*consumer.next().unwrap().unwrap(), vec![reserved as u8; len], "{len} of {reserved}");
        assert!(consumer.next().unwrap().is_none());
        assert_eq!(ring.stats().available, 0, "the rest is given back");
    }
}

#[test]
fn a_reservation_too_short_for_what_is_committed_is_handed_back() {
    let (_ring, producer, mut consumer) = ring();
    for len in [5, 8, 1 << 32, usize::MAX] {
        let mut record = producer.reserve(4).unwrap();
        record.copy_from_slice(b"kept");
        let error = record.commit_len(len).unwrap_err();
        assert_eq!(error.len, len);
        assert_eq!(error.to_string(), format!("{len} bytes were to be committed of a reservation of 4"));
        assert_eq!(*error.dynptr, *b"kept");
        error.dynptr.commit();
        assert_eq!(all(&mut consumer), [b"kept"]);
    }
}

#[test]
fn a_reservation_too_short_is_discarded_where_the_error_becomes_one_of_io() {
    let (_ring, producer, mut consumer) = ring();
    let sent = || -> io::Result<()> { Ok(producer.reserve(4)?.commit_len(5)?) };
    let error = sent().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "5 bytes were to be committed of a reservation of 4");
    producer.output(b"next").unwrap();
    assert_eq!(all(&mut consumer), [b"next"]);
}

#[test]
fn a_reservation_is_written_like_a_stream() {
    let (_ring, producer, mut consumer) = ring();
    let mut record = producer.reserve(8).unwrap();
    assert_eq!(record.written(), 0);
    write!(record, "{}-", 12).unwrap();
    assert_eq!(record.written(), 3);
    assert_eq!(Write::write(&mut record, b"345678").unwrap(), 5, "as much as there is space for");
    assert_eq!(Write::write(&mut record, b"9").unwrap(), 0);
    assert_eq!(record.write_all(b"9").unwrap_err().kind(), io::ErrorKind::WriteZero);
    record.flush().unwrap();
    let written = record.written();
    record.commit_len(written).unwrap();
    assert_eq!(all(&mut consumer), [b"12-34567"]);
}

#[test]
fn reading_and_writing_stay_within_a_reservation() {
    let (_ring, producer, _consumer) = ring();
    let mut record = producer.reserve(10).unwrap();
    record.copy_from_slice(b"0123456789");
    let mut bytes = [0; 4];
    for (offset, expected) in [(0, b"0123"), (3, b"3456"), (6, b"6789")] {
        record.read(offset, &mut bytes).unwrap();
        assert_eq!(&bytes, expected);
    }
    record.write(6, b"wxyz").unwrap();
    record.read(10, &mut []).unwrap();
    record.write(10, &[]).unwrap();
    for (offset, len) in
        [(7, 4), (10, 1), (11, 0), (0, 11), (1 << 32, 4), (u64::MAX, 0), (u64::MAX, 1), (u64::MAX - 3, 4)]
    {
        let error = record.read(offset, &mut vec![0; len]).unwrap_err();
        assert_eq!(error, DynPtrError::OutOfBounds { offset, len: len as u64, size: 10 });
        assert_eq!(record.write(offset, &vec![1; len]).unwrap_err(), error);
        assert_eq!(error.errno(), 7, "the kernel's E2BIG");
        let text = format!("{len} bytes at offset {offset} reach outside a dynamic pointer of 10 bytes");
        assert_eq!(error.to_string(), text);
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
    }
    assert_eq!(*record, *b"012345wxyz");
}

#[test]
fn reservations_are_aligned_and_do_not_overlap() {
    let (_ring, producer, mut consumer) = ring();
    for lap in 0..50u8 {
        let mut records: Vec<_> = [0, 1, 7, 8, 9, 300].map(|len| producer.reserve(len).unwrap()).into();
        for (record, seed) in records.iter_mut().zip(lap..) {
            assert_eq!(record.as_ptr().addr() % 8, 0);
            record.fill(seed);
        }
        for (record, seed) in records.into_iter().zip(lap..) {
            assert!(record.iter().all(|byte| *byte == seed));
            record.commit();
        }
        let lens: Vec<_> = all(&mut consumer).iter().map(Vec::len).collect();
        assert_eq!(lens, [0, 1, 7, 8, 9, 300]);
    }
}

#[test]
fn a_zeroed_reservation_shows_nothing_of_old_records() {
    let (_ring, producer, mut consumer) = ring();
    let len = producer.max_len();
    producer.output(&vec![0xff; len]).unwrap();
    drop(consumer.next().unwrap().unwrap());
    assert!(producer.reserve_zeroed(len).unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn a_value_is_written_in_place() {
    let (_ring, producer, mut consumer) = ring();
    let mut value = producer.reserve_as::<[u64; 3]>().unwrap();
    *value = [1, 2, 3];
    value[1] = u64::MAX;
    value.commit();
    let expected = [1, u64::MAX, 3].map(u64::to_ne_bytes).concat();
    assert_eq!(all(&mut consumer), [expected]);

    let mut value = producer.reserve_as::<u32>().unwrap();
    *value = 0x0102_0304;
    let mut bytes = value.into_dynptr();
    assert_eq!(*bytes, 0x0102_0304u32.to_ne_bytes());
    bytes.fill(9);
    bytes.commit();
    producer.reserve_as::<()>().unwrap().commit();
    assert_eq!(all(&mut consumer), [vec![9; 4], vec![]]);
}

#[test]
fn a_lease_is_full_when_it_is_used_up() {
    let (_ring, producer, mut consumer) = ring();
    let mut lease = producer.lease(100).unwrap();
    assert_eq!(lease.remaining(), 104, "in whole records");
    for len in [97, 104, 1 << 32, usize::MAX] {
        assert_eq!(lease.reserve(len).unwrap_err(), ReserveError::Full);
    }
    lease.output(&[1; 80]).unwrap();
    assert_eq!(lease.remaining(), 16);
    let second = lease.reserve(8).unwrap();
    assert_eq!(lease.remaining(), 0);
    assert_eq!(lease.output(b"").unwrap_err(), ReserveError::Full);
    drop(lease);
    producer.output(b"behind").unwrap();
    assert_eq!(all(&mut consumer), [[1; 80]]);
    second.commit();
    assert_eq!(all(&mut consumer).len(), 2);
    assert_eq!(consumer.discarded(), 0);
}

#[test]
fn every_lease_has_room_for_an_empty_record() {
    let (_ring, producer, mut consumer) = ring();
    for bytes in [0, 1, 8] {
        let mut lease = producer.lease(bytes).unwrap();
        assert_eq!(lease.remaining(), 8);
        lease.output(b"").unwrap();
    }
    assert_eq!(all(&mut consumer).len(), 3);
}

#[test]
fn an_empty_batch_reserves_nothing() {
    let (ring, producer, _consumer) = ring();
    fill(&producer);
    let head = ring.stats().head;
    let mut batch = producer.reserve_batch(&[]).unwrap();
    assert_eq!(batch.len(), 0);
    assert!(batch.next().is_none());
    assert_eq!(ring.stats().head, head);
}

#[test]
fn a_reservation_that_is_forgotten_stalls_what_is_behind_it_and_nothing_else() {
    let (ring, producer, mut consumer) = ring();
    producer.output(b"before").unwrap();
    mem::forget(producer.reserve(8).unwrap());
    producer.output(b"behind").unwrap();
    assert_eq!(all(&mut consumer), [b"before"]);
    let another = ring.producer().unwrap();
    fill(&another);
    assert_eq!(another.output(&[0; 8]).unwrap_err(), ReserveError::Full);
    assert_eq!(all(&mut consumer), Vec::<Vec<u8>>::new());
    assert_eq!(ring.stats().consumer_pos, 16);
}

#[test]
fn leases_and_batches_that_are_forgotten_stall_what_is_behind_them_and_nothing_else() {
    let forget_lease = |producer: &Producer| {
        let mut lease = producer.lease(100).unwrap();
        lease.output(b"before").unwrap();
        mem::forget(lease);
    };
    let forget_batch = |producer: &Producer| {
        let mut batch = producer.reserve_batch(&[6, 8]).unwrap();
        let mut record = batch.next().unwrap();
        record.copy_from_slice(b"before");
        record.commit();
        mem::forget(batch);
    };
    for forget in [forget_lease, forget_batch] {
        let (_ring, producer, mut consumer) = ring();
        forget(&producer);
        producer.output(b"behind").unwrap();
        assert_eq!(all(&mut consumer), [b"before"]);
        assert!(consumer.next().unwrap().is_none());
    }
}

#[test]
fn what_was_leaked_is_passed_once_its_producer_has_gone() {
    let (ring, producer, mut consumer) = ring();
    producer.output(b"before").unwrap();
    mem::forget(producer.reserve(8).unwrap());
    let mut lease = producer.lease(256).unwrap();
    lease.output(b"leased").unwrap();
    mem::forget(lease);
    let another = ring.producer().unwrap();
    another.output(b"behind").unwrap();
    assert_eq!(all(&mut consumer), [b"before"]);
    assert!(!consumer.recover().unwrap(), "its producer is there");
    drop(producer);
    assert!(consumer.recover().unwrap());
    assert_eq!(all(&mut consumer), [b"leased"]);
    // Waiting does it by itself.
    assert_eq!(consumer.wait(None).unwrap(), Readiness::Ready);
    assert_eq!(all(&mut consumer), [b"behind"]);
    assert_eq!((consumer.abandoned(), ring.stats().abandoned), (2, 2));
}

#[test]
fn who_polls_gets_past_what_was_leaked() {
    let (ring, producer, mut consumer) = ring();
    producer.output(b"before").unwrap();
    mem::forget(producer.reserve(8).unwrap());
    drop(producer);
    ring.producer().unwrap().output(b"behind").unwrap();
    assert_eq!(all(&mut consumer), [b"before"]);
    let mut polls = (0..1000).filter_map(|_| consumer.next().unwrap().map(|record| record.to_vec()));
    assert_eq!(polls.next().as_deref(), Some(&b"behind"[..]));
}

#[test]
fn an_owned_reservation_that_is_forgotten_takes_its_slot_along() {
    let ring = Ring::builder(4096).max_producers(1).build().unwrap();
    let producer = ring.producer().unwrap();
    let forgotten = ManuallyDrop::new(producer.reserve_owned(8).unwrap());
    drop(producer);
    assert!(matches!(ring.producer(), Err(RegisterError::Full { max_producers: 1 })));
    assert_eq!(ring.stats().producers, 1);
    drop(ManuallyDrop::into_inner(forgotten));
    assert!(ring.producer().is_ok());
}
