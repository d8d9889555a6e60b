//! Many records through many threads: none is lost, doubled, torn, or out of its producer's order.
//!
//! `DYNRING_STRESS` multiplies the number of records.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dynring::{Consumer, DynPtr, Producer, Readiness, ReserveError, Ring};

/// Time that no wait takes unless its wake was lost.
const FOREVER: Duration = Duration::from_secs(if cfg!(miri) { 1 << 40 } else { 60 });

/// What `wait` yields, which waits for [`FOREVER`] at most. When its time is up, it looks once more, and needs no wake for what it
/// then finds.
#[track_caller]
fn woken<R>(wait: impl FnOnce(Option<Duration>) -> R) -> R {
    let begun = Instant::now();
    let result = wait(Some(FOREVER));
    assert!(begun.elapsed() < FOREVER, "a wake was lost");
    result
}

fn reserve(producer: &Producer, len: usize) -> DynPtr<'_> {
    woken(|timeout| producer.reserve_blocking(len, timeout)).expect("space")
}

fn records(usual: u64, under_miri: u64) -> u64 {
    let times = std::env::var("DYNRING_STRESS").map_or(1, |times| times.parse().expect("DYNRING_STRESS is a number"));
    times * if cfg!(miri) { under_miri } else { usual }
}

/// Whose record, which one, and the checksum of those and of what follows.
const PREFIX: usize = 24;

fn checksum(id: u64, number: u64, rest: &[u8]) -> u64 {
    let mut sum = (id << 48 ^ number ^ (rest.len() as u64) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut words = rest.chunks_exact(8);
    for word in &mut words {
        sum = (sum ^ u64::from_ne_bytes(word.try_into().unwrap())).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    words.remainder().iter().fold(sum, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Most records are short, some are not, one in a hundred is as large as `most`.
fn len(id: u64, number: u64, most: usize) -> usize {
    let random = (id ^ number).wrapping_mul(0xd129_0d3c_a5b7_1f4d) >> 17;
    let range = match random % 100 {
        0..70 => 48,
        70..99 => 500,
        _ => most as u64 - PREFIX as u64,
    };
    PREFIX + (random >> 8) as usize % (range as usize + 1)
}

fn write(record: &mut [u8], id: u64, number: u64) {
    let (prefix, rest) = record.split_at_mut(PREFIX);
    rest.fill((id + number) as u8);
    for (byte, seed) in rest.iter_mut().step_by(61).zip(number..) {
        *byte = seed as u8;
    }
    for (word, value) in prefix.chunks_exact_mut(8).zip([id, number, checksum(id, number, rest)]) {
        word.copy_from_slice(&value.to_ne_bytes());
    }
}

/// The record's producer and number, if it is whole.
fn read(record: &[u8]) -> (u64, u64) {
    let word = |at: usize| u64::from_ne_bytes(record[at..at + 8].try_into().unwrap());
    let (id, number) = (word(0), word(8));
    assert_eq!(word(16), checksum(id, number, &record[PREFIX..]), "record {number} of producer {id} is torn");
    (id, number)
}

/// Sends records `0..records`, in each of the ways there are. Returns how many discarded ones lie between them.
fn send(producer: &Producer, id: u64, records: u64) -> u64 {
    let most = producer.max_len().min(3000);
    let (mut number, mut discarded) = (0, 0);
    for turn in id.. {
        if number == records {
            break;
        }
        let len = len(id, number, most);
        match turn % 16 {
            0 => {
                let mut lease = retried(|| producer.lease(len + 8 + 4 * 64));
                let mut lens = [len, 32, 40, 24, 33].into_iter();
                while number < records {
                    let Some(mut record) = lens.next().and_then(|len| lease.reserve(len).ok()) else { break };
                    write(&mut record, id, number);
                    record.commit();
                    number += 1;
                }
                discarded += u64::from(lease.remaining() > 0);
                continue;
            }
            1 => {
                reserve(producer, len).discard();
                discarded += 1;
                output(producer, id, number, len);
            }
            2 => {
                let mut record = reserve(producer, (len + 32).min(most));
                let shorter = len.min(record.len());
                discarded += u64::from(record.len().next_multiple_of(8) > shorter.next_multiple_of(8));
                write(&mut record[..shorter], id, number);
                record.commit_len(shorter).unwrap();
            }
            3 => {
                let lens = [24, 8];
                let mut batch = retried(|| producer.reserve_batch(&lens));
                let mut record = batch.next().unwrap();
                write(&mut record, id, number);
                record.commit();
                discarded += 1;
            }
            _ => output(producer, id, number, len),
        }
        number += 1;
    }
    discarded
}

fn output(producer: &Producer, id: u64, number: u64, len: usize) {
    let mut record = reserve(producer, len);
    write(&mut record, id, number);
    record.commit();
}

fn retried<R>(mut reserve: impl FnMut() -> Result<R, ReserveError>) -> R {
    loop {
        match reserve() {
            Ok(reserved) => return reserved,
            Err(ReserveError::Full) => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Reads until nobody is left, in turn in each of the ways there are. Returns how many records came from each.
fn receive(consumer: &mut Consumer, producers: u64) -> Vec<u64> {
    let mut next = vec![0; producers as usize];
    let mut account = |record: &[u8]| {
        let (id, number) = read(record);
        assert_eq!(number, next[id as usize], "of producer {id}");
        next[id as usize] += 1;
    };
    for turn in 0.. {
        let readiness = if turn % 4 == 0 {
            woken(|timeout| consumer.wait_for(1024, Duration::from_micros(100), timeout)).unwrap()
        } else {
            woken(|timeout| consumer.wait(timeout)).unwrap()
        };
        match readiness {
            Readiness::Ready => {}
            Readiness::TimedOut => unreachable!("its time is not up"),
            Readiness::Disconnected => break,
        }
        if turn % 2 == 0 {
            consumer.batch().iter().take(50).for_each(|record| account(record.unwrap()));
        } else {
            consumer
                .drain(|record| {
                    account(record);
                    std::ops::ControlFlow::Continue(())
                })
                .unwrap();
        }
    }
    next
}

fn exchange(capacity: usize, producers: u64, records: u64, kernel_protocol: bool) {
    // Shortly before the positions wrap.
    let first = 0u64.wrapping_sub(100_000);
    let ring = Ring::builder(capacity).kernel_protocol(kernel_protocol).first_position(first).build().unwrap();
    let mut consumer = ring.consumer().unwrap();
    let each = records / producers;
    let discarded = AtomicU64::new(0);
    let senders: Vec<_> = (0..producers).map(|_| ring.producer().unwrap()).collect();
    thread::scope(|scope| {
        for (producer, id) in senders.into_iter().zip(0..) {
            let discarded = &discarded;
            scope.spawn(move || discarded.fetch_add(send(&producer, id, each), Ordering::Relaxed));
        }
        assert_eq!(receive(&mut consumer, producers), vec![each; producers as usize]);
    });
    let stats = ring.stats();
    assert_eq!((stats.available, stats.producers), (0, 0));
    if !cfg!(miri) {
        assert_eq!(stats.discarded, discarded.into_inner());
    }
}

#[test]
fn nothing_is_lost_in_a_ring_of_one_page() {
    for producers in [1, 2, 4, 8, 16] {
        for kernel_protocol in [false, true] {
            exchange(4096, producers, records(64_000, 96), kernel_protocol);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "megabytes are slow there")]
fn nothing_is_lost_in_a_large_ring() {
    for producers in [1, 2, 4, 8, 16] {
        for kernel_protocol in [false, true] {
            exchange(64 << 20, producers, records(128_000, 0), kernel_protocol);
        }
    }
}

/// Two threads that hand one record back and forth, each asleep until it comes.
#[test]
fn no_wake_is_lost_when_both_sides_sleep() {
    for kernel_protocol in [false, true] {
        let times = records(50_000, 30);
        let ring = || Ring::builder(4096).kernel_protocol(kernel_protocol).build().unwrap();
        let (there, back) = (ring(), ring());
        let (ping, pong) = (there.producer().unwrap(), back.producer().unwrap());
        let (mut pinged, mut ponged) = (there.consumer().unwrap(), back.consumer().unwrap());
        let await_number = |consumer: &mut Consumer, number: u64| {
            assert_eq!(woken(|timeout| consumer.wait(timeout)).unwrap(), Readiness::Ready);
            assert_eq!(*consumer.next().unwrap().unwrap(), number.to_ne_bytes());
        };
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..times {
                    await_number(&mut pinged, number);
                    pong.output(&number.to_ne_bytes()).unwrap();
                }
            });
            for number in 0..times {
                ping.output(&number.to_ne_bytes()).unwrap();
                await_number(&mut ponged, number);
            }
        });
    }
}

/// Rings that hold one record at a time, so that producers sleep for each.
#[test]
fn no_wake_is_lost_when_producers_wait_for_space() {
    for producers in [1, 3] {
        let times = records(20_000, 20);
        let ring = Ring::builder(4096).build().unwrap();
        let mut consumer = ring.consumer().unwrap();
        let len = ring.max_len();
        let senders: Vec<_> = (0..producers).map(|_| ring.producer().unwrap()).collect();
        thread::scope(|scope| {
            for (producer, id) in senders.into_iter().zip(0..) {
                scope.spawn(move || {
                    for number in 0..times {
                        let mut record = reserve(&producer, len);
                        write(&mut record[..PREFIX], id, number);
                        record.commit_len(PREFIX).unwrap();
                    }
                });
            }
            assert_eq!(receive(&mut consumer, producers), vec![times; producers as usize]);
        });
    }
}

/// Producers that come and go while others send.
#[test]
fn nothing_is_lost_when_producers_come_and_go() {
    let times = records(4000, 10);
    let ring = Ring::builder(4096).max_producers(3).build().unwrap();
    let mut consumer = ring.consumer().unwrap();
    let threads: u64 = 3;
    let kept = ring.producer().unwrap();
    thread::scope(|scope| {
        let senders: Vec<_> = (0..threads)
            .map(|id| {
                let ring = ring.clone();
                scope.spawn(move || {
                    for number in 0..times {
                        let producer = loop {
                            match ring.producer() {
                                Ok(producer) => break producer,
                                Err(_) => thread::yield_now(),
                            }
                        };
                        let mut record = retried(|| producer.reserve_owned(PREFIX + 8));
                        drop(producer);
                        write(&mut record, id, number);
                        record.commit();
                    }
                })
            })
            .collect();
        scope.spawn(move || {
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            drop(kept);
        });
        assert_eq!(receive(&mut consumer, threads), vec![times; threads as usize]);
    });
}
