//! What was copied out of a ring whose producers overwrite.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::Deref;
use std::io;

use super::OverwriteRingBuf;
use crate::raw::{Copied, Extent, SnapshotEnd, Unread};
use crate::wire::Corrupt;

/// Records that were copied out of a ring whose producers overwrite: consecutive ones, each committed, and whole.
///
/// From [`OverwriteRingBuf::snapshot`]. Dropping it changes nothing: the next snapshot has the same records, as far as they
/// are not overwritten.
#[derive(Debug)]
#[must_use = "the copied records are lost with it, or copied again by the next one"]
pub struct Snapshot<'r> {
    ring: &'r mut OverwriteRingBuf,
    extent: Extent,
}

impl<'r> Snapshot<'r> {
    pub(super) fn new(ring: &'r mut OverwriteRingBuf, extent: Extent) -> Self {
        Self { ring, extent }
    }

    /// The records, from the oldest to the newest. Discarded ones are left out.
    pub fn records(&self) -> SnapshotRecords<'_> {
        SnapshotRecords { copied: self.extent.records(&self.ring.copied) }
    }

    /// Where the oldest record starts, in bytes since the ring began, modulo 2⁶⁴.
    pub fn start(&self) -> u64 {
        self.extent.start.get()
    }

    /// Where the newest record ends, in bytes since the ring began, modulo 2⁶⁴.
    pub fn end(&self) -> u64 {
        self.extent.end.get()
    }

    /// Why it ends there.
    pub fn ended(&self) -> SnapshotEnd {
        self.extent.ended
    }

    /// Bytes that were overwritten before they were copied, headers included: from where the last consumed snapshot has ended,
    /// or from where the ring began if none was, to [`start`](Self::start).
    pub fn lost(&self) -> u64 {
        self.extent.start.since(self.extent.consumer)
    }

    /// Lets the next snapshot begin where this one ends, in whichever process it is taken.
    ///
    /// Source: `consumer_pos` in the kernel, which also goes by it when it says whether the ring is readable, and when it wakes
    /// those who wait on it.
    pub fn consume(self) {
        // It is others, too, who say where the consumer was.
        self.ring.lost = self.ring.lost.saturating_add(self.lost());
        self.ring.snapshots.consume(self.extent.end);
    }
}

impl<'s> IntoIterator for &'s Snapshot<'_> {
    type Item = SnapshotRecord<'s>;
    type IntoIter = SnapshotRecords<'s>;

    fn into_iter(self) -> SnapshotRecords<'s> {
        self.records()
    }
}

/// The records of a [`Snapshot`].
#[derive(Clone, Debug)]
pub struct SnapshotRecords<'s> {
    copied: Copied<'s>,
}

impl<'s> Iterator for SnapshotRecords<'s> {
    type Item = SnapshotRecord<'s>;

    fn next(&mut self) -> Option<SnapshotRecord<'s>> {
        let (position, bytes) = self.copied.next()?;
        Some(SnapshotRecord { position: position.get(), bytes })
    }
}

impl FusedIterator for SnapshotRecords<'_> {}

/// A record of a [`Snapshot`], readable for as long as that is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotRecord<'s> {
    position: u64,
    bytes: &'s [u8],
}

impl<'s> SnapshotRecord<'s> {
    /// Where the record starts, in bytes since the ring began, modulo 2⁶⁴.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The payload.
    pub fn bytes(&self) -> &'s [u8] {
        self.bytes
    }
}

impl Deref for SnapshotRecord<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl AsRef<[u8]> for SnapshotRecord<'_> {
    fn as_ref(&self) -> &[u8] {
        self.bytes
    }
}

/// Why there is no snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Producers have overwritten everything before it was copied, each time. Nothing has changed; another try may succeed.
    Overtaken {
        /// How often it was begun.
        tries: u32,
    },
    /// The ring holds what no correct kernel writes; sticky.
    Corrupt(Corrupt),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overtaken { tries } => {
                write!(f, "producers have overwritten the ring before it was copied, {tries} times in a row")
            }
            Self::Corrupt(corrupt) => corrupt.fmt(f),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Overtaken { .. } => None,
            Self::Corrupt(corrupt) => Some(corrupt),
        }
    }
}

impl From<SnapshotError> for io::Error {
    fn from(error: SnapshotError) -> Self {
        let kind = match error {
            SnapshotError::Overtaken { .. } => io::ErrorKind::WouldBlock,
            SnapshotError::Corrupt(_) => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl From<Unread> for SnapshotError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Overtaken { tries } => Self::Overtaken { tries },
            Unread::Corrupt(corrupt) => Self::Corrupt(corrupt),
        }
    }
}
