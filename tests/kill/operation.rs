//! What producers do while they are killed.

use dynring::{DynPtr, Producer};

use std::ops::Range;

use crate::scene::{Inherited, Scene, all, content};
use crate::support::victim::{Steps, Victim, mark};

/// Something that a producer does with records of given contents.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Lengths of the records that it commits.
    pub(crate) lens: &'static [usize],
    /// Bytes that it reserves.
    pub(crate) span: u64,
    act: fn(&Producer, &[Vec<u8>]),
}

fn write_and_commit(mut record: DynPtr<'_>, content: &[u8]) {
    record.copy_from_slice(content);
    record.commit();
}

pub(crate) const OPERATIONS: [Operation; 6] = [
    Operation {
        name: "reserve, write, commit",
        lens: &[40],
        span: 48,
        act: |producer, contents| write_and_commit(producer.reserve(40).unwrap(), &contents[0]),
    },
    Operation {
        name: "reserve, discard",
        lens: &[],
        span: 64,
        act: |producer, _| producer.reserve(56).unwrap().discard(),
    },
    Operation {
        name: "output",
        lens: &[33],
        span: 48,
        act: |producer, contents| producer.output(&contents[0]).unwrap(),
    },
    Operation {
        name: "commit_len",
        lens: &[24],
        span: 136,
        act: |producer, contents| {
            let mut record = producer.reserve(128).unwrap();
            record[..24].copy_from_slice(&contents[0]);
            record.commit_len(24).unwrap();
        },
    },
    Operation {
        name: "lease, two records, drop",
        lens: &[24, 40],
        span: 160,
        act: |producer, contents| {
            let mut lease = producer.lease(160).unwrap();
            contents.iter().for_each(|content| lease.output(content).unwrap());
        },
    },
    Operation {
        name: "reserve_batch of three",
        lens: &[16, 40, 24],
        span: 104,
        act: |producer, contents| {
            for (record, content) in producer.reserve_batch(&[16, 40, 24]).unwrap().zip(contents) {
                write_and_commit(record, content);
            }
        },
    },
];

impl Operation {
    pub(crate) fn contents(&self, whose: u64) -> Vec<Vec<u8>> {
        (0..).zip(self.lens).map(|(number, &len)| content(whose, number, len)).collect()
    }

    /// Somebody who is about to do it.
    pub(crate) fn begin(&self, scene: &Scene, whose: u64) -> std::io::Result<Victim> {
        self.begin_in(scene.inherited(), whose)
    }

    /// The same, in any ring.
    pub(crate) fn begin_in(&self, inherited: Inherited, whose: u64) -> std::io::Result<Victim> {
        let contents = self.contents(whose);
        Victim::traced(|| {
            let producer = inherited.attach().producer().unwrap();
            mark();
            (self.act)(&producer, &contents);
            mark();
            // It lives until it is killed.
            mark();
        })
    }

    /// How many instructions it takes.
    pub(crate) fn steps(&self, kernel_protocol: bool) -> std::io::Result<u64> {
        self.steps_in(&mut Scene::new(1, kernel_protocol).unwrap())
    }

    /// The same in a ring in which nothing was sent.
    pub(crate) fn steps_in(&self, scene: &mut Scene) -> std::io::Result<u64> {
        let mut victim = self.begin(scene, 0)?;
        scene.let_go_of_the_idle();
        match victim.step(u64::MAX)? {
            Steps::Marked(steps) => Ok(steps),
            Steps::Made => unreachable!(),
        }
    }

    /// After how many instructions head has been swapped, and the producer has not said so yet.
    pub(crate) fn swapped_after(&self, kernel_protocol: bool) -> std::io::Result<Range<u64>> {
        let mut scene = Scene::new(1, kernel_protocol).unwrap();
        let (head, mut victim) = (scene.head(), self.begin(&scene, 0)?);
        let mut steps = 0;
        while scene.head() == head {
            assert_eq!(victim.step(1)?, Steps::Made, "it never reserves");
            steps += 1;
        }
        let swapped = steps;
        while scene.consumer.stalled().is_none_or(|stalled| stalled.len.is_none()) {
            assert_eq!(victim.step(1)?, Steps::Made, "it never leaves");
            steps += 1;
        }
        Ok(swapped..steps)
    }
}

/// Every step from none to `most`, or some of them. Of what takes very many, always some: to step through it takes too long.
pub(crate) fn places(most: u64, some: u64) -> impl Iterator<Item = u64> {
    let some = if !all() {
        some
    } else if most <= 4000 {
        most
    } else {
        1000
    };
    (0..=most).step_by((most / some).max(1) as usize).chain([most + 1])
}

/// What is left of `got` without the records of those who live, which must be there, once, and in this order.
pub(crate) fn of_the_dead(mut got: Vec<Vec<u8>>, alive: &[Vec<u8>], when: &str) -> Vec<Vec<u8>> {
    let mut due = alive.iter();
    got.retain(|record| {
        let lives = alive.contains(record);
        assert!(!lives || due.next() == Some(record), "{when}: {record:?} is doubled or out of order");
        !lives
    });
    assert_eq!(due.next(), None, "{when}: lost");
    got
}
