//! Programs in the kernel that drain a ring which this process fills.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use dynring::Consumer;
use dynring::kernel::RingBuf;

use super::bpf::Register::*;
use super::bpf::{Code, Helper, If, MapType, Program, ProgramType, Value, create_map, create_ring};
use super::btf::with_functions;
use super::pages::{Pages, READ, page_size};

/// The largest payload, in bytes, that is reported.
pub(crate) const MAX_LEN: usize = 1 << MAX_SHIFT;
const MAX_SHIFT: u32 = 13;

/// Bytes of the ring in which samples are reported.
const REPORT: u32 = 4 << 20;

/// Samples that can be reported before anybody looks, however large they are.
const AT_ONCE: u64 = REPORT as u64 / (MAX_LEN as u64 + 8) / 2;

/// Samples that one drain looks at at most, discarded ones included. `BPF_MAX_USER_RINGBUF_SAMPLES` in the kernel.
pub(crate) const MAX_SAMPLES: u64 = 128 * 1024;

// What the programs are told and say, in words of 8 bytes: offsets in their context.
const LIMIT: i16 = 0;
const FLAGS: i16 = 8;
const RESULT: i16 = 16;
const FAILURE: i16 = 24;
const CONTEXT: usize = 32;

/// A map of type user_ringbuf, and programs that drain it.
#[derive(Debug)]
pub(crate) struct UserRing {
    map: OwnedFd,
    report: Consumer,
    reporting: Program,
    counting: Program,
}

impl UserRing {
    /// A new ring of `bytes` bytes.
    pub(crate) fn new(bytes: u32) -> io::Result<Self> {
        Self::of(create_map(MapType::UserRingBuf, 0, 0, bytes)?)
    }

    /// A ring that somebody else has made.
    pub(crate) fn of(map: OwnedFd) -> io::Result<Self> {
        let report = create_ring(REPORT)?;
        let scratch = Value::new(SCRATCH as u32 + MAX_LEN as u32)?;
        let reporting = reporting(map.as_fd(), report.as_fd(), &scratch)?;
        let counting = counting(map.as_fd())?;
        Ok(Self { map, report: RingBuf::from_fd(report)?.into_consumer()?, reporting, counting })
    }

    /// Has the kernel drain at most `limit` samples, which are then [`reported`](Self::reported). Returns what the kernel's function
    /// returns.
    pub(crate) fn drain(&self, limit: u64) -> io::Result<i64> {
        self.drain_with(limit, 0)
    }

    pub(crate) fn drain_with(&self, limit: u64, flags: u64) -> io::Result<i64> {
        run(&self.reporting, limit, flags)
    }

    /// Has the kernel drain what is there, and look at nothing.
    pub(crate) fn count(&self) -> io::Result<i64> {
        run(&self.counting, 0, 0)
    }

    /// The payloads of what has been drained since this was last asked, in order.
    pub(crate) fn reported(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut samples = Vec::new();
        while let Some(sample) = self.report.next()? {
            samples.push(sample.to_vec());
        }
        Ok(samples)
    }

    /// Drains all there is, and returns the payloads.
    pub(crate) fn drained(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut samples = Vec::new();
        loop {
            let result = self.drain(AT_ONCE)?;
            let reported = self.reported()?;
            if result != reported.len() as i64 {
                return Err(io::Error::other(format!("drain: {result}")));
            }
            samples.extend(reported);
            if result < AT_ONCE as i64 {
                return Ok(samples);
            }
        }
    }

    /// What the pages say: `consumer_pos` and `producer_pos`.
    pub(crate) fn positions(&self) -> io::Result<(u64, u64)> {
        let word = |page: usize| -> io::Result<u64> {
            let pages = Pages::map(self.map.as_fd(), READ, page * page_size(), page_size())?;
            Ok(pages.word(0).load(std::sync::atomic::Ordering::Acquire))
        };
        Ok((word(0)?, word(1)?))
    }
}

impl AsFd for UserRing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

fn run(program: &Program, limit: u64, flags: u64) -> io::Result<i64> {
    let mut context = [0; CONTEXT];
    let (told, said) = context.split_at_mut(RESULT as usize);
    told[..8].copy_from_slice(&limit.to_ne_bytes());
    told[8..].copy_from_slice(&flags.to_ne_bytes());
    debug_assert_eq!(said.len(), 16);
    program.run(&mut context)?;
    let word = |at: i16| i64::from_ne_bytes(context[at as usize..][..8].try_into().expect("8 bytes"));
    match word(FAILURE) {
        0 => Ok(word(RESULT)),
        failure => Err(io::Error::from_raw_os_error(-failure as i32)),
    }
}

/// Drains with a callback whose result is 0: go on.
#[rustfmt::skip]
fn counting(map: BorrowedFd<'_>) -> io::Result<Program> {
    with_functions(|types| Code::new()
        .copy(R6, R1)
        .map(R1, map).pointer(R2, "sample").set(R3, 0).load(R4, R6, FLAGS)
        .call(Helper::UserRingbufDrain)
        .store(R6, RESULT, R0)
        .set(R0, 0).exit()
        .function("sample").set(R0, 0).exit()
        .load_with(ProgramType::Syscall, Some(types)))
}

// On the stack of the program, which the callback is passed.
const LEFT: i16 = 0;
const FAILED: i16 = 8;

/// Where in the scratch memory samples are copied to; before it, there is a zero of which the verifier knows nothing.
const SCRATCH: usize = 8;

/// Drains with a callback that copies each sample to `report`, and stops after as many as it is told.
fn reporting(map: BorrowedFd<'_>, report: BorrowedFd<'_>, scratch: &Value) -> io::Result<Program> {
    let main = Code::new()
        .copy(R6, R1)
        .load(R1, R6, LIMIT)
        .store(R10, LEFT - 16, R1)
        .set(R1, 0)
        .store(R10, FAILED - 16, R1)
        .map(R1, map)
        .pointer(R2, "sample")
        .copy(R3, R10)
        .add(R3, -16)
        .load(R4, R6, FLAGS)
        .call(Helper::UserRingbufDrain)
        .store(R6, RESULT, R0)
        .load(R1, R10, FAILED - 16)
        .store(R6, FAILURE, R1)
        .set(R0, 0)
        .exit();
    let callback = len_of_sample(main.function("sample").copy(R6, R1).copy(R7, R2), scratch);
    let code = callback
        .set(R0, -libc::EMSGSIZE)
        .jump(If::Greater, R8, MAX_LEN as i32, "failed")
        .value(R9, scratch)
        .add(R9, SCRATCH as i32)
        .copy(R1, R9)
        .copy(R2, R8)
        .copy(R3, R6)
        .set(R4, 0)
        .set(R5, 0)
        .call(Helper::DynptrRead)
        .jump(If::NotEqual, R0, 0, "failed")
        .map(R1, report)
        .copy(R2, R9)
        .copy(R3, R8)
        .set(R4, 0)
        .call(Helper::RingbufOutput)
        .jump(If::NotEqual, R0, 0, "failed")
        .load(R1, R7, LEFT)
        .add(R1, -1)
        .store(R7, LEFT, R1)
        .set(R0, 0)
        .jump(If::NotEqual, R1, 0, "on")
        .set(R0, 1)
        .label("on")
        .exit()
        .label("failed")
        .store(R7, FAILED, R0)
        .set(R0, 1)
        .exit();
    with_functions(|types| code.load_with(ProgramType::Syscall, Some(types)))
}

/// `R8` = length of the sample that `R6` is. No function says it, so each bit is found out by whether there is a byte.
fn len_of_sample(code: Code, scratch: &Value) -> Code {
    const FOUND: [&str; MAX_SHIFT as usize + 1] =
        ["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "b10", "b11", "b12", "b13"];

    let mut code = code.value(R1, scratch).load(R8, R1, 0);
    for (bit, label) in FOUND.into_iter().enumerate().rev() {
        code = code
            .copy(R1, R10)
            .add(R1, -8)
            .set(R2, 1)
            .copy(R3, R6)
            .copy(R4, R8)
            .add(R4, (1 << bit) - 1)
            .set(R5, 0)
            .call(Helper::DynptrRead)
            .jump(If::NotEqual, R0, 0, label)
            .add(R8, 1 << bit)
            .label(label);
    }
    code
}
