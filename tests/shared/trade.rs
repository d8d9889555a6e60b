//! What one puts in, another takes out.

use std::error::Error;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use dynring::{ConsumerError, Readiness, RegisterError, ReserveError, Ring, SharedRing, TrustedRing};

use crate::forge::{Attacked, at};

type TestResult = Result<(), Box<dyn Error>>;

/// The ring, and a handle on it that came through a socket.
fn pair(capacity: usize) -> Result<(SharedRing, SharedRing), Box<dyn Error>> {
    let ring = Ring::builder(capacity).max_producers(4).build_shared()?;
    let (here, there) = UnixStream::pair()?;
    ring.share(&here)?;
    Ok((ring, SharedRing::receive(&there)?))
}

#[expect(unsafe_code, reason = "all processes are this one")]
fn trusted(ring: &SharedRing) -> TrustedRing {
    // SAFETY: nobody else has the ring.
    unsafe { ring.trusted() }
}

/// Whether a consumer can have the producers of all processes run a barrier, which it does before it looks no more at some.
#[expect(unsafe_code, reason = "asks the system what it can do")]
fn can_let_go() -> bool {
    const GLOBAL_EXPEDITED: i64 = 1 << 1;
    // SAFETY: a query has no other arguments and no effects.
    let commands = unsafe { libc::syscall(libc::SYS_membarrier, 0, 0, 0) };
    let possible = commands >= 0 && commands & GLOBAL_EXPEDITED != 0;
    if !possible {
        eprintln!("skipped: without membarrier(2), nobody is let go");
    }
    possible
}

#[test]
fn records_of_one_mapping_are_read_through_another() -> TestResult {
    let (ring, other) = pair(4096)?;
    let (producer, mut consumer) = (trusted(&ring).producer()?, trusted(&other).consumer()?);
    for round in 0..1000u64 {
        let mut record = producer.reserve(round as usize % 300)?;
        record.fill(round as u8);
        record.commit();
        let record = consumer.next()?.expect("a record");
        assert_eq!(*record, vec![round as u8; round as usize % 300]);
    }
    assert_eq!(ring.stats()?.head, other.stats()?.consumer_pos);
    Ok(())
}

#[test]
fn copies_are_what_was_written_piece_by_piece() -> TestResult {
    let (ring, other) = pair(4096)?;
    let (producer, mut consumer) = (ring.producer()?, other.consumer()?);
    let mut got = vec![1, 2, 3];
    assert!(!consumer.next_into(&mut got)?);
    assert_eq!(got, [1, 2, 3]);
    for len in 0..500 {
        let expected: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let mut record = producer.reserve(len)?;
        for (nth, piece) in expected.chunks(7).enumerate() {
            record.write(nth * 7, piece)?;
        }
        assert!(record.write(len, &[0]).is_err());
        record.commit();
        producer.reserve(3)?.discard();
        producer.output(&expected)?;
        for _ in 0..2 {
            assert!(consumer.next_into(&mut got)?);
            assert_eq!(got, expected);
        }
    }
    Ok(())
}

#[test]
fn producers_that_were_let_go_by_the_last_consumer_are_read_by_the_next() -> TestResult {
    let attacked = Attacked::built(Ring::builder(4096).max_producers(70));
    let (ring, let_go) = (&attacked.ring, attacked.consumer_page_at(at::LET_GO));
    let producers: Vec<_> = (0..70u8).map(|_| ring.producer()).collect::<Result<_, _>>()?;
    let mut got = Vec::new();
    for _ in 0..3 {
        let mut consumer = ring.consumer()?;
        let before = attacked.load(let_go);
        // Enough looks for those who do nothing to be let go, if that is possible here.
        for _ in 0..10_000 {
            assert!(!consumer.next_into(&mut got)?);
        }
        // Of 64 slots in the word, those that are let go have the other bit.
        let found = attacked.load(let_go) ^ before;
        assert_eq!(found, if can_let_go() { u64::MAX } else { 0 });
        drop(consumer);
        producers.iter().zip(0..35u8).try_for_each(|(producer, id)| producer.output(&[id]))?;
        let mut next = ring.consumer()?;
        producers.iter().zip(0..).skip(35).try_for_each(|(producer, id): (_, u8)| producer.output(&[id]))?;
        for id in 0..70 {
            assert!(next.next_into(&mut got)?);
            assert_eq!(got, [id]);
        }
    }
    Ok(())
}

#[test]
fn there_is_one_consumer_at_a_time_and_the_next_goes_on_where_the_last_stopped() -> TestResult {
    let (ring, other) = pair(4096)?;
    let producer = ring.producer()?;
    for number in 0..3u8 {
        producer.output(&[number])?;
    }
    let mut got = Vec::new();
    let mut first = ring.consumer()?;
    assert!(matches!(other.consumer(), Err(ConsumerError::Taken)));
    assert!(matches!(ring.consumer(), Err(ConsumerError::Taken)));
    assert!(other.has_consumer()?);
    assert!(first.next_into(&mut got)?);
    drop(first);
    assert!(!other.has_consumer()?);
    let mut second = trusted(&other).consumer()?;
    second.drain(|record| {
        got.extend_from_slice(record);
        ControlFlow::Continue(())
    })?;
    assert_eq!(got, [0, 1, 2]);
    producer.output(&[3])?;
    second.close();
    assert_eq!(producer.output(&[4]), Err(ReserveError::Closed));
    assert!(matches!(ring.consumer(), Err(ConsumerError::Closed)));
    Ok(())
}

#[test]
fn slots_are_those_of_all_processes_together() -> TestResult {
    let (ring, other) = pair(4096)?;
    let producers = [ring.producer()?, other.producer()?, ring.producer()?, other.producer()?];
    for ring in [&ring, &other] {
        assert!(matches!(ring.producer(), Err(RegisterError::Full { max_producers: 4 })));
        assert_eq!(ring.stats()?.producers, 4);
    }
    drop(producers);
    assert_eq!(ring.stats()?.producers, 0);
    let _ = other.producer()?;
    Ok(())
}

#[test]
fn a_consumer_sleeps_until_a_producer_of_another_mapping_wakes_it() -> TestResult {
    let (ring, other) = pair(4096)?;
    let producer = trusted(&other).producer()?;
    let mut consumer = trusted(&ring).consumer()?;
    let sender = std::thread::spawn(move || {
        for number in 0..100u8 {
            std::thread::sleep(Duration::from_micros(200));
            producer.output(&[number]).unwrap();
        }
    });
    let mut got = Vec::new();
    while consumer.wait(Some(Duration::from_secs(60)))? == Readiness::Ready {
        consumer.drain(|record| {
            got.extend_from_slice(record);
            ControlFlow::Continue(())
        })?;
    }
    assert_eq!(got, (0..100).collect::<Vec<u8>>());
    assert!(consumer.is_disconnected());
    sender.join().unwrap();
    Ok(())
}

#[test]
fn a_producer_sleeps_until_a_consumer_of_another_mapping_makes_space() -> TestResult {
    let (ring, other) = pair(4096)?;
    let producer = ring.producer()?;
    let mut consumer = other.consumer()?;
    let sender = std::thread::spawn(move || {
        for number in 0..100u64 {
            let mut record = producer.reserve_blocking(2000, None).unwrap();
            record.write(0, &number.to_ne_bytes()).unwrap();
            record.commit();
        }
    });
    let (mut got, mut record) = (0u64, Vec::new());
    while consumer.wait(None)? == Readiness::Ready {
        while consumer.next_into(&mut record)? {
            assert_eq!(record[..8], got.to_ne_bytes());
            got += 1;
        }
    }
    assert_eq!(got, 100);
    sender.join().unwrap();
    Ok(())
}

#[test]
fn an_event_loop_is_woken_by_producers_that_were_given_its_descriptor() -> TestResult {
    use std::os::fd::AsRawFd;

    let ring = Ring::builder(4096).build_shared()?;
    let mut consumer = trusted(&ring).consumer()?;
    let (here, there) = UnixStream::pair()?;
    ring.share_with(&here, &consumer)?;
    let other = SharedRing::receive(&there)?;
    let producer = other.producer()?;
    assert_eq!(consumer.arm()?, None);
    let sender = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        producer.output(b"ring").unwrap();
    });
    let mut fds = [libc::pollfd { fd: consumer.poll_fd()?.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    #[expect(unsafe_code, reason = "calls poll(2)")]
    // SAFETY: one valid `pollfd`.
    let ready = unsafe { libc::poll(fds.as_mut_ptr(), 1, 60_000) };
    assert_eq!(ready, 1);
    consumer.disarm();
    assert_eq!(&*consumer.next()?.expect("a record"), b"ring");
    sender.join().unwrap();
    Ok(())
}

#[test]
fn what_wakes_an_event_loop_is_that_of_a_consumer_of_a_shared_ring() -> TestResult {
    let shared = Ring::builder(4096).build_shared()?;
    let alone = Ring::builder(4096).build()?;
    let (here, _there) = UnixStream::pair()?;
    let refused = shared.share_with(&here, &alone.consumer()?).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    Ok(())
}
