//! Two rings of the kernel in one wait: one that is flooded, and one with a few events that must not wait behind the flood.
//!
//! Where bpf(2) is allowed, one small program in the kernel reports every system call on the machine, another one every
//! process that ends. After a second, another thread interrupts the wait.
//!
//! ```text
//! cargo run --release --example ring_set
//! ```

#[path = "../quickstart/bpf.rs"]
mod bpf;

use std::error::Error;
use std::ffi::CStr;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::thread;
use std::time::Duration;

use bpf::{Code, Helper, If, Program, ProgramType, Register::*, create_ring};
use dynring::kernel::RingBuf;
use dynring::{Consumer, PollEnd, RingSet};

const WHILE: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let opened = Source::attach(c"sys_enter").and_then(|calls| Ok((calls, Source::attach(c"sched_process_exit")?)));
    let (calls, exits) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            println!("No events from the kernel: bpf(2) is not allowed here ({error}).");
            return Ok(());
        }
    };
    let mut calling = std::collections::BTreeSet::new();
    let mut set = RingSet::new()?;
    let flooded = set.add(calls.consumer()?, |record| {
        calling.insert(process(record));
        ControlFlow::Continue(())
    })?;
    let quiet = set.add(exits.consumer()?, |record| {
        println!("{:>12} has ended", process(record));
        ControlFlow::Continue(())
    })?;

    let waker = set.waker();
    let other = thread::spawn(move || {
        // So that there is something to report even on a machine that does nothing else.
        let ended = (0..3).filter(|_| Command::new("true").status().is_ok()).count();
        thread::sleep(WHILE);
        waker.wake();
        ended
    });
    let mut turns = 0;
    while set.poll(None)?.end != PollEnd::Woken {
        turns += 1;
    }
    set.flush()?;
    let ended = other.join().map_err(|_| "the other thread has panicked")?;
    println!("{ended:>12} processes were started to end");
    println!("{:>12} processes have ended", set.records_of(quiet).unwrap_or(0));
    println!("{:>12} system calls, in {turns} turns", set.records_of(flooded).unwrap_or(0));
    drop(set);
    println!("{:>12} processes made them", calling.len());
    Ok(())
}

/// The number of the process, which is the whole record.
fn process(record: &[u8]) -> u64 {
    record.first_chunk().map_or(0, |word| u64::from_ne_bytes(*word))
}

/// A ring, and a program in the kernel that reports processes in it, until this is dropped.
struct Source {
    map: OwnedFd,
    _link: OwnedFd,
}

impl Source {
    /// Has the program report the process in which `tracepoint` is met, each time that it is, except this process.
    fn attach(tracepoint: &CStr) -> io::Result<Self> {
        let map = create_ring(256 * 1024)?;
        let link = report_processes(map.as_fd(), own_process()?)?.attach(tracepoint)?;
        Ok(Self { map, _link: link })
    }

    fn consumer(&self) -> io::Result<Consumer> {
        RingBuf::from_fd(&self.map)?.into_consumer()
    }
}

/// This process, by its number in the initial PID namespace: what programs see, also in a container.
fn own_process() -> io::Result<i32> {
    let whoami = Code::new().call(Helper::GetCurrentPidTgid).shift_right(R0, 32).exit();
    Ok(whoami.load_as(ProgramType::Syscall)?.run(&mut [])? as i32)
}

#[rustfmt::skip]
fn report_processes(map: BorrowedFd<'_>, except: i32) -> io::Result<Program> {
    Code::new()
        .call(Helper::GetCurrentPidTgid)
        .copy(R6, R0)
        .shift_right(R6, 32)
        .jump(If::Equal, R6, except, "out")
        .map(R1, map).set(R2, 8).set(R3, 0)
        .call(Helper::RingbufReserve)
        .jump(If::Equal, R0, 0, "out")
        .store(R0, 0, R6)
        .copy(R1, R0).set(R2, 0)
        .call(Helper::RingbufSubmit)
        .label("out")
        .set(R0, 0)
        .exit()
        .load_as(ProgramType::RawTracepoint)
}
