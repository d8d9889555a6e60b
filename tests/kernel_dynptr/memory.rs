//! Memory of a program, and reservations in a ring.

use dynring::kernel::RingBuf;
use dynring::{Consumer, Ring};

use crate::generate::Generator;
use crate::ops::{BORROWED, INVALID, NULL, OUT_OF_RANGE, TOO_BIG, Tally};
use crate::ours::{Batch, Ours};
use crate::program::{OPS, World};
use crate::support::random::Random;
use crate::support::require;
use crate::support::vmlinux::Types;

const RING: usize = 4096;
const MEMORY: usize = 512;
const PAYLOAD: usize = 1500;

/// Operations altogether.
const ALL: usize = 100_000;

#[test]
fn a_hundred_thousand_operations_have_the_same_results_and_leave_the_same_bytes() {
    let mut random = Random::new(0);
    let (memory, payload) = (random.bytes(MEMORY), random.bytes(PAYLOAD));
    let world = Types::of_kernel().and_then(|types| World::new(RING, &memory, &payload, &types));
    let Some(world) = require("kernel", world) else { return };
    let mut theirs = RingBuf::from_fd(&world.ring).unwrap().into_consumer().unwrap();
    let ring = Ring::builder(RING).build().unwrap();
    let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    let mut ours = Ours::new(&memory, &payload, &producer);
    let mut generator = Generator { random: &mut random, memory: MEMORY as u64, payload: PAYLOAD as u64 };

    let (mut done, mut delivered, mut tally) = (0, 0, Tally::default());
    while done < ALL {
        let batch = batch(&mut generator, &mut ours);
        let (found, _) = world.run(&batch.ops, &[0; 64]).unwrap();
        batch.assert_same(&found, &mut tally);
        assert_eq!(world.memory.get().unwrap(), ours.memory);
        // Now and then the rings are left to fill up.
        if !generator.random.once_in(3) {
            let records = records(&mut consumer);
            delivered += records.len();
            assert_eq!(self::records(&mut theirs), records);
        }
        done += batch.ops.len();
    }
    assert!(delivered > 100, "{delivered} records");
    for name in ["Reserve", "FromMem", "Clone"] {
        tally.assert(name, &[0, INVALID]);
    }
    for name in ["Read", "Write", "Copy", "Memset"] {
        tally.assert(name, &[0, TOO_BIG]);
    }
    for name in ["Data", "Slice", "SliceMut"] {
        tally.assert(name, &[NULL, BORROWED]);
    }
    tally.assert("Adjust", &[0, INVALID, OUT_OF_RANGE]);
    tally.assert("IsNull", &[0, 1]);
}

/// Between two reservations and their release.
fn batch(generator: &mut Generator<'_>, ours: &mut Ours<'_>) -> Batch {
    let mut batch = Batch::default();
    generator.reserve(ours, &mut batch);
    for nth in 0..OPS - 10 {
        let memory = nth < 3 || generator.random.once_in(20);
        let op = if memory { Some(generator.memory()) } else { generator.op(ours) };
        op.into_iter().for_each(|op| batch.run(ours, op));
    }
    generator.release(ours, &mut batch);
    ours.forget();
    batch
}

fn records(consumer: &mut Consumer) -> Vec<Vec<u8>> {
    consumer.batch().iter().map(|record| record.unwrap().to_vec()).collect()
}
