//! Operations as a program in the kernel: one straight line, since the verifier wants constants.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::bpf::Register::*;
use crate::bpf::{Code, Helper, If, Program, ProgramType, Register, Value, create_ring};
use crate::ops::{BORROWED, COPIED, MOST, Op, Outcome, SLOTS, Slot};
use crate::support::vmlinux::Types;

/// Operations of a program at most.
pub(crate) const OPS: usize = 250;

/// Where results are, in words of 8 bytes; behind them is an area for the bytes of each operation.
const AREAS: usize = 8 * OPS;
/// A buffer, and a byte.
const AREA: usize = MOST as usize + 8;

/// Bytes of the largest packet.
const MOST_PASSED: usize = 1 << 16;

const XDP_PASS: i32 = 2;

// Where programs keep things while they call functions. The context is at the end of the stack.
const OUT: Register = R6;
const MEMORY: Register = R7;
const PAYLOAD: Register = R8;
const POINTER: Register = R9;
const CONTEXT: i16 = -8;

/// What programs work on, and functions of the kernel by their numbers.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) ring: OwnedFd,
    pub(crate) memory: Value,
    payload: Value,
    out: Value,
    functions: Functions,
}

#[derive(Debug)]
struct Functions {
    from_xdp: u32,
    from_skb: u32,
    size: u32,
    is_null: u32,
    is_rdonly: u32,
    adjust: u32,
    clone: u32,
    slice: u32,
    slice_rdwr: u32,
    copy: u32,
    memset: u32,
}

impl Functions {
    fn of(types: &Types) -> io::Result<Self> {
        Ok(Self {
            from_xdp: types.function("bpf_dynptr_from_xdp")?,
            from_skb: types.function("bpf_dynptr_from_skb")?,
            size: types.function("bpf_dynptr_size")?,
            is_null: types.function("bpf_dynptr_is_null")?,
            is_rdonly: types.function("bpf_dynptr_is_rdonly")?,
            adjust: types.function("bpf_dynptr_adjust")?,
            clone: types.function("bpf_dynptr_clone")?,
            slice: types.function("bpf_dynptr_slice")?,
            slice_rdwr: types.function("bpf_dynptr_slice_rdwr")?,
            copy: types.function("bpf_dynptr_copy")?,
            memset: types.function("bpf_dynptr_memset")?,
        })
    }
}

impl World {
    /// A ring of `ring` bytes, and values that are these.
    pub(crate) fn new(ring: usize, memory: &[u8], payload: &[u8], types: &Types) -> io::Result<Self> {
        let value = |bytes: &[u8]| {
            let value = Value::new(bytes.len() as u32)?;
            value.set(bytes).map(|()| value)
        };
        let out = Value::new((AREAS + AREA * OPS) as u32)?;
        let (ring, memory, payload) = (create_ring(ring as u32)?, value(memory)?, value(payload)?);
        Ok(Self { ring, memory, payload, out, functions: Functions::of(types)? })
    }

    /// Has a program do this that looks at `packet`. Returns what the operations have returned, and what has become of the
    /// packet.
    pub(crate) fn run(&self, ops: &[Op], packet: &[u8]) -> io::Result<(Vec<Outcome>, Vec<u8>)> {
        // Of all types, programs that may write packets can call the most of these functions.
        let program = self.load(ops, ProgramType::Xdp, self.functions.from_xdp)?;
        self.out.set(&[])?;
        let packet = program.pass(packet, MOST_PASSED)?;
        Ok((self.outcomes(ops)?, packet))
    }

    /// The same with a program that must not write the packet.
    pub(crate) fn run_read_only(&self, ops: &[Op], packet: &[u8]) -> io::Result<Vec<Outcome>> {
        let program = self.load(ops, ProgramType::SocketFilter, self.functions.from_skb)?;
        self.out.set(&[])?;
        program.filter(packet, 1)?;
        self.outcomes(ops)
    }

    fn outcomes(&self, ops: &[Op]) -> io::Result<Vec<Outcome>> {
        let out = self.out.get()?;
        Ok(ops.iter().enumerate().map(|(nth, op)| outcome(&out, nth, op)).collect())
    }

    /// `from_packet` is the function that makes a pointer to the packet.
    fn load(&self, ops: &[Op], program_type: ProgramType, from_packet: u32) -> io::Result<Program> {
        let begin = Code::new()
            .store(R10, CONTEXT, R1)
            .value(OUT, &self.out)
            .value(MEMORY, &self.memory)
            .value(PAYLOAD, &self.payload);
        let code = ops.iter().enumerate().fold(begin, |code, (nth, op)| self.add(code, nth, op, from_packet));
        code.set(R0, XDP_PASS).exit().load_as(program_type)
    }

    #[rustfmt::skip]
    fn add(&self, code: Code, nth: usize, op: &Op, from_packet: u32) -> Code {
        let (result, area, call) = (8 * nth as i16, (AREAS + AREA * nth) as i32, &self.functions);
        let code = match *op {
            Op::FromMem { slot, at, len, flags } => code
                .copy(R1, MEMORY).add(R1, at as i32).set_unsigned(R2, len).set_unsigned(R3, flags).slot(R4, slot)
                .call(Helper::DynptrFromMem),
            Op::FromPacket { slot, flags } => code
                .load(R1, R10, CONTEXT).set_unsigned(R2, flags).slot(R3, slot)
                .call_kernel(from_packet),
            Op::Reserve { slot, len } => code
                .map(R1, self.ring.as_fd()).set_unsigned(R2, len).set(R3, 0).slot(R4, slot)
                .call(Helper::RingbufReserveDynptr),
            Op::Release { slot, submit } => code
                .slot(R1, slot).set(R2, 0)
                .call(if submit { Helper::RingbufSubmitDynptr } else { Helper::RingbufDiscardDynptr })
                .set(R0, 0),
            Op::Size { slot } => code.slot(R1, slot).call_kernel(call.size),
            Op::IsNull { slot } => code.slot(R1, slot).call_kernel(call.is_null),
            Op::IsRdonly { slot } => code.slot(R1, slot).call_kernel(call.is_rdonly),
            Op::Adjust { slot, start, end } => code
                .slot(R1, slot).set_unsigned(R2, start).set_unsigned(R3, end)
                .call_kernel(call.adjust),
            Op::Clone { from, to } => code.slot(R1, from).slot(R2, to).call_kernel(call.clone),
            Op::Read { slot, offset, len } => code
                .copy(R1, OUT).add(R1, area).set_unsigned(R2, len).slot(R3, slot).set_unsigned(R4, offset).set(R5, 0)
                .call(Helper::DynptrRead),
            Op::Write { slot, offset, at, len } => code
                .slot(R1, slot).set_unsigned(R2, offset).copy(R3, PAYLOAD).add(R3, at as i32).set_unsigned(R4, len)
                .set(R5, 0)
                .call(Helper::DynptrWrite),
            Op::Data { slot, offset, len, byte } => return code
                .slot(R1, slot).set_unsigned(R2, offset).set_unsigned(R3, len)
                .call(Helper::DynptrData)
                .pointed(&Pointed { result, area, len, buffer: false, write: Some((slot, offset, byte)) }),
            Op::Slice { slot, offset, len, buffer } => return code
                .slot(R1, slot).set_unsigned(R2, offset).buffer(R3, area, buffer).set_unsigned(R4, len)
                .call_kernel(call.slice)
                .pointed(&Pointed { result, area, len, buffer, write: None }),
            Op::SliceMut { slot, offset, len, buffer, byte } => return code
                .slot(R1, slot).set_unsigned(R2, offset).buffer(R3, area, buffer).set_unsigned(R4, len)
                .call_kernel(call.slice_rdwr)
                .pointed(&Pointed { result, area, len, buffer, write: Some((slot, offset, byte)) }),
            Op::Copy { dst, offset, src, src_offset, len } => code
                .slot(R1, dst).set_unsigned(R2, offset).slot(R3, src).set_unsigned(R4, src_offset).set_unsigned(R5, len)
                .call_kernel(call.copy),
            Op::Memset { slot, offset, len, byte } => code
                .slot(R1, slot).set_unsigned(R2, offset).set_unsigned(R3, len).set(R4, byte.into())
                .call_kernel(call.memset),
            Op::AdjustHead { delta } => code.load(R1, R10, CONTEXT).set(R2, delta).call(Helper::XdpAdjustHead),
            Op::AdjustTail { delta } => code.load(R1, R10, CONTEXT).set(R2, delta).call(Helper::XdpAdjustTail),
            Op::AdjustMeta { delta } => code.load(R1, R10, CONTEXT).set(R2, delta).call(Helper::XdpAdjustMeta),
        };
        code.store(OUT, result, R0)
    }
}

/// What is to be done with a pointer that was returned.
struct Pointed {
    result: i16,
    area: i32,
    len: u32,
    buffer: bool,
    /// The byte to write, and where to write it back if it was written to the buffer.
    write: Option<(Slot, u32, u8)>,
}

trait Dynamic {
    /// A pointer to a dynamic pointer.
    fn slot(self, to: Register, slot: Slot) -> Self;
    /// A pointer to the buffer, or none.
    fn buffer(self, to: Register, area: i32, wanted: bool) -> Self;
    /// Looks at what `R0` points to.
    fn pointed(self, pointed: &Pointed) -> Self;
}

impl Dynamic for Code {
    fn slot(self, to: Register, slot: Slot) -> Self {
        debug_assert!(slot < SLOTS);
        self.copy(to, R10).add(to, i32::from(CONTEXT) - 16 * (slot as i32 + 1))
    }

    fn buffer(self, to: Register, area: i32, wanted: bool) -> Self {
        if wanted { self.copy(to, OUT).add(to, area) } else { self.set(to, 0) }
    }

    fn pointed(self, pointed: &Pointed) -> Self {
        let steps = pointed.steps(Self::new());
        self.skip(steps.len() as i16, If::Equal, R0, 0).append(steps)
    }
}

impl Pointed {
    /// Notes whether it is the buffer, notes the last byte, writes another one, and writes it back.
    fn steps(&self, code: Code) -> Code {
        let last = self.len as i16 - 1;
        let mut code = code.copy(POINTER, R0).copy(R2, OUT).add(R2, self.area).set(R1, BORROWED as i32);
        if self.buffer {
            code = code.skip_register(1, If::NotEqual, POINTER, R2).set(R1, COPIED as i32);
        }
        code = code.store(OUT, self.result, R1);
        if self.len == 0 {
            return code;
        }
        code = code.load_byte(R1, POINTER, last).store_byte(OUT, (self.area + MOST as i32) as i16, R1);
        let Some((slot, offset, byte)) = self.write else { return code };
        code = code.set(R1, byte.into()).store_byte(POINTER, last, R1);
        if !self.buffer {
            return code;
        }
        let back = Code::new()
            .slot(R1, slot)
            .set_unsigned(R2, offset)
            .copy(R3, OUT)
            .add(R3, self.area)
            .set_unsigned(R4, self.len)
            .set(R5, 0)
            .call(Helper::DynptrWrite);
        code.copy(R2, OUT).add(R2, self.area).skip_register(back.len() as i16, If::NotEqual, POINTER, R2).append(back)
    }
}

fn outcome(out: &[u8], nth: usize, op: &Op) -> Outcome {
    let (word, area) = (&out[8 * nth..][..8], &out[AREAS + AREA * nth..][..AREA]);
    let word = i64::from_ne_bytes(word.try_into().expect("8 bytes"));
    let result = match op {
        // Only as much of the register as the type has bits is said to be right.
        Op::IsNull { .. } | Op::IsRdonly { .. } => word & 0xff,
        // Of a size, which is 32 bits long in some kernels and 64 in others, this is enough.
        _ => i64::from(word as i32),
    };
    let bytes = match *op {
        Op::Read { len, .. } if result == 0 => area[..len as usize].to_vec(),
        Op::Data { len, .. } | Op::Slice { len, .. } | Op::SliceMut { len, .. } if result != 0 && len > 0 => {
            vec![area[MOST as usize]]
        }
        _ => Vec::new(),
    };
    Outcome { result, bytes }
}
