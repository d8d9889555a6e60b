//! A map that somebody has open.

use std::sync::Arc;

use super::{
    Alone, Attached, By, Entries, Held, Lent, Mapped, Memory, NotExclusive, NotHeld, NotInserted, Table, Value,
};
use crate::wire::arena::{Shape, UNIT_BYTES};

/// A map that is open: it stays where it is until this is dropped, be it removed meanwhile.
///
/// # Invariants
/// 1. `by` holds the entry `index` of the map of maps, whose value is `value`.
#[derive(Debug)]
pub struct OpenMap {
    by: Arc<Attached>,
    index: u32,
    value: Value,
    shape: Shape,
}

/// A map that could not be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unusable {
    /// There is none of that name.
    Absent,
    /// What is there is no map.
    Corrupt,
}

/// An entry that could not be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failed<E> {
    /// It was refused.
    Refused(E),
    /// What was found in its place cannot be.
    Corrupt,
}

impl OpenMap {
    /// Makes a map, and gives it a name. None if there is no memory for it.
    ///
    /// # Errors
    /// There is one of that name, or too many.
    pub fn create(by: &Attached, name: &[u8], shape: Shape) -> Option<Result<(), NotInserted>> {
        let lent = Attached::lend(By::Borrowed(by), shape.words() * 8)?;
        let (block, len) = lent.parts();
        Table::new(by.memory().words(block.unit, shape.words())?, shape)?.clear();
        let inserted = by.root().insert(name, block, len);
        if inserted.is_ok() {
            lent.into_parts();
        }
        Some(inserted)
    }

    /// Opens the map of that name.
    ///
    /// # Errors
    /// There is none, or what is there is no map.
    pub fn open(by: Arc<Attached>, name: &[u8]) -> Result<Self, Unusable> {
        let (index, _) = by.root().hold(name).map_err(|_| Unusable::Absent)?;
        match by.root().map_in(index) {
            Some((value, table)) => Ok(Self { index, value, shape: table.shape(), by }),
            None => {
                by.root().let_go(index);
                Err(Unusable::Corrupt)
            }
        }
    }

    /// Takes a map's name away. Whether there was one. It is freed, with all that is in it, once nobody has it open.
    pub fn remove(by: &Attached, name: &[u8]) -> bool {
        by.root().remove(name).unwrap_or(false)
    }

    /// How large it is.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Where it is.
    pub fn memory(&self) -> &Mapped {
        self.by.memory()
    }

    pub(super) fn by(&self) -> &Arc<Attached> {
        &self.by
    }

    pub(super) fn entries(&self) -> Option<Entries<'_, Mapped>> {
        let words = self.by.memory().words(self.value.unit, self.shape.words())?;
        Some(Entries::new(self.by.hand(), Table::new(words, self.shape)?, self.by.secret()))
    }

    /// Puts in what was lent by the same one who has the map open.
    ///
    /// # Errors
    /// There is an entry with this key, or no room. What was lent is given back.
    pub fn insert<'a>(&self, key: &[u8], lent: Lent<'a>) -> Result<(), (NotInserted, Lent<'a>)> {
        let (block, len) = lent.parts();
        // Another arena may have a block of the same word in the same place.
        let own = core::ptr::eq(&raw const **lent.by(), Arc::as_ptr(&self.by));
        let refused = match self.entries().filter(|_| own) {
            Some(entries) => entries.insert(key, block, len).err(),
            None => Some(NotInserted::NotOwned),
        };
        match refused {
            None => {
                lent.into_parts();
                Ok(())
            }
            Some(why) => Err((why, lent)),
        }
    }

    /// Holds the entry with this key.
    ///
    /// # Errors
    /// There is none, or somebody has it alone; or the arena is corrupt.
    pub fn hold(self: &Arc<Self>, key: &[u8]) -> Result<Held, Failed<NotHeld>> {
        let entries = self.entries().ok_or(Failed::Corrupt)?;
        let (index, found) = entries.hold(key).map_err(Failed::Refused)?;
        Held::new(self, index, found).ok_or(Failed::Corrupt)
    }

    /// Takes the entry with this key alone.
    ///
    /// # Errors
    /// There is none, or somebody has it; or the arena is corrupt.
    pub fn alone(self: &Arc<Self>, key: &[u8]) -> Result<Alone, Failed<NotExclusive>> {
        let entries = self.entries().ok_or(Failed::Corrupt)?;
        let (index, exclusive) = entries.exclusive(key).map_err(Failed::Refused)?;
        Alone::new(self, index, exclusive).ok_or(Failed::Corrupt)
    }

    /// Removes the entry with this key. Whether there was one.
    ///
    /// # Errors
    /// Somebody has it alone.
    pub fn remove_entry(&self, key: &[u8]) -> Result<bool, NotExclusive> {
        self.entries().map_or(Ok(false), |entries| entries.remove(key))
    }

    /// The entry in the first cell from `from` on that has one, with its key; and which cell that is.
    pub fn next(self: &Arc<Self>, from: u32) -> Option<(u32, Vec<u8>, Option<Held>)> {
        let (index, key, found) = self.entries()?.next(from)?;
        Some((index, key, Held::new(self, index, found)))
    }

    /// How many entries there are.
    pub fn count(&self) -> u32 {
        self.entries().map_or(0, |entries| entries.count())
    }
}

impl Entries<'_, Mapped> {
    /// The map that a held entry of the map of maps has.
    fn map_in(&self, index: u32) -> Option<(Value, Table<'_>)> {
        let value = self.value(index)?;
        let table = self.map(value)?;
        let len = self.hand.units_of_kept(value)?.saturating_mul(UNIT_BYTES);
        (value.len <= len).then_some((value, table))
    }
}

impl Drop for OpenMap {
    fn drop(&mut self) {
        self.by.root().let_go(self.index);
    }
}
