//! Every ordering of the arena by name. Partners and proofs are in `docs::arena`.

use crate::sync::{Ordering, edges};

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
