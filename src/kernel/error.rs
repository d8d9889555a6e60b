//! Why a ring of the kernel could not be opened.

use std::io;
use std::path::PathBuf;

use crate::sys;
use crate::wire::{Corrupt, PRODUCER_LAYOUT, SizeError};

/// Why something could not be opened as a ring of the kernel.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing is at the path.
    NoSuchPath {
        /// The path.
        path: PathBuf,
    },
    /// What is at the path is not in a bpffs, the only file system in which BPF objects are pinned.
    NotInBpffs {
        /// The path.
        path: PathBuf,
        /// The type of the file system, as a number of `linux/magic.h`.
        found: u64,
    },
    /// What is at the path is a directory.
    IsADirectory {
        /// The path.
        path: PathBuf,
    },
    /// No map has the id.
    NoSuchId {
        /// The id.
        id: u32,
    },
    /// The descriptor is closed, or was opened with `O_PATH`.
    BadFd,
    /// The descriptor is open, but not that of a BPF map.
    NotAMap,
    /// The map is not of the type that is opened: `BPF_MAP_TYPE_RINGBUF` or `BPF_MAP_TYPE_USER_RINGBUF`.
    WrongMapType {
        /// `BPF_MAP_TYPE_*` of the map, as a number.
        found: u32,
        /// The one that is allowed.
        expected: u32,
    },
    /// The map was created with `BPF_F_RB_OVERWRITE`: there, producers overwrite records that have not been read, also while
    /// they are being read. [`OverwriteRingBuf`](super::OverwriteRingBuf) takes snapshots of such a ring.
    Overwriting,
    /// The map was created without `BPF_F_RB_OVERWRITE`. [`RingBuf`](super::RingBuf) reads such a ring in place.
    NotOverwriting,
    /// The kernel knows no rings whose producers overwrite: `BPF_F_RB_OVERWRITE` came with Linux 6.19.
    NoOverwriteMode,
    /// This process consumes the map already.
    AlreadyOpen {
        /// The map's identity, as `bpftool map` shows it.
        id: u32,
    },
    /// The map has a size that no ring has.
    Size(SizeError),
    /// The ring's positions cannot be: there is no place to go on producing from.
    Corrupt(Corrupt),
    /// Somebody else keeps words where this crate keeps the cursor and the slots of producers.
    Layout {
        /// What is in the word that tells.
        found: u32,
    },
    /// The kernel does not let this process do what it takes.
    ///
    /// Linux 5.19 and later ask for no privilege of a process that holds a descriptor: the descriptor is enough, if it is
    /// open for reading and writing. Older ones ask for `CAP_BPF` where `kernel.unprivileged_bpf_disabled` is set. Sandboxes
    /// refuse it too, and so does a map that was frozen.
    Permission {
        /// What the kernel refused.
        step: OpenStep,
        /// How it refused it.
        error: io::Error,
    },
    /// The system is short of something: descriptors, memory.
    Os(io::Error),
}

/// What opening a ring asks of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum OpenStep {
    /// To open what is pinned: `bpf(BPF_OBJ_GET)`.
    GetPinned,
    /// To open what has the id: `bpf(BPF_MAP_GET_FD_BY_ID)`.
    GetById,
    /// To say what map it is: `bpf(BPF_OBJ_GET_INFO_BY_FD)`.
    Describe,
    /// To make a map: `bpf(BPF_MAP_CREATE)`.
    Create,
    /// To map its pages: `mmap`, those of the one side for writing, all others for reading; to observe, all for reading.
    Map,
}

impl OpenError {
    /// What `error` in `step` means.
    pub(super) fn from_os(step: OpenStep, error: io::Error) -> Self {
        match (step, error.raw_os_error()) {
            (_, Some(sys::EBADF)) => Self::BadFd,
            (OpenStep::Describe, Some(sys::EINVAL)) | (OpenStep::Map, Some(sys::ENODEV)) => Self::NotAMap,
            // Of a descriptor that is open for reading only, the kernel says EINVAL, whatever the mapping is for.
            (_, Some(sys::EPERM | sys::EACCES)) | (OpenStep::Map, Some(sys::EINVAL)) => {
                Self::Permission { step, error }
            }
            _ => Self::Os(error),
        }
    }
}

impl core::fmt::Display for OpenError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoSuchPath { path } => {
                write!(f, "nothing is at {}; the path of a pinned BPF map of type ringbuf is allowed", path.display())
            }
            Self::NotInBpffs { path, found } => write!(
                f,
                "{} is in a file system of type {found:#x}; a pin in a bpffs ({:#x}) is allowed",
                path.display(),
                sys::BPFFS
            ),
            Self::IsADirectory { path } => {
                write!(f, "{} is a directory; a pinned BPF map of type ringbuf is allowed", path.display())
            }
            Self::NoSuchId { id } => {
                write!(
                    f,
                    "no BPF map has the id {id}; that of a map of type ringbuf is allowed, as bpftool map shows it"
                )
            }
            Self::BadFd => write!(f, "the file descriptor is not open; that of a BPF ring buffer is allowed"),
            Self::NotAMap => {
                write!(f, "the file descriptor is not that of a BPF map; that of a BPF ring buffer is allowed")
            }
            Self::WrongMapType { found, expected } => {
                let (name, allowed) = (type_name(*found), type_name(*expected));
                write!(f, "the BPF map is of type {name} ({found}); {allowed} ({expected}) is allowed")
            }
            Self::Overwriting => {
                f.write_str(
                    "the BPF ring buffer was created with BPF_F_RB_OVERWRITE; one created without it is allowed, and \
                     kernel::OverwriteRingBuf takes snapshots of this one",
                )
            }
            Self::NotOverwriting => f.write_str(
                "the BPF ring buffer was created without BPF_F_RB_OVERWRITE; one created with it is allowed, and \
                 kernel::RingBuf reads this one",
            ),
            Self::NoOverwriteMode => f.write_str(
                "the kernel knows no BPF ring buffers whose producers overwrite (BPF_F_RB_OVERWRITE); Linux 6.19 and later do",
            ),
            Self::AlreadyOpen { id } => {
                write!(f, "this process consumes the BPF ring buffer with the id {id} already; one consumer is allowed")
            }
            Self::Size(error) => error.fmt(f),
            Self::Corrupt(corrupt) => corrupt.fmt(f),
            Self::Layout { found } => {
                write!(
                    f,
                    "the producers of the BPF ring buffer share words of layout {found}; {PRODUCER_LAYOUT} is allowed"
                )
            }
            Self::Permission { step, error } => write!(f, "the kernel refuses {step}: {error}"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::fmt::Display for OpenStep {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::GetPinned => {
                "to open the pinned BPF object (bpf(BPF_OBJ_GET)); allowed with permission to read and write the file, to \
                 search its directories, and before Linux 5.19 with CAP_BPF"
            }
            Self::GetById => "to open a BPF map by its id (bpf(BPF_MAP_GET_FD_BY_ID)); allowed with CAP_SYS_ADMIN",
            Self::Describe => {
                "to describe the file descriptor (bpf(BPF_OBJ_GET_INFO_BY_FD)); allowed with CAP_BPF, or from Linux 5.19 on"
            }
            Self::Create => "to make a BPF ring buffer (bpf(BPF_MAP_CREATE)); allowed with CAP_BPF",
            Self::Map => {
                "to map the BPF ring buffer; allowed through a descriptor open for reading and writing, if it is not frozen"
            }
        })
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Size(error) => Some(error),
            Self::Corrupt(corrupt) => Some(corrupt),
            Self::Permission { error, .. } | Self::Os(error) => Some(error),
            _ => None,
        }
    }
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        let kind = match &error {
            OpenError::NoSuchPath { .. } | OpenError::NoSuchId { .. } => io::ErrorKind::NotFound,
            OpenError::IsADirectory { .. } => io::ErrorKind::IsADirectory,
            OpenError::Permission { .. } => io::ErrorKind::PermissionDenied,
            OpenError::Overwriting
            | OpenError::NotOverwriting
            | OpenError::NoOverwriteMode
            | OpenError::Layout { .. } => io::ErrorKind::Unsupported,
            OpenError::AlreadyOpen { .. } => io::ErrorKind::ResourceBusy,
            OpenError::Corrupt(_) => io::ErrorKind::InvalidData,
            OpenError::Os(error) => error.kind(),
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// The name of a map type, as `bpftool` writes it.
fn type_name(map_type: u32) -> &'static str {
    usize::try_from(map_type).ok().and_then(|index| TYPE_NAMES.get(index)).copied().unwrap_or("unknown")
}

/// `enum bpf_map_type`.
const TYPE_NAMES: [&str; 35] = [
    "unspec",
    "hash",
    "array",
    "prog_array",
    "perf_event_array",
    "percpu_hash",
    "percpu_array",
    "stack_trace",
    "cgroup_array",
    "lru_hash",
    "lru_percpu_hash",
    "lpm_trie",
    "array_of_maps",
    "hash_of_maps",
    "devmap",
    "sockmap",
    "cpumap",
    "xskmap",
    "sockhash",
    "cgroup_storage",
    "reuseport_sockarray",
    "percpu_cgroup_storage",
    "queue",
    "stack",
    "sk_storage",
    "devmap_hash",
    "struct_ops",
    "ringbuf",
    "inode_storage",
    "task_storage",
    "bloom_filter",
    "user_ringbuf",
    "cgrp_storage",
    "arena",
    "insn_array",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_was_found_and_what_is_allowed() {
        let message = |error: OpenError| error.to_string();
        assert_eq!(
            message(OpenError::WrongMapType { found: 31, expected: 27 }),
            "the BPF map is of type user_ringbuf (31); ringbuf (27) is allowed"
        );
        assert_eq!(
            message(OpenError::WrongMapType { found: 4_000_000_000, expected: 31 }),
            "the BPF map is of type unknown (4000000000); user_ringbuf (31) is allowed"
        );
        let refused = io::Error::from_raw_os_error(sys::EPERM);
        let refused = message(OpenError::from_os(OpenStep::Map, refused));
        assert!(refused.contains("open for reading and writing"), "{refused}");
        assert!(refused.contains("Operation not permitted"), "{refused}");
        let elsewhere = OpenError::NotInBpffs { path: "/proc/self".into(), found: 0x9fa0 };
        assert_eq!(
            message(elsewhere),
            "/proc/self is in a file system of type 0x9fa0; a pin in a bpffs (0xcafe4a11) is allowed"
        );
    }

    #[test]
    fn an_io_error_keeps_the_kind_and_the_cause() {
        let refused = OpenError::from_os(OpenStep::Describe, io::Error::from_raw_os_error(sys::EPERM));
        let error = io::Error::from(refused);
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.get_ref().is_some_and(|inner| inner.is::<OpenError>()));
        let full = io::Error::from(OpenError::from_os(OpenStep::Map, io::ErrorKind::OutOfMemory.into()));
        assert_eq!(full.kind(), io::ErrorKind::OutOfMemory);
    }
}
