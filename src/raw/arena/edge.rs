//! Every ordering of the arena by name. Partners and proofs are in `docs::arena`.

use crate::sync::{Ordering, edges, fence_compiler, full_fence};

edges! {
    "DYNRING_WEAKEN_ARENA":
    /// A block is taken: what its last owner did with its bytes came before.
    BlockTake,
    /// A block is given back: its owner is done with its bytes.
    BlockGive,
    /// A block is taken out of service: what its last owner did with its bytes came before.
    BlockOut,
    /// A block is put in service: what was done to its bytes before, as another block or part of one, came before.
    BlockFit,
    /// A page is taken: what was done to its bytes and to the words of its units came before.
    PageTake,
    /// A page is given back: nobody uses its bytes, and no block begins there.
    PageGive,
    /// A block is sent: its owner has written its bytes.
    BlockSend,
    /// A block is claimed: what its sender did to its bytes came before.
    BlockClaim,
    /// Fence between who has spares says that it is at them, and its look at whether they are still its own.
    SpareFence,
    /// Fence between "these are yours no more" and the look at whether who had spares is at them.
    RevokeFence,
    /// Who has spares is done with them for now: what it has noted, and did with the bytes.
    SpareLeave,
    /// Whether who had spares is at them: what it did before came before.
    SpareLook,
    /// Who has the spares is said: what was done to them came before.
    BiasStore,
    /// Load of who has the spares.
    BiasLoad,
    /// Proposers take turns: of two of one key, the later sees the earlier's proposal.
    Turn,
    /// An entry is there: its words and its block's bytes are written.
    Member,
    /// A reader looks at what a cell holds: its words, which say of what key, were written before.
    CellLoad,
    /// A holder looks again whether the entry is there: whoever removes it later sees the hold, or that it was let go of.
    HoldCheck,
    /// A hold is let go of: its holder is done with the bytes.
    HoldGive,
    /// Who is about to free an entry's block, or to have it alone, looks for holds: holders were done with the bytes before.
    HoldLoad,
    /// An entry is removed, or to be had alone: holds that were taken before are in sight.
    CellTurn,
    /// Who had an entry alone lets others have it: its bytes are written.
    Share,
}

/// Both, or `Relaxed` in a model that weakens `edge`.
#[inline(always)]
pub(super) fn both(edge: Edge) -> Ordering {
    if weakened(edge) { Ordering::Relaxed } else { Ordering::AcqRel }
}

/// Orders stores before it with loads after it, where somebody else runs [`heavy`] and a barrier that all threads run: there, it
/// costs nothing.
#[inline(always)]
pub(super) fn light(edge: Edge) {
    // Neither Miri nor the models have such barriers.
    if cfg!(any(miri, dynring_loom)) { heavy(edge) } else { fence_compiler() }
}

/// Orders stores before it with loads after it.
#[inline(always)]
pub(super) fn heavy(edge: Edge) {
    if !weakened(edge) {
        full_fence();
    }
}
