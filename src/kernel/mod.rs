//! Rings that the kernel made.
//!
//! | map type | BPF programs | this process | |
//! |---|---|---|---|
//! | `BPF_MAP_TYPE_RINGBUF` | produce | consumes | [`RingBuf`] |
//! | `BPF_MAP_TYPE_USER_RINGBUF` | consume | produces | [`UserRingBuf`] |
//!
//! Opening one takes a descriptor of the map, wherever it comes from: libbpf, aya or a loader of one's own, a Unix socket. The
//! first can be opened by the path of a pin in bpffs, or by the map's id, too.

mod error;
mod find;
mod map;
mod observer;
mod open;
mod ringbuf;
mod user_ringbuf;

pub use error::{OpenError, OpenStep};
pub use observer::Observer;
pub use ringbuf::RingBuf;
pub use user_ringbuf::UserRingBuf;
