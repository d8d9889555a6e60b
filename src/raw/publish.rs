//! Showing plain readers what they may look at.

use super::finish::wake_any;
use super::{Memory, limit};
use crate::sync::{Edge, Ordering, fence_seq_cst, release};
use crate::wire::{HEADER_BYTES, Position};

/// Raises `producer_pos` to the limit. Called by every producer after it has left the entering state.
///
/// Of the producers that were entering together, the one that leaves last sees that all have left, thanks to the fence,
/// and publishes for all; so none waits for another.
pub(super) fn publish<M: Memory>(memory: &M) {
    fence_seq_cst(Edge::PublishFence);
    let producer_pos = &memory.producer().producer_pos;
    let mut published = Position::new(producer_pos.load(Ordering::Relaxed));
    let limit = limit(memory, published);
    // Each time that fails, `producer_pos` is further, by a record at least; unless somebody keeps to no rule.
    let mut tries = memory.size().bytes() / HEADER_BYTES;
    while limit.is_after(published) && tries > 0 {
        tries -= 1;
        match producer_pos.compare_exchange(published.get(), limit.get(), release(Edge::Publish), Ordering::Relaxed) {
            Ok(_) => {
                return wake_any(memory, Edge::RaiseFence);
            }
            Err(now) => published = Position::new(now),
        }
    }
}
