//! Rings in a file, byte by byte as a kernel would show them, or as no kernel would.
#![cfg(not(miri))]

mod consumer;
mod image;
mod open;
#[path = "../support/overwriting.rs"]
mod overwriting;
#[path = "../support/pages.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod pages;
mod race;
mod snapshot;
