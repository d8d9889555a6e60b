//! Maps that are known by a name: a path, a number.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::error::{OpenError, OpenStep};
use crate::sys;
use crate::sys::bpf;

/// What is pinned at `path`.
pub(super) fn pinned(path: &Path) -> Result<OwnedFd, OpenError> {
    // No path has a zero in it.
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else {
        return Err(OpenError::NoSuchPath { path: path.to_owned() });
    };
    bpf::obj_get(&name).map_err(|error| not_pinned(path, &name, error))
}

/// The map with that id.
pub(super) fn by_id(id: u32) -> Result<OwnedFd, OpenError> {
    bpf::map_fd_by_id(id).map_err(|error| match error.raw_os_error() {
        Some(sys::ENOENT) => OpenError::NoSuchId { id },
        _ => OpenError::from_os(OpenStep::GetById, error),
    })
}

/// What `error` means. The kernel says `EACCES` of every file that is no pin, whatever the reason.
fn not_pinned(path: &Path, name: &CStr, error: io::Error) -> OpenError {
    let path_buf = || path.to_owned();
    match error.raw_os_error() {
        Some(sys::ENOENT | sys::ENOTDIR) => OpenError::NoSuchPath { path: path_buf() },
        Some(sys::EACCES) => match sys::file_system_type(name) {
            Ok(found) if found != sys::BPFFS => OpenError::NotInBpffs { path: path_buf(), found },
            Ok(_) if path.is_dir() => OpenError::IsADirectory { path: path_buf() },
            _ => OpenError::from_os(OpenStep::GetPinned, error),
        },
        _ => OpenError::from_os(OpenStep::GetPinned, error),
    }
}
