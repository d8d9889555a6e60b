//! Rings that processes share, and processes that are killed for good.
//!
//! An ordinary run kills at some places only; with `DYNRING_KILL=all` it is at every one, or at a thousand of what takes more than
//! 4,000 instructions. That is for `--release`, and takes about half an hour. What a run has done is printed.
#![cfg(not(miri))]

#[path = "../support/mod.rs"]
mod support;

mod arena;
mod arena_states;
#[allow(dead_code, reason = "one of its functions is for others")]
#[path = "../support/asleep.rs"]
mod asleep;
mod attach;
mod consumer;
mod contended;
mod everybody;
mod forked;
mod headers;
mod operation;
mod producer;
mod random;
mod repair;
mod scene;
mod stopped;
mod wake;
