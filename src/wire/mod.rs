//! The wire format: headers, positions, sizes and where each word lies.
//!
//! Everything in here is plain arithmetic on plain integers. It is the one description of the format in this crate;
//! the protocol that moves the words is described in `docs::internal`.

pub mod arena;
mod capacity;
mod corrupt;
mod descriptor;
mod header;
mod layout;
mod position;
mod size;
mod slot;

pub use capacity::Capacity;
pub use corrupt::Corrupt;
pub use descriptor::{DESCRIPTOR_BYTES, Descriptor, DescriptorError, Features, MAX_SLOTS, VERSION};
pub use header::{Header, MAX_LEN, Tag};
pub use layout::{CALLED, HEADER_BYTES, LET_GO, Layout, PRODUCER_LAYOUT, SLOT_BYTES, kernel, words};
pub use position::{Position, largest_payload, stride};
pub use size::{RingSize, SizeError};
pub use slot::SlotWord;
