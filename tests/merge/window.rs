//! Who waits for whom, and for how long.

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dynring::{PollEnd, PollError, Ring, RingMerge};

use crate::pages::{Pages, WRITE, page_size};
use crate::{LONG, Merge, NOW, consumed, flushed, merge_of, note, send};

const WINDOW: Duration = Duration::from_millis(40);

/// Polls until something is delivered, which it returns.
fn polled(merge: &mut Merge) -> Vec<i64> {
    let mut log = Vec::new();
    let polled = merge.poll(Some(LONG), note(&mut log)).unwrap();
    assert_eq!((polled.records, polled.end), (log.len() as u64, PollEnd::Records));
    log
}

#[test]
fn nobody_waits_while_every_ring_has_records() {
    let (mut merge, rings) = merge_of(3, Duration::MAX);
    for (nth, (_, producer)) in rings.iter().enumerate() {
        (0..3).for_each(|round| send(producer, 10 * round + nth as u64));
    }
    assert_eq!(consumed(&mut merge), [0, 1, 2, 10, 11, 12, 20], "until one has none");
    assert_eq!(consumed(&mut merge), []);
    send(&rings[0].1, 30);
    assert_eq!(consumed(&mut merge), [21]);
}

#[test]
fn an_idle_ring_is_waited_for_as_long_as_the_window_and_then_for_none_of_what_has_been_seen() {
    let (mut merge, rings) = merge_of(2, WINDOW);
    assert_eq!(merge.due_in(), None);
    (1..=100).for_each(|key| send(&rings[0].1, key));
    let begun = Instant::now();
    assert_eq!(consumed(&mut merge), []);
    assert!(polled(&mut merge).into_iter().eq(1..=100), "all at once");
    assert!(begun.elapsed() >= WINDOW);
    assert_eq!((merge.due_in(), merge.late()), (None, 0));
}

#[test]
fn a_merge_says_when_a_record_that_waits_is_due() {
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    let (mut merge, rings) = merge_of(2, hours(8));
    send(&rings[0].1, 1);
    assert_eq!(merge.due_in(), None, "not looked yet");
    assert_eq!(consumed(&mut merge), []);
    let due = merge.due_in().unwrap();
    assert!(due > hours(7) && due <= hours(9), "{due:?}");
    send(&rings[1].1, 0);
    assert_eq!(consumed(&mut merge), [0]);
    assert!(merge.due_in().unwrap() <= due);
    assert_eq!(flushed(&mut merge), [1]);
    assert_eq!(merge.due_in(), None);
}

#[test]
fn a_record_that_comes_within_the_window_comes_first() {
    let (mut merge, rings) = merge_of(2, LONG);
    send(&rings[0].1, 20);
    assert_eq!(consumed(&mut merge), []);
    send(&rings[1].1, 10);
    assert_eq!(consumed(&mut merge), [10]);
    assert_eq!(consumed(&mut merge), [], "one with a key from 10 on may follow");
    send(&rings[1].1, 20);
    assert_eq!(consumed(&mut merge), [20], "the first of two equals");
    assert_eq!(flushed(&mut merge), [20]);
    assert_eq!(merge.late(), 0);
}

#[test]
fn an_unfinished_record_is_waited_for_as_an_idle_ring_is_and_comes_late() {
    let (mut merge, rings) = merge_of(2, WINDOW);
    let mut unfinished = rings[1].1.reserve(8).unwrap();
    send(&rings[1].1, 15);
    send(&rings[0].1, 20);
    let begun = Instant::now();
    assert_eq!(consumed(&mut merge), []);
    assert_eq!(polled(&mut merge), [20]);
    assert!(begun.elapsed() >= WINDOW);
    let (stalled, _) = merge.stalled().next().unwrap();
    assert_eq!(stalled, rings[1].0);
    unfinished.copy_from_slice(&10u64.to_ne_bytes());
    unfinished.commit();
    send(&rings[1].1, 21);
    let mut log = consumed(&mut merge);
    while log.len() < 3 {
        log.extend(polled(&mut merge));
    }
    assert_eq!(log, [-10, -15, 21], "late ones are delivered, too");
    assert_eq!((merge.late(), merge.records()), (2, 4));
}

#[test]
fn one_that_has_waited_long_enough_waits_for_no_older_one_of_which_there_are_more_and_more() {
    let (mut merge, rings) = merge_of(3, WINDOW);
    send(&rings[0].1, 1_000_000);
    let mut log = Vec::new();
    // The third ring stays idle, and each of these would be waited for anew.
    for key in 0.. {
        send(&rings[1].1, key);
        log.extend(consumed(&mut merge));
        if log.contains(&1_000_000) {
            break;
        }
        std::thread::sleep(WINDOW / 10);
    }
    assert!(log.is_sorted(), "{log:?}");
    assert_eq!(merge.late(), 0);
}

#[test]
fn a_ring_that_is_not_in_order_by_itself_has_late_records() {
    let (mut merge, rings) = merge_of(1, Duration::MAX);
    [5, 7, 6, 7, 8, 1].into_iter().for_each(|key| send(&rings[0].1, key));
    assert_eq!(consumed(&mut merge), [5, 7, -6, 7, 8, -1]);
    assert_eq!(merge.late(), 2);
}

#[test]
fn a_ring_without_producers_is_not_waited_for() {
    let (mut merge, mut rings) = merge_of(3, Duration::MAX);
    (1..=3).for_each(|key| send(&rings[0].1, key));
    send(&rings[1].1, 2);
    rings.remove(2);
    assert_eq!(consumed(&mut merge), [1, 2, 2]);
    rings.remove(1);
    assert_eq!(consumed(&mut merge), [3]);
    assert_eq!(merge.poll(NOW, |_| ControlFlow::Continue(())).unwrap().end, PollEnd::TimedOut);
    send(&rings[0].1, 4);
    drop(rings);
    assert_eq!(polled(&mut merge), [4]);
    for timeout in [NOW, Some(LONG), None] {
        assert_eq!(merge.poll(timeout, |_| ControlFlow::Continue(())).unwrap().end, PollEnd::Disconnected);
    }
}

#[test]
fn flushing_delivers_what_is_there_in_order_and_does_not_go_after_what_comes_meanwhile() {
    let (mut merge, rings) = merge_of(3, Duration::MAX);
    for (nth, (_, producer)) in rings.iter().enumerate().take(2) {
        (0..5).for_each(|round| send(producer, 10 * round + nth as u64));
    }
    let mut log = Vec::new();
    let records = merge.flush(|record| {
        log.push(*record.key);
        send(&rings[0].1, 100);
        ControlFlow::Continue(())
    });
    assert_eq!(records.unwrap(), 10);
    assert_eq!(log, [0, 1, 10, 11, 20, 21, 30, 31, 40, 41]);
    assert_eq!(flushed(&mut merge), [100; 10]);
}

#[test]
fn a_wait_ends_when_its_time_is_up_although_a_record_waits() {
    let (mut merge, rings) = merge_of(2, LONG);
    send(&rings[0].1, 1);
    let begun = Instant::now();
    let polled = merge.poll(Some(WINDOW), |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((polled.records, polled.end), (0, PollEnd::TimedOut));
    assert!(begun.elapsed() >= WINDOW);
    assert_eq!(flushed(&mut merge), [1]);
}

#[test]
fn a_waker_interrupts_a_wait() {
    let (mut merge, _rings) = merge_of(2, LONG);
    let waker = merge.waker();
    std::thread::scope(|scope| {
        scope.spawn(|| waker.wake());
        assert_eq!(merge.poll(None, |_| ControlFlow::Continue(())).unwrap().end, PollEnd::Woken);
    });
    assert_eq!(merge.poll(NOW, |_| ControlFlow::Continue(())).unwrap().end, PollEnd::TimedOut);
    let mut empty: Merge = RingMerge::new(WINDOW, crate::key as fn(&[u8]) -> u64).unwrap();
    empty.waker().wake();
    assert!(empty.is_empty());
    assert_eq!(empty.poll(None, |_| ControlFlow::Continue(())).unwrap().end, PollEnd::Woken);
}

#[test]
fn breaking_and_panicking_lose_nothing_else() {
    let (mut merge, rings) = merge_of(2, Duration::MAX);
    for (_, producer) in &rings {
        (1..=3).for_each(|key| send(producer, key));
    }
    assert_eq!(merge.consume(|_| ControlFlow::Break(())).unwrap(), 1);
    let panicked = catch_unwind(AssertUnwindSafe(|| merge.consume(|_| panic!("on purpose"))));
    assert!(panicked.is_err());
    assert_eq!(merge.poll(NOW, |_| ControlFlow::Break(())).unwrap().end, PollEnd::Stopped);
    assert_eq!(flushed(&mut merge), [2, 3, 3]);
    assert_eq!((merge.records(), merge.late()), (6, 0));
}

#[test]
fn a_key_that_panics_is_asked_for_again() {
    let ring = Ring::builder(1).build().unwrap();
    let mut panics = true;
    let mut merge = RingMerge::new(WINDOW, |record: &[u8]| {
        assert!(!std::mem::take(&mut panics), "on purpose");
        record.len()
    })
    .unwrap();
    merge.add(ring.consumer().unwrap()).unwrap();
    ring.producer().unwrap().output(b"once more").unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| merge.consume(|_| ControlFlow::Continue(())))).is_err());
    let mut lens = Vec::new();
    merge
        .flush(|record| {
            lens.push((*record.key, record.len()));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(lens, [(9, 9)]);
}

#[test]
fn any_key_that_has_an_order_will_do() {
    let ring = Ring::builder(1).build().unwrap();
    let (producer, other) = (ring.producer().unwrap(), Ring::builder(1).build().unwrap());
    let name = |record: &[u8]| (std::cmp::Reverse(record.len()), String::from_utf8_lossy(record).into_owned());
    let mut merge = RingMerge::new(Duration::ZERO, name).unwrap();
    merge.add(ring.consumer().unwrap()).unwrap();
    merge.add(other.consumer().unwrap()).unwrap();
    for name in ["three", "b", ""] {
        producer.output(name.as_bytes()).unwrap();
    }
    other.producer().unwrap().output(b"a").unwrap();
    let mut names = Vec::new();
    merge
        .consume(|record| {
            names.push(record.key.1.clone());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(names, ["three", "a", "b", ""]);
}

#[test]
fn a_ring_that_is_taken_out_keeps_what_was_not_delivered_and_is_waited_for_no_more() {
    let (mut merge, rings) = merge_of(4, Duration::MAX);
    for nth in [0, 1, 3] {
        [1, 2].into_iter().for_each(|round| send(&rings[nth].1, 10 * round + nth as u64));
    }
    assert_eq!(consumed(&mut merge), []);
    assert!(merge.remove(rings[2].0).is_some() && merge.remove(rings[2].0).is_none());
    assert_eq!(consumed(&mut merge), [10, 11, 13, 20]);
    let mut first = merge.remove(rings[0].0).unwrap();
    let mut second = merge.remove(rings[1].0).unwrap();
    assert_eq!(consumed(&mut merge), [23]);
    assert!(first.next().unwrap().is_none());
    assert_eq!(second.next().unwrap().unwrap()[..], 21u64.to_ne_bytes());
    assert_eq!((merge.len(), merge.records(), merge.records_of(rings[3].0)), (1, 5, Some(2)));
    assert!(merge.get(rings[0].0).is_none() && merge.rings().eq([rings[3].0]));
}

#[test]
fn a_corrupt_ring_is_named_once_and_not_waited_for() {
    for with_a_record in [false, true] {
        let (mut merge, rings) = merge_of(1, Duration::MAX);
        let bad = Ring::builder(1).kernel_protocol(true).build().unwrap();
        let token = merge.add(bad.consumer().unwrap()).unwrap();
        let producer = bad.producer().unwrap();
        if with_a_record {
            send(&producer, 5);
            assert_eq!(consumed(&mut merge), []);
        }
        let window = bad.window_offset() as usize;
        let pages = Pages::map(bad.as_fd(), WRITE, window, 2 * page_size()).unwrap();
        pages.word(page_size()).store(4, Ordering::Relaxed);
        send(&rings[0].1, 7);
        let error = merge.consume(|_| ControlFlow::Continue(())).unwrap_err();
        assert!(matches!(error, PollError::Corrupt { ring, .. } if ring == token), "{error}");
        assert_eq!(consumed(&mut merge), [7]);
        assert_eq!(flushed(&mut merge), []);
        assert_eq!(merge.poll(NOW, |_| ControlFlow::Continue(())).unwrap().end, PollEnd::TimedOut);
        assert!(merge.remove(token).unwrap().next().is_err());
    }
}

#[test]
fn a_merge_may_go_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Merge>();
}
