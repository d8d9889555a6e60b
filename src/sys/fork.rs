//! fork(2): what a child must not have of its parent.
//!
//! A forked child inherits mappings and descriptors, and with them what its parent's handles stand for: slots, cursors, and
//! locks that live as long as any copy of their description. So [`register_mapping`] and [`LockFile`] have handlers
//! (pthread_atfork(3)) take both from the child before fork(2) returns there:
//! - A mapping becomes private memory of the child, all zeros but for one word that says that the ring is closed.
//! - A lock's descriptor becomes one of nothing. Its number stays taken, so that who closes it later closes nothing else.
//!
//! The parent notices nothing, but that the child has its locks until the handlers have run. Not covered, as no handler runs:
//! - vfork(2), posix_spawn(3) and clone(2) with `CLONE_VM`: the child has its parent's memory itself, and may do nothing but call
//!   execve(2) or _exit(2), which is also what ends its copies of close-on-exec descriptors. Until then, they keep the locks of
//!   a parent that dies meanwhile.
//! - clone(2) called directly, and _Fork(3): the child shares the mappings and the locks of its parent, and must not touch
//!   handles. A parent that dies seems to live until that child is gone as well or has called execve(2).
//! - fork(2) in one thread while the process's first registration is under way in another.
//!
//! fork(2) waits for registrations in other threads. So it must not be called by a signal handler that may have interrupted
//! one; POSIX forbids that for its own reasons.

use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::reopen::{Access, Reopening, explain, path_of};
use super::{memfd, retry};
use crate::sync::{AtomicU32, Ordering};

unsafe extern "C" {
    // Older versions of the libc crate lack it.
    fn pthread_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> libc::c_int;
}

/// How often fork(2) has led to this process, since there was something to take from children.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// See [`Generation`]; a number that no ancestor of this process has, among those that may have left it handles.
pub(crate) fn generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Tells the process in which something was made from the children that have a copy of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Generation(u32);

impl Generation {
    /// This process's. To be asked for after something was registered.
    pub(crate) fn current() -> Self {
        Self(generation())
    }

    /// Whether this is a child's.
    pub(crate) fn has_passed(self) -> bool {
        self != Self::current()
    }
}

/// A mapping that a child forked from now on does not get. Drop it before that is unmapped.
#[derive(Debug)]
#[must_use = "dropping it leaves the mapping to children"]
pub(crate) struct Registered {
    number: u64,
}

/// From now on, a child finds private zeros in the `bytes` bytes at `base`, and `1` in the `u32` at `closed_offset` of them.
///
/// Where the child may not have that much memory, it finds none, and is sent SIGSEGV when it looks.
///
/// # Errors
/// If the system has no memory for the handlers.
///
/// # Safety
/// - The range consists of whole pages, mapped by the caller, and stays mapped until the result is dropped.
/// - Whoever has a pointer or reference into it expects it to change at any time, and zeros there.
/// - `closed_offset` is a multiple of 4, and the word within the range.
pub(crate) unsafe fn register_mapping(base: NonNull<u8>, bytes: usize, closed_offset: usize) -> io::Result<Registered> {
    debug_assert!(closed_offset % 4 == 0 && closed_offset < bytes);
    let mapping = Mapping { base, bytes, closed_offset };
    Ok(Registered { number: add(|| Ok(Entry::Mapping(mapping)))? })
}

/// An open file description for locks, which children do not get: their descriptor with its number is of nothing. Locking that
/// fails with `EBADF`, and closing it affects nobody. Duplicates are left to children.
///
/// When this is dropped, the description is closed, and its locks go.
#[derive(Debug)]
pub(crate) struct LockFile {
    number: u64,
    /// There until this is dropped.
    file: Option<OwnedFd>,
    /// Outlives the entry that names it.
    _nothing: Arc<OwnedFd>,
}

impl LockFile {
    /// Reopens `file`.
    ///
    /// No fork(2) comes between that and the registration, nor between the end of that and the closing: a child that had the
    /// description, and did not know, would keep its locks.
    ///
    /// # Errors
    /// As [`reopen`](super::reopen::reopen); or if no descriptor is free for what takes its place, or the system has no memory
    /// for the handlers.
    pub(crate) fn reopen(file: BorrowedFd<'_>) -> io::Result<Self> {
        let (nothing, reopening) = (nothing()?, Reopening::of(file, Access::ReadWrite)?);
        let mut opened = None;
        let number = add(|| {
            let fd = opened.insert(reopening.open()?).as_raw_fd();
            Ok(Entry::Lock(Lock { fd, nothing: nothing.as_raw_fd() }))
        });
        let number = number.map_err(|error| explain(error, file))?;
        Ok(Self { number, file: opened, _nothing: nothing })
    }
}

impl AsFd for LockFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.file {
            Some(file) => file.as_fd(),
            None => unreachable!("it is being dropped"),
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let mut registry = lock();
        registry.remove(self.number);
        drop(self.file.take());
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock().remove(self.number);
    }
}

/// What a child does not get. No memory is allocated or freed while it is locked: fork(2) may lock the allocator first.
struct Registry {
    entries: Vec<(u64, Entry)>,
    /// The number of the next entry.
    next: u64,
    /// What takes the place of locks' descriptors, while there is one.
    nothing: Weak<OwnedFd>,
    /// Whether the handlers are in place.
    handled: bool,
}

static REGISTRY: Mutex<Registry> =
    Mutex::new(Registry { entries: Vec::new(), next: 0, nothing: Weak::new(), handled: false });

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy)]
enum Entry {
    Mapping(Mapping),
    Lock(Lock),
}

/// As [`register_mapping`] asks for.
#[derive(Clone, Copy)]
struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
    closed_offset: usize,
}

// SAFETY: nobody uses the pointer but the one thread of a child.
unsafe impl Send for Mapping {}

#[derive(Clone, Copy)]
struct Lock {
    fd: RawFd,
    nothing: RawFd,
}

/// The number of the new entry that `make` makes, which neither allocates nor frees memory, while fork(2) waits.
fn add(make: impl FnOnce() -> io::Result<Entry>) -> io::Result<u64> {
    let mut spare = Vec::new();
    loop {
        let mut registry = lock();
        registry.handle()?;
        let used = registry.entries.len();
        if used == registry.entries.capacity() {
            if spare.capacity() <= used {
                drop(registry);
                spare = Vec::with_capacity(2 * used + 8);
                continue;
            }
            spare.append(&mut registry.entries);
            core::mem::swap(&mut registry.entries, &mut spare);
        }
        let (number, entry) = (registry.next, make()?);
        registry.next += 1;
        registry.entries.push((number, entry));
        return Ok(number);
    }
}

impl Registry {
    fn remove(&mut self, number: u64) {
        if let Some(at) = self.entries.iter().position(|(other, _)| *other == number) {
            self.entries.swap_remove(at);
        }
    }

    /// pthread_atfork(3), once.
    fn handle(&mut self) -> io::Result<()> {
        if !self.handled {
            // SAFETY: the handlers are there for as long as the code is, whose unloading removes them.
            let error = unsafe { pthread_atfork(Some(prepare), Some(in_parent), Some(in_child)) };
            if error != 0 {
                return Err(io::Error::from_raw_os_error(error));
            }
            self.handled = true;
        }
        Ok(())
    }
}

/// A descriptor of nothing: one that only names a file (`O_PATH`), an empty one. It cannot be locked, nor lead anywhere.
fn nothing() -> io::Result<Arc<OwnedFd>> {
    if let Some(nothing) = lock().nothing.upgrade() {
        return Ok(nothing);
    }
    let file = memfd(c"dynring-nothing")?;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_PATH);
    let new = Arc::new(OwnedFd::from(options.open(path_of(file.as_fd()))?));
    // Two threads may come here at once; then each has its own.
    let old = core::mem::replace(&mut lock().nothing, Arc::downgrade(&new));
    drop(old);
    Ok(new)
}

/// The registry's lock, while fork(2) is under way.
struct Held(UnsafeCell<Option<MutexGuard<'static, Registry>>>);

// SAFETY: only who has locked the registry uses it: between `prepare` and the end of `in_parent` or `in_child`, the one thread
// that calls fork(2).
unsafe impl Sync for Held {}

static HELD: Held = Held(UnsafeCell::new(None));

/// Before fork(2).
unsafe extern "C" fn prepare() {
    let registry = lock();
    // SAFETY: the registry is locked.
    unsafe { *HELD.0.get() = Some(registry) };
}

/// After fork(2), in the parent.
unsafe extern "C" fn in_parent() {
    // SAFETY: the registry is locked: `prepare` has run in this thread.
    let registry = unsafe { (*HELD.0.get()).take() };
    drop(registry);
}

/// After fork(2), in the child: all it calls is async-signal-safe.
unsafe extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the registry is locked: `prepare` has run in what is now this thread.
    let registry = unsafe { (*HELD.0.get()).take() };
    for (_, entry) in registry.iter().flat_map(|registry| &registry.entries) {
        match entry {
            // SAFETY: its owner has vouched for the range.
            Entry::Mapping(mapping) => unsafe { mapping.replace() },
            Entry::Lock(lock) => lock.replace(),
        }
    }
    drop(registry);
}

impl Mapping {
    /// Puts private memory in the place of the shared.
    ///
    /// # Safety
    /// As for [`register_mapping`], and this is the only thread.
    unsafe fn replace(self) {
        // SAFETY: the caller vouches for the range.
        if unsafe { self.map_over(libc::PROT_READ | libc::PROT_WRITE) } {
            // SAFETY: within the range.
            let closed = unsafe { self.base.add(self.closed_offset) }.cast::<u32>();
            // SAFETY: aligned, mapped for writing a moment ago, and the only thread is this one.
            unsafe { closed.write(1) };
            return;
        }
        // Memory that cannot be accessed counts for no limit.
        // SAFETY: as above.
        if !unsafe { self.map_over(libc::PROT_NONE) } {
            // Rather no child than one with its parent's ring.
            // SAFETY: no preconditions.
            unsafe { libc::abort() };
        }
    }

    /// mmap(2): private zeros in the range. Whether they are there.
    ///
    /// # Safety
    /// As for [`replace`](Self::replace).
    unsafe fn map_over(self, protection: libc::c_int) -> bool {
        // What is never touched needs no memory, however large the ring.
        let flags = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: the caller vouches for the range, and for zeros in it.
        let mapped = unsafe { libc::mmap(self.base.as_ptr().cast(), self.bytes, protection, flags, -1, 0) };
        ptr::eq(mapped, self.base.as_ptr().cast())
    }
}

impl Lock {
    /// dup3(2): puts nothing in the place of the lock's descriptor. Cannot fail, as both are open.
    fn replace(self) {
        // SAFETY: the owner of `fd` is this crate, and takes it for what it finds.
        let _ = retry(|| unsafe { libc::dup3(self.nothing, self.fd, libc::O_CLOEXEC) });
    }
}

#[cfg(test)]
mod tests;
