//! What goes wrong with a dynamic pointer.

use super::DynPtr;
use crate::sys;

/// An operation on a dynamic pointer that was refused. Nothing has been read, written or changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DynPtrError {
    /// The range reaches outside the memory. The kernel's `-E2BIG`.
    OutOfBounds {
        /// Where the range starts, in bytes from the start of the memory.
        offset: u64,
        /// How long the range is, in bytes.
        len: u64,
        /// How long the memory is, in bytes.
        size: u64,
    },
    /// A window was to end before it starts. The kernel's `-EINVAL`.
    Backwards {
        /// Where it was to start.
        start: u64,
        /// Where it was to end.
        end: u64,
    },
    /// A window was to reach outside the one before. The kernel's `-ERANGE`.
    OutOfRange {
        /// Where it was to start.
        start: u64,
        /// Where it was to end.
        end: u64,
        /// How long the one before is, in bytes.
        size: u64,
    },
    /// The memory is not to be written. The kernel's `-EINVAL`.
    ReadOnly,
    /// The range lies in several fragments, and was to be borrowed in one piece. The kernel's null pointer.
    Fragmented {
        /// Where the range starts, in bytes from the start of the memory.
        offset: u64,
        /// How long the range is, in bytes.
        len: u64,
    },
    /// The buffer to copy to, should that be necessary, is too short. The kernel's verifier rejects the program.
    ShortScratch {
        /// How long the range is, in bytes.
        len: u64,
        /// How long the buffer is, in bytes.
        scratch: u64,
    },
}

impl DynPtrError {
    /// The error number with which the kernel's function of the same name fails, as a positive number. `EINVAL` where it
    /// returns a null pointer, which says less.
    pub const fn errno(&self) -> i32 {
        match self {
            Self::OutOfBounds { .. } => sys::E2BIG,
            Self::OutOfRange { .. } => sys::ERANGE,
            Self::Backwards { .. } | Self::ReadOnly | Self::Fragmented { .. } | Self::ShortScratch { .. } => {
                sys::EINVAL
            }
        }
    }
}

impl core::fmt::Display for DynPtrError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OutOfBounds { offset, len, size } => {
                write!(f, "{len} bytes at offset {offset} reach outside a dynamic pointer of {size} bytes")
            }
            Self::Backwards { start, end } => write!(f, "a window from {start} to {end} ends before it starts"),
            Self::OutOfRange { start, end, size } => {
                write!(f, "a window from {start} to {end} reaches outside a dynamic pointer of {size} bytes")
            }
            Self::ReadOnly => write!(f, "the memory is read-only"),
            Self::Fragmented { offset, len } => {
                write!(f, "{len} bytes at offset {offset} lie in several fragments, and are not borrowed in one piece")
            }
            Self::ShortScratch { len, scratch } => {
                write!(f, "{len} bytes were to be copied into a buffer of {scratch} if need be")
            }
        }
    }
}

impl std::error::Error for DynPtrError {}

impl From<DynPtrError> for std::io::Error {
    fn from(error: DynPtrError) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}

/// More bytes were to be committed than were reserved. Hands the reservation back.
#[derive(Debug)]
pub struct TooLong<'p> {
    /// The reservation, as it was.
    pub dynptr: DynPtr<'p>,
    /// How many bytes were to be committed.
    pub len: usize,
}

impl core::fmt::Display for TooLong<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} bytes were to be committed of a reservation of {}", self.len, self.dynptr.len())
    }
}

impl std::error::Error for TooLong<'_> {}

/// Gives the reservation up, and with it discards the record.
impl From<TooLong<'_>> for DynPtrError {
    fn from(error: TooLong<'_>) -> Self {
        Self::OutOfBounds { offset: 0, len: error.len as u64, size: error.dynptr.len() as u64 }
    }
}

/// Gives the reservation up, and with it discards the record.
impl From<TooLong<'_>> for std::io::Error {
    fn from(error: TooLong<'_>) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error.to_string())
    }
}
