//! The format of an arena's file: the words that say what is whose.
//!
//! An arena's data is cut into *pages* of 4 KiB, and pages into *units* of 64 bytes. A word for each page says what the page is
//! used for ([`PageWord`]); a word for each unit says whose block begins there, if one does ([`BlockWord`]). Both are apart from
//! the data, and nothing else is needed to know what is free.

mod block;
mod cell;
mod class;
mod descriptor;
mod hash;
mod page;
mod shape;
mod token;

pub use block::{BlockState, BlockWord, LARGE};
pub use cell::{CellState, CellWord};
pub use class::{CLASSES, Class, class_of};
pub use descriptor::{ARENA_MAGIC, ArenaDescriptor, ArenaLayout, MAX_PROCESSES};
pub use hash::hash_of_key;
pub use page::PageWord;
pub use shape::{CELL_WORDS, MAP_HEADER_WORDS, MAP_MAGIC, MAX_ENTRIES, MAX_KEY_BYTES, NAME_BYTES, ROOT_ENTRIES, Shape};
pub use token::{TOKEN_BYTES, TokenFields};

/// Bytes of a unit: blocks begin at multiples of it.
pub const UNIT_BYTES: u64 = 64;

/// Units of a page.
pub const PAGE_UNITS: u32 = 64;

/// Bytes of a page of an arena, whatever the machine's pages are.
pub const PAGE_BYTES: u64 = UNIT_BYTES * PAGE_UNITS as u64;
