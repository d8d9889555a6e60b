//! Rings that the kernel made.
//!
//! | map type | BPF programs | this process | |
//! |---|---|---|---|
//! | `BPF_MAP_TYPE_RINGBUF` | produce | consumes | [`RingBuf`] |
//! | the same with `BPF_F_RB_OVERWRITE` | produce, overwriting | takes snapshots | [`OverwriteRingBuf`] |
//! | `BPF_MAP_TYPE_USER_RINGBUF` | consume | produces | [`UserRingBuf`] |
//!
//! Opening one takes a descriptor of the map, wherever it comes from: libbpf, aya or a loader of one's own, a Unix socket. The
//! first two can be opened by the path of a pin in bpffs, or by the map's id, too.

mod error;
mod find;
#[doc(hidden)]
pub mod image;
mod map;
mod observer;
mod open;
mod overwrite;
mod ringbuf;
mod snapshot;
mod user_ringbuf;

pub use crate::raw::SnapshotEnd;
pub use error::{OpenError, OpenStep};
pub use observer::Observer;
pub use overwrite::OverwriteRingBuf;
pub use ringbuf::RingBuf;
pub use snapshot::{Snapshot, SnapshotError, SnapshotRecord, SnapshotRecords};
pub use user_ringbuf::UserRingBuf;
