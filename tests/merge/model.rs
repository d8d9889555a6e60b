//! A merge delivers what a plain one would, sorted.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::time::Duration;

use dynring::{DynPtr, PollEnd, Producer, RingToken};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Merge, NOW, merge_of};

const RINGS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    /// A record whose key is that much further on, or back if negative, of as many bytes more than the key has.
    Send {
        ring: usize,
        step: i64,
        more: usize,
    },
    /// The same, unfinished.
    Reserve {
        ring: usize,
        step: i64,
    },
    Discard {
        ring: usize,
    },
    /// Finishes an unfinished record.
    Commit {
        which: usize,
    },
    Consume,
    Poll,
    Flush,
    SetQuantum(u64),
}

fn op(steps: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Op> {
    let ring = 0..RINGS;
    prop_oneof![
        10 => (ring.clone(), steps.clone(), 0usize..100).prop_map(|(ring, step, more)| Op::Send { ring, step, more }),
        2 => (ring.clone(), steps).prop_map(|(ring, step)| Op::Reserve { ring, step }),
        1 => ring.prop_map(|ring| Op::Discard { ring }),
        2 => any::<usize>().prop_map(|which| Op::Commit { which }),
        3 => Just(Op::Consume),
        1 => Just(Op::Poll),
        1 => Just(Op::Flush),
        1 => (1u64..20).prop_map(Op::SetQuantum),
    ]
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Sent {
    key: u64,
    payload: Vec<u8>,
}

/// A record that was delivered: from which ring, whether late.
type Got = (usize, bool, Sent);

struct World<'p> {
    merge: Merge,
    tokens: Vec<RingToken>,
    producers: &'p [(RingToken, Producer)],
    /// What is in each ring; `None` is unfinished.
    rings: [VecDeque<Option<Sent>>; RINGS],
    unfinished: Vec<(usize, usize, DynPtr<'p>, Sent)>,
    /// How many were ever put into each ring, and delivered out of it.
    begun: [usize; RINGS],
    taken: [usize; RINGS],
    /// Keys go on from here.
    clock: i64,
    latest: Option<u64>,
    late: u64,
    quantum: u64,
    waits: bool,
}

impl<'p> World<'p> {
    fn send(&mut self, step: i64, more: usize) -> Sent {
        self.clock += step;
        let key = self.clock as u64;
        let mut payload = key.to_ne_bytes().to_vec();
        payload.extend((0..more).map(|nth| (key as usize + nth) as u8));
        Sent { key, payload }
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Send { ring, step, more } => {
                let sent = self.send(step, more);
                if self.producers[ring].1.output(&sent.payload).is_ok() {
                    self.rings[ring].push_back(Some(sent));
                    self.begun[ring] += 1;
                }
            }
            Op::Reserve { ring, step } => {
                let sent = self.send(step, 0);
                if let Ok(dynptr) = self.producers[ring].1.reserve(8) {
                    self.rings[ring].push_back(None);
                    self.unfinished.push((ring, self.begun[ring], dynptr, sent));
                    self.begun[ring] += 1;
                }
            }
            Op::Discard { ring } => drop(self.producers[ring].1.reserve(20)),
            Op::Commit { which } if !self.unfinished.is_empty() => {
                let (ring, nth, mut dynptr, sent) = self.unfinished.swap_remove(which % self.unfinished.len());
                dynptr.copy_from_slice(&sent.payload);
                dynptr.commit();
                self.rings[ring][nth - self.taken[ring]] = Some(sent);
            }
            Op::Commit { .. } => {}
            Op::Consume => {
                let expected = self.expected(self.waits, self.quantum);
                let got = self.got(|merge, each| merge.consume(each).unwrap());
                assert_eq!(got, expected);
            }
            Op::Poll => {
                let expected = self.expected(self.waits, self.quantum);
                let end = if expected.is_empty() { PollEnd::TimedOut } else { PollEnd::Records };
                let got = self.got(|merge, each| {
                    let polled = merge.poll(NOW, each).unwrap();
                    assert_eq!(polled.end, end);
                    polled.records
                });
                assert_eq!(got, expected);
            }
            Op::Flush => {
                let expected = self.expected(false, u64::MAX);
                let got = self.got(|merge, each| merge.flush(each).unwrap());
                assert_eq!(got, expected);
            }
            Op::SetQuantum(records) => {
                self.quantum = records;
                self.merge.set_quantum(NonZeroU64::new(records).unwrap());
            }
        }
        assert_eq!((self.merge.late(), self.merge.records()), (self.late, self.taken.iter().sum::<usize>() as u64));
    }

    /// The smallest of the first ones, again and again; while all have one, if it `waits`.
    fn expected(&mut self, waits: bool, most: u64) -> Vec<Got> {
        let mut expected = Vec::new();
        while (expected.len() as u64) < most {
            let first = |ring: usize| self.rings[ring].front().and_then(Option::as_ref).map(|sent| (sent.key, ring));
            let heads: Vec<_> = (0..RINGS).filter_map(first).collect();
            let Some(&(key, ring)) = heads.iter().min().filter(|_| heads.len() == RINGS || !waits) else { break };
            let late = self.latest.is_some_and(|latest| key < latest);
            self.late += u64::from(late);
            self.latest = self.latest.max(Some(key));
            expected.push((ring, late, self.rings[ring].pop_front().flatten().unwrap()));
            self.taken[ring] += 1;
        }
        expected
    }

    fn got(
        &mut self,
        deliver: impl FnOnce(&mut Merge, &mut dyn FnMut(dynring::MergedRecord<'_, u64>) -> ControlFlow<()>) -> u64,
    ) -> Vec<Got> {
        let (mut got, tokens) = (Vec::new(), &self.tokens);
        let records = deliver(&mut self.merge, &mut |record| {
            let ring = tokens.iter().position(|token| *token == record.ring).unwrap();
            got.push((ring, record.late, Sent { key: *record.key, payload: record.to_vec() }));
            ControlFlow::Continue(())
        });
        assert_eq!(records, got.len() as u64);
        got
    }
}

fn run(window: Duration, ops: &[Op]) {
    let (merge, producers) = merge_of(RINGS, window);
    let tokens = producers.iter().map(|(token, _)| *token).collect();
    let mut world = World {
        merge,
        tokens,
        producers: &producers,
        rings: Default::default(),
        unfinished: vec![],
        begun: [0; RINGS],
        taken: [0; RINGS],
        clock: 1 << 20,
        latest: None,
        late: 0,
        quantum: Merge::QUANTUM.get(),
        waits: !window.is_zero(),
    };
    ops.iter().for_each(|op| world.run(op));
}

/// Keys that jump to and fro, and are equal now and then.
fn anyhow() -> impl Strategy<Value = i64> + Clone {
    prop_oneof![-30i64..30, Just(0)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_waited_for_in_a_window_of_zero(ops in vec(op(anyhow()), 1..200)) {
        run(Duration::ZERO, &ops);
    }

    #[test]
    fn everybody_is_waited_for_in_a_window_without_end(ops in vec(op(anyhow()), 1..200)) {
        run(Duration::MAX, &ops);
    }

    #[test]
    fn rings_that_are_in_order_make_one_that_is(
        rings in vec(vec((0u64..1000, 0usize..3), 0..60), 1..8),
        between in 1usize..40,
    ) {
        let (mut merge, producers) = merge_of(rings.len(), Duration::MAX);
        let (mut sent, mut got) = (Vec::new(), Vec::new());
        let mut each = |record: dynring::MergedRecord<'_, u64>| {
            got.push((*record.key, record.ring));
            ControlFlow::Continue(())
        };
        let mut records: Vec<_> = rings.into_iter().zip(&producers).flat_map(|(steps, (token, producer))| {
            steps.into_iter().scan(0, move |key, (step, rank)| {
                *key += step;
                Some((rank, *key, *token, producer))
            })
        }).collect();
        // Rings take turns in any order, each in its own.
        records.sort_by_key(|record| record.0);
        let mut last = std::collections::HashMap::new();
        for (nth, (_, key, token, producer)) in records.into_iter().enumerate() {
            let key = key.max(*last.get(&token).unwrap_or(&0));
            last.insert(token, key);
            producer.output(&u64::to_ne_bytes(key)).unwrap();
            sent.push((key, token));
            if nth % between == 0 {
                merge.consume(&mut each).unwrap();
            }
        }
        merge.flush(&mut each).unwrap();
        sent.sort();
        prop_assert_eq!(got, sent);
        prop_assert_eq!(merge.late(), 0);
    }
}
