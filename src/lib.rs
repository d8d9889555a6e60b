//! A ring of variable-size records.

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("dynring maps memory as the Linux kernel does, with 64-bit positions: it needs 64-bit Linux");

pub mod docs;
mod dynptr;
mod mapping;
mod notify;
#[expect(unsafe_code, reason = "hands out the words and bytes of shared memory")]
mod raw;
mod ring;
mod sync;
#[expect(unsafe_code, reason = "system calls and maps")]
mod sys;
pub mod wire;

pub use dynptr::{DynPtr, DynPtrError, Reserved, TooLong};
pub use notify::Readiness;
pub use raw::Wakeup;
pub use ring::{
    Batch, BuildError, Builder, Consumer, ConsumerTaken, Lease, Limits, Producer, Record, RegisterError, ReserveError,
    ReservedBatch, Ring, Stats,
};
pub use wire::Corrupt;
