//! Why a packet was not moved.

use crate::sys;

/// A packet, or its metadata, was not to start or to end elsewhere. Nothing has been changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AdjustError {
    /// The packet is read-only. In the kernel, programs that must not write packets cannot adjust them either.
    ReadOnly,
    /// There is less room before the packet. The kernel's `-EINVAL`.
    NoHeadroom {
        /// By how much the start was to move.
        delta: i64,
        /// Bytes before the packet and its metadata.
        headroom: u64,
    },
    /// There is less room behind the packet. The kernel's `-EINVAL`.
    NoTailroom {
        /// By how much the end was to move.
        delta: i64,
        /// Bytes behind the packet, in the piece of memory that it ends in.
        tailroom: u64,
    },
    /// Less than the header of an Ethernet frame, 14 bytes, would be left; at the start, in the first piece of memory. The
    /// kernel's `-EINVAL`.
    TooShort {
        /// By how much the start or the end was to move.
        delta: i64,
        /// How many bytes can be taken away.
        most: u64,
    },
    /// Metadata was to end before it starts. The kernel's `-EINVAL`.
    Backwards {
        /// By how much the start of the metadata was to move.
        delta: i64,
        /// How long the metadata is, in bytes.
        len: u64,
    },
    /// Metadata has a length that is no multiple of 4, or above 252. The kernel's `-EACCES`.
    MetadataLen {
        /// How long it would have been, in bytes.
        len: u64,
    },
}

impl AdjustError {
    /// The error number with which the kernel's function of the same name fails, as a positive number.
    pub const fn errno(&self) -> i32 {
        match self {
            Self::MetadataLen { .. } => sys::EACCES,
            _ => sys::EINVAL,
        }
    }
}

impl core::fmt::Display for AdjustError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::ReadOnly => write!(f, "the packet is read-only"),
            Self::NoHeadroom { delta, headroom } => {
                write!(f, "the start was to move by {delta} bytes, with {headroom} bytes before it")
            }
            Self::NoTailroom { delta, tailroom } => {
                write!(f, "the end was to move by {delta} bytes, with {tailroom} bytes behind it")
            }
            Self::TooShort { delta, most } => {
                write!(f, "the packet was to be cut by {delta} bytes, of which at most {most} can go")
            }
            Self::Backwards { delta, len } => {
                write!(f, "metadata of {len} bytes was to be cut by {delta}")
            }
            Self::MetadataLen { len } => {
                write!(f, "metadata was to be {len} bytes long; multiples of 4 up to 252 are allowed")
            }
        }
    }
}

impl std::error::Error for AdjustError {}

impl From<AdjustError> for std::io::Error {
    fn from(error: AdjustError) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}
