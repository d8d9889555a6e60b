//! Several threads, one clock.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use dynring::{PollEnd, Producer};

use crate::{LONG, merge_of};

/// Sends what the clock says, again and again.
fn tick(clock: &AtomicU64, producer: &Producer, records: u64) {
    for _ in 0..records {
        let mut record = producer.reserve_blocking(8, Some(LONG)).unwrap();
        record.copy_from_slice(&clock.fetch_add(1, Ordering::Relaxed).to_ne_bytes());
        record.commit();
    }
}

#[test]
fn what_happened_in_one_order_is_delivered_in_that_order() {
    const EACH: u64 = 30_000;

    let (mut merge, rings) = merge_of(3, LONG);
    let (clock, mut next) = (AtomicU64::new(0), 0);
    thread::scope(|scope| {
        for (_, producer) in rings {
            scope.spawn(|| {
                let producer = producer;
                tick(&clock, &producer, EACH);
            });
        }
        let end = loop {
            let polled = merge
                .poll(Some(LONG), |record| {
                    assert_eq!((*record.key, record.late), (next, false));
                    next += 1;
                    ControlFlow::Continue(())
                })
                .unwrap();
            if polled.end != PollEnd::Records {
                break polled.end;
            }
        };
        assert_eq!((end, next), (PollEnd::Disconnected, 3 * EACH));
    });
}
