//! Programs in the kernel that do to a ring what a test tells them.

#[path = "../../examples/quickstart/bpf.rs"]
mod raw;

pub(crate) use raw::*;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use super::bpf::Register::*;

/// The largest payload, in bytes, that the programs can be told to write.
pub(crate) const MAX_LEN: usize = 8192;

/// Records that one run writes at most: the verifier goes through all of them.
const MAX_COUNT: i32 = 64;

// What the programs are told, in words of 8 bytes: offsets in their context.
const COUNT: i16 = 0;
const LEN: i16 = 8;
const FLAGS: i16 = 16;
const SEQUENCE: i16 = 24;
const RESULT: i16 = 32;
const DISCARD: i16 = 40;
const POINTER: i16 = 48;
const CONTEXT: usize = 56;

/// `BPF_RB_NO_WAKEUP`.
pub(crate) const NO_WAKEUP: u64 = 1;
/// `BPF_RB_FORCE_WAKEUP`.
pub(crate) const FORCE_WAKEUP: u64 = 2;

/// What `bpf_ringbuf_query` can be asked.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Query {
    AvailData,
    RingSize,
    ConsPos,
    ProdPos,
}

/// What to do with records that are reserved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub(crate) enum Finish {
    Submit,
    Discard,
}

/// Records to write: `count` of them, with consecutive numbers from `sequence`, each of which lies over the first 8 bytes
/// of the payload.
#[derive(Clone, Debug)]
pub(crate) struct Records<'a> {
    pub(crate) count: u64,
    pub(crate) sequence: u64,
    pub(crate) payload: &'a [u8],
    pub(crate) flags: u64,
    pub(crate) finish: Finish,
}

impl<'a> Records<'a> {
    /// One record.
    pub(crate) fn one(sequence: u64, payload: &'a [u8]) -> Self {
        Self { count: 1, sequence, payload, flags: 0, finish: Finish::Submit }
    }

    pub(crate) fn times(self, count: u64) -> Self {
        Self { count, ..self }
    }

    pub(crate) fn flags(self, flags: u64) -> Self {
        Self { flags, ..self }
    }

    pub(crate) fn discarded(self) -> Self {
        Self { finish: Finish::Discard, ..self }
    }
}

/// How a program fared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// Records written.
    pub(crate) written: u64,
    /// What the last call returned: 0 or a negated error number.
    pub(crate) result: i64,
}

/// A map of type ringbuf, and the programs that write to it.
#[derive(Debug)]
pub(crate) struct Ring {
    map: OwnedFd,
    /// Programs cannot take a payload from their context.
    payload: Mutex<Value>,
    output: Program,
    dynptr: Program,
    query: Program,
}

impl Ring {
    /// A new ring of `bytes` bytes.
    pub(crate) fn new(bytes: u32) -> io::Result<Self> {
        Self::of(create_ring(bytes)?)
    }

    /// A ring that somebody else has made.
    pub(crate) fn of(map: OwnedFd) -> io::Result<Self> {
        let payload = Value::new(MAX_LEN as u32)?;
        let output = output(map.as_fd(), &payload)?;
        let dynptr = dynptr(map.as_fd(), &payload)?;
        Ok(Self { query: query(map.as_fd())?, map, payload: Mutex::new(payload), output, dynptr })
    }

    /// Writes records with `bpf_ringbuf_output`.
    pub(crate) fn output(&self, records: &Records<'_>) -> io::Result<Outcome> {
        self.run(&self.output, records)
    }

    /// Writes records with `bpf_ringbuf_reserve_dynptr`.
    pub(crate) fn dynptr(&self, records: &Records<'_>) -> io::Result<Outcome> {
        self.run(&self.dynptr, records)
    }

    fn run(&self, program: &Program, records: &Records<'_>) -> io::Result<Outcome> {
        let payload = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
        payload.set(records.payload)?;
        run(program, records)
    }

    /// `bpf_ringbuf_query`.
    pub(crate) fn query(&self, what: Query) -> io::Result<u64> {
        let mut context = Context::new(&Records::one(0, &[]).flags(what as u64));
        self.query.run(&mut context.0)?;
        Ok(context.get(RESULT))
    }

    /// A program that writes records of `len` bytes, a multiple of 8, with `bpf_ringbuf_reserve`.
    pub(crate) fn reserving(&self, len: u32) -> io::Result<Reserving> {
        reserve(self.as_fd(), len as i32).map(Reserving)
    }

    /// A program that reads the word at a pointer of this process while it holds a reservation of 8 bytes.
    pub(crate) fn stalling(&self) -> io::Result<Stalling> {
        stall(self.as_fd()).map(Stalling)
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

/// See [`Ring::reserving`].
#[derive(Debug)]
pub(crate) struct Reserving(Program);

impl Reserving {
    /// Writes records. Their payload is the number, over and over.
    pub(crate) fn run(&self, records: &Records<'_>) -> io::Result<Outcome> {
        run(&self.0, records)
    }
}

/// See [`Ring::stalling`].
#[derive(Debug)]
pub(crate) struct Stalling(Program);

impl Stalling {
    /// Writes one record, whose payload is the word at `address`, which is read between reservation and submission.
    pub(crate) fn run(&self, address: u64) -> io::Result<Outcome> {
        let mut context = Context::new(&Records::one(0, &[]));
        context.set(POINTER, address);
        self.0.run(&mut context.0)?;
        Ok(context.outcome(0))
    }
}

fn run(program: &Program, records: &Records<'_>) -> io::Result<Outcome> {
    assert!(records.payload.len() <= MAX_LEN, "{records:?}");
    let mut all = Outcome { written: 0, result: 0 };
    while all.written < records.count && all.result == 0 {
        let sequence = records.sequence + all.written;
        let count = (records.count - all.written).min(MAX_COUNT as u64);
        let mut context = Context::new(&Records { count, sequence, ..*records });
        program.run(&mut context.0)?;
        let Outcome { written, result } = context.outcome(sequence);
        all = Outcome { written: all.written + written, result };
    }
    Ok(all)
}

struct Context([u8; CONTEXT]);

impl Context {
    fn new(records: &Records<'_>) -> Self {
        let mut context = Self([0; CONTEXT]);
        context.set(COUNT, records.count);
        context.set(LEN, records.payload.len() as u64);
        context.set(FLAGS, records.flags);
        context.set(SEQUENCE, records.sequence);
        context.set(DISCARD, records.finish as u64);
        context
    }

    fn set(&mut self, at: i16, word: u64) {
        self.0[at as usize..][..8].copy_from_slice(&word.to_ne_bytes());
    }

    fn get(&self, at: i16) -> u64 {
        u64::from_ne_bytes(self.0[at as usize..][..8].try_into().expect("8 bytes"))
    }

    fn outcome(&self, sequence: u64) -> Outcome {
        Outcome { written: self.get(SEQUENCE) - sequence, result: self.get(RESULT) as i64 }
    }
}

/// The head of a loop that runs `COUNT` times, with the context in `R6`; `R7` counts.
fn begin_loop() -> Code {
    Code::new()
        .copy(R6, R1)
        .set(R7, 0)
        .label("next")
        .load(R1, R6, COUNT)
        .jump_register(If::AtLeast, R7, R1, "done")
        // What the verifier needs to know that the loop ends.
        .jump(If::AtLeast, R7, MAX_COUNT, "done")
        .add(R7, 1)
}

trait Loop {
    fn count_up(self) -> Self;
    fn end_loop(self) -> Self;
    fn len_in(self, register: Register) -> Self;
}

impl Loop for Code {
    /// Counts a record.
    fn count_up(self) -> Self {
        self.load(R1, R6, SEQUENCE).add(R1, 1).store(R6, SEQUENCE, R1)
    }

    fn end_loop(self) -> Self {
        self.go("next").label("done").set(R0, 0).exit()
    }

    /// The payload's length, which the verifier sees is at most [`MAX_LEN`].
    fn len_in(self, register: Register) -> Self {
        self.load(register, R6, LEN).jump(If::Greater, register, MAX_LEN as i32, "done")
    }
}

#[rustfmt::skip]
fn output(map: BorrowedFd<'_>, payload: &Value) -> io::Result<Program> {
    begin_loop()
        .load(R1, R6, SEQUENCE)
        .value(R8, payload)
        .store(R8, 0, R1)
        .map(R1, map).copy(R2, R8).len_in(R3).load(R4, R6, FLAGS)
        .call(Helper::RingbufOutput)
        .store(R6, RESULT, R0)
        .jump(If::NotEqual, R0, 0, "done")
        .count_up()
        .end_loop()
        .load_as(ProgramType::Syscall)
}

#[rustfmt::skip]
fn dynptr(map: BorrowedFd<'_>, payload: &Value) -> io::Result<Program> {
    begin_loop()
        .load(R1, R6, SEQUENCE)
        .value(R8, payload)
        .store(R8, 0, R1)
        .map(R1, map).len_in(R2).set(R3, 0).copy(R4, R10).add(R4, -16)
        .call(Helper::RingbufReserveDynptr)
        .store(R6, RESULT, R0)
        .jump(If::NotEqual, R0, 0, "refused")
        .copy(R1, R10).add(R1, -16).set(R2, 0).copy(R3, R8).load(R4, R6, LEN)
        .jump(If::Greater, R4, MAX_LEN as i32, "refused")
        .set(R5, 0)
        .call(Helper::DynptrWrite)
        .count_up()
        .copy(R1, R10).add(R1, -16).load(R2, R6, FLAGS)
        .load(R3, R6, DISCARD)
        .jump(If::NotEqual, R3, 0, "discard")
        .call(Helper::RingbufSubmitDynptr)
        .go("next")
        .label("discard")
        .call(Helper::RingbufDiscardDynptr)
        .go("next")
        // The verifier wants this even where nothing was reserved.
        .label("refused")
        .copy(R1, R10).add(R1, -16).set(R2, 0)
        .call(Helper::RingbufDiscardDynptr)
        .label("done").set(R0, 0).exit()
        .load_as(ProgramType::Syscall)
}

#[rustfmt::skip]
fn reserve(map: BorrowedFd<'_>, len: i32) -> io::Result<Program> {
    let mut code = begin_loop()
        .set(R0, -libc::EAGAIN).store(R6, RESULT, R0)
        .map(R1, map).set(R2, len).set(R3, 0)
        .call(Helper::RingbufReserve)
        .jump(If::Equal, R0, 0, "done")
        .copy(R8, R0)
        .set(R0, 0).store(R6, RESULT, R0)
        .load(R1, R6, SEQUENCE);
    for at in (0..len as i16).step_by(8) {
        code = code.store(R8, at, R1);
    }
    code.count_up()
        .copy(R1, R8).load(R2, R6, FLAGS)
        .load(R3, R6, DISCARD)
        .jump(If::NotEqual, R3, 0, "discard")
        .call(Helper::RingbufSubmit)
        .go("next")
        .label("discard")
        .call(Helper::RingbufDiscard)
        .end_loop()
        .load_as(ProgramType::Syscall)
}

#[rustfmt::skip]
fn stall(map: BorrowedFd<'_>) -> io::Result<Program> {
    Code::new()
        .copy(R6, R1)
        .map(R1, map).set(R2, 8).set(R3, 0)
        .call(Helper::RingbufReserve)
        .jump(If::Equal, R0, 0, "done")
        .copy(R8, R0)
        .copy(R1, R8).set(R2, 8).load(R3, R6, POINTER)
        .call(Helper::CopyFromUser)
        .store(R6, RESULT, R0)
        .copy(R1, R8).load(R2, R6, FLAGS)
        .call(Helper::RingbufSubmit)
        .set(R0, 1).store(R6, SEQUENCE, R0)
        .label("done").set(R0, 0).exit()
        .load_as(ProgramType::Syscall)
}

#[rustfmt::skip]
fn query(map: BorrowedFd<'_>) -> io::Result<Program> {
    Code::new()
        .copy(R6, R1)
        .map(R1, map).load(R2, R6, FLAGS)
        .call(Helper::RingbufQuery)
        .store(R6, RESULT, R0)
        .set(R0, 0).exit()
        .load_as(ProgramType::Syscall)
}
