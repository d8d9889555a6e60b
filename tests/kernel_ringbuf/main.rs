//! Rings of the kernel, against the kernel that the tests run on.

mod map;
mod open;
mod positions;
mod reader;
mod records;
#[path = "../support/mod.rs"]
mod support;
mod wait;

use support::bpf;
