//! Packets: memory with room before and behind, in one piece or in several.

mod error;
mod frame;
mod layers;

pub use error::AdjustError;
pub use frame::Packet;
pub use layers::{Layer, Layers};
