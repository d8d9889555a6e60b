//! A ring in the model checker's memory.
//!
//! Each granule of 8 bytes is a header, which may be loaded and stored by anyone, and a cell, which the checker lets
//! nobody touch while somebody else does. Whoever writes a payload also stores garbage into the header words of its
//! granules, garbage that looks like a committed record; so does the lap before the first. A reader that looks at a
//! header which is not there yet, or at a payload that is not its own, is thereby caught.
#![allow(unsafe_code)]

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};

use crate::raw::{
    self, Consumer, ConsumerPage, Found, HeaderCell, Memory, Producer, ProducerPage, Refusal, Sleeper, Slot, Unusable,
    Wakeup,
};
use crate::sync::{AtomicU32, AtomicU64, Edge, Ordering, StoreLoad, fence_seq_cst};
use crate::wire::{Capacity, Corrupt, HEADER_BYTES, Header, Position, RingSize, stride};

/// What no test writes, and looks like a committed record of 8 bytes.
const STALE: u32 = 8;

/// Runs `scenario` in every order that `preemptions` involuntary switches allow.
pub fn check(preemptions: usize, scenario: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 20_000;
    builder.check(scenario);
}

/// A ring, and a handle on it. The checker does not follow the handles, which would cost it time: a test joins its threads
/// before it lets go of its own.
#[derive(Clone)]
pub struct Ring(Arc<Shared>);

struct Shared {
    size: RingSize,
    capacity: Capacity,
    plain_readers: bool,
    store_load: StoreLoad,
    consumer: ConsumerPage,
    producer: ProducerPage,
    slots: Vec<Slot>,
    /// One word each, or none.
    called: Vec<AtomicU64>,
    let_go: Vec<AtomicU64>,
    /// A lock for each slot: 1 once somebody has it.
    locks: Vec<AtomicU32>,
    headers: Vec<HeaderCell>,
    cells: Vec<UnsafeCell<u64>>,
    futex: (Mutex<()>, Condvar),
    bell: (Mutex<bool>, Condvar),
}

// SAFETY: cells are touched only through the checker, which panics on a race.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

// SAFETY: one vector each, indexed modulo the size.
unsafe impl Memory for Ring {
    const MIRRORED: bool = true;

    fn size(&self) -> RingSize {
        self.0.size
    }

    fn capacity(&self) -> Capacity {
        self.0.capacity
    }

    fn store_load(&self) -> StoreLoad {
        self.0.store_load
    }

    fn plain_readers(&self) -> bool {
        self.0.plain_readers
    }

    fn barrier(&self, edge: Edge) -> bool {
        fence_seq_cst(edge);
        true
    }

    fn wake(&self, who: Sleeper) {
        let seq = match who {
            Sleeper::Consumer => &*self.0.producer.wake_seq,
            Sleeper::Listener => return self.ring_bell(),
            Sleeper::Producers => &self.0.consumer.state.space_seq,
        };
        seq.fetch_add(1, Ordering::Relaxed);
        // The kernel compares the word under the same lock that a waker takes.
        let _queue = self.0.futex.0.lock().unwrap();
        self.0.futex.1.notify_all();
    }

    fn consumer(&self) -> &ConsumerPage {
        &self.0.consumer
    }

    fn producer(&self) -> &ProducerPage {
        &self.0.producer
    }

    fn slots(&self) -> &[Slot] {
        &self.0.slots
    }

    fn called(&self) -> &[AtomicU64] {
        &self.0.called
    }

    fn let_go(&self) -> &[AtomicU64] {
        &self.0.let_go
    }

    fn consumer_writes_data(&self) -> bool {
        true
    }

    fn header(&self, at: Position) -> &HeaderCell {
        assert!(at.is_aligned());
        &self.0.headers[at.offset(self.0.size) / 8]
    }
}

impl Ring {
    /// A ring of `size` bytes with `slots` slots, all of whose positions start at `first`, on which nobody sleeps.
    ///
    /// It does without the fences that only sleepers need: the checker has two such fences synchronise, which C++ does not
    /// promise, and would thereby hide what other edges are for.
    pub fn new(size: u64, slots: usize, first: u64) -> Self {
        Self::build(size, slots, first, false, StoreLoad::Asymmetric)
    }

    /// A ring like a new one, whose first producer is alone for now.
    pub fn of_one(size: u64, slots: usize, first: u64) -> Self {
        Self::build(size, slots, first, false, StoreLoad::Fence).let_be_alone()
    }

    /// The same for plain readers.
    pub fn plain_of_one(size: u64, slots: usize, first: u64) -> Self {
        Self::build(size, slots, first, true, StoreLoad::Fence).let_be_alone()
    }

    /// Head is moved from the first reservation on, unless a model is about producing alone.
    fn let_nobody_be_alone(self, first: u64) -> Self {
        self.0.producer.registry.alone_until.store(first | 1, Ordering::Relaxed);
        self
    }

    /// The first producer need not move head until there is another.
    pub fn let_be_alone(self) -> Self {
        self.0.producer.registry.alone_until.store(0, Ordering::Relaxed);
        self
    }

    /// The same for plain readers.
    pub fn plain(size: u64, slots: usize, first: u64) -> Self {
        Self::build(size, slots, first, true, StoreLoad::Asymmetric)
    }

    /// A ring on which [`wait`] and [`reserve_waiting`] may sleep.
    pub fn with_sleepers(size: u64, slots: usize, first: u64) -> Self {
        Self::build(size, slots, first, false, StoreLoad::Fence)
    }

    /// A ring like a new one, on which one may sleep, whose consumer may let producers go.
    pub fn that_lets_go(size: u64, slots: usize, first: u64) -> Self {
        let Self(shared) = Self::build(size, slots, first, false, StoreLoad::Fence);
        let mut shared = Arc::into_inner(shared).unwrap();
        shared.called.push(AtomicU64::default());
        shared.let_go.push(AtomicU64::default());
        Self(Arc::new(shared))
    }

    /// The same for plain readers.
    pub fn plain_with_sleepers(size: u64, slots: usize, first: u64) -> Self {
        Self::build(size, slots, first, true, StoreLoad::Fence)
    }

    /// A ring whose pages the kernel has made, and drains; somebody has filled it until `producer_pos` was `begun`.
    pub fn filled_for_the_kernel(size: u64, slots: usize, begun: u64) -> Self {
        let capacity = Capacity::of_user_ring(RingSize::new(size).unwrap());
        let ring = Self::zeroed(capacity, size, slots, true, StoreLoad::Asymmetric);
        ring.0.consumer.consumer_pos.store(begun, Ordering::Relaxed);
        ring.0.producer.producer_pos.store(begun, Ordering::Relaxed);
        ring.let_nobody_be_alone(begun)
    }

    fn build(size: u64, slots: usize, first: u64, plain_readers: bool, store_load: StoreLoad) -> Self {
        let capacity = Capacity::of_ring(RingSize::new(size).unwrap(), true);
        let ring = Self::zeroed(capacity, size, slots, plain_readers, store_load);
        raw::initialise(&ring, Position::new(first));
        ring.let_nobody_be_alone(first)
    }

    fn zeroed(capacity: Capacity, size: u64, slots: usize, plain_readers: bool, store_load: StoreLoad) -> Self {
        let size = RingSize::new(size).unwrap();
        let granules = (size.bytes() / 8) as usize;
        let stale = |_| HeaderCell { word: AtomicU32::new(STALE), tag: AtomicU32::new(0) };
        Self(Arc::new(Shared {
            size,
            capacity,
            plain_readers,
            store_load,
            consumer: ConsumerPage::default(),
            producer: ProducerPage::default(),
            slots: (0..slots).map(|_| Slot::default()).collect(),
            called: Vec::new(),
            let_go: Vec::new(),
            locks: (0..slots).map(|_| AtomicU32::default()).collect(),
            headers: (0..granules).map(stale).collect(),
            cells: (0..granules).map(|_| UnsafeCell::new(0)).collect(),
            futex: (Mutex::new(()), Condvar::new()),
            bell: (Mutex::new(false), Condvar::new()),
        }))
    }

    /// Registers a producer.
    pub fn producer(&self) -> Producer<Self> {
        Producer::new(self.clone(), raw::register(self, 0, self).unwrap())
    }

    /// The consumer.
    pub fn consumer(&self) -> Consumer<Self> {
        Consumer::new(self.clone())
    }

    /// Sends a record of `len` bytes, as a lone producer does that knows `producer_pos` and no head.
    pub fn send_as_libbpf(&self, len: u32, value: u64) {
        let producer_pos = &self.0.producer.producer_pos;
        let at = Position::new(producer_pos.load(Ordering::Acquire));
        self.header(at).word.store(Header::busy(len).word(), Ordering::Relaxed);
        producer_pos.store(at.advance(stride(len)).get(), Ordering::Release);
        self.write(at, len, value);
        self.header(at).word.swap(Header::committed(len).word(), Ordering::AcqRel);
    }

    fn futex_wait(&self, word: &AtomicU32, expected: u32) {
        assert_eq!(self.0.store_load, StoreLoad::Fence, "a ring on which nobody sleeps");
        let mut queue = self.0.futex.0.lock().unwrap();
        while word.load(Ordering::Relaxed) == expected {
            queue = self.0.futex.1.wait(queue).unwrap();
        }
    }

    fn ring_bell(&self) {
        *self.0.bell.0.lock().unwrap() = true;
        self.0.bell.1.notify_all();
    }

    fn silence_bell(&self) {
        *self.0.bell.0.lock().unwrap() = false;
    }

    fn hear_bell(&self) {
        assert_eq!(self.0.store_load, StoreLoad::Fence, "a ring on which nobody sleeps");
        let mut rung = self.0.bell.0.lock().unwrap();
        while !*rung {
            rung = self.0.bell.1.wait(rung).unwrap();
        }
    }

    fn granules(&self, at: Position, len: u32) -> impl Iterator<Item = usize> {
        let (granules, first) = (self.0.cells.len(), at.offset(self.0.size) / 8);
        (first..first + (stride(len) / HEADER_BYTES) as usize).map(move |index| index % granules)
    }

    /// Writes `value` to the whole record at `at`, which the caller has reserved.
    pub fn write(&self, at: Position, len: u32, value: u64) {
        for (nth, index) in self.granules(at, len).enumerate() {
            // SAFETY: the checker panics unless the access is exclusive.
            self.0.cells[index].with_mut(|cell| unsafe { *cell = value });
            if nth > 0 {
                self.0.headers[index].word.store(STALE, Ordering::Relaxed);
            }
        }
    }

    /// Reads the value of a record that the consumer holds, and requires it to be whole.
    pub fn read(&self, found: Found) -> u64 {
        // SAFETY: the checker panics unless nobody writes at the same time.
        let read = |index: usize| self.0.cells[index].with(|cell| unsafe { *cell });
        let mut values = self.granules(found.at(), found.payload_len()).map(read);
        let value = values.next().unwrap();
        assert!(values.all(|other| other == value), "a torn record");
        value
    }

    /// Commits the record at `at`, whose payload has been written.
    pub fn commit(&self, at: Position, len: u32) {
        self.finish(at, Header::committed(len), Wakeup::Adaptive);
    }

    /// Discards the record at `at`.
    pub fn discard(&self, at: Position, len: u32) {
        self.finish(at, Header::discarded(len), Wakeup::Adaptive);
    }

    /// Commits the first `len` bytes of the record at `at`, which was reserved with `reserved` bytes, and discards the rest.
    pub fn shrink(&self, at: Position, reserved: u32, len: u32, owner: u16) {
        raw::shrink(self, at, reserved, len, owner, Wakeup::Adaptive);
    }

    /// Finishes the record at `at`.
    pub fn finish(&self, at: Position, header: Header, wakeup: Wakeup) {
        raw::finish(self, at, header, wakeup);
    }
}

/// Registers a producer of a ring that somebody else has made.
pub fn resume(ring: &Ring) -> Result<Producer<Ring>, Unusable> {
    raw::resume(ring)?;
    Ok(ring.producer())
}

/// The same for several records at once.
pub fn reserve_batch(producer: &Producer<Ring>, lens: &[u32]) -> Result<Position, Refusal> {
    producer.reserve_batch(lens.iter().copied())
}

/// Unregisters a producer.
pub fn leave(producer: &Producer<Ring>) {
    raw::unregister(producer.memory(), producer.registration());
    bury(producer.memory(), producer.registration());
}

/// Reserves, fills and commits a record of `len` bytes, if there is space.
pub fn send(producer: &Producer<Ring>, len: u32, value: u64) -> Result<Position, Refusal> {
    let at = producer.reserve(len)?;
    let ring = producer.memory();
    ring.write(at, len, value);
    ring.commit(at, len);
    Ok(at)
}

/// Takes one record, and returns its value.
pub fn take(consumer: &mut Consumer<Ring>) -> Option<u64> {
    let found = consumer.take().expect("an intact ring");
    found.map(|found| consumer.memory().read(found))
}

/// Takes one record, releases it, and returns its value.
pub fn receive(consumer: &mut Consumer<Ring>) -> Option<u64> {
    let value = take(consumer);
    consumer.publish();
    value
}

/// Takes all that is there.
pub fn receive_all(consumer: &mut Consumer<Ring>) -> Vec<u64> {
    core::iter::from_fn(|| receive(consumer)).collect()
}

/// Sleeps until there is a record, or nobody is left to produce one; whether there is.
pub fn wait(consumer: &mut Consumer<Ring>) -> Result<bool, Corrupt> {
    loop {
        let seq = consumer.about_to_sleep();
        crate::sync::fence_seq_cst(crate::sync::Edge::SleepFence);
        let gone = consumer.disconnected();
        let ready = consumer.peek()?.is_some();
        if !ready && !gone && !consumer.owes_space() {
            let ring = consumer.memory();
            ring.futex_wait(&ring.0.producer.wake_seq, seq);
        }
        consumer.woken();
        if ready || gone {
            return Ok(ready);
        }
    }
}

/// The same in an event loop, which waits for the bell.
pub fn listen(consumer: &mut Consumer<Ring>) -> Result<bool, Corrupt> {
    loop {
        consumer.memory().silence_bell();
        consumer.about_to_listen();
        crate::sync::fence_seq_cst(crate::sync::Edge::SleepFence);
        let gone = consumer.disconnected();
        let ready = consumer.peek()?.is_some();
        if !ready && !gone && !consumer.owes_space() {
            consumer.memory().hear_bell();
        }
        consumer.woken();
        if ready || gone {
            return Ok(ready);
        }
    }
}

/// Sleeps until there is space for `len` bytes, and reserves them.
pub fn reserve_waiting(producer: &Producer<Ring>, len: u32) -> Result<Position, Refusal> {
    loop {
        let wanted = match producer.reserve(len) {
            Err(Refusal::Full { wanted }) => wanted,
            other => return other,
        };
        let seq = producer.about_to_wait(wanted);
        crate::sync::fence_seq_cst(crate::sync::Edge::WaitFence);
        let retried = producer.reserve(len);
        if retried == Err(Refusal::Full { wanted }) {
            let ring = producer.memory();
            ring.futex_wait(&ring.0.consumer.state.space_seq, seq);
        }
        producer.waited();
        if !matches!(retried, Err(Refusal::Full { .. })) {
            return retried;
        }
    }
}

/// Locks, as those that end with a process: what it did before is in sight of whoever gets the lock.
impl raw::Claim for Ring {
    fn take(&self, slot: u32) -> bool {
        self.0.locks[slot as usize].compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn give_back(&self, slot: u32) {
        self.0.locks[slot as usize].store(0, Ordering::Release);
    }
}

impl raw::Liveness for Ring {
    type Proof<'l> = Locked;

    fn prove_dead(&self, slot: u32) -> Option<Locked> {
        raw::Claim::take(self, slot).then(|| Locked { ring: self.clone(), slot })
    }
}

/// A lock on a slot that its owner does not have any more.
pub struct Locked {
    ring: Ring,
    slot: u32,
}

impl Drop for Locked {
    fn drop(&mut self) {
        raw::Claim::give_back(&self.ring, self.slot);
    }
}

/// A ring in the hands of somebody who dies after some looks at it.
#[derive(Clone)]
pub struct Mortal {
    ring: Ring,
    left: std::rc::Rc<std::cell::Cell<u32>>,
}

/// What a death unwinds with.
struct Death;

impl Mortal {
    /// Dies instead of its look number `looks`, from 0.
    pub fn new(ring: &Ring, looks: u32) -> Self {
        Self { ring: ring.clone(), left: std::rc::Rc::new(std::cell::Cell::new(looks)) }
    }

    fn look(&self) -> &Ring {
        match self.left.get() {
            0 => std::panic::resume_unwind(Box::new(Death)),
            left => self.left.set(left - 1),
        }
        &self.ring
    }
}

// SAFETY: that of `Ring`.
unsafe impl Memory for Mortal {
    const MIRRORED: bool = true;

    fn size(&self) -> RingSize {
        self.look().size()
    }

    fn capacity(&self) -> Capacity {
        self.ring.capacity()
    }

    fn store_load(&self) -> StoreLoad {
        self.ring.store_load()
    }

    fn plain_readers(&self) -> bool {
        self.look().plain_readers()
    }

    fn barrier(&self, edge: Edge) -> bool {
        self.look().barrier(edge)
    }

    fn wake(&self, who: Sleeper) {
        self.look().wake(who);
    }

    fn consumer(&self) -> &ConsumerPage {
        Memory::consumer(self.look())
    }

    fn producer(&self) -> &ProducerPage {
        Memory::producer(self.look())
    }

    fn slots(&self) -> &[Slot] {
        self.look().slots()
    }

    fn called(&self) -> &[AtomicU64] {
        if self.ring.called().is_empty() { &[] } else { self.look().called() }
    }

    fn let_go(&self) -> &[AtomicU64] {
        if self.ring.let_go().is_empty() { &[] } else { self.look().let_go() }
    }

    fn consumer_writes_data(&self) -> bool {
        true
    }

    fn header(&self, at: Position) -> &HeaderCell {
        self.look().header(at)
    }
}

/// Does `deed` with a ring, and dies after `looks` looks at it, unless it is done before. What it has come to, if it is.
pub fn die_doing<R>(ring: &Ring, looks: u32, deed: impl FnOnce(Mortal) -> R) -> Option<R> {
    let mortal = Mortal::new(ring, looks);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| deed(mortal)));
    result.map_err(|death| assert!(death.is::<Death>(), "a death of another kind")).ok()
}

/// The owner of the slot is dead from now on.
pub fn bury(ring: &Ring, registration: raw::Registration) {
    let index = ring.slots().iter().position(|slot| core::ptr::eq(slot, registration.of(ring))).unwrap();
    raw::Claim::give_back(ring, index as u32);
}

/// Reserves a record of `len` bytes as the owner of `registration`, and dies in the middle of it or with the record
/// unfinished. Whether it got as far as that.
pub fn reserve_and_die(ring: &Ring, registration: raw::Registration, len: u32, looks: u32) -> bool {
    let reserved = die_doing(ring, looks, |mortal| Producer::new(mortal, registration).reserve(len));
    bury(ring, registration);
    reserved.is_some()
}

/// Takes all that is there, past what nobody is left to finish.
pub fn receive_all_past_the_dead(consumer: &mut Consumer<Ring>) -> Vec<u64> {
    let ring = consumer.memory().clone();
    let mut got = receive_all(consumer);
    while consumer.skip_abandoned(&ring).expect("an intact ring") {
        consumer.publish();
        got.extend(receive_all(consumer));
    }
    got
}
