//! What is done to rings, drawn at random from a seed, and a program that does it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::support::bpf::Register::*;
use crate::support::bpf::{Code, Helper, If, Program, ProgramType, Value, create_ring};

/// The largest payload, in bytes, that the program can be told to write.
pub const MAX_LEN: u32 = (1 << 16) - 16;

/// The most records of a plan.
pub const MAX_COUNT: usize = 64;

// What the program is told and says, in words of 8 bytes: offsets in its context.
const COUNT: i16 = 0;
const SEQUENCE: i16 = 8;
const WRITTEN: i16 = 16;
const RESULT: i16 = 24;
const CONTEXT: usize = 32;

/// How a record is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Way {
    /// `bpf_ringbuf_output`.
    Output,
    /// `bpf_ringbuf_reserve_dynptr` and `bpf_ringbuf_submit_dynptr`.
    Submit,
    /// `bpf_ringbuf_reserve_dynptr` and `bpf_ringbuf_discard_dynptr`.
    Discard,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub len: u32,
    pub way: Way,
}

/// Numbers that look random, the same each time: xorshift64*.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// From 0 to `most`.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % (most + 1)
    }

    /// A length: most often a short one, now and then any up to `max`, and the longest, and one that is too long.
    pub fn len(&mut self, max: u32) -> u32 {
        let most = match self.up_to(99) {
            0..50 => 32,
            50..80 => 256,
            80..94 => 1024,
            94..98 => u64::from(max),
            98 => return max,
            _ => return (max + 1 + self.up_to(15) as u32).min(MAX_LEN),
        };
        self.up_to(most.min(max.into())) as u32
    }

    /// Up to [`MAX_COUNT`] steps, with payloads of up to `max` bytes, or a little more.
    pub fn plan(&mut self, max: u32) -> Vec<Step> {
        let ways = [Way::Output, Way::Output, Way::Submit, Way::Submit, Way::Discard];
        let count = 1 + self.up_to(MAX_COUNT as u64 - 1);
        (0..count).map(|_| Step { len: self.len(max), way: ways[self.up_to(4) as usize] }).collect()
    }
}

/// How the program fared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Steps done.
    pub written: usize,
    /// What the last reservation returned: 0 or a negated error number.
    pub result: i64,
}

/// A ring of the kernel, and a program that fills it as planned.
///
/// The payload of the `n`th step of a plan is what lies from the `n`th word of its scratch memory on, after a number that
/// counts all steps has been written over that word.
#[derive(Debug)]
pub struct Filled {
    map: OwnedFd,
    plan: Value,
    program: Program,
    sequence: u64,
}

/// What is in the scratch memory at first.
fn pattern() -> Vec<u8> {
    (0..MAX_LEN as usize + 8 * MAX_COUNT).map(|at| (at * 7 + at / 256) as u8).collect()
}

impl Filled {
    pub fn new(bytes: u32) -> io::Result<Self> {
        let (map, plan, scratch) = (create_ring(bytes)?, Value::new(16 * MAX_COUNT as u32)?, pattern());
        let payload = Value::new(scratch.len() as u32)?;
        payload.set(&scratch)?;
        let program = program(map.as_fd(), &plan, &payload)?;
        Ok(Self { map, plan, program, sequence: 0 })
    }

    /// Does what is planned, up to the first step that is refused.
    pub fn run(&mut self, plan: &[Step]) -> io::Result<Outcome> {
        let words = |step: &Step| [u64::from(step.len), step.way as u64].map(u64::to_ne_bytes).concat();
        self.plan.set(&plan.iter().flat_map(words).collect::<Vec<u8>>())?;
        let mut context = [plan.len() as u64, self.sequence, 0, 0].map(u64::to_ne_bytes).concat();
        assert_eq!(context.len(), CONTEXT);
        self.program.run(&mut context)?;
        let word = |at: i16| u64::from_ne_bytes(context[at as usize..][..8].try_into().expect("8 bytes"));
        self.sequence += word(WRITTEN);
        Ok(Outcome { written: word(WRITTEN) as usize, result: word(RESULT) as i64 })
    }
}

impl AsFd for Filled {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

/// What readers of a [`Filled`] ring have to see.
#[derive(Debug)]
pub struct Expected {
    scratch: Vec<u8>,
    sequence: u64,
}

impl Expected {
    pub fn new() -> Self {
        Self { scratch: pattern(), sequence: 0 }
    }

    /// Calls `each` with the payloads of the first `written` steps that are not discarded; the program has tried one more,
    /// if there is one.
    pub fn follow(&mut self, plan: &[Step], written: usize, mut each: impl FnMut(&[u8])) {
        for (nth, &Step { len, way }) in plan.iter().enumerate().take(written + 1) {
            self.scratch[8 * nth..][..8].copy_from_slice(&self.sequence.to_ne_bytes());
            if nth < written {
                self.sequence += 1;
                if way != Way::Discard {
                    each(&self.scratch[8 * nth..][..len as usize]);
                }
            }
        }
    }
}

/// `R6` the context, `R7` steps done, `R8` the next payload, `R9` the next step of the plan.
#[rustfmt::skip]
fn program(map: BorrowedFd<'_>, plan: &Value, payload: &Value) -> io::Result<Program> {
    let head = Code::new()
        .copy(R6, R1).set(R7, 0).value(R8, payload).value(R9, plan)
        .label("next")
        .load(R1, R6, COUNT).jump_register(If::AtLeast, R7, R1, "done")
        // What the verifier needs to know that the loop ends.
        .jump(If::AtLeast, R7, MAX_COUNT as i32, "done")
        .load(R1, R6, SEQUENCE).store(R8, 0, R1)
        .load(R1, R9, 8).jump(If::NotEqual, R1, Way::Output as i32, "dynptr");
    let output = head
        .map(R1, map).copy(R2, R8).load(R3, R9, 0).jump(If::Greater, R3, MAX_LEN as i32, "done").set(R4, 0)
        .call(Helper::RingbufOutput)
        .store(R6, RESULT, R0).jump(If::NotEqual, R0, 0, "done");
    let counted = output
        .label("count")
        .load(R1, R6, SEQUENCE).add(R1, 1).store(R6, SEQUENCE, R1)
        .add(R7, 1).add(R8, 8).add(R9, 16)
        .store(R6, WRITTEN, R7)
        .go("next");
    let dynptr = counted
        .label("dynptr")
        .map(R1, map).load(R2, R9, 0).set(R3, 0).copy(R4, R10).add(R4, -16)
        .call(Helper::RingbufReserveDynptr)
        .store(R6, RESULT, R0).jump(If::NotEqual, R0, 0, "refused")
        .copy(R1, R10).add(R1, -16).set(R2, 0).copy(R3, R8).load(R4, R9, 0)
        .jump(If::Greater, R4, MAX_LEN as i32, "refused").set(R5, 0)
        .call(Helper::DynptrWrite)
        .copy(R1, R10).add(R1, -16).set(R2, 0)
        .load(R3, R9, 8).jump(If::Equal, R3, Way::Discard as i32, "discard")
        .call(Helper::RingbufSubmitDynptr)
        .go("count")
        .label("discard")
        .call(Helper::RingbufDiscardDynptr)
        .go("count")
        // The verifier wants this even where nothing was reserved.
        .label("refused")
        .copy(R1, R10).add(R1, -16).set(R2, 0)
        .call(Helper::RingbufDiscardDynptr);
    dynptr.label("done").set(R0, 0).exit().load_as(ProgramType::Syscall)
}
