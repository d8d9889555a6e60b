//! Words that must not share a cache line with others.

pub use crossbeam_utils::CachePadded;

// The layout of the pages relies on it: x86-64 and aarch64 prefetch lines of 64 bytes in pairs.
const _: () = assert!(align_of::<CachePadded<u8>>() == 128);
