//! Rings that the kernel drains, against the kernel that the tests run on.

mod drain;
mod open;
mod processes;
mod producers;
mod samples;
mod selftests;
#[path = "../support/mod.rs"]
mod support;
mod wait;
