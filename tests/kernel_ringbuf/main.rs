//! Rings of the kernel, against the kernel that the tests run on.

mod find;
mod map;
mod merge;
mod observer;
mod open;
mod overwrite;
mod positions;
mod query;
mod reader;
mod records;
mod set;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../examples/quickstart/trace.rs"]
mod trace;
mod tracing;
mod wait;

use support::bpf;
