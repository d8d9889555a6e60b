//! Dynamic pointers, against those of the kernel that the tests run on: the same operations there and here, in random order,
//! must have the same results, and leave the same bytes behind.

mod generate;
mod memory;
mod ops;
mod ours;
mod packets;
mod program;
#[path = "../support/mod.rs"]
mod support;

use support::bpf;
