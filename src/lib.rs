//! A ring of variable-size records.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("dynring maps memory as the Linux kernel does, with 64-bit positions: it needs 64-bit Linux");

pub mod kernel;
#[doc(hidden)]
#[expect(unsafe_code, reason = "hands out the words of shared memory")]
pub mod raw;
#[doc(hidden)]
pub mod sync;
#[expect(unsafe_code, reason = "calls the operating system")]
mod sys;
pub mod wire;
