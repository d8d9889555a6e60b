//! A ring built with `kernel_protocol(true)`, read by somebody who knows nothing but the kernel's protocol.

#![cfg(not(miri))] // Miri cannot map files.
#![expect(unsafe_code, reason = "the reader maps the ring by itself")]

#[path = "support/plain.rs"]
mod plain;

use std::os::fd::AsFd;
use std::thread;

use dynring::{Corrupt, Producer, ReserveError, Ring};
use plain::{BUSY, DISCARD, PlainReader, Seen};

const SIZE: usize = 4096;

fn ring_at(size: usize, first: u64) -> (Ring, Producer, PlainReader) {
    let ring = Ring::builder(size).kernel_protocol(true).first_position(first).build().unwrap();
    assert_eq!(ring.capacity(), size);
    let producer = ring.producer().unwrap();
    let reader = PlainReader::map(ring.as_fd(), ring.window_offset(), size).unwrap();
    (ring, producer, reader)
}

fn read(reader: &mut PlainReader) -> Vec<Option<Vec<u8>>> {
    let mut seen = Vec::new();
    reader.consume(|record| match record {
        Seen::Record(bytes) => seen.push(Some(bytes.to_vec())),
        Seen::Discarded(_) => seen.push(None),
    });
    seen
}

/// `len` bytes that depend on `seed` and on where they are.
fn pattern(seed: u64, len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (seed.wrapping_mul(31) ^ i ^ (i >> 8)) as u8).collect()
}

fn stride(len: usize) -> u64 {
    (len as u64 + 8).next_multiple_of(8)
}

fn assert_mirrored(reader: &PlainReader) {
    let (data, again) = reader.halves();
    assert!(data == again, "the data and the data again differ");
}

#[test]
fn records_of_every_size_are_read() {
    let (_ring, producer, mut reader) = ring_at(4 * SIZE, 0);
    let mut end = 0;
    for len in 0..=4096 {
        let payload = pattern(len as u64, len);
        producer.output(&payload).unwrap();
        assert_mirrored(&reader);
        end += stride(len);
        assert_eq!(reader.producer_pos(), end);
        assert_eq!(read(&mut reader), [Some(payload)], "{len}");
        assert_eq!(reader.consumer_pos(), end);
    }
}

#[test]
fn the_largest_record_is_read() {
    let (ring, producer, mut reader) = ring_at(SIZE, 0);
    assert_eq!(ring.max_len(), SIZE - 16);
    for seed in 0..3 {
        let payload = pattern(seed, ring.max_len());
        producer.output(&payload).unwrap();
        assert_eq!(producer.output(b""), Err(ReserveError::Full));
        assert_eq!(read(&mut reader), [Some(payload)]);
        assert_mirrored(&reader);
    }
}

/// Headers at each offset of the ring, its last 8 bytes included, and records across each of the places where positions
/// outgrow a type.
#[test]
fn records_at_every_offset_and_across_every_wrap_are_read() {
    for wrap in [1 << 31, 1 << 32, 1 << 63, 0u64] {
        for before in (0..=SIZE as u64).step_by(8) {
            let first = wrap.wrapping_sub(before);
            let (ring, producer, mut reader) = ring_at(SIZE, first);
            assert_eq!((reader.consumer_pos(), reader.producer_pos()), (first, first));
            let lens = [0, 1, before as usize / 4, 7, 500];
            for len in lens {
                producer.output(&pattern(before, len)).unwrap();
                producer.reserve(len).unwrap().discard();
            }
            let expected = lens.into_iter().flat_map(|len| [Some(pattern(before, len)), None]);
            assert_eq!(read(&mut reader), expected.collect::<Vec<_>>(), "from {first:#x}");
            // A lap of its own, so that each header is met at an offset of the lap before too.
            let payload = pattern(before, ring.max_len());
            producer.output(&payload).unwrap();
            assert_mirrored(&reader);
            assert_eq!(read(&mut reader), [Some(payload)], "from {first:#x}");
            assert_eq!(reader.consumer_pos(), ring.stats().head);
        }
    }
}

#[test]
fn reading_stops_at_a_busy_record() {
    let (_ring, producer, mut reader) = ring_at(SIZE, 0);
    producer.output(b"first").unwrap();
    let busy = producer.reserve(100).unwrap();
    producer.output(b"behind").unwrap();
    assert_eq!(read(&mut reader), [Some(b"first".to_vec())]);
    assert_eq!(read(&mut reader), []);
    assert_eq!((reader.consumer_pos(), reader.producer_pos()), (16, 16 + 112 + 16));
    busy.discard();
    assert_eq!(read(&mut reader), [None, Some(b"behind".to_vec())]);
}

#[test]
fn a_full_ring_has_room_for_what_the_reader_has_passed() {
    let (_ring, producer, mut reader) = ring_at(SIZE, !7);
    for number in 0..255u64 {
        producer.output(&number.to_ne_bytes()).unwrap();
    }
    assert_eq!(producer.output(&[0; 8]), Err(ReserveError::Full));
    assert_eq!(reader.producer_pos(), 4080 - 8);
    let numbers = (0..255u64).map(|number| Some(number.to_ne_bytes().to_vec()));
    assert_eq!(read(&mut reader), numbers.collect::<Vec<_>>());
    producer.output(&[1; 8]).unwrap();
    assert_eq!(read(&mut reader), [Some(vec![1; 8])]);
}

#[test]
fn a_reader_that_was_never_where_it_says_makes_the_ring_corrupt() {
    for first in [0, 1 << 32, 0u64.wrapping_sub(4080)] {
        let (_ring, producer, mut reader) = ring_at(SIZE, first);
        for _ in 0..255 {
            producer.output(&[0; 8]).unwrap();
        }
        let head = first.wrapping_add(4080);
        for wrong in [head.wrapping_add(8), head.wrapping_add(1 << 62), head.wrapping_sub(4104)] {
            reader.set_consumer_pos(wrong);
            let deceived = producer.clone();
            let corrupt = deceived.reserve(8).unwrap_err();
            match corrupt {
                ReserveError::Corrupt(Corrupt::ConsumerPos { found, producer, size, .. }) => {
                    assert_eq!((found.get(), producer.get(), size), (wrong, head, 4096));
                }
                error => panic!("{error:?} at {wrong:#x}"),
            }
            reader.set_consumer_pos(head);
            assert_eq!(deceived.reserve(8).unwrap_err(), corrupt, "for good");
        }
        producer.output(b"works on").unwrap();
        assert_eq!(read(&mut reader), [Some(b"works on".to_vec())]);
    }
}

#[test]
fn memory_holds_what_the_kernel_would_have_written() {
    let (_ring, producer, reader) = ring_at(SIZE, 0);
    producer.output(b"ABCDE").unwrap();
    producer.reserve(9).unwrap().discard();
    let mut busy = producer.reserve(3).unwrap();
    busy.copy_from_slice(b"xyz");

    assert_eq!(reader.header(0).0, 5);
    assert_eq!(reader.header(16).0, 9 | DISCARD);
    assert_eq!(reader.header(40).0, 3 | BUSY);
    assert_eq!((reader.consumer_pos(), reader.producer_pos()), (0, 56));
    let (pending_pos, overwrite_pos) = (reader.producer_word(8), reader.producer_word(16));
    assert_eq!((pending_pos, overwrite_pos), (0, 0), "words of newer kernels are left alone");

    // The word that the kernel calls pg_off: lap 0, producer 1. A new ring is zero, paddings included.
    let tag = (1u32 << 16).to_ne_bytes();
    let mut expected = vec![0; SIZE];
    expected[0..4].copy_from_slice(&5u32.to_ne_bytes());
    expected[4..8].copy_from_slice(&tag);
    expected[8..13].copy_from_slice(b"ABCDE");
    expected[16..20].copy_from_slice(&(9 | DISCARD).to_ne_bytes());
    expected[20..24].copy_from_slice(&tag);
    expected[40..44].copy_from_slice(&(3 | BUSY).to_ne_bytes());
    expected[44..48].copy_from_slice(&tag);
    expected[48..51].copy_from_slice(b"xyz");
    assert_eq!(reader.halves().0, expected);
    assert_mirrored(&reader);
    busy.commit();
    assert_eq!(reader.header(40).0, 3);
}

#[test]
fn a_shortened_record_is_followed_by_a_discarded_one() {
    let (_ring, producer, mut reader) = ring_at(SIZE, 0);
    for (reserved, committed, rest) in
        [(100, 10, Some(80)), (16, 8, Some(0)), (16, 9, None), (16, 16, None), (8, 0, Some(0))]
    {
        let from = reader.producer_pos();
        let mut record = producer.reserve(reserved).unwrap();
        record.copy_from_slice(&pattern(1, reserved));
        record.commit_len(committed).unwrap();
        assert_eq!(reader.header(from).0, committed as u32);
        if let Some(rest) = rest {
            assert_eq!(reader.header(from + stride(committed)).0, rest | DISCARD, "{reserved} to {committed}");
        }
        let mut expected = vec![Some(pattern(1, reserved)[..committed].to_vec())];
        expected.extend(rest.map(|_| None));
        assert_eq!(read(&mut reader), expected, "{reserved} to {committed}");
        assert_eq!(reader.consumer_pos(), from + stride(reserved));
    }
}

#[test]
fn records_of_a_lease_are_read_one_by_one() {
    for first in (0..SIZE as u64).step_by(8) {
        let (_ring, producer, mut reader) = ring_at(SIZE, first);
        let mut lease = producer.lease(400).unwrap();
        assert_eq!(reader.producer_pos(), first.wrapping_add(400), "the lease is one record");
        assert_eq!(read(&mut reader), []);
        for len in [0, 1, 8, 100] {
            lease.output(&pattern(3, len)).unwrap();
            assert_eq!(read(&mut reader), [Some(pattern(3, len))]);
        }
        let (left, record) = (lease.remaining(), lease.reserve(20).unwrap());
        assert_eq!(lease.remaining(), left - 32);
        drop(lease);
        assert_eq!(read(&mut reader), [], "the record that was taken out is busy");
        record.commit();
        assert_eq!(read(&mut reader), [Some(vec![0; 20]), None]);
        assert_eq!(reader.consumer_pos(), reader.producer_pos());
    }
}

#[test]
fn records_of_a_batch_are_read_in_their_order() {
    for first in (0..SIZE as u64).step_by(8) {
        let (_ring, producer, mut reader) = ring_at(SIZE, first);
        let lens = [5, 0, 1000, 8, 17];
        let mut records: Vec<_> = producer.reserve_batch(&lens).unwrap().collect();
        for (record, seed) in records.iter_mut().zip(1..) {
            let bytes = pattern(seed, record.len());
            record.copy_from_slice(&bytes);
        }
        for record in records.drain(1..).rev() {
            record.commit();
            assert_eq!(read(&mut reader), [], "the first one is busy");
        }
        records.pop().unwrap().commit();
        let expected: Vec<_> = lens.into_iter().zip(1..).map(|(len, seed)| Some(pattern(seed, len))).collect();
        assert_eq!(read(&mut reader), expected);
        assert_mirrored(&reader);

        let taken = producer.reserve_batch(&[1, 2, 3]).unwrap().next().unwrap();
        assert_eq!(read(&mut reader), [], "what was not taken out is discarded, behind what was");
        taken.commit();
        assert_eq!(read(&mut reader).len(), 3);
    }
}

#[test]
fn a_reader_keeps_up_with_one_to_four_producers() {
    for threads in 1..=4u64 {
        for (size, first) in [(SIZE, 0), (SIZE, !7), (16 * SIZE, (1 << 32) - 64)] {
            exchange(threads, size, first);
        }
    }
}

const RECORDS: u64 = 3000;

fn exchange(threads: u64, size: usize, first: u64) {
    let (ring, producer, mut reader) = ring_at(size, first);
    drop(producer);
    thread::scope(|scope| {
        let senders: Vec<_> = (0..threads)
            .map(|id| {
                let producer = ring.producer().unwrap();
                scope.spawn(move || send(&producer, id))
            })
            .collect();
        let mut next = vec![0; threads as usize];
        let (mut discarded, mut bytes) = (0, 0);
        let mut account = |seen: Seen<'_>| match seen {
            Seen::Record(payload) => {
                bytes += stride(payload.len());
                check(payload, &mut next);
            }
            Seen::Discarded(len) => {
                bytes += stride(len as usize);
                discarded += 1;
            }
        };
        while senders.iter().any(|sender| !sender.is_finished()) {
            reader.consume(&mut account);
            thread::yield_now();
        }
        reader.consume(&mut account);
        assert_eq!(next, vec![RECORDS; threads as usize]);
        assert_eq!(discarded, senders.into_iter().map(|sender| sender.join().unwrap()).sum::<u64>());
        assert_eq!(reader.consumer_pos(), first.wrapping_add(bytes));
    });
    assert_eq!(reader.producer_pos(), reader.consumer_pos());
    assert_eq!(ring.stats().head, reader.producer_pos());
    assert_mirrored(&reader);
}

/// Whose record, which one, and as many bytes as that says.
fn payload(id: u64, number: u64) -> Vec<u8> {
    let mut bytes = [id.to_ne_bytes(), number.to_ne_bytes()].concat();
    bytes.extend(pattern(id ^ number, (number * 7 % 200) as usize));
    bytes
}

fn check(bytes: &[u8], next: &mut [u64]) {
    let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
    let (id, number) = (word(0), word(8));
    assert_eq!(number, next[id as usize], "of producer {id}");
    assert_eq!(bytes, payload(id, number), "record {number} of producer {id}");
    next[id as usize] += 1;
}

/// Sends all records, in turn in each of the ways there are. Returns how many discarded ones are in between.
fn send(producer: &Producer, id: u64) -> u64 {
    let (mut number, mut discarded) = (0, 0);
    while number < RECORDS {
        let bytes = payload(id, number);
        match number % 5 {
            0 => retried(|| producer.output(&bytes)),
            1 => {
                let mut record = retried(|| producer.reserve(bytes.len() + 50));
                record[..bytes.len()].copy_from_slice(&bytes);
                record.commit_len(bytes.len()).unwrap();
                discarded += 1;
            }
            2 => {
                let mut lease = retried(|| producer.lease(64 + bytes.len()));
                lease.output(&bytes).unwrap();
                discarded += u64::from(lease.remaining() > 0);
            }
            3 => {
                retried(|| producer.reserve(bytes.len())).discard();
                discarded += 1;
                retried(|| producer.output(&bytes));
            }
            _ => {
                let lens = [bytes.len(), 9];
                let mut records = retried(|| producer.reserve_batch(&lens));
                let mut record = records.next().unwrap();
                record.copy_from_slice(&bytes);
                record.commit();
                discarded += 1;
            }
        }
        number += 1;
    }
    discarded
}

/// A reader of this kind wakes nobody, so whoever finds the ring full tries again.
fn retried<R>(mut reserve: impl FnMut() -> Result<R, ReserveError>) -> R {
    loop {
        match reserve() {
            Ok(reserved) => return reserved,
            Err(ReserveError::Full) => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}
