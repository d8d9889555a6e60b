//! Child processes, for tests.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{check, retry};

/// A forked child, and a line to it. It is killed when this is dropped.
pub(crate) struct Child {
    pid: libc::pid_t,
    line: Line,
}

/// One end of a line between parent and child.
pub(crate) struct Line(UnixStream);

impl Line {
    /// Whether the other side can still hear.
    pub(crate) fn say(&self, byte: u8) -> bool {
        (&self.0).write_all(&[byte]).is_ok()
    }

    /// What the other side says next; `None` if it is gone.
    pub(crate) fn hear(&self) -> Option<u8> {
        let mut byte = [0];
        (&self.0).read_exact(&mut byte).ok().map(|()| byte[0])
    }
}

impl Child {
    /// fork(2): calls `f` in the child, which ends with it: successfully, if `f` returns true.
    ///
    /// The child has one thread; `f` should do no more than it must.
    pub(crate) fn fork(f: impl FnOnce(&Line) -> bool) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        // SAFETY: the child calls `f`, which callers keep small, and nothing else that needs another thread.
        let pid = check(unsafe { libc::fork() })?;
        if pid > 0 {
            return Ok(Self { pid, line: Line(ours) });
        }
        drop(ours);
        let success = catch_unwind(AssertUnwindSafe(|| f(&Line(theirs)))).unwrap_or(false);
        // SAFETY: no preconditions.
        unsafe { libc::_exit(i32::from(!success)) }
    }

    pub(crate) fn say(&self, byte: u8) -> bool {
        self.line.say(byte)
    }

    pub(crate) fn hear(&self) -> Option<u8> {
        self.line.hear()
    }

    /// kill(2) by SIGKILL, and waits until the child is gone.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        // SAFETY: the child is this process's own, and not waited for yet.
        check(unsafe { libc::kill(self.pid, libc::SIGKILL) })?;
        self.wait().map(drop)
    }

    /// Whether the child ends successfully.
    pub(crate) fn succeeds(mut self) -> io::Result<bool> {
        self.wait().map(|status| status == 0)
    }

    /// The signal that ends the child, if one does.
    pub(crate) fn ended_by(mut self) -> io::Result<Option<libc::c_int>> {
        self.wait().map(|status| libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status)))
    }

    fn wait(&mut self) -> io::Result<libc::c_int> {
        let mut status = 0;
        // SAFETY: `status` is valid for writes.
        retry(|| unsafe { libc::waitpid(self.pid, &raw mut status, 0) })?;
        self.pid = 0;
        Ok(status)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.pid != 0 {
            let _ = self.kill();
        }
    }
}
