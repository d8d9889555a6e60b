//! What the tests share: a ring, those who live, and how records look.

use std::error::Error;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dynring::{Builder, Consumer, Producer, Ring, SharedRing, TrustedRing};

use crate::support::require;
use crate::support::victim::{Victim, alarm, mark, stay_on_this_processor};

pub(crate) type TestResult = Result<(), Box<dyn Error>>;

/// Whether to do all there is to do.
pub(crate) fn all() -> bool {
    std::env::var("DYNRING_KILL").is_ok_and(|what| what == "all")
}

/// How many times to do something.
pub(crate) fn times(usual: u64, in_full: u64) -> u64 {
    if all() { in_full } else { usual }
}

/// Says what was done; not captured when the test passes.
pub(crate) fn report(line: &str) {
    let _ = std::io::stderr().write_all(format!("kill: {line}\n").as_bytes());
}

/// One test at a time: what another forks would inherit descriptors. The process ends if the test takes too long.
#[derive(Debug)]
pub(crate) struct Alone(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

pub(crate) fn alone() -> Alone {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    alarm(times(120, 3600) as u32);
    Alone(guard)
}

impl Drop for Alone {
    fn drop(&mut self) {
        alarm(0);
    }
}

/// A system on which processes can be traced.
pub(crate) fn require_ptrace() -> Option<Alone> {
    let alone = alone();
    stay_on_this_processor().unwrap();
    require("ptrace", Victim::traced(mark).map(drop)).map(|()| alone)
}

#[expect(unsafe_code, reason = "all processes are of this test")]
pub(crate) fn trusted(ring: &SharedRing) -> TrustedRing {
    // SAFETY: nobody else has the ring, and whoever has it follows the protocol.
    unsafe { ring.trusted() }
}

/// A ring's descriptor, for children.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inherited(RawFd);

impl Inherited {
    pub(crate) fn of(ring: &SharedRing) -> Self {
        Self(ring.as_fd().as_raw_fd())
    }

    /// Attaches anew: handles do not survive fork(2).
    #[expect(unsafe_code, reason = "borrows an inherited descriptor")]
    pub(crate) fn attach(self) -> TrustedRing {
        // SAFETY: the child has inherited it, and never closes it.
        let fd = unsafe { BorrowedFd::borrow_raw(self.0) };
        trusted(&SharedRing::from_fd(fd).unwrap())
    }
}

/// A small ring whose positions wrap soon.
pub(crate) fn builder(max_producers: u32, kernel_protocol: bool) -> Builder {
    let first = 0u64.wrapping_sub(10_000);
    Ring::builder(4096).max_producers(max_producers).kernel_protocol(kernel_protocol).first_position(first)
}

/// A ring, one producer that lives, and the consumer.
pub(crate) struct Scene {
    pub(crate) ring: TrustedRing,
    pub(crate) live: Producer,
    pub(crate) consumer: Consumer,
    /// Producers that do nothing.
    idle: Vec<Producer>,
}

/// So many that do nothing are let go: [`Scene::let_go_of_the_idle`].
const IDLE: u32 = 7;

impl Scene {
    /// With room for `others` producers beside the one that lives.
    pub(crate) fn new(others: u32, kernel_protocol: bool) -> Result<Self, Box<dyn Error>> {
        Self::beside_idle(others, kernel_protocol, 0)
    }

    /// The same, and producers that do nothing.
    pub(crate) fn with_a_crowd(others: u32) -> Result<Self, Box<dyn Error>> {
        Self::beside_idle(others, false, IDLE)
    }

    fn beside_idle(others: u32, kernel_protocol: bool, idle: u32) -> Result<Self, Box<dyn Error>> {
        let ring = trusted(&builder(1 + others + idle, kernel_protocol).build_shared()?);
        let (live, consumer) = (ring.producer()?, ring.consumer()?);
        let idle = (0..idle).map(|_| ring.producer()).collect::<Result<_, _>>()?;
        Ok(Self { ring, live, consumer, idle })
    }

    /// Looks so often, if there is a crowd, that the consumer looks no more at the slots of those who do nothing meanwhile.
    pub(crate) fn let_go_of_the_idle(&mut self) {
        for _ in 0..30_000 * self.idle.len().min(1) {
            assert!(self.consumer.next().unwrap().is_none());
        }
    }

    pub(crate) fn inherited(&self) -> Inherited {
        Inherited::of(self.ring.ring())
    }

    pub(crate) fn head(&self) -> u64 {
        self.ring.ring().stats().unwrap().head
    }

    /// All that the consumer finds, having passed what the dead have left.
    pub(crate) fn read_on(&mut self) -> Vec<Vec<u8>> {
        read_on(&mut self.consumer)
    }

    /// Nothing is left of the dead: everything is consumed, and `others` slots are free.
    pub(crate) fn assert_clean(&self, others: u32, when: &str) {
        let stats = self.ring.ring().stats().unwrap();
        let living = 1 + self.idle.len() as u32;
        assert_eq!((stats.consumer_pos, stats.producers), (stats.head, living), "{when}: {stats:?}");
        let newcomers: Vec<Producer> = (0..others).map(|_| self.ring.producer().expect(when)).collect();
        assert!(self.ring.producer().is_err(), "{when}: more slots than there are");
        drop(newcomers);
    }
}

/// Says so when it is dropped: a thread is to stop even if the test fails.
pub(crate) struct Stop<'s>(pub(crate) &'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(crate) fn read_on(consumer: &mut Consumer) -> Vec<Vec<u8>> {
    let mut got = Vec::new();
    loop {
        while let Some(record) = consumer.next().unwrap() {
            got.push(record.to_vec());
        }
        if !consumer.recover().unwrap() {
            return got;
        }
    }
}

/// A record that says which it is, and of whose bytes each depends on that.
pub(crate) fn content(whose: u64, number: u64, len: usize) -> Vec<u8> {
    let seed = (whose << 32 ^ number ^ len as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes: Vec<u8> = (0..len as u64).map(|at| (seed.rotate_left(at as u32 % 64) ^ at) as u8).collect();
    for (byte, value) in bytes.iter_mut().zip(whose.to_ne_bytes().into_iter().chain(number.to_ne_bytes())) {
        *byte = value;
    }
    bytes
}

/// Bytes that a record takes.
pub(crate) fn stride(len: usize) -> u64 {
    (len as u64 + 8).next_multiple_of(8)
}
