//! A full ring, and producers that give up.

use dynring_loom::model::{Ring, check, receive, receive_all, send, take};
use dynring_loom::raw::Refusal;
use dynring_loom::wire::Position;
use loom::thread;

#[test]
fn all_but_eight_bytes_can_be_reserved() {
    check(2, || {
        let ring = Ring::new(32, 1, 0);
        let producer = ring.producer();
        producer.reserve(16).unwrap();
        let wanted = Position::new(8);
        assert_eq!(producer.reserve(0), Err(Refusal::Full { wanted }));
    });
}

#[test]
fn of_two_producers_that_want_the_last_bytes_one_gets_them() {
    check(3, || {
        let ring = Ring::new(32, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || send(&a, 8, 1));
        let second = thread::spawn(move || send(&b, 8, 2));
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        let got = receive_all(&mut consumer);
        let full = Err(Refusal::Full { wanted: Position::new(8) });
        let start = Ok(Position::new(0));
        assert!(
            (first == start && second == full && got == [1]) || (first == full && second == start && got == [2]),
            "{first:?} {second:?} {got:?}"
        );
    });
}

#[test]
fn who_gives_up_hides_nothing_and_vouches_for_its_previous_header() {
    check(2, || {
        let ring = Ring::new(32, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || {
            send(&a, 0, 1).unwrap();
            a.reserve(8)
        });
        let second = thread::spawn(move || b.reserve(8));
        let got = take(&mut consumer);
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        assert_ne!(first.is_ok(), second.is_ok());
        let behind = second == Ok(Position::new(0));
        assert_eq!(got.or_else(|| take(&mut consumer)), if behind { None } else { Some(1) });
        consumer.refresh();
        assert_eq!(consumer.known(), if behind { 24 } else { 16 });
    });
}

#[test]
fn space_that_was_given_back_is_found_although_the_cache_says_full() {
    check(3, || {
        let ring = Ring::new(32, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        send(&producer, 16, 1).unwrap();
        let sender = thread::spawn(move || send(&producer, 16, 2));
        let got = receive(&mut consumer);
        assert_eq!(got, Some(1));
        let sent = sender.join().unwrap();
        assert!(
            matches!(sent, Ok(at) if at == Position::new(24))
                || matches!(sent, Err(Refusal::Full { wanted }) if wanted == Position::new(24)),
            "{sent:?}"
        );
        assert_eq!(receive(&mut consumer), sent.is_ok().then_some(2));
    });
}
