//! A producer that dawdles while the ring goes on without it.

use dynring_loom::model::{Ring, check, receive_all, send};
use dynring_loom::raw::Refusal;
use loom::thread;

/// Its view of head and of `consumer_pos` is of two moments, between which the ring may have gone round more than once.
#[test]
fn a_producer_that_was_overtaken_by_laps_does_not_call_the_ring_corrupt() {
    for first in [0, 0u64.wrapping_sub(48)] {
        check(2, move || {
            let ring = Ring::new(32, 2, first);
            let mut consumer = ring.consumer();
            let (dawdler, producer) = (ring.producer(), ring.producer());
            // From here on, what it remembers of `consumer_pos` does not do.
            send(&producer, 16, 1).unwrap();
            assert_eq!(receive_all(&mut consumer), [1]);
            let dawdler = thread::spawn(move || match dawdler.reserve(16) {
                Ok(at) => dawdler.memory().discard(at, 16),
                Err(refusal) => assert!(matches!(refusal, Refusal::Full { .. }), "{refusal:?}"),
            });
            for value in 2..=4 {
                if send(&producer, 16, value).is_ok() {
                    receive_all(&mut consumer);
                }
            }
            dawdler.join().unwrap();
        });
    }
}
