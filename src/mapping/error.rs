//! What goes wrong with attaching to a ring or an arena.

use core::fmt;
use std::io;

use crate::wire::DescriptorError;

/// A file that could not be attached to.
#[derive(Debug)]
#[non_exhaustive]
pub enum AttachError {
    /// It is a directory, a device, a socket, or anything else that is no regular file.
    NotAFile,
    /// Its length can change under those who map it, which would kill them. What was passed as a descriptor must be a
    /// memfd with `F_SEAL_SHRINK`, `F_SEAL_GROW` and `F_SEAL_SEAL`.
    NotSealed,
    /// It lies in a file system that does not live in memory, where every write would be written to a disk some time: it was
    /// copied there. A tmpfs is allowed, as at `/dev/shm`.
    NotInMemory {
        /// The type of the file system, as statfs(2) numbers it.
        found: u64,
    },
    /// It is not as long as it says that it is.
    Length {
        /// Bytes that it has.
        found: u64,
        /// Bytes that it should have; at least, if there is not even a descriptor.
        expected: u64,
    },
    /// It has holes: memory that nobody has committed, or that somebody has taken back. The system would look for it when it is
    /// touched, and kill whoever does so where it finds none.
    Sparse {
        /// Bytes for which there is memory.
        found: u64,
        /// Bytes for which there should be.
        expected: u64,
    },
    /// It does not describe a ring, or an arena, that can be used here.
    Descriptor(DescriptorError),
    /// The ring was made for one process: [`Builder::build`](crate::Builder::build).
    NotShared,
    /// Somebody is about to remove it, or just has.
    Removed,
    /// A message with something else than a ring, or an arena, has come.
    Message {
        /// Descriptors that came with it.
        descriptors: usize,
    },
    /// A ring has come, and beside it something that is not what wakes an event loop:
    /// [`share_with`](crate::SharedRing::share_with).
    Bell,
    /// The system refused.
    System(io::Error),
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => f.write_str("what was to be attached to is no regular file"),
            Self::NotSealed => f.write_str(
                "the file is not sealed: its length could change; a memfd with F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_SEAL is \
                 allowed",
            ),
            Self::NotInMemory { found } => {
                write!(f, "the file lies in a file system of type {found:#x}; a tmpfs is allowed, as at /dev/shm")
            }
            Self::Length { found, expected } => write!(f, "the file has {found} bytes; what is in it takes {expected}"),
            Self::Sparse { found, expected } => {
                write!(f, "the file has holes: there is memory for {found} bytes of it, and what is in it takes {expected}")
            }
            Self::Descriptor(error) => error.fmt(f),
            Self::NotShared => f.write_str("the ring was made for one process, and is not to be shared"),
            Self::Removed => f.write_str("what is in the file is being removed"),
            Self::Message { descriptors } => {
                write!(f, "a message with {descriptors} descriptors has come that passes nothing of use; 1 is allowed, or 2 for a ring")
            }
            Self::Bell => f.write_str("what has come beside the ring wakes no event loop; a datagram socket of the Unix domain does"),
            Self::System(error) => write!(f, "the system refused to attach: {error}"),
        }
    }
}

impl std::error::Error for AttachError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Descriptor(error) => Some(error),
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DescriptorError> for AttachError {
    fn from(error: DescriptorError) -> Self {
        Self::Descriptor(error)
    }
}

impl From<io::Error> for AttachError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<AttachError> for io::Error {
    fn from(error: AttachError) -> Self {
        match error {
            AttachError::System(error) => error,
            error => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
