//! What goes wrong with an arena.

use core::fmt;
use std::io;
use std::path::PathBuf;

use super::ArenaPtr;

/// An arena that could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ArenaBuildError {
    /// No arena is so large: 256 GiB are allowed.
    Size {
        /// Bytes that were asked for.
        found: u64,
    },
    /// No arena is for so many processes.
    Processes {
        /// How many were asked for.
        found: u32,
        /// The most; the least is 1.
        max: u32,
    },
    /// There is something at the path already.
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The system refused.
    System {
        /// Bytes that the arena takes.
        bytes: u64,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for ArenaBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { found } => write!(f, "an arena of {found} bytes was asked for; at most 256 GiB are allowed"),
            Self::Processes { found, max } => {
                write!(f, "an arena for {found} processes was asked for; 1 to {max} are allowed")
            }
            Self::Exists { path } => write!(f, "there is something at {} already", path.display()),
            Self::System { bytes, error } => {
                write!(f, "the system refused to make an arena that takes {bytes} bytes: {error}")
            }
        }
    }
}

impl std::error::Error for ArenaBuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<ArenaBuildError> for io::Error {
    fn from(error: ArenaBuildError) -> Self {
        let kind = match &error {
            ArenaBuildError::System { error, .. } => error.kind(),
            ArenaBuildError::Exists { .. } => io::ErrorKind::AlreadyExists,
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// A place in a shared arena that could not be had.
#[cfg(not(miri))]
#[derive(Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// All places are taken by processes that live.
    Full {
        /// How many there are.
        max: u32,
    },
    /// The system refused.
    System(io::Error),
}

#[cfg(not(miri))]
impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { max } => write!(f, "all {max} places of the arena are taken"),
            Self::System(error) => write!(f, "the system refused to attach to the arena: {error}"),
        }
    }
}

#[cfg(not(miri))]
impl std::error::Error for JoinError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            Self::Full { .. } => None,
        }
    }
}

#[cfg(not(miri))]
impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::System(error) => error,
            JoinError::Full { .. } => Self::new(io::ErrorKind::ResourceBusy, error),
        }
    }
}

/// Memory that was not to be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AllocError {
    /// No free block is large enough.
    OutOfMemory {
        /// Bytes that were asked for.
        asked: u64,
        /// Bytes of the largest piece that could be had.
        largest: u64,
    },
    /// This is a forked child, where its parent's handles are of no use.
    Forked,
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory { asked, largest } => {
                write!(f, "the arena has no {asked} bytes in one piece; the largest that is free has {largest}")
            }
            Self::Forked => f.write_str(FORKED),
        }
    }
}

const FORKED: &str = "this is a forked child, where its parent's handles on an arena are of no use";

impl std::error::Error for AllocError {}

impl From<AllocError> for io::Error {
    fn from(error: AllocError) -> Self {
        let kind = match error {
            AllocError::OutOfMemory { .. } => io::ErrorKind::OutOfMemory,
            AllocError::Forked => io::ErrorKind::Unsupported,
        };
        Self::new(kind, error)
    }
}

/// A token that could not be claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ClaimError {
    /// The memory is not there any more: somebody has claimed it, or its sender has gone.
    Stale,
    /// It is no token of this arena.
    Forged,
    /// There are not as many bytes as a token has.
    Length {
        /// How many there are; [`Token::BYTES`](super::Token::BYTES) are allowed.
        found: usize,
    },
    /// This is a forked child, where its parent's handles are of no use.
    Forked,
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale => f.write_str("the token was claimed before, or its sender has gone, and the memory with it"),
            Self::Forged => f.write_str("this is no token of this arena"),
            Self::Length { found } => {
                write!(f, "{found} bytes are no token; {} are one", super::Token::BYTES)
            }
            Self::Forked => f.write_str(FORKED),
        }
    }
}

impl std::error::Error for ClaimError {}

impl From<ClaimError> for io::Error {
    fn from(error: ClaimError) -> Self {
        let kind = match error {
            ClaimError::Stale => io::ErrorKind::NotFound,
            ClaimError::Forked => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// A map that could not be made or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MapError {
    /// There is one of that name.
    Exists,
    /// There is none of that name.
    Absent,
    /// The arena has as many maps as it can have.
    TooMany {
        /// How many that is.
        most: u32,
    },
    /// The name is too long.
    NameLength {
        /// Bytes that it has.
        found: usize,
        /// The most.
        most: usize,
    },
    /// No map is so large, or for such keys.
    Size {
        /// Entries that were asked for, at least 1.
        entries: u32,
        /// Bytes of the longest key.
        key_bytes: u32,
        /// The most of each.
        most: (u32, u32),
    },
    /// The map is for other keys.
    Keys {
        /// Bytes of each of its keys; none if they differ.
        found: Option<u64>,
        /// Bytes of each that were expected; none if they differ.
        expected: Option<u64>,
    },
    /// There is no memory for it.
    OutOfMemory {
        /// Bytes that it takes in one piece.
        asked: u64,
        /// Bytes of the largest piece that could be had.
        largest: u64,
    },
    /// What was found in its place cannot be.
    Corrupt,
    /// This is a forked child, where its parent's handles are of no use.
    Forked,
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = |bytes: &Option<u64>| bytes.map_or("any number of".into(), |bytes| bytes.to_string());
        match self {
            Self::Exists => f.write_str("there is a map of that name"),
            Self::Absent => f.write_str("there is no map of that name"),
            Self::TooMany { most } => write!(f, "the arena has {most} maps, as many as it can have"),
            Self::NameLength { found, most } => {
                write!(f, "the map's name has {found} bytes; at most {most} are allowed")
            }
            Self::Size { entries, key_bytes, most } => write!(
                f,
                "a map of {entries} entries with keys of {key_bytes} bytes was asked for; 1 to {} with at most {} are allowed",
                most.0, most.1
            ),
            Self::Keys { found, expected } => {
                write!(f, "the map has keys of {} bytes, not of {}", keys(found), keys(expected))
            }
            Self::OutOfMemory { asked, largest } => {
                write!(f, "the map takes {asked} bytes in one piece; the largest that is free has {largest}")
            }
            Self::Corrupt => f.write_str("what is under that name cannot be a map"),
            Self::Forked => f.write_str(FORKED),
        }
    }
}

impl std::error::Error for MapError {}

impl From<MapError> for io::Error {
    fn from(error: MapError) -> Self {
        let kind = match error {
            MapError::Exists => io::ErrorKind::AlreadyExists,
            MapError::Absent => io::ErrorKind::NotFound,
            MapError::OutOfMemory { .. } | MapError::TooMany { .. } => io::ErrorKind::OutOfMemory,
            MapError::Corrupt | MapError::Keys { .. } => io::ErrorKind::InvalidData,
            MapError::Forked => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// A value that was not put into a map. Hands it back.
#[derive(Debug)]
pub struct InsertError<'a> {
    /// The value, as it was.
    pub value: ArenaPtr<'a>,
    /// Why.
    pub why: NotInserted,
}

/// Why a value was not put into a map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NotInserted {
    /// There is an entry with this key.
    Exists,
    /// The map has no room.
    Full {
        /// How many entries it has room for.
        entries: u32,
    },
    /// The key is too long.
    KeyLength {
        /// Bytes that it has.
        found: usize,
        /// The most.
        most: usize,
    },
    /// The value is of another arena, or of another handle on this one.
    Foreign,
    /// This is a forked child, where its parent's handles are of no use.
    Forked,
}

impl fmt::Display for NotInserted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("the map has an entry with this key"),
            Self::Full { entries } => write!(f, "the map is full: it has room for {entries} entries"),
            Self::KeyLength { found, most } => write!(f, "the key has {found} bytes; at most {most} are allowed"),
            Self::Foreign => f.write_str("the value is not of the arena's handle that the map was opened with"),
            Self::Forked => f.write_str(FORKED),
        }
    }
}

impl std::error::Error for NotInserted {}

impl From<NotInserted> for io::Error {
    fn from(error: NotInserted) -> Self {
        let kind = match error {
            NotInserted::Exists => io::ErrorKind::AlreadyExists,
            NotInserted::Full { .. } => io::ErrorKind::OutOfMemory,
            NotInserted::Forked => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

impl fmt::Display for InsertError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl std::error::Error for InsertError<'_> {}

/// Gives the value up, and with it frees its memory.
impl From<InsertError<'_>> for NotInserted {
    fn from(error: InsertError<'_>) -> Self {
        error.why
    }
}

/// Gives the value up, and with it frees its memory.
impl From<InsertError<'_>> for io::Error {
    fn from(error: InsertError<'_>) -> Self {
        error.why.into()
    }
}

/// An entry of a map that was not to be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EntryError {
    /// Somebody has it alone.
    Exclusive,
    /// Somebody holds it.
    Held,
    /// What was found in its place cannot be.
    Corrupt,
    /// This is a forked child, where its parent's handles are of no use.
    Forked,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exclusive => "somebody has the entry alone",
            Self::Held => "somebody holds the entry",
            Self::Corrupt => "what is in the entry's place cannot be one",
            Self::Forked => FORKED,
        })
    }
}

impl std::error::Error for EntryError {}

impl From<EntryError> for io::Error {
    fn from(error: EntryError) -> Self {
        let kind = match error {
            EntryError::Exclusive | EntryError::Held => io::ErrorKind::ResourceBusy,
            EntryError::Corrupt => io::ErrorKind::InvalidData,
            EntryError::Forked => io::ErrorKind::Unsupported,
        };
        Self::new(kind, error)
    }
}
