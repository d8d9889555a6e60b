//! A record that is reserved on one thread and finished on another.

use dynring_loom::model::{Ring, check, receive_all, send};
use loom::thread;

#[test]
fn a_record_may_be_committed_on_another_thread_than_it_was_reserved_on() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let at = producer.reserve(8).unwrap();
        let other = {
            let ring = ring.clone();
            thread::spawn(move || {
                ring.write(at, 8, 1);
                ring.commit(at, 8);
            })
        };
        let sender = thread::spawn(move || send(&producer, 0, 2).unwrap());
        let mut got = receive_all(&mut consumer);
        assert!(matches!(got[..], [] | [1] | [1, 2]), "{got:?}");
        other.join().unwrap();
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2]);
    });
}
