//! Consumers that are killed after any instruction.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dynring::{Consumer, Producer, ReserveError, TrustedRing};

use crate::operation::{OPERATIONS, places};
use crate::scene::{Inherited, TestResult, builder, content, read_on, report, require_ptrace, trusted};
use crate::support::victim::{Steps, Victim, board, mark};

type Board = &'static [AtomicU64; 512];

/// Something that a consumer does, which notes the records that it has been handed.
struct Operation {
    name: &'static str,
    /// Records that it may hold at a time.
    held: u64,
    /// Records that lie there when it begins.
    ready: u64,
    /// Whether a producer has died in front of them.
    after_a_death: bool,
    /// Whether a discarded one lies before each, and behind them all.
    among_discarded: bool,
    act: fn(&mut Consumer, Board),
}

const OPERATIONS_OF_CONSUMERS: [Operation; 6] = [
    Operation {
        name: "next, drop, twice",
        held: 1,
        ready: 3,
        after_a_death: false,
        among_discarded: false,
        act: |consumer, board| {
            for _ in 0..2 {
                let record = consumer.next().unwrap().unwrap();
                note(board, &record);
            }
        },
    },
    Operation {
        name: "batch of three",
        held: 3,
        ready: 4,
        after_a_death: false,
        among_discarded: false,
        act: |consumer, board| {
            let batch = consumer.batch();
            for _ in 0..3 {
                note(board, batch.next().unwrap().unwrap());
            }
        },
    },
    Operation {
        name: "wait, sleep",
        held: 0,
        ready: 0,
        after_a_death: false,
        among_discarded: false,
        act: |consumer, _| {
            let _ = consumer.wait(Some(Duration::from_micros(300))).unwrap();
        },
    },
    Operation {
        name: "recover, next, drop",
        held: 1,
        ready: 2,
        after_a_death: true,
        among_discarded: false,
        act: |consumer, board| {
            consumer.recover().unwrap();
            note(board, &consumer.next().unwrap().unwrap());
        },
    },
    Operation {
        name: "batch of three among discarded ones",
        held: 3,
        ready: 4,
        after_a_death: false,
        among_discarded: true,
        act: |consumer, board| {
            let batch = consumer.batch();
            for _ in 0..3 {
                note(board, batch.next().unwrap().unwrap());
            }
        },
    },
    Operation {
        name: "drain among discarded ones",
        held: 1,
        ready: 2,
        after_a_death: false,
        among_discarded: true,
        act: |consumer, board| {
            let each = |record: &[u8]| {
                note(board, record);
                ControlFlow::Continue(())
            };
            consumer.drain(each).unwrap();
        },
    },
];

/// Puts the record's number where it outlives the process.
fn note(board: Board, record: &[u8]) {
    let count = board[0].load(Ordering::Relaxed);
    let number = u64::from_ne_bytes(record[8..16].try_into().unwrap());
    board[1 + count as usize].store(number, Ordering::Relaxed);
    board[0].store(count + 1, Ordering::Relaxed);
}

const LEN: usize = 400;

/// A ring whose consumer is going to die.
struct Scene {
    ring: TrustedRing,
    live: Producer,
    /// The number of the next record.
    next: u64,
    /// How many were discarded.
    discarded: u64,
    board: Board,
}

impl Scene {
    fn send(&mut self) -> Result<(), ReserveError> {
        self.live.output(&content(1, self.next, LEN))?;
        self.next += 1;
        Ok(())
    }

    fn discard(&mut self) -> Result<(), ReserveError> {
        self.live.reserve(8)?.discard();
        self.discarded += 1;
        Ok(())
    }

    /// Makes ready what the consumer finds.
    fn prepare(&mut self, operation: &Operation, entering: u64) -> TestResult {
        if operation.after_a_death {
            self.die(entering)?;
        }
        for _ in 0..operation.ready {
            if operation.among_discarded {
                self.discard()?;
            }
            self.send()?;
        }
        if operation.among_discarded {
            self.discard()?;
        }
        Ok(())
    }

    /// A producer dies in the middle of a reservation, and another having reserved.
    fn die(&self, entering: u64) -> std::io::Result<()> {
        let inherited = Inherited::of(self.ring.ring());
        for steps in [entering, entering + 3] {
            let mut victim = OPERATIONS[2].begin_in(inherited, 0)?;
            victim.step(steps)?;
            victim.kill()?;
        }
        Ok(())
    }

    fn begin(&self, operation: &Operation) -> std::io::Result<Victim> {
        let (inherited, board) = (Inherited::of(self.ring.ring()), self.board);
        board[0].store(0, Ordering::Relaxed);
        Victim::traced(|| {
            let mut consumer = inherited.attach().consumer().unwrap();
            mark();
            (operation.act)(&mut consumer, board);
            mark();
            mark();
        })
    }

    /// Numbers of the records that the dead consumer was handed.
    fn handed(&self) -> Vec<u64> {
        let count = self.board[0].load(Ordering::Relaxed) as usize;
        self.board[1..=count].iter().map(|number| number.load(Ordering::Relaxed)).collect()
    }
}

fn kill_everywhere(operation: &Operation, kernel_protocol: bool) -> TestResult {
    let ring = trusted(&builder(3, kernel_protocol).build_shared()?);
    let mut scene = Scene { live: ring.producer()?, ring, next: 0, discarded: 0, board: board() };
    let entering = if operation.after_a_death { OPERATIONS[2].swapped_after(kernel_protocol)?.start } else { 0 };
    let (mut most, mut deaths, mut doubled) = (0, 0, 0);
    let first_death = u64::MAX;
    for steps in std::iter::once(first_death).chain(0..) {
        if deaths > 0 && !places(most, 4).any(|place| place == steps) {
            if steps > most {
                break;
            }
            continue;
        }
        let when = format!("{}, killed after {steps} steps", operation.name);
        let first = scene.next;
        scene.prepare(operation, entering)?;
        let mut victim = scene.begin(operation)?;
        if let Steps::Marked(all) = victim.step(steps)? {
            most = most.max(all);
        }
        victim.kill()?;

        // Nobody consumes: the ring fills up, and nobody hangs.
        while scene.send().is_ok() {}
        let refused = scene.live.reserve_blocking(LEN, Some(Duration::from_micros(100))).err();
        assert_eq!(refused, Some(ReserveError::Full), "{when}");
        let handed = scene.handed();
        let mut successor = scene.ring.consumer()?;
        let got = read_on(&mut successor);
        let begun = scene.next - got.len() as u64;
        let expected: Vec<_> = (begun..scene.next).map(|number| content(1, number, LEN)).collect();
        assert!(got == expected, "{when}: lost, torn, doubled or out of order");
        let end = first + handed.len() as u64;
        assert_eq!(handed, (first..end).collect::<Vec<_>>(), "{when}");
        assert!(begun <= end && end - begun <= operation.held, "{when}: {begun} after {handed:?}");
        doubled = doubled.max(end - begun);
        let stats = scene.ring.ring().stats()?;
        assert_eq!((stats.consumer_pos, stats.producers), (stats.head, 1), "{when}: {stats:?}");
        if !operation.after_a_death {
            let skipped = (stats.discarded, stats.abandoned);
            assert_eq!(skipped, (scene.discarded, 0), "{when}: counted twice, or not at all");
        }
        deaths += 1;
    }
    report(&format!(
        "consumer: {} (kernel protocol: {kernel_protocol}): {deaths} deaths after 0 to {most} steps, at most {doubled} doubled",
        operation.name
    ));
    Ok(())
}

#[test]
fn the_successor_of_a_consumer_that_dies_anywhere_goes_on_where_it_stopped() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    for operation in &OPERATIONS_OF_CONSUMERS {
        for kernel_protocol in [false, true] {
            kill_everywhere(operation, kernel_protocol)?;
        }
    }
    Ok(())
}
