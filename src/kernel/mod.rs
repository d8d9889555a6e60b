//! Rings that the kernel made: `BPF_MAP_TYPE_RINGBUF`.
//!
//! BPF programs produce, this process consumes. Opening one takes a descriptor of the map, wherever it comes from:
//! libbpf, aya or a loader of one's own, a Unix socket. Or a pin in bpffs, or the map's id.

mod error;
mod find;
mod map;
mod observer;
mod ringbuf;

pub use error::{OpenError, OpenStep};
pub use observer::Observer;
pub use ringbuf::RingBuf;
