//! A bpffs of a test's own.

#![expect(unsafe_code, reason = "calls mount(2)")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// Calls `f` with the root of a new bpffs, on a thread that alone sees it mounted. The mount goes with the thread.
pub(crate) fn in_a_bpffs<R: Send>(f: impl FnOnce(&Path) -> R + Send) -> io::Result<R> {
    let directory = Directory::new()?;
    thread::scope(|scope| {
        let thread = scope.spawn(|| mount(&directory.0).map(|()| f(&directory.0)));
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Something to mount at, removed when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("dynring-bpffs-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Mounts a bpffs at `directory`, for the calling thread alone.
fn mount(directory: &Path) -> io::Result<()> {
    // SAFETY: no preconditions.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    mount_at(None, c"/", libc::MS_REC | libc::MS_PRIVATE)?;
    mount_at(Some(c"bpf"), &c_path(directory), 0)
}

/// `path` for system calls.
pub(crate) fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("no zero in the path")
}

fn mount_at(what: Option<&CStr>, at: &CStr, flags: libc::c_ulong) -> io::Result<()> {
    let what = what.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: C strings, or null where the flags ignore it.
    check(unsafe { libc::mount(what, at.as_ptr(), what, flags, std::ptr::null()) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
