//! What goes wrong with a dynamic pointer.

use super::DynPtr;
use crate::sys;

/// An operation on a dynamic pointer that was refused. Nothing has been read or written.
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
}

impl DynPtrError {
    /// The error number with which the kernel's helper of the same name fails, as a positive number.
    pub const fn errno(&self) -> i32 {
        match self {
            Self::OutOfBounds { .. } => sys::E2BIG,
        }
    }
}

impl core::fmt::Display for DynPtrError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OutOfBounds { offset, len, size } => {
                write!(f, "{len} bytes at offset {offset} reach outside a dynamic pointer of {size} bytes")
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
