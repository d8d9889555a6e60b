//! Sleeping and waking: a consumer that sleeps while there is a record sleeps for ever, which the checker reports.

use dynring_loom::model::{Ring, check, receive_all, reserve, wait};
use loom::thread;

#[test]
fn a_discarded_record_before_the_awaited_one_hides_no_wake() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            let dropped = reserve(&producer, 0).unwrap();
            let kept = reserve(&producer, 8).unwrap();
            let ring = producer.memory();
            ring.write(kept, 8, 1);
            ring.discard(dropped, 0);
            ring.commit(kept, 8);
        });
        assert_eq!(wait(&mut consumer), Ok(true));
        assert_eq!(receive_all(&mut consumer), [1]);
        sender.join().unwrap();
    });
}
