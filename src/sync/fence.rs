//! Fences.

#[cfg(not(dynring_loom))]
use core::sync::atomic::fence;
#[cfg(dynring_loom)]
use loom::sync::atomic::fence;

use super::Ordering;
use super::edge::{Edge, weakened};

/// What was loaded before becomes an acquire load.
///
/// Loads of memory that may be mapped read-only are relaxed loads followed by this fence: Rust promises no more than
/// relaxed loads there.
#[inline(always)]
pub fn fence_acquire(edge: Edge) {
    if !weakened(edge) {
        fence(Ordering::Acquire);
    }
}

/// Orders every store before it with every load after it, and pairs with the same on another thread.
#[inline(always)]
pub fn fence_seq_cst(edge: Edge) {
    if !weakened(edge) {
        fence(Ordering::SeqCst);
    }
}

/// How a ring orders "I have stored" before "I look whether the other side sleeps".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreLoad {
    /// A fence on both sides.
    Fence,
    /// The side that is about to sleep makes every thread of the process run a barrier (`membarrier(2)`); the other
    /// only keeps the compiler from reordering.
    Asymmetric,
    /// The same among processes: those that have registered for such barriers keep only the compiler from reordering.
    Global {
        /// Whether this one has; else it runs a fence.
        registered: bool,
    },
}

impl StoreLoad {
    /// The barrier of the side that does not sleep.
    #[inline(always)]
    pub fn light(self, edge: Edge) {
        match self {
            Self::Fence | Self::Global { registered: false } => fence_seq_cst(edge),
            Self::Asymmetric | Self::Global { registered: true } => {
                core::sync::atomic::compiler_fence(Ordering::SeqCst);
            }
        }
    }
}
