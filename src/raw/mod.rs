//! The protocol: reserve, finish, consume, sleep, on any [`Memory`].
//!
//! It works on positions; the memory hands out the words. Its every atomic access names its [`Edge`](crate::sync::Edge);
//! `docs::internal` has the proof.

mod claim;
mod consumer;
mod finish;
mod limit;
#[cfg(not(dynring_loom))]
mod mapped;
mod memory;
mod publish;
mod registry;

pub use claim::{Producer, Refusal};
pub use consumer::{Consumer, Found};
pub use finish::{Wake, Wakeup, carve, finish, shrink};
pub use limit::limit;
#[cfg(not(dynring_loom))]
pub use mapped::{Mapped, Pages, Parts};
pub use memory::{ConsumerPage, HeaderCell, Memory, ProducerPage, Slot, initialise};
pub use registry::{NoFreeSlot, Registration, register, unregister};
