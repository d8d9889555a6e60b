//! Values under keys.

use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;

use super::{ArenaPtr, EntryError, InsertError, Key, MapError, MapMut, MapRef, NotInserted};
use crate::raw::arena::{self, Attached, Failed, NotExclusive, NotHeld, OpenMap, Unusable};
use crate::wire::arena::{MAX_ENTRIES, MAX_KEY_BYTES, NAME_BYTES, ROOT_ENTRIES, Shape};

/// Values of any size under keys, in an [`Arena`](super::Arena): what one thread or process puts in, others find.
///
/// | | |
/// |---|---|
/// | [`insert`](Self::insert) | moves an [`ArenaPtr`] in; it is the map's from then on, and outlives who has put it in |
/// | [`get`](Self::get) | holds a value: it stays where and what it is until the [`MapRef`] is dropped, be it removed meanwhile |
/// | [`get_mut`](Self::get_mut) | has a value alone, to write it; refused while others hold it |
/// | [`remove`](Self::remove) | takes the entry away; the memory is freed once nobody holds it |
///
/// A map has room for a number of entries that is said when it is made. It is found by its name, and stays in the arena until it is
/// [removed](super::Arena::remove_map).
///
/// Nobody waits for anybody here either: what somebody is stopped with, in the middle of anything, is passed over. What a process
/// holds when it dies is let go of; what it had alone is there again, and [says](MapRef::is_torn) that it may be half written.
///
/// # Examples
/// ```
/// # fn main() -> std::io::Result<()> {
/// use dynring::{Arena, EntryError, MapSize};
///
/// let arena = Arena::builder(1 << 20).build()?;
/// let map = arena.create_map::<str>("weather", MapSize { entries: 100, key_bytes: 16 })?;
///
/// let mut value = arena.alloc(12)?;
/// value.copy_from_slice(b"21.5 degrees");
/// map.insert("today", value)?;
///
/// // In another thread, or in another process that shares the arena:
/// let map = arena.open_map::<str>("weather")?;
/// let held = map.get("today")?.expect("it is there");
/// assert_eq!(&*held, b"21.5 degrees");
/// assert_eq!(map.get_mut("today").unwrap_err(), EntryError::Held);
/// assert!(map.remove("today")?);
/// assert!(map.get("today")?.is_none());
/// assert_eq!(&*held, b"21.5 degrees"); // until it is dropped
/// # Ok(())
/// # }
/// ```
pub struct Map<K: Key + ?Sized> {
    open: Arc<OpenMap>,
    keys: PhantomData<fn(&K)>,
}

/// How large a map is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapSize {
    /// How many entries it has room for, at least 1. Looking something up is quick while some of it is left free.
    pub entries: u32,
    /// Bytes of the longest key, to 4096. Not used where all keys have one size.
    pub key_bytes: u32,
}

impl<K: Key + ?Sized> Map<K> {
    pub(super) fn create(by: &Arc<Attached>, name: &str, size: MapSize) -> Result<Self, MapError> {
        let key_bytes = K::BYTES.map_or(size.key_bytes, |bytes| u32::try_from(bytes).unwrap_or(u32::MAX));
        let processes = arena::Memory::processes(by.memory()).len() as u32;
        let shape = Shape { entries: size.entries, key_bytes, fixed: K::BYTES.is_some(), processes };
        if !shape.is_possible() {
            return Err(MapError::Size { entries: size.entries, key_bytes, most: (MAX_ENTRIES, MAX_KEY_BYTES) });
        }
        check_name(name)?;
        // Not after memory has been looked for: there may be none, and this is the better answer.
        if OpenMap::open(Arc::clone(by), name.as_bytes()).is_ok() {
            return Err(MapError::Exists);
        }
        match OpenMap::create(by, name.as_bytes(), shape) {
            None if by.memory().is_gone() => Err(MapError::Forked),
            None => Err(MapError::OutOfMemory { asked: shape.words() as u64 * 8, largest: by.largest_free() }),
            Some(Err(arena::NotInserted::Exists)) => Err(MapError::Exists),
            Some(Err(arena::NotInserted::Full)) => Err(MapError::TooMany { most: ROOT_ENTRIES }),
            Some(Err(_)) => Err(MapError::Forked),
            Some(Ok(())) => Self::open(by, name),
        }
    }

    pub(super) fn open(by: &Arc<Attached>, name: &str) -> Result<Self, MapError> {
        let open = OpenMap::open(Arc::clone(by), name.as_bytes()).map_err(|error| match error {
            _ if by.memory().is_gone() => MapError::Forked,
            Unusable::Absent => MapError::Absent,
            Unusable::Corrupt => MapError::Corrupt,
        })?;
        let Shape { key_bytes, fixed, .. } = open.shape();
        let expected = K::BYTES.map_or((None, false), |bytes| (Some(bytes as u64), true));
        let found = if fixed { (Some(u64::from(key_bytes)), true) } else { (None, false) };
        if found != expected {
            return Err(MapError::Keys { found: found.0, expected: expected.0 });
        }
        Ok(Self { open: Arc::new(open), keys: PhantomData })
    }

    /// Moves `value` into the map under `key`.
    ///
    /// # Errors
    /// There is an entry with this key, or no room; the key is longer than the map allows; the value is of another arena, or of
    /// another handle on this one; or this is a forked child. The value is handed back.
    pub fn insert<'a>(&self, key: &K, value: ArenaPtr<'a>) -> Result<(), InsertError<'a>> {
        let shape = self.open.shape();
        self.open.insert(key.as_key(), value.lent).map_err(|(error, lent)| {
            let why = match error {
                _ if self.is_gone() => NotInserted::Forked,
                arena::NotInserted::Exists => NotInserted::Exists,
                arena::NotInserted::Full => NotInserted::Full { entries: shape.entries },
                arena::NotInserted::KeyLength => {
                    NotInserted::KeyLength { found: key.as_key().len(), most: shape.key_bytes as usize }
                }
                arena::NotInserted::NotOwned => NotInserted::Foreign,
            };
            InsertError { value: ArenaPtr::new(lent), why }
        })
    }

    /// Holds the value under `key`. None if there is none.
    ///
    /// # Errors
    /// Somebody has it alone, or is about to see whether they can; the arena is corrupt; or this is a forked child.
    pub fn get(&self, key: &K) -> Result<Option<MapRef>, EntryError> {
        match self.open.hold(key.as_key()) {
            Ok(held) => Ok(Some(MapRef::new(held))),
            Err(_) if self.is_gone() => Err(EntryError::Forked),
            Err(Failed::Refused(NotHeld::Absent)) => Ok(None),
            Err(Failed::Refused(NotHeld::Exclusive)) => Err(EntryError::Exclusive),
            Err(Failed::Corrupt) => Err(EntryError::Corrupt),
        }
    }

    /// Takes the value under `key` alone, to write it. None if there is none.
    ///
    /// # Errors
    /// Somebody holds it, or has it alone; the arena is corrupt; or this is a forked child.
    pub fn get_mut(&self, key: &K) -> Result<Option<MapMut>, EntryError> {
        match self.open.alone(key.as_key()) {
            Ok(alone) => Ok(Some(MapMut::new(alone))),
            Err(_) if self.is_gone() => Err(EntryError::Forked),
            Err(Failed::Refused(NotExclusive::Absent)) => Ok(None),
            Err(Failed::Refused(NotExclusive::Exclusive)) => Err(EntryError::Exclusive),
            Err(Failed::Refused(NotExclusive::Held)) => Err(EntryError::Held),
            Err(Failed::Corrupt) => Err(EntryError::Corrupt),
        }
    }

    /// Removes the entry under `key`. Whether there was one. Its memory is freed once nobody holds it.
    ///
    /// # Errors
    /// Somebody has it alone; or this is a forked child.
    pub fn remove(&self, key: &K) -> Result<bool, EntryError> {
        match self.open.remove_entry(key.as_key()) {
            Ok(true) => Ok(true),
            _ if self.is_gone() => Err(EntryError::Forked),
            Ok(false) => Ok(false),
            Err(_) => Err(EntryError::Exclusive),
        }
    }

    /// Whether this is a forked child.
    fn is_gone(&self) -> bool {
        self.open.memory().is_gone()
    }

    /// The entries, in no order, each with the bytes of its key. What somebody has alone is left out; what comes and goes
    /// meanwhile may be.
    pub fn iter(&self) -> MapIter<'_> {
        MapIter { open: &self.open, next: 0 }
    }

    /// How many entries there are. Walks the map.
    pub fn len(&self) -> usize {
        self.open.count() as usize
    }

    /// Whether there are none. Walks the map.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many entries there is room for.
    pub fn capacity(&self) -> usize {
        self.open.shape().entries as usize
    }
}

fn check_name(name: &str) -> Result<(), MapError> {
    let most = NAME_BYTES as usize;
    if name.len() > most { Err(MapError::NameLength { found: name.len(), most }) } else { Ok(()) }
}

impl<K: Key + ?Sized> Clone for Map<K> {
    fn clone(&self) -> Self {
        Self { open: Arc::clone(&self.open), keys: PhantomData }
    }
}

impl<K: Key + ?Sized> fmt::Debug for Map<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("shape", &self.open.shape()).finish_non_exhaustive()
    }
}

impl<'m, K: Key + ?Sized> IntoIterator for &'m Map<K> {
    type Item = (Vec<u8>, MapRef);
    type IntoIter = MapIter<'m>;

    fn into_iter(self) -> MapIter<'m> {
        self.iter()
    }
}

/// Entries of a map. From [`Map::iter`].
#[derive(Clone, Debug)]
pub struct MapIter<'m> {
    open: &'m Arc<OpenMap>,
    next: u32,
}

impl Iterator for MapIter<'_> {
    type Item = (Vec<u8>, MapRef);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (index, key, held) = self.open.next(self.next)?;
            self.next = index + 1;
            if let Some(held) = held {
                return Some((key, MapRef::new(held)));
            }
        }
    }
}
