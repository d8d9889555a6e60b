//! The one switch between the processor's atomics and the model checker's.
//!
//! Everything above this room takes its atomics, fences and orderings from here. Orderings are asked for by [`Edge`],
//! so that the models can weaken one edge at a time and see that a model notices.

mod edge;
mod edges;
mod fence;
mod pad;
mod thread;

pub use edge::{Edge, acquire, release};
pub(crate) use edges::edges;
pub use fence::{StoreLoad, back_off, fence_acquire, fence_compiler, fence_seq_cst, full_fence, pause};
pub use pad::CachePadded;
pub use thread::Thread;

#[cfg(dynring_loom)]
pub use crate::atomic::{AtomicU32, AtomicU64, Ordering};
#[cfg(not(dynring_loom))]
pub use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
