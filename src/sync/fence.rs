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
        full_fence();
    }
}

/// As [`fence_seq_cst`], for those who have edges of their own.
#[inline(always)]
pub fn full_fence() {
    fence(Ordering::SeqCst);
}

/// Keeps the compiler from reordering, and nobody else: where other threads run a barrier when it matters.
#[inline(always)]
pub fn fence_compiler() {
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
}

/// Spins for a moment: about a microsecond at the first time, 16 at the most, where a pause takes 40 cycles.
pub fn back_off(nth: u32) {
    pause(64 << nth.min(4));
}

/// Spins so many times.
#[inline]
pub fn pause(times: u32) {
    // There is no time in models.
    let times = if cfg!(any(dynring_loom, miri)) { 0 } else { times };
    for _ in 0..times {
        core::hint::spin_loop();
    }
}

/// How a ring orders "I have stored" before "I look whether the other side sleeps".
///
/// The side that is about to sleep runs a fence, and has others run a barrier where they do without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreLoad {
    /// A fence on both sides.
    Fence,
    /// The side that is about to sleep makes every thread of the process run a barrier (`membarrier(2)`); the other
    /// only keeps the compiler from reordering.
    Asymmetric,
    /// Among processes: a fence here, and a barrier for those that do without.
    GlobalFence,
    /// Among processes: this one has registered to run the barriers of all.
    GlobalAsymmetric,
}

impl StoreLoad {
    /// The barrier of the side that does not sleep.
    #[inline(always)]
    pub fn light(self, edge: Edge) {
        if matches!(self, Self::Fence | Self::GlobalFence) {
            fence_seq_cst(edge);
        } else {
            fence_compiler();
        }
    }
}
