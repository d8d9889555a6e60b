//! Processes that are stopped at any instruction, and killed.

#![expect(unsafe_code, reason = "calls fork(2), ptrace(2) and signals")]

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// Seconds after which a child ends by itself, whatever it waits for.
const LIFE: libc::c_uint = 300;

/// A forked child, which is killed when this is dropped, or when the thread that has forked it ends.
#[derive(Debug)]
pub(crate) struct Victim {
    pid: libc::pid_t,
    traced: bool,
}

/// What came of a number of steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Steps {
    /// All were made.
    Made,
    /// The [mark] came after that many.
    Marked(u64),
}

/// Stops the process that calls: a tracer takes it for the beginning or the end of what is to be traced.
pub(crate) fn mark() {
    // SAFETY: no preconditions.
    unsafe { libc::raise(libc::SIGSTOP) };
}

/// Words that this process and all that it forks share.
pub(crate) fn board() -> &'static [AtomicU64; 512] {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping.
    let page = unsafe { libc::mmap(ptr::null_mut(), 4096, protection, flags, -1, 0) };
    assert_ne!(page, libc::MAP_FAILED, "{}", io::Error::last_os_error());
    // SAFETY: a page of zeros, which is never unmapped.
    unsafe { &*page.cast() }
}

/// Keeps the calling thread, and what it forks from now on, on the processor where it is: a tracer and who is traced take turns,
/// and to change processors at each costs more than all the rest.
pub(crate) fn stay_on_this_processor() -> io::Result<()> {
    // SAFETY: no preconditions.
    let here = check(unsafe { libc::sched_getcpu() }.into())? as usize;
    // SAFETY: all zeros is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is this function's own.
    unsafe { libc::CPU_SET(here, &mut set) };
    // SAFETY: the set is valid for reads of its size.
    check(unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) }.into()).map(drop)
}

/// Has SIGALRM end this process in as many seconds; 0 takes it back.
pub(crate) fn alarm(seconds: u32) {
    // SAFETY: no preconditions.
    unsafe { libc::alarm(seconds) };
}

impl Victim {
    /// A child that calls `f`, and ends.
    ///
    /// The child has one thread; `f` should do no more than it must.
    pub(crate) fn fork(f: impl FnOnce()) -> io::Result<Self> {
        Self::forked(false, f)
    }

    /// The same, traced by the calling thread. Returns when it has called [`mark`] for the first time.
    pub(crate) fn traced(f: impl FnOnce()) -> io::Result<Self> {
        let mut victim = Self::forked(true, f)?;
        victim.until_marked()?;
        Ok(victim)
    }

    fn forked(traced: bool, f: impl FnOnce()) -> io::Result<Self> {
        let parent = std::process::id();
        // SAFETY: the child calls `f`, which callers keep small, and nothing else that needs another thread.
        let pid = check(unsafe { libc::fork() }.into())? as libc::pid_t;
        if pid > 0 {
            return Ok(Self { pid, traced });
        }
        // What tests print is captured, in memory that goes with the child.
        panic::set_hook(Box::new(|info| {
            let _ = io::stderr().write_all(format!("in a child: {info}\n").as_bytes());
        }));
        let ready = dies_with(parent) && (!traced || ask_to_be_traced());
        let lived = ready && catch_unwind(AssertUnwindSafe(f)).is_ok();
        // SAFETY: no preconditions.
        unsafe { libc::_exit(if lived { 0 } else { 101 }) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.pid as u32
    }

    /// Lets it run until it calls [`mark`].
    pub(crate) fn until_marked(&mut self) -> io::Result<()> {
        loop {
            match self.stopped_by()? {
                libc::SIGSTOP => return Ok(()),
                signal => self.ptrace(libc::PTRACE_CONT, signal)?,
            }
        }
    }

    /// Lets it execute as many instructions; a system call is one.
    pub(crate) fn step(&mut self, steps: u64) -> io::Result<Steps> {
        for made in 0..steps {
            self.ptrace(libc::PTRACE_SINGLESTEP, 0)?;
            match self.stopped_by()? {
                libc::SIGTRAP => {}
                libc::SIGSTOP => return Ok(Steps::Marked(made)),
                signal => return Err(io::Error::other(format!("signal {signal} after {made} steps"))),
            }
        }
        Ok(Steps::Made)
    }

    /// Lets go of it, stopped where it is by SIGSTOP.
    pub(crate) fn leave_stopped(&mut self) -> io::Result<()> {
        self.ptrace(libc::PTRACE_DETACH, libc::SIGSTOP)?;
        self.traced = false;
        self.until_stopped()
    }

    /// Stops it by SIGSTOP, and returns once it is stopped.
    pub(crate) fn stop(&self) -> io::Result<()> {
        self.signal(libc::SIGSTOP)?;
        self.until_stopped()
    }

    /// Returns once it is stopped.
    pub(crate) fn until_stopped(&self) -> io::Result<()> {
        let status = self.wait(libc::WUNTRACED)?;
        if libc::WIFSTOPPED(status) { Ok(()) } else { Err(io::Error::other(format!("it ended: {status:#x}"))) }
    }

    /// Lets it go on after [`stop`](Self::stop).
    pub(crate) fn go_on(&self) -> io::Result<()> {
        self.signal(libc::SIGCONT)
    }

    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(mut self) -> io::Result<()> {
        self.end()
    }

    /// Sends SIGKILL, and does not wait.
    pub(crate) fn send_kill(&self) -> io::Result<()> {
        self.signal(libc::SIGKILL)
    }

    /// Waits until it has ended. Whether it did all it had to.
    pub(crate) fn join(mut self) -> io::Result<bool> {
        let status = self.wait(0)?;
        self.pid = 0;
        Ok(status == 0)
    }

    fn end(&mut self) -> io::Result<()> {
        self.send_kill()?;
        while !libc::WIFSIGNALED(self.wait(0)?) {}
        self.pid = 0;
        Ok(())
    }

    /// The signal that has stopped it.
    fn stopped_by(&mut self) -> io::Result<libc::c_int> {
        let status = self.wait(libc::__WALL)?;
        if libc::WIFSTOPPED(status) {
            return Ok(libc::WSTOPSIG(status));
        }
        self.pid = 0;
        Err(io::Error::other(format!("the child has ended: {status:#x}")))
    }

    fn wait(&self, options: libc::c_int) -> io::Result<libc::c_int> {
        let mut status = 0;
        // SAFETY: `status` is valid for writes.
        check(unsafe { libc::waitpid(self.pid, &raw mut status, options) }.into())?;
        Ok(status)
    }

    fn signal(&self, signal: libc::c_int) -> io::Result<()> {
        // Other numbers stand for groups of processes.
        assert!(self.pid > 0, "the child has ended");
        // SAFETY: the child is this process's own, and not waited for yet.
        check(unsafe { libc::kill(self.pid, signal) }.into()).map(drop)
    }

    fn ptrace(&self, request: libc::c_uint, signal: libc::c_int) -> io::Result<()> {
        let nowhere = ptr::null_mut::<libc::c_void>();
        // SAFETY: the request reads no memory of this process.
        check(unsafe { libc::ptrace(request, self.pid, nowhere, libc::c_long::from(signal)) }).map(drop)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if self.pid != 0 {
            let _ = self.end();
        }
    }
}

/// Has the child die with the thread that has forked it, or after a while.
fn dies_with(parent: u32) -> bool {
    alarm(LIFE);
    // SAFETY: no preconditions.
    let set = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    // It may have died before.
    set == 0 && std::os::unix::process::parent_id() == parent
}

fn ask_to_be_traced() -> bool {
    // SAFETY: no preconditions.
    unsafe { libc::ptrace(libc::PTRACE_TRACEME) == 0 }
}

fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Looks until `done`; fails after a minute.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        std::thread::yield_now();
    }
}
