//! Rings that the kernel made: `BPF_MAP_TYPE_RINGBUF`.
//!
//! BPF programs produce, this process consumes. Opening one takes a descriptor of the map, however it was come by: from
//! libbpf, aya or a loader of one's own, from a pin in bpffs, or over a Unix socket.

mod error;
mod ringbuf;

pub use error::{OpenError, OpenStep};
pub use ringbuf::RingBuf;
