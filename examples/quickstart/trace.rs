//! A program in the kernel that reports every system call on the machine.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::bpf::{Code, Helper, If, Program, ProgramType, Register::*, create_ring};

/// What the program writes for each system call. All fields are in the machine's byte order.
///
/// ```text
///  0         8         16        24                32
///  +---------+---------+---------+-----------------+
///  | time_ns | ids     | syscall | comm            |
///  +---------+---------+---------+-----------------+-- 40
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SyscallEvent {
    /// Nanoseconds since the machine was started, without the time it was suspended.
    pub(crate) time_ns: u64,
    /// The process that made the call, by its number in the initial PID namespace.
    pub(crate) pid: u32,
    /// The thread that made it.
    pub(crate) tid: u32,
    /// The number of the system call.
    pub(crate) syscall: u64,
    /// The thread's name, filled up with zeros.
    pub(crate) comm: [u8; 16],
}

impl SyscallEvent {
    /// Bytes of the record.
    const BYTES: i32 = 40;

    /// The event in a record's payload; `None` if it has another length.
    pub(crate) fn from_record(record: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u64::from_ne_bytes(record.get(at..at + 8)?.try_into().ok()?));
        let comm = record.get(24..)?.try_into().ok()?;
        let (time_ns, ids, syscall) = (word(0)?, word(8)?, word(16)?);
        Some(Self { time_ns, pid: (ids >> 32) as u32, tid: ids as u32, syscall, comm })
    }

    /// The thread's name.
    pub(crate) fn comm(&self) -> String {
        let end = self.comm.iter().position(|&byte| byte == 0).unwrap_or(self.comm.len());
        String::from_utf8_lossy(&self.comm[..end]).into_owned()
    }
}

/// The program at work, until this is dropped.
#[derive(Debug)]
pub(crate) struct Attached {
    map: OwnedFd,
    _link: OwnedFd,
}

/// The map of type ringbuf that the program writes to.
impl AsFd for Attached {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

/// Makes a ring of `ring_bytes` bytes, a power of two and whole pages, and has every system call of other processes than
/// this one reported in it. Needs `CAP_BPF` and `CAP_PERFMON`.
pub(crate) fn attach(ring_bytes: u32) -> io::Result<Attached> {
    let map = create_ring(ring_bytes)?;
    let link = report_system_calls(map.as_fd(), own_pid()?)?.attach(c"sys_enter")?;
    Ok(Attached { map, _link: link })
}

/// This process, by its number in the initial PID namespace: what programs see, also in a container.
fn own_pid() -> io::Result<i32> {
    let whoami = Code::new().call(Helper::GetCurrentPidTgid).shift_right(R0, 32).exit();
    Ok(whoami.load_as(ProgramType::Syscall)?.run(&mut [])? as i32)
}

/// Else, a consumer would be told of its own waiting.
#[rustfmt::skip]
fn report_system_calls(map: BorrowedFd<'_>, except: i32) -> io::Result<Program> {
    Code::new()
        // The tracepoint's arguments: the registers, and the number of the system call.
        .load(R6, R1, 8)
        .call(Helper::GetCurrentPidTgid)
        .copy(R7, R0)
        .shift_right(R0, 32)
        .jump(If::Equal, R0, except, "out")
        // A record, if there is room for one.
        .map(R1, map).set(R2, SyscallEvent::BYTES).set(R3, 0)
        .call(Helper::RingbufReserve)
        .jump(If::Equal, R0, 0, "out")
        .copy(R8, R0)
        .call(Helper::KtimeGetNs)
        .store(R8, 0, R0)
        .store(R8, 8, R7)
        .store(R8, 16, R6)
        .copy(R1, R8).add(R1, 24).set(R2, 16)
        .call(Helper::GetCurrentComm)
        .copy(R1, R8).set(R2, 0)
        .call(Helper::RingbufSubmit)
        .label("out")
        .set(R0, 0)
        .exit()
        .load_as(ProgramType::RawTracepoint)
}
