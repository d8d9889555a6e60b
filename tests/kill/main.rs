//! Rings that processes share, and processes that are killed for good.
//!
//! An ordinary run kills at some places only; `DYNRING_KILL=all` kills at every one, which takes minutes. What a run has done is
//! printed.
#![cfg(not(miri))]

#[path = "../support/mod.rs"]
mod support;

mod consumer;
mod contended;
mod headers;
mod operation;
mod producer;
mod random;
mod scene;
mod stopped;
