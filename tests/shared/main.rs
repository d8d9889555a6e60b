//! Rings that processes share.
#![cfg(not(miri))]

#[path = "../support/mod.rs"]
mod support;

mod attach;
mod trade;
