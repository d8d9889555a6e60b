//! getrlimit(2).

use core::mem::MaybeUninit;

use super::check;

/// `RLIMIT_FSIZE`: how many bytes a file may have that this process lengthens; `None` if there is no limit,
/// or a sandbox hides it.
///
/// Who exceeds it is sent SIGXFSZ, which kills: look first.
pub(crate) fn file_size_limit() -> Option<u64> {
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: the pointer is valid for writes.
    let found = check(unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, limit.as_mut_ptr()) });
    // SAFETY: the call has written it, and zeros would do as well.
    let limit = unsafe { limit.assume_init() };
    (found.is_ok() && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}
