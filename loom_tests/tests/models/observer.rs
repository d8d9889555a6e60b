//! Those who only look: `top`, and repair.

use dynring_loom::model::{Ring, check, send};
use dynring_loom::raw::Memory;
use dynring_loom::sync::Ordering;
use dynring_loom::wire::{Header, Position, SlotWord, Tag};
use loom::thread;

#[test]
fn who_sees_a_producer_entering_sees_how_much_it_wants() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let producer = ring.producer();
        let sender = thread::spawn(move || producer.reserve(8).unwrap());
        let slot = &ring.slots()[0];
        let word = SlotWord::from_word(slot.word.load(Ordering::Acquire));
        if word.is_entering() {
            assert_eq!(word.position(), Position::new(0));
            assert_eq!(slot.span.load(Ordering::Relaxed), 16);
        }
        sender.join().unwrap();
    });
}

#[test]
fn a_tag_of_this_lap_vouches_for_the_length() {
    check(3, || {
        let ring = Ring::new(32, 1, 32);
        let producer = ring.producer();
        let owner = producer.registration().owner();
        let sender = thread::spawn(move || send(&producer, 16, 1).unwrap());
        let at = Position::new(32);
        let cell = ring.header(at);
        if Tag::from_word(cell.tag.load(Ordering::Acquire)) == Tag::new(owner, at, ring.size()) {
            let header = Header::from_word(cell.word.load(Ordering::Relaxed));
            assert!(header == Header::busy(16) || header == Header::committed(16), "{header:?}");
        }
        sender.join().unwrap();
    });
}
