//! The protocol: reserve, finish, consume, sleep, on any [`Memory`].
//!
//! It works on positions; the memory hands out the words. Its every atomic access names its [`Edge`](crate::sync::Edge);
//! `docs::internal` has the proof.

mod bytes;
mod claim;
mod consumer;
mod finish;
mod limit;
#[cfg(not(dynring_loom))]
mod mapped;
mod memory;
mod publish;
#[cfg(not(dynring_loom))]
mod record;
mod registry;
#[cfg(not(dynring_loom))]
mod reservation;
#[cfg_attr(miri, allow(dead_code, reason = "there is no kernel under Miri"))]
mod resume;
#[cfg(not(dynring_loom))]
mod seat;
#[cfg_attr(miri, allow(dead_code, reason = "there is no kernel under Miri"))]
mod snapshot;

pub use claim::{Producer, Refusal};
pub use consumer::{Consumer, Found};
pub use finish::{Wakeup, carve, finish, shrink};
pub use limit::limit;
#[cfg(not(dynring_loom))]
pub use mapped::{Mapped, Pages, Parts, Rules};
use memory::released;
pub use memory::{ConsumerPage, HeaderCell, Memory, ProducerPage, Sleeper, Slot, initialise};
#[cfg(not(dynring_loom))]
#[cfg_attr(miri, allow(unused_imports, reason = "there is no epoll under Miri"))]
pub use record::{Held, Taken, peek};
pub use registry::{Figures, NoFreeSlot, Registration, claim_consumer, close, figures, open, register, unregister};
#[cfg(not(dynring_loom))]
pub use reservation::{Leased, Reservation, Reservations};
#[cfg_attr(miri, allow(unused_imports, reason = "there is no kernel under Miri"))]
pub use resume::{Unusable, resume};
#[cfg(not(dynring_loom))]
pub use seat::Seat;
#[cfg_attr(miri, allow(unused_imports, reason = "there is no kernel under Miri"))]
pub use snapshot::{Copied, Extent, Overwritten, SnapshotEnd, Snapshots, Unread};
