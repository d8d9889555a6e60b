//! Records as a stream.

use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::thread;

use dynring::Ring;
use tokio_stream::StreamExt;

use crate::support::pages::{Pages, WRITE, page_size};
use crate::{LONG, TestResult, WORD, current_thread, ring, runtimes, send, soon, times};

#[test]
fn a_stream_ends_when_nobody_is_left() -> TestResult {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ring, producer, consumer) = ring();
            let times = times(10_000);
            let sender = thread::spawn(move || {
                for nth in 0..times {
                    let mut record = producer.reserve_blocking(1 + nth as usize % 100, Some(LONG)).unwrap();
                    record.fill(nth as u8);
                    record.commit();
                }
                drop(ring);
            });
            let mut stream = consumer.into_stream();
            for nth in 0..times {
                let record = soon(stream.next()).await.expect("a record")?;
                assert_eq!(record, vec![nth as u8; 1 + nth as usize % 100]);
            }
            assert!(soon(stream.next()).await.is_none());
            assert!(soon(stream.next()).await.is_none(), "and stays at its end");
            sender.join().expect("no panic");
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?;
    }
    Ok(())
}

#[test]
fn a_stream_gives_its_consumer_back_at_the_next_record() -> TestResult {
    current_thread().block_on(async {
        let (_ring, producer, consumer) = ring();
        producer.output(b"one")?;
        producer.output(b"two")?;
        let mut stream = consumer.into_stream();
        assert_eq!(soon(stream.next()).await.expect("a record")?, b"one");
        assert_eq!(stream.get_ref().get_ref().available(), 16);
        assert_eq!(&*soon(stream.into_inner().next()).await?.expect("a record"), b"two");
        Ok(())
    })
}

#[test]
fn a_stream_says_once_that_the_ring_is_corrupt_and_ends() -> TestResult {
    current_thread().block_on(async {
        let ring = Ring::builder(4096).kernel_protocol(true).build()?;
        let (producer, consumer) = (ring.producer()?, ring.consumer()?.into_async()?);
        producer.output(&WORD)?;
        producer.output(&WORD)?;
        let pages = Pages::map(ring.as_fd(), WRITE, ring.window_offset() as usize, 3 * page_size())?;
        pages.word(2 * page_size() + 16).store(1000, Ordering::Relaxed);
        let mut stream = consumer.into_stream();
        assert_eq!(soon(stream.next()).await.expect("a record")?, WORD);
        assert!(soon(stream.next()).await.expect("an error").is_err());
        for _ in 0..3 {
            assert!(soon(stream.next()).await.is_none());
        }
        assert!(soon(stream.into_inner().next()).await.is_err(), "the consumer says it again");
        Ok(())
    })
}

#[test]
fn streams_of_several_rings_are_merged() -> TestResult {
    current_thread().block_on(async {
        let rings = [ring(), ring()];
        let [a, b] = rings.map(|(_ring, producer, consumer)| {
            let sender = thread::spawn(move || {
                (0..1000).for_each(|nth| send(&producer, nth));
            });
            (sender, consumer.into_stream())
        });
        let merged = a.1.merge(b.1).collect::<Result<Vec<_>, _>>();
        let mut got: Vec<u64> = soon(merged).await?.iter().map(|record| crate::number(record)).collect();
        got.sort_unstable();
        assert!(got.into_iter().eq((0..1000).flat_map(|nth| [nth, nth])));
        a.0.join().expect("no panic");
        b.0.join().expect("no panic");
        Ok(())
    })
}
