//! Just enough of bpf(2) to make maps and to load, run and attach programs written as raw instructions.
//!
//! No compiler, no libbpf, no type information: what a real program would take from one of those, this spells out.

#![allow(dead_code, reason = "each program that includes this uses a part of it")]
#![expect(unsafe_code, reason = "calls bpf(2)")]

use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

// Values of `enum bpf_cmd`, `enum bpf_map_type`, `enum bpf_prog_type` and `enum bpf_func_id`, and flags, from
// include/uapi/linux/bpf.h.
const BPF_MAP_CREATE: libc::c_int = 0;
const BPF_MAP_LOOKUP_ELEM: libc::c_int = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_int = 2;
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_OBJ_PIN: libc::c_int = 6;
const BPF_PROG_TEST_RUN: libc::c_int = 10;
const BPF_MAP_GET_FD_BY_ID: libc::c_int = 14;
const BPF_RAW_TRACEPOINT_OPEN: libc::c_int = 17;
const BPF_BTF_LOAD: libc::c_int = 18;
const BPF_MAP_FREEZE: libc::c_int = 22;
const BPF_F_SLEEPABLE: u32 = 1 << 4;
const BPF_F_XDP_HAS_FRAGS: u32 = 1 << 5;
const BPF_PSEUDO_MAP_FD: u8 = 1;
const BPF_PSEUDO_MAP_VALUE: u8 = 2;
const BPF_PSEUDO_KFUNC_CALL: u8 = 2;
const BPF_PSEUDO_FUNC: u8 = 4;

/// Types of maps.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum MapType {
    Array = 2,
    RingBuf = 27,
    UserRingBuf = 31,
}

/// Types of programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum ProgramType {
    SocketFilter = 1,
    /// Looks at packets that may be in fragments.
    Xdp = 6,
    RawTracepoint = 17,
    /// Run by this process with a context of its own making, and may sleep.
    Syscall = 31,
}

/// What programs can call.
#[derive(Clone, Copy, Debug)]
#[repr(i32)]
pub(crate) enum Helper {
    KtimeGetNs = 5,
    GetCurrentPidTgid = 14,
    GetCurrentComm = 16,
    XdpAdjustHead = 44,
    XdpAdjustMeta = 54,
    XdpAdjustTail = 65,
    RingbufOutput = 130,
    RingbufReserve = 131,
    RingbufSubmit = 132,
    RingbufDiscard = 133,
    RingbufQuery = 134,
    CopyFromUser = 148,
    DynptrFromMem = 197,
    RingbufReserveDynptr = 198,
    RingbufSubmitDynptr = 199,
    RingbufDiscardDynptr = 200,
    DynptrRead = 201,
    DynptrWrite = 202,
    DynptrData = 203,
    UserRingbufDrain = 209,
}

/// Registers. `R0` holds results, `R1` to `R5` arguments, `R6` to `R9` survive calls, `R10` is the end of the stack.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Register {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
}

/// What a jump compares: a register with a constant or another register, unsigned.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum If {
    Equal = 0x10,
    Greater = 0x20,
    AtLeast = 0x30,
    NotEqual = 0x50,
}

/// A program in the making: instructions in order, jumps to labels.
#[derive(Debug, Default)]
pub(crate) struct Code {
    instructions: Vec<Instruction>,
    labels: HashMap<&'static str, usize>,
    jumps: Vec<(usize, &'static str)>,
    functions: Vec<usize>,
    pointers: Vec<(usize, &'static str)>,
}

/// Type information about functions, without which the kernel lets no pointer to one be taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionTypes<'a> {
    /// A whole BTF object.
    pub(crate) btf: &'a [u8],
    /// The number of the type, of kind FUNC, that all functions of a program have.
    pub(crate) function: u32,
}

/// `struct bpf_insn`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Instruction {
    code: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

const _: () = assert!(size_of::<Instruction>() == 8);

impl Code {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `to = value`.
    pub(crate) fn set(self, to: Register, value: i32) -> Self {
        self.push(0xb7, to as u8, 0, 0, value)
    }

    /// `to = value`, unsigned.
    pub(crate) fn set_unsigned(self, to: Register, value: u32) -> Self {
        self.push(0xb4, to as u8, 0, 0, value as i32)
    }

    /// `to = from`.
    pub(crate) fn copy(self, to: Register, from: Register) -> Self {
        self.push(0xbf, to as u8, from as u8, 0, 0)
    }

    /// `to += value`.
    pub(crate) fn add(self, to: Register, value: i32) -> Self {
        self.push(0x07, to as u8, 0, 0, value)
    }

    /// `to >>= bits`, unsigned.
    pub(crate) fn shift_right(self, to: Register, bits: i32) -> Self {
        self.push(0x77, to as u8, 0, 0, bits)
    }

    /// `to = map`.
    pub(crate) fn map(self, to: Register, map: BorrowedFd<'_>) -> Self {
        self.push(0x18, to as u8, BPF_PSEUDO_MAP_FD, 0, map.as_raw_fd()).push(0, 0, 0, 0, 0)
    }

    /// `to` = a pointer to `value`.
    pub(crate) fn value(self, to: Register, value: &Value) -> Self {
        self.push(0x18, to as u8, BPF_PSEUDO_MAP_VALUE, 0, value.array.as_raw_fd()).push(0, 0, 0, 0, 0)
    }

    /// `to` = a pointer to the function that begins at `label`.
    pub(crate) fn pointer(mut self, to: Register, label: &'static str) -> Self {
        self.pointers.push((self.instructions.len(), label));
        self.push(0x18, to as u8, BPF_PSEUDO_FUNC, 0, 0).push(0, 0, 0, 0, 0)
    }

    /// `to = *(u64 *)(from + offset)`.
    pub(crate) fn load(self, to: Register, from: Register, offset: i16) -> Self {
        self.push(0x79, to as u8, from as u8, offset, 0)
    }

    /// `*(u64 *)(to + offset) = from`.
    pub(crate) fn store(self, to: Register, offset: i16, from: Register) -> Self {
        self.push(0x7b, to as u8, from as u8, offset, 0)
    }

    /// `to = *(u8 *)(from + offset)`.
    pub(crate) fn load_byte(self, to: Register, from: Register, offset: i16) -> Self {
        self.push(0x71, to as u8, from as u8, offset, 0)
    }

    /// `*(u8 *)(to + offset) = from`.
    pub(crate) fn store_byte(self, to: Register, offset: i16, from: Register) -> Self {
        self.push(0x73, to as u8, from as u8, offset, 0)
    }

    /// `R0 = function(R1, .., R5)`, with a function of the kernel that has this number in its type information.
    pub(crate) fn call_kernel(self, function: u32) -> Self {
        self.push(0x85, 0, BPF_PSEUDO_KFUNC_CALL, 0, function as i32)
    }

    /// `R0 = helper(R1, .., R5)`.
    pub(crate) fn call(self, helper: Helper) -> Self {
        self.push(0x85, 0, 0, 0, helper as i32)
    }

    /// Goes to `label` if the comparison of `left` with the constant `right` holds.
    pub(crate) fn jump(self, condition: If, left: Register, right: i32, label: &'static str) -> Self {
        self.to(label).push(0x05 | condition as u8, left as u8, 0, 0, right)
    }

    /// Goes to `label` if the comparison of `left` with `right` holds.
    pub(crate) fn jump_register(self, condition: If, left: Register, right: Register, label: &'static str) -> Self {
        self.to(label).push(0x0d | condition as u8, left as u8, right as u8, 0, 0)
    }

    /// Leaves out the next `count` instructions if the comparison of `left` with the constant `right` holds.
    pub(crate) fn skip(self, count: i16, condition: If, left: Register, right: i32) -> Self {
        self.push(0x05 | condition as u8, left as u8, 0, count, right)
    }

    /// Leaves out the next `count` instructions if the comparison of `left` with `right` holds.
    pub(crate) fn skip_register(self, count: i16, condition: If, left: Register, right: Register) -> Self {
        self.push(0x0d | condition as u8, left as u8, right as u8, count, 0)
    }

    /// Goes to `label`.
    pub(crate) fn go(self, label: &'static str) -> Self {
        self.to(label).push(0x05, 0, 0, 0, 0)
    }

    /// How many instructions there are.
    pub(crate) fn len(&self) -> usize {
        self.instructions.len()
    }

    /// Adds the instructions of `code`, which has no labels.
    pub(crate) fn append(mut self, code: Self) -> Self {
        self.instructions.extend(code.instructions);
        self
    }

    /// Where jumps to `label` lead.
    pub(crate) fn label(mut self, label: &'static str) -> Self {
        self.labels.insert(label, self.instructions.len());
        self
    }

    /// Begins a function, which others take a [`pointer`](Self::pointer) to by this label.
    pub(crate) fn function(mut self, label: &'static str) -> Self {
        self.functions.push(self.instructions.len());
        self.label(label)
    }

    /// Returns `R0`.
    pub(crate) fn exit(self) -> Self {
        self.push(0x95, 0, 0, 0, 0)
    }

    /// Loads the program. An error holds what the verifier has to say.
    pub(crate) fn load_as(self, program_type: ProgramType) -> io::Result<Program> {
        self.load_with(program_type, None)
    }

    /// Loads the program, which has functions of these types. An error holds what the verifier has to say.
    pub(crate) fn load_with(self, program_type: ProgramType, types: Option<FunctionTypes<'_>>) -> io::Result<Program> {
        let btf = types.map(|types| load_btf(types.btf)).transpose()?;
        let functions = types.map_or(Vec::new(), |types| self.function_info(types.function));
        let source = Source { program_type, instructions: self.assemble()?, btf, functions };
        load(&source, &mut []).or_else(|_| {
            let mut log = vec![0; 1 << 20];
            load(&source, &mut log).map_err(|error| with_log(&error, &log))
        })
    }

    /// The program itself is a function too, from the first instruction on.
    fn function_info(&self, type_id: u32) -> Vec<FunctionInfo> {
        let starts = std::iter::once(0).chain(self.functions.iter().copied());
        starts.map(|start| FunctionInfo { instruction: start as u32, type_id }).collect()
    }

    fn push(mut self, code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Self {
        let registers = if cfg!(target_endian = "little") { to | from << 4 } else { to << 4 | from };
        self.instructions.push(Instruction { code, registers, offset, immediate });
        self
    }

    fn to(mut self, label: &'static str) -> Self {
        self.jumps.push((self.instructions.len(), label));
        self
    }

    fn assemble(mut self) -> io::Result<Vec<Instruction>> {
        let unreachable =
            |from, label| io::Error::other(format!("no label {label} within reach of instruction {from}"));
        // Both count from the instruction behind.
        let distance = |from: usize, label| {
            let target = self.labels.get(label).and_then(|&target| i32::try_from(target).ok());
            target.map(|target| target - from as i32 - 1).ok_or_else(|| unreachable(from, label))
        };
        for (from, label) in self.jumps {
            self.instructions[from].offset = distance(from, label)?.try_into().map_err(|_| unreachable(from, label))?;
        }
        for (from, label) in self.pointers {
            self.instructions[from].immediate = distance(from, label)?;
        }
        Ok(self.instructions)
    }
}

fn with_log(error: &io::Error, log: &[u8]) -> io::Error {
    let log = CStr::from_bytes_until_nul(log).map(CStr::to_string_lossy).unwrap_or_default();
    io::Error::new(error.kind(), format!("BPF program rejected: {error}\n{log}"))
}

/// A loaded program.
#[derive(Debug)]
pub(crate) struct Program {
    fd: OwnedFd,
}

impl Program {
    /// Runs a [`ProgramType::Syscall`] program once on `context`, which it may change. Returns what it returns.
    pub(crate) fn run(&self, context: &mut [u8]) -> io::Result<u32> {
        let mut attributes = TestRun {
            prog_fd: self.fd.as_raw_fd() as u32,
            ctx_size_in: context.len() as u32,
            ctx_in: if context.is_empty() { 0 } else { context.as_mut_ptr().expose_provenance() as u64 },
            ..TestRun::default()
        };
        // SAFETY: the context is valid for reads and writes of its length.
        unsafe { bpf(BPF_PROG_TEST_RUN, &mut attributes) }?;
        Ok(attributes.retval)
    }

    /// Runs a [`ProgramType::SocketFilter`] program `repeat` times on `packet`. Returns what it returns the last time.
    pub(crate) fn filter(&self, packet: &[u8], repeat: u32) -> io::Result<u32> {
        let mut attributes = TestRun {
            prog_fd: self.fd.as_raw_fd() as u32,
            data_size_in: packet.len() as u32,
            data_in: packet.as_ptr().expose_provenance() as u64,
            repeat,
            ..TestRun::default()
        };
        // SAFETY: the packet is valid for reads of its length.
        unsafe { bpf(BPF_PROG_TEST_RUN, &mut attributes) }?;
        Ok(attributes.retval)
    }

    /// Runs a [`ProgramType::Xdp`] program on `packet`. Returns what it has become, at most `most` bytes, metadata first.
    pub(crate) fn pass(&self, packet: &[u8], most: usize) -> io::Result<Vec<u8>> {
        let mut passed = vec![0; most];
        let mut attributes = TestRun {
            prog_fd: self.fd.as_raw_fd() as u32,
            data_size_in: packet.len() as u32,
            data_in: packet.as_ptr().expose_provenance() as u64,
            data_size_out: most as u32,
            data_out: passed.as_mut_ptr().expose_provenance() as u64,
            ..TestRun::default()
        };
        // SAFETY: `packet` is valid for reads, and `passed` for writes, of their lengths.
        unsafe { bpf(BPF_PROG_TEST_RUN, &mut attributes) }?;
        passed.truncate(attributes.data_size_out as usize);
        Ok(passed)
    }

    /// Attaches a [`ProgramType::RawTracepoint`] program to the tracepoint `name`, until what is returned is dropped.
    pub(crate) fn attach(&self, name: &CStr) -> io::Result<OwnedFd> {
        let name = name.as_ptr().expose_provenance() as u64;
        let mut attributes = RawTracepointOpen { name, prog_fd: self.fd.as_raw_fd() as u32, padding: 0 };
        // SAFETY: `name` is a C string.
        let fd = unsafe { bpf(BPF_RAW_TRACEPOINT_OPEN, &mut attributes) }?;
        // SAFETY: the kernel has just opened it, and nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// The program's descriptor.
impl std::os::fd::AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Memory that programs can read and write.
#[derive(Debug)]
pub(crate) struct Value {
    /// A map of type array with one value.
    array: OwnedFd,
    bytes: usize,
}

impl Value {
    /// `bytes` zeros.
    pub(crate) fn new(bytes: u32) -> io::Result<Self> {
        Ok(Self { array: create_map(MapType::Array, 4, bytes, 1)?, bytes: bytes as usize })
    }

    /// Makes it `value`, followed by zeros.
    pub(crate) fn set(&self, value: &[u8]) -> io::Result<()> {
        let mut value = value.to_vec();
        value.resize(self.bytes, 0);
        let mut attributes = self.element(value.as_mut_ptr());
        // SAFETY: the array was made with keys of 4 bytes, and with values as long as this one.
        unsafe { bpf(BPF_MAP_UPDATE_ELEM, &mut attributes) }.map(drop)
    }

    /// What it is now.
    pub(crate) fn get(&self) -> io::Result<Vec<u8>> {
        let mut value = vec![0; self.bytes];
        let mut attributes = self.element(value.as_mut_ptr());
        // SAFETY: the array was made with keys of 4 bytes, and with values as long as this one.
        unsafe { bpf(BPF_MAP_LOOKUP_ELEM, &mut attributes) }?;
        Ok(value)
    }

    fn element(&self, value: *mut u8) -> Element {
        Element {
            map_fd: self.array.as_raw_fd() as u32,
            padding: 0,
            key: std::ptr::from_ref(&0_u32).expose_provenance() as u64,
            value: value.expose_provenance() as u64,
            flags: 0,
        }
    }
}

/// Creates a map of type ringbuf with `bytes` bytes: a power of two, and whole pages.
pub(crate) fn create_ring(bytes: u32) -> io::Result<OwnedFd> {
    create_map(MapType::RingBuf, 0, 0, bytes)
}

/// Creates a map.
pub(crate) fn create_map(map_type: MapType, key_size: u32, value_size: u32, max_entries: u32) -> io::Result<OwnedFd> {
    create_map_with(map_type, key_size, value_size, max_entries, 0)
}

/// Creates a map with these flags.
pub(crate) fn create_map_with(
    map_type: MapType,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
) -> io::Result<OwnedFd> {
    let mut attributes = MapCreate { map_type: map_type as u32, key_size, value_size, max_entries, map_flags };
    // SAFETY: the attributes have no pointers.
    let fd = unsafe { bpf(BPF_MAP_CREATE, &mut attributes) }?;
    // SAFETY: the kernel has just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Another descriptor of the map with that id, which is opened with `flags`.
pub(crate) fn map_by_id(id: u32, flags: u32) -> io::Result<OwnedFd> {
    let mut attributes = GetFdById { id, next_id: 0, open_flags: flags };
    // SAFETY: the attributes have no pointers.
    let fd = unsafe { bpf(BPF_MAP_GET_FD_BY_ID, &mut attributes) }?;
    // SAFETY: the kernel has just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Pins a map or a program at `path`, in a bpffs.
pub(crate) fn pin(object: BorrowedFd<'_>, path: &CStr) -> io::Result<()> {
    let pathname = path.as_ptr().expose_provenance() as u64;
    let mut attributes = ObjPin { pathname, bpf_fd: object.as_raw_fd() as u32, file_flags: 0 };
    // SAFETY: `path` is a C string.
    unsafe { bpf(BPF_OBJ_PIN, &mut attributes) }.map(drop)
}

/// Makes the map read-only for processes, for good.
pub(crate) fn freeze(map: BorrowedFd<'_>) -> io::Result<()> {
    let mut attributes = map.as_raw_fd() as u32;
    // SAFETY: the attributes have no pointers.
    unsafe { bpf(BPF_MAP_FREEZE, &mut attributes) }.map(drop)
}

/// What a program is loaded from.
struct Source {
    program_type: ProgramType,
    instructions: Vec<Instruction>,
    btf: Option<OwnedFd>,
    functions: Vec<FunctionInfo>,
}

/// Loads a BTF object.
fn load_btf(btf: &[u8]) -> io::Result<OwnedFd> {
    let address = btf.as_ptr().expose_provenance() as u64;
    let mut attributes =
        BtfLoad { btf: address, log: 0, btf_size: btf.len() as u32, log_size: 0, log_level: 0, padding: 0 };
    // SAFETY: `btf` is valid for reads of its length.
    let fd = unsafe { bpf(BPF_BTF_LOAD, &mut attributes) }?;
    // SAFETY: the kernel has just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn load(source: &Source, log: &mut [u8]) -> io::Result<Program> {
    let Source { program_type, instructions, btf, functions } = source;
    let mut attributes = ProgramLoad {
        prog_type: *program_type as u32,
        insn_cnt: instructions.len() as u32,
        insns: instructions.as_ptr().expose_provenance() as u64,
        license: c"Dual MIT/GPL".as_ptr().expose_provenance() as u64,
        log_level: u32::from(!log.is_empty()),
        log_size: log.len() as u32,
        log_buf: if log.is_empty() { 0 } else { log.as_mut_ptr().expose_provenance() as u64 },
        kern_version: 0,
        prog_flags: match program_type {
            ProgramType::Syscall => BPF_F_SLEEPABLE,
            ProgramType::Xdp => BPF_F_XDP_HAS_FRAGS,
            _ => 0,
        },
        prog_name: [0; 16],
        prog_ifindex: 0,
        expected_attach_type: 0,
        prog_btf_fd: btf.as_ref().map_or(0, |btf| btf.as_raw_fd() as u32),
        func_info_rec_size: if functions.is_empty() { 0 } else { size_of::<FunctionInfo>() as u32 },
        func_info: if functions.is_empty() { 0 } else { functions.as_ptr().expose_provenance() as u64 },
        func_info_cnt: functions.len() as u32,
        padding: 0,
    };
    // SAFETY: instructions, functions and log are valid for their lengths, and the license is a C string.
    let fd = unsafe { bpf(BPF_PROG_LOAD, &mut attributes) }?;
    // SAFETY: the kernel has just opened it, and nobody else owns it.
    Ok(Program { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
}

// The parts of `union bpf_attr` that the commands above use.

#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
}

const _: () = assert!(size_of::<MapCreate>() == 20);

#[repr(C)]
struct Element {
    map_fd: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

const _: () = assert!(size_of::<Element>() == 32);

#[repr(C)]
struct ObjPin {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

const _: () = assert!(size_of::<ObjPin>() == 16);

#[repr(C)]
struct GetFdById {
    id: u32,
    next_id: u32,
    open_flags: u32,
}

const _: () = assert!(size_of::<GetFdById>() == 12);

#[repr(C)]
struct ProgramLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    padding: u32,
}

const _: () = assert!(size_of::<ProgramLoad>() == 96);

/// `struct bpf_func_info`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct FunctionInfo {
    instruction: u32,
    type_id: u32,
}

const _: () = assert!(size_of::<FunctionInfo>() == 8);

#[repr(C)]
struct BtfLoad {
    btf: u64,
    log: u64,
    btf_size: u32,
    log_size: u32,
    log_level: u32,
    padding: u32,
}

const _: () = assert!(size_of::<BtfLoad>() == 32);

#[derive(Default)]
#[repr(C)]
struct TestRun {
    prog_fd: u32,
    retval: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    ctx_size_in: u32,
    ctx_size_out: u32,
    ctx_in: u64,
    ctx_out: u64,
}

const _: () = assert!(size_of::<TestRun>() == 64);

#[repr(C)]
struct RawTracepointOpen {
    name: u64,
    prog_fd: u32,
    padding: u32,
}

const _: () = assert!(size_of::<RawTracepointOpen>() == 16);

/// bpf(2), again if a signal came in between.
///
/// # Safety
/// - `A` is the part of `union bpf_attr` that `command` uses, without padding.
/// - What the attributes point to is valid for what `command` does with it.
unsafe fn bpf<A>(command: libc::c_int, attributes: &mut A) -> io::Result<libc::c_int> {
    let attributes = std::ptr::from_mut(attributes);
    loop {
        // SAFETY: `attributes` is valid for as many bytes as the kernel is told; the caller vouches for the rest.
        let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes, size_of::<A>()) };
        let error = match libc::c_int::try_from(result) {
            Ok(result) if result >= 0 => return Ok(result),
            _ => io::Error::last_os_error(),
        };
        // The verifier asks for another try when a signal is pending.
        if !matches!(error.raw_os_error(), Some(libc::EINTR | libc::EAGAIN)) {
            return Err(error);
        }
    }
}
