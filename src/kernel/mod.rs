//! Rings that the kernel made: `BPF_MAP_TYPE_RINGBUF`.
//!
//! BPF programs produce, this process consumes. Opening one takes a descriptor of the map, wherever it comes from:
//! libbpf, aya or a loader of one's own, a pin in bpffs, a Unix socket.

mod error;
mod map;
mod ringbuf;

pub use error::{OpenError, OpenStep};
pub use ringbuf::RingBuf;
