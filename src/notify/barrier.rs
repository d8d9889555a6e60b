//! Which barrier orders a store with a later load on the two sides of a sleep.

use std::sync::OnceLock;

use crate::sync::{Edge, StoreLoad, fence_seq_cst};
use crate::sys::membarrier;

/// What rings of this process use: the asymmetric barrier where the kernel has it.
pub(crate) fn store_load() -> StoreLoad {
    static POLICY: OnceLock<StoreLoad> = OnceLock::new();
    *POLICY.get_or_init(|| {
        let registered = !cfg!(miri) && membarrier::register_private().is_ok();
        if registered { StoreLoad::Asymmetric } else { StoreLoad::Fence }
    })
}

/// What rings that processes share use.
#[cfg(not(miri))]
pub(crate) fn shared_store_load() -> StoreLoad {
    static POLICY: OnceLock<StoreLoad> = OnceLock::new();
    *POLICY.get_or_init(|| {
        let registered = membarrier::register_global().is_ok();
        if registered { StoreLoad::GlobalAsymmetric } else { StoreLoad::GlobalFence }
    })
}

/// What has all other threads of this process run a barrier, and says whether they did; where the kernel has it.
pub(crate) fn barrier() -> Option<fn() -> bool> {
    match store_load() {
        StoreLoad::Asymmetric => Some(|| membarrier::private().is_ok()),
        // There, who would do without has a fence.
        _ => cfg!(miri).then_some(|| true),
    }
}

/// The barrier of the side that is about to sleep, or joins a lone producer. Whether it took place: else that is not safe.
pub(crate) fn heavy(store_load: StoreLoad, edge: Edge) -> bool {
    fence_seq_cst(edge);
    match store_load {
        StoreLoad::Fence => true,
        // Can only fail if a sandbox has forbidden it since it was registered.
        StoreLoad::Asymmetric => membarrier::private().is_ok(),
        // Others may rely on it, whether this process has registered or not.
        StoreLoad::GlobalFence | StoreLoad::GlobalAsymmetric => membarrier::global().is_ok(),
    }
}
