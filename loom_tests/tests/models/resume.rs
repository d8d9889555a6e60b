//! Producing into a ring that somebody else has made and used: `producer_pos` is somewhere, head is not there, and all
//! slots are zero.
//!
//! Allowed: whoever comes first moves head. Nobody moves it back, and it may be full to the last byte.

use dynring_loom::model::{Ring, check, leave, receive_all, resume, send};
use dynring_loom::raw::{Memory, Refusal};
use dynring_loom::sync::Ordering;
use dynring_loom::wire::Position;
use loom::thread;

const BEGUN: u64 = 1 << 32 | 24;

fn positions(ring: &Ring) -> (Position, Position) {
    let page = Memory::producer(ring);
    let [head, producer_pos] = [&page.head, &page.producer_pos].map(|word| word.load(Ordering::Relaxed));
    (Position::new(head), Position::new(producer_pos))
}

#[test]
fn who_comes_first_moves_head_and_nobody_moves_it_back() {
    check(2, || {
        let ring = Ring::filled_for_the_kernel(64, 2, BEGUN);
        let mut consumer = ring.consumer();
        let senders = [1, 2].map(|value| {
            let ring = ring.clone();
            thread::spawn(move || send(&resume(&ring).unwrap(), 8, value).unwrap())
        });
        let mut got = receive_all(&mut consumer);
        for sender in senders {
            sender.join().unwrap();
        }
        got.extend(receive_all(&mut consumer));
        got.sort();
        assert_eq!(got, [1, 2]);
        let end = Position::new(BEGUN).advance(32);
        assert_eq!(positions(&ring), (end, end));
    });
}

#[test]
fn who_comes_while_others_come_and_go_takes_nothing_from_them() {
    check(3, || {
        let ring = Ring::filled_for_the_kernel(64, 2, BEGUN);
        let first = resume(&ring).unwrap();
        let sender = thread::spawn(move || {
            send(&first, 0, 1).unwrap();
            leave(&first);
        });
        let late = resume(&ring).unwrap();
        send(&late, 0, 2).unwrap();
        sender.join().unwrap();
        let mut got = receive_all(&mut ring.consumer());
        got.sort();
        assert_eq!(got, [1, 2]);
        let end = Position::new(BEGUN).advance(16);
        assert_eq!(positions(&ring), (end, end));
    });
}

#[test]
fn what_was_produced_before_is_delivered_with_what_is_produced_after() {
    check(3, || {
        let ring = Ring::filled_for_the_kernel(64, 1, BEGUN);
        let mut consumer = ring.consumer();
        let sender = {
            let ring = ring.clone();
            thread::spawn(move || {
                ring.send_as_libbpf(8, 1);
                send(&resume(&ring).unwrap(), 8, 2).unwrap();
            })
        };
        let mut got = receive_all(&mut consumer);
        assert!(matches!(got[..], [] | [1] | [1, 2]), "{got:?}");
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2]);
    });
}

#[test]
fn a_ring_that_is_full_to_the_last_byte_is_read_before_it_is_overwritten() {
    check(3, || {
        let ring = Ring::filled_for_the_kernel(32, 2, BEGUN);
        let mut consumer = ring.consumer();
        let (a, b) = (resume(&ring).unwrap(), resume(&ring).unwrap());
        send(&a, 24, 1).unwrap();
        assert!(matches!(send(&b, 0, 0), Err(Refusal::Full { .. })));
        let senders =
            [(a, 2), (b, 3)].map(|(producer, value)| thread::spawn(move || send(&producer, 8, value).is_ok()));
        let mut got = receive_all(&mut consumer);
        let sent = senders.map(|sender| sender.join().unwrap());
        got.extend(receive_all(&mut consumer));
        got.sort();
        let expected = [(true, 1), (sent[0], 2), (sent[1], 3)];
        assert_eq!(got, Vec::from_iter(expected.into_iter().filter_map(|(sent, value)| sent.then_some(value))));
    });
}
