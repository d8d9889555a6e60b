//! Random sequences of operations do what a plain queue does.

#[path = "support/model.rs"]
mod model;

use std::ops::ControlFlow;
use std::rc::{Rc, Weak};
use std::time::Duration;

use dynring::{Consumer, DynPtr, Lease, Limits, Producer, Readiness, RegisterError, ReserveError, Ring, Stats};
use model::{Full, Model, stride};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Producers that stay, and how many there may be in all.
const STAY: usize = 2;
const MOST: usize = 5;

/// What is done with a ring. Indices are taken modulo the number of what they choose from; without any, nothing is done.
#[derive(Clone, Debug)]
enum Op {
    Produce(Produce),
    Next,
    Drain {
        records: Option<u64>,
        bytes: Option<u64>,
        break_after: Option<u64>,
    },
    Wait,
    /// A batch that is held while records are taken and others produced, several times.
    Hold(Vec<(usize, Vec<Produce>)>),
}

#[derive(Clone, Debug)]
enum Produce {
    Output { who: usize, len: usize },
    Reserve { who: usize, len: usize },
    ReserveOwned { who: usize, len: usize },
    ReserveBatch { who: usize, lens: Vec<usize>, keep: usize },
    Finish { which: usize, how: How },
    Lease { who: usize, bytes: usize },
    ReserveFromLease { which: usize, len: usize },
    OutputFromLease { which: usize, len: usize },
    DropLease { which: usize },
    Come,
    Go { which: usize },
}

#[derive(Clone, Copy, Debug)]
enum How {
    Commit,
    Shorten { to: usize },
    Discard,
    Drop,
}

fn len() -> impl Strategy<Value = usize> {
    // Miri takes its time over each byte.
    let rarely = u32::from(!cfg!(miri));
    prop_oneof![
        16 => 0..40usize,
        8 * rarely => 0..700usize,
        1 => 2030..2050usize,
        2 * rarely => 4070..4090usize,
        2 * rarely => 0..4200usize,
    ]
}

fn produce() -> impl Strategy<Value = Produce> {
    let any = || 0..60usize;
    let how = prop_oneof![
        4 => Just(How::Commit),
        2 => (0..4200usize).prop_map(|to| How::Shorten { to }),
        1 => Just(How::Discard),
        1 => Just(How::Drop),
    ];
    prop_oneof![
        4 => (any(), len()).prop_map(|(who, len)| Produce::Output { who, len }),
        4 => (any(), len()).prop_map(|(who, len)| Produce::Reserve { who, len }),
        2 => (any(), len()).prop_map(|(who, len)| Produce::ReserveOwned { who, len }),
        1 => (any(), vec(len(), 0..5), 0..5usize)
            .prop_map(|(who, lens, keep)| Produce::ReserveBatch { who, lens, keep }),
        8 => (any(), how).prop_map(|(which, how)| Produce::Finish { which, how }),
        2 => (any(), len()).prop_map(|(who, bytes)| Produce::Lease { who, bytes }),
        2 => (any(), len()).prop_map(|(which, len)| Produce::ReserveFromLease { which, len }),
        2 => (any(), len()).prop_map(|(which, len)| Produce::OutputFromLease { which, len }),
        2 => any().prop_map(|which| Produce::DropLease { which }),
        1 => Just(Produce::Come),
        1 => any().prop_map(|which| Produce::Go { which }),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let limit = |most: u64| proptest::option::of(0..most);
    prop_oneof![
        12 => produce().prop_map(Op::Produce),
        2 => Just(Op::Next),
        2 => (limit(10), limit(500), limit(10))
            .prop_map(|(records, bytes, break_after)| Op::Drain { records, bytes, break_after }),
        1 => Just(Op::Wait),
        1 => vec((0..5usize, vec(produce(), 0..8)), 1..4).prop_map(Op::Hold),
    ]
}

/// Anywhere, and shortly before each place where positions outgrow a type.
fn first() -> impl Strategy<Value = u64> {
    let near = |wrap: u64| (0..6000u64).prop_map(move |before| wrap.wrapping_sub(before) & !7);
    prop_oneof![
        any::<u64>().prop_map(|first| first & !7),
        Just(0),
        near(1 << 31),
        near(1 << 32),
        near(1 << 63),
        near(0)
    ]
}

/// The ring and what it should be like.
struct World<'p> {
    ring: &'p Ring,
    model: Model,
    max: usize,
    staying: &'p [Producer],
    coming: Vec<(Producer, Rc<()>)>,
    /// One for each producer that has come; dead once it and its reservations have gone.
    seats: Vec<Weak<()>>,
    records: Vec<Outstanding<'p>>,
    leases: Vec<(Lease<'p>, u64)>,
    /// Makes each payload another.
    seed: u64,
}

/// A reservation, where it starts, what was written to it, and the producer that it keeps.
struct Outstanding<'p> {
    dynptr: DynPtr<'p>,
    at: u64,
    payload: Vec<u8>,
    _seat: Option<Rc<()>>,
}

fn choose<T>(from: &[T], index: usize) -> Option<usize> {
    (!from.is_empty()).then(|| index % from.len())
}

impl<'p> World<'p> {
    fn new(ring: &'p Ring, staying: &'p [Producer], first: u64) -> Self {
        let model = Model::new(ring.capacity() as u64, first);
        let (coming, seats, records, leases) = (vec![], vec![], vec![], vec![]);
        Self { ring, model, max: ring.max_len(), staying, coming, seats, records, leases, seed: 0 }
    }

    fn producers(&self) -> usize {
        STAY + self.seats.iter().filter(|seat| seat.strong_count() > 0).count()
    }

    /// All figures are what they should be.
    fn check(&self) {
        let Stats { capacity, head, consumer_pos, available, producers, refused, discarded, .. } = self.ring.stats();
        let model = &self.model;
        assert_eq!(capacity, model.size);
        assert_eq!(head, model.absolute(model.head));
        assert_eq!(consumer_pos, model.absolute(model.published));
        assert_eq!(available, model.head - model.published);
        assert_eq!((producers as usize, refused, discarded), (self.producers(), model.refused, model.discarded));
    }

    fn payload(&mut self, len: usize) -> Vec<u8> {
        self.seed += 1;
        (0..len as u64).map(|index| (self.seed.wrapping_mul(0x9e37_79b9) >> (index % 25)) as u8 ^ index as u8).collect()
    }

    fn producer(&self, who: usize) -> (&Producer, Option<Rc<()>>) {
        let who = who % (STAY + self.coming.len());
        match who.checked_sub(STAY) {
            None => (&self.staying[who], None),
            Some(index) => (&self.coming[index].0, Some(Rc::clone(&self.coming[index].1))),
        }
    }

    /// What reserving records of these lengths should lead to.
    fn expect(&mut self, lens: &[usize]) -> Result<u64, ReserveError> {
        let max = self.max;
        if let Some(&len) = lens.iter().find(|len| **len > max) {
            return Err(ReserveError::TooLarge { len, max });
        }
        let strides: Vec<u64> = lens.iter().copied().map(stride).collect();
        let len = strides.iter().sum::<u64>().saturating_sub(8) as usize;
        if len > max {
            return Err(ReserveError::TooLarge { len, max });
        }
        self.model.reserve(&strides).map_err(|Full| ReserveError::Full)
    }

    fn keep(&mut self, mut dynptr: DynPtr<'p>, at: u64, seat: Option<Rc<()>>) {
        let payload = self.payload(dynptr.len());
        dynptr.copy_from_slice(&payload);
        self.records.push(Outstanding { dynptr, at, payload, _seat: seat });
    }

    fn produce(&mut self, produce: &Produce) {
        match produce {
            Produce::Output { who, len } => self.output(*who, *len),
            Produce::Reserve { who, len } => {
                let producer = &self.staying[who % STAY];
                let expected = self.expect(&[*len]);
                match producer.reserve(*len) {
                    Ok(dynptr) => self.keep(dynptr, expected.unwrap(), None),
                    Err(error) => assert_eq!(Err(error), expected),
                }
            }
            Produce::ReserveOwned { who, len } => {
                let expected = self.expect(&[*len]);
                let (producer, seat) = self.producer(*who);
                match producer.reserve_owned(*len) {
                    Ok(dynptr) => self.keep(dynptr, expected.unwrap(), seat),
                    Err(error) => assert_eq!(Err(error), expected),
                }
            }
            Produce::ReserveBatch { who, lens, keep } => self.reserve_batch(*who, lens, *keep),
            Produce::Finish { which, how } => self.finish(*which, *how),
            Produce::Lease { who, bytes } => self.lease(*who, *bytes),
            Produce::ReserveFromLease { which, len } => {
                if let Some((dynptr, at)) = self.reserve_from_lease(*which, *len) {
                    self.keep(dynptr, at, None);
                }
            }
            Produce::OutputFromLease { which, len } => self.output_from_lease(*which, *len),
            Produce::DropLease { which } => self.drop_lease(*which),
            Produce::Come => self.come(),
            Produce::Go { which } => {
                if let Some(index) = choose(&self.coming, *which) {
                    self.coming.swap_remove(index);
                }
            }
        }
        self.check();
    }

    fn output(&mut self, who: usize, len: usize) {
        let payload = self.payload(len);
        let expected = self.expect(&[len]);
        let result = self.producer(who).0.output(&payload);
        assert_eq!(result, expected.as_ref().map(|_| ()).map_err(|error| *error));
        if let Ok(at) = expected {
            self.model.commit(at, payload);
        }
    }

    fn reserve_batch(&mut self, who: usize, lens: &[usize], keep: usize) {
        let producer = &self.staying[who % STAY];
        let expected = if lens.is_empty() { Ok(self.model.head) } else { self.expect(lens) };
        let mut batch = match producer.reserve_batch(lens) {
            Ok(batch) => batch,
            Err(error) => return assert_eq!(Err(error), expected),
        };
        assert_eq!(batch.len(), lens.len());
        let mut at = expected.unwrap();
        for len in lens.iter().take(keep) {
            self.keep(batch.next().unwrap(), at, None);
            at += stride(*len);
        }
        drop(batch);
        for len in lens.iter().skip(keep) {
            self.model.discard(at);
            at += stride(*len);
        }
    }

    fn finish(&mut self, which: usize, how: How) {
        let Some(index) = choose(&self.records, which) else { return };
        let Outstanding { dynptr, at, mut payload, _seat } = self.records.swap_remove(index);
        assert!(*dynptr == payload, "nobody else has written there");
        match how {
            How::Commit => {
                dynptr.commit();
                self.model.commit(at, payload);
            }
            How::Shorten { to } if to <= payload.len() => {
                dynptr.commit_len(to).unwrap();
                payload.truncate(to);
                self.model.commit(at, payload);
            }
            How::Shorten { to } => {
                let dynptr = dynptr.commit_len(to).unwrap_err().dynptr;
                self.records.push(Outstanding { dynptr, at, payload, _seat });
            }
            How::Discard => {
                dynptr.discard();
                self.model.discard(at);
            }
            How::Drop => {
                drop(dynptr);
                self.model.discard(at);
            }
        }
    }

    fn lease(&mut self, who: usize, bytes: usize) {
        let producer = &self.staying[who % STAY];
        let expected = self.expect(&[bytes.saturating_sub(8)]);
        match producer.lease(bytes) {
            Ok(lease) => {
                assert_eq!(lease.remaining(), bytes.next_multiple_of(8).max(8));
                self.leases.push((lease, expected.unwrap()));
            }
            Err(error) => assert_eq!(Err(error), expected),
        }
    }

    fn reserve_from_lease(&mut self, which: usize, len: usize) -> Option<(DynPtr<'p>, u64)> {
        let index = choose(&self.leases, which)?;
        let (lease, at) = &mut self.leases[index];
        let left = (lease.remaining() as u64).checked_sub(stride(len));
        let dynptr = match lease.reserve(len) {
            Ok(dynptr) => dynptr,
            Err(error) => {
                assert_eq!((error, left), (ReserveError::Full, None));
                return None;
            }
        };
        let start = *at;
        assert_eq!(Some(lease.remaining() as u64), left);
        if left != Some(0) {
            *at = self.model.split(start, len);
        }
        Some((dynptr, start))
    }

    fn output_from_lease(&mut self, which: usize, len: usize) {
        if let Some((mut dynptr, at)) = self.reserve_from_lease(which, len) {
            let payload = self.payload(len);
            dynptr.copy_from_slice(&payload);
            dynptr.commit();
            self.model.commit(at, payload);
        }
    }

    fn drop_lease(&mut self, which: usize) {
        let Some(index) = choose(&self.leases, which) else { return };
        let (lease, at) = self.leases.swap_remove(index);
        if lease.remaining() > 0 {
            self.model.discard(at);
        }
    }

    fn come(&mut self) {
        let room = self.producers() < MOST;
        match self.ring.producer() {
            Ok(producer) => {
                assert!(room);
                let seat = Rc::new(());
                self.seats.push(Rc::downgrade(&seat));
                self.coming.push((producer, seat));
            }
            Err(error) => assert!(matches!(error, RegisterError::Full { max_producers: MOST }) && !room, "{error}"),
        }
    }

    fn consume(&mut self, consumer: &mut Consumer, op: &Op) {
        match op {
            Op::Produce(produce) => self.produce(produce),
            Op::Next => {
                let expected = self.model.next();
                assert_eq!(consumer.next().unwrap().map(|record| record.to_vec()), expected);
            }
            Op::Drain { records, bytes, break_after } => self.drain(consumer, *records, *bytes, *break_after),
            Op::Wait => {
                let expected = if self.model.peek() { Readiness::Ready } else { Readiness::TimedOut };
                self.model.publish();
                assert_eq!(consumer.wait(Some(Duration::ZERO)).unwrap(), expected);
            }
            Op::Hold(rounds) => self.hold(consumer, rounds),
        }
        self.check();
    }

    fn drain(&mut self, consumer: &mut Consumer, records: Option<u64>, bytes: Option<u64>, break_after: Option<u64>) {
        let (mut expected, mut total) = (Vec::new(), 0);
        while records.is_none_or(|most| (expected.len() as u64) < most) && bytes.is_none_or(|most| total < most) {
            let Some(payload) = self.model.next() else { break };
            total += payload.len() as u64;
            expected.push(payload);
            if break_after.is_some_and(|after| expected.len() as u64 > after) {
                break;
            }
        }
        let mut seen = Vec::new();
        let each = |record: &[u8]| {
            seen.push(record.to_vec());
            let breaks = break_after.is_some_and(|after| seen.len() as u64 > after);
            if breaks { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let count = match (records, bytes) {
            (None, None) => consumer.drain(each),
            _ => consumer.drain_up_to(Limits { records, bytes, deadline: None }, each),
        };
        assert_eq!(count, Ok(expected.len() as u64));
        assert_eq!(seen, expected);
    }

    fn hold(&mut self, consumer: &mut Consumer, rounds: &[(usize, Vec<Produce>)]) {
        let batch = consumer.batch();
        let (mut held, mut expected) = (Vec::new(), Vec::new());
        for (take, produce) in rounds {
            for _ in 0..*take {
                let record = batch.next().unwrap();
                let model = self.model.take();
                assert_eq!(record.is_some(), model.is_some());
                held.extend(record);
                expected.extend(model);
            }
            self.check();
            produce.iter().for_each(|produce| self.produce(produce));
            assert_eq!(held, expected, "what is held stays as it is");
        }
        drop(batch);
        self.model.publish();
    }

    /// Finishes everything; then all that was committed is there.
    fn end(mut self, consumer: &mut Consumer) {
        while !self.records.is_empty() {
            self.finish(0, How::Commit);
        }
        while !self.leases.is_empty() {
            self.drop_lease(0);
        }
        self.drain(consumer, None, None, None);
        self.check();
        assert_eq!(self.model.head, self.model.published);
    }
}

fn cases() -> u32 {
    if cfg!(miri) { 2 } else { Config::default().cases }
}

const OPS: usize = if cfg!(miri) { 25 } else { 150 };

proptest! {
    #![proptest_config(Config { cases: cases(), failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_ring_does_what_a_queue_does(
        first in first(),
        kernel_protocol in any::<bool>(),
        ops in vec(op(), 1..OPS),
    ) {
        let builder = Ring::builder(4096).max_producers(MOST as u32).kernel_protocol(kernel_protocol);
        let ring = builder.first_position(first).build().unwrap();
        let staying: Vec<_> = (0..STAY).map(|_| ring.producer().unwrap()).collect();
        let mut consumer = ring.consumer().unwrap();
        let mut world = World::new(&ring, &staying, first);
        world.check();
        for op in &ops {
            world.consume(&mut consumer, op);
        }
        world.end(&mut consumer);
    }
}
