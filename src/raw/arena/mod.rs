//! Memory that is handed out, shared, and given back: without locks, on any [`Memory`].
//!
//! It works on units and words; the memory hands out the bytes. Each word that says whose something is changes by one atomic
//! access, and each step leaves words from which whoever has proved a death can tell what is to be given back:
//! `docs::arena` has the states and the reasons.

mod attach;
#[cfg(not(dynring_loom))]
mod attached;
mod blocks;
mod edge;
mod entries;
#[cfg(not(dynring_loom))]
mod held;
mod hints;
mod hold;
#[cfg(not(dynring_loom))]
mod lent;
#[cfg(not(dynring_loom))]
mod mapped;
mod memory;
#[cfg(not(dynring_loom))]
mod open_map;
mod pages;
mod recover;
mod report;
mod spares;
mod table;

pub use attach::{attach, is_attached};
#[cfg(not(dynring_loom))]
pub use attached::{Attached, NoPlace, NotClaimed};
pub use blocks::Heap;
#[cfg(dynring_loom)]
pub use edge::Edge;
pub use entries::{Entries, NotInserted};
#[cfg(not(dynring_loom))]
pub use held::{Alone, Held};
pub use hints::Hints;
pub use hold::{NotExclusive, NotHeld};
#[cfg(not(dynring_loom))]
pub use lent::{By, Lent};
#[cfg(not(dynring_loom))]
pub use mapped::{Mapped, Pages, Parts};
pub use memory::{Block, Memory};
#[cfg(not(dynring_loom))]
pub use open_map::{Failed, OpenMap, Unusable};
pub use pages::Hand;
pub use recover::{has_map_in_hand, recover};
pub use report::{in_use, largest_free};
pub use spares::{Barrier, Spares};
pub use table::{Table, Value};
