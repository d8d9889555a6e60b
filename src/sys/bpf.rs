//! bpf(2).
//!
//! Source: `union bpf_attr` and `struct bpf_map_info` in the kernel's `include/uapi/linux/bpf.h`.

use core::ffi::CStr;
use core::ptr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

// The commands.
const BPF_MAP_CREATE: libc::c_int = 0;
const BPF_OBJ_GET: libc::c_int = 7;
const BPF_MAP_GET_FD_BY_ID: libc::c_int = 14;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_int = 15;

/// What the kernel says about a map: the part of `struct bpf_map_info` that every kernel with ring buffers has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub(crate) struct MapInfo {
    /// `BPF_MAP_TYPE_*`.
    pub(crate) map_type: u32,
    /// The same for every descriptor of the map, and unique while it lives.
    pub(crate) id: u32,
    /// Bytes of a key.
    pub(crate) key_size: u32,
    /// Bytes of a value.
    pub(crate) value_size: u32,
    /// Entries; bytes in the maps that are rings.
    pub(crate) max_entries: u32,
    /// `BPF_F_*` from the map's creation.
    pub(crate) map_flags: u32,
}

const _: () = assert!(size_of::<MapInfo>() == 24);

/// The part of `union bpf_attr` that `BPF_MAP_CREATE` reads.
#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
}

const _: () = assert!(size_of::<MapCreate>() == 20);

/// `BPF_MAP_CREATE`: a descriptor, close-on-exec, of a new map without keys and values, which goes with its last descriptor.
pub(crate) fn map_create(map_type: u32, max_entries: u32, map_flags: u32) -> io::Result<OwnedFd> {
    let mut attributes = MapCreate { map_type, key_size: 0, value_size: 0, max_entries, map_flags };
    // SAFETY: `attributes` has no padding, and points to nothing.
    let fd = unsafe { bpf(BPF_MAP_CREATE, &mut attributes) }?;
    // SAFETY: the call has just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The part of `union bpf_attr` that `BPF_OBJ_GET_INFO_BY_FD` reads and writes.
#[repr(C)]
struct InfoByFd {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

const _: () = assert!(size_of::<InfoByFd>() == 16);

/// `BPF_OBJ_GET_INFO_BY_FD`, for a map.
///
/// Programs, links and type information answer too, each with a layout of its own: [`names_a_map`] tells them apart.
pub(crate) fn map_info(fd: BorrowedFd<'_>) -> io::Result<MapInfo> {
    let mut info = MapInfo::default();
    let mut attributes = InfoByFd {
        bpf_fd: fd.as_raw_fd() as u32,
        info_len: size_of::<MapInfo>() as u32,
        info: ptr::from_mut(&mut info).expose_provenance() as u64,
    };
    // SAFETY: `attributes` is valid for reads and writes of its size, and names `info_len` bytes at `info`, which is valid
    // for writes of them: the kernel writes no more than that, and any bytes make a `MapInfo`.
    unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attributes) }?;
    Ok(info)
}

/// The part of `union bpf_attr` that `BPF_OBJ_GET` reads.
#[repr(C)]
struct ObjGet {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

const _: () = assert!(size_of::<ObjGet>() == 16);

/// `BPF_OBJ_GET`: a new descriptor, for reading and writing, close-on-exec, of what is pinned at `path`. That may be a map, a program or a link.
pub(crate) fn obj_get(path: &CStr) -> io::Result<OwnedFd> {
    let pathname = path.as_ptr().expose_provenance() as u64;
    let mut attributes = ObjGet { pathname, bpf_fd: 0, file_flags: 0 };
    // SAFETY: `attributes` has no padding, and `pathname` leads to a string that ends in a zero.
    let fd = unsafe { bpf(BPF_OBJ_GET, &mut attributes) }?;
    // SAFETY: the call has just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The part of `union bpf_attr` that `BPF_MAP_GET_FD_BY_ID` reads.
#[repr(C)]
struct GetFdById {
    id: u32,
    next_id: u32,
    open_flags: u32,
}

const _: () = assert!(size_of::<GetFdById>() == 12);

/// `BPF_MAP_GET_FD_BY_ID`: a new descriptor, for reading and writing, close-on-exec, of the map with that id.
pub(crate) fn map_fd_by_id(id: u32) -> io::Result<OwnedFd> {
    let mut attributes = GetFdById { id, next_id: 0, open_flags: 0 };
    // SAFETY: `attributes` has no padding, and points to nothing.
    let fd = unsafe { bpf(BPF_MAP_GET_FD_BY_ID, &mut attributes) }?;
    // SAFETY: the call has just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// bpf(2). Returns what the call does: a descriptor, where `command` opens one.
///
/// # Safety
/// - `A` is the part of `union bpf_attr` that `command` uses, without padding.
/// - What the attributes point to is valid for what `command` does with it.
unsafe fn bpf<A>(command: libc::c_int, attributes: &mut A) -> io::Result<libc::c_int> {
    let attributes = ptr::from_mut(attributes);
    // SAFETY: `attributes` is valid for as many bytes as the kernel is told; the caller vouches for the rest.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes, size_of::<A>()) };
    // All results of the commands above fit.
    check(result as libc::c_int)
}

/// Whether `fd` is a descriptor of a map, as procfs names it; `None` if there is no procfs to ask.
///
/// `bpftool` asks in the same way (`get_fd_type`).
pub(crate) fn names_a_map(fd: BorrowedFd<'_>) -> Option<bool> {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).ok()?;
    Some(link.as_os_str() == "anon_inode:bpf-map")
}
