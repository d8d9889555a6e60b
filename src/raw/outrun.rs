//! Tests: somebody who moves the positions on as fast as one looks at them.

use core::cell::Cell;

use super::*;
use crate::sync::{AtomicU64, Edge, Ordering, StoreLoad};
use crate::wire::{Capacity, Corrupt, Position, RingSize};

/// Memory whose positions are never the same at two looks.
struct Running {
    size: RingSize,
    consumer: ConsumerPage,
    producer: ProducerPage,
    slots: [Slot; 2],
    headers: Vec<HeaderCell>,
    how: How,
    looks: Cell<u64>,
}

#[derive(Clone, Copy)]
enum How {
    /// Head moves whenever it is looked at, and the consumer follows: each swap fails.
    Swaps,
    /// Both move whenever the consumer's is looked at: each start is behind it.
    Overtakes,
    /// The consumer is further by laps whenever it is looked at.
    RunsAway,
}

impl Running {
    fn new(how: How) -> Self {
        let size = RingSize::new(4096).unwrap();
        let headers = (0..size.bytes() / 8).map(|_| HeaderCell::default()).collect();
        let looks = Cell::new(0);
        let (consumer, producer, slots) = Default::default();
        Self { size, consumer, producer, slots, headers, how, looks }
    }

    /// Moves on by one record.
    fn go_on(&self) -> u64 {
        self.looks.set(self.looks.get() + 1);
        self.producer.producer_pos.fetch_add(8, Ordering::Relaxed) + 8
    }
}

// SAFETY: one of each, indexed modulo the size.
unsafe impl Memory for Running {
    const MIRRORED: bool = true;

    fn size(&self) -> RingSize {
        self.size
    }

    fn capacity(&self) -> Capacity {
        Capacity::of_ring(self.size, true)
    }

    fn store_load(&self) -> StoreLoad {
        StoreLoad::Fence
    }

    fn plain_readers(&self) -> bool {
        matches!(self.how, How::RunsAway)
    }

    fn barrier(&self, _: Edge) -> bool {
        true
    }

    fn consumer(&self) -> &ConsumerPage {
        let consumer_pos = match self.how {
            How::Swaps => self.producer.producer_pos.load(Ordering::Relaxed),
            How::Overtakes => self.go_on(),
            How::RunsAway => self.consumer.consumer_pos.load(Ordering::Relaxed) + 3 * self.size.bytes(),
        };
        self.consumer.consumer_pos.store(consumer_pos, Ordering::Relaxed);
        &self.consumer
    }

    fn producer(&self) -> &ProducerPage {
        if let How::Swaps = self.how {
            self.go_on();
        }
        &self.producer
    }

    fn slots(&self) -> &[Slot] {
        &self.slots
    }

    fn called(&self) -> &[AtomicU64] {
        &[]
    }

    fn let_go(&self) -> &[AtomicU64] {
        &[]
    }

    fn consumer_writes_data(&self) -> bool {
        false
    }

    fn header(&self, at: Position) -> &HeaderCell {
        &self.headers[at.offset(self.size) / 8]
    }

    fn wake(&self, _: Sleeper) {}
}

#[test]
fn whoever_is_outrun_again_and_again_gives_up() {
    for how in [How::Swaps, How::Overtakes] {
        let memory = Running::new(how);
        let slot = register(&memory, 1, &()).unwrap();
        let producer = Producer::new(memory, slot);
        let memory = producer.memory();
        for _ in 0..2 {
            let before = memory.looks.get();
            assert_eq!(producer.reserve(8), Err(Refusal::Contended));
            assert!(memory.looks.get() - before > 100_000, "others may be fast");
            let word = slot.of(memory).word.load(Ordering::Relaxed);
            assert!(!crate::wire::SlotWord::from_word(word).is_entering(), "it holds nobody up");
        }
    }
}

#[test]
fn whoever_opens_a_ring_whose_consumer_runs_away_gives_up() {
    let found = resume(&Running::new(How::RunsAway));
    assert!(matches!(found, Err(Unusable::Corrupt(Corrupt::ProducerPos { .. }))), "{found:?}");
}
