//! dynring's protocol on the model checker's atomics.
//!
//! The rooms below are the very files that the library is made of; only `sync` switches its atomics. [`model`] is the
//! memory they run on here, and what a test needs to drive them.
#![allow(missing_docs, reason = "documented where the library is built")]
#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc, reason = "what panics here fails a test")]

#[expect(unsafe_code, reason = "declares the memory's contract")]
#[path = "../../src/raw/mod.rs"]
pub mod raw;
#[path = "../../src/sync/mod.rs"]
pub mod sync;
#[path = "../../src/wire/mod.rs"]
pub mod wire;

pub mod arena;
pub mod atomic;
pub mod model;
pub mod overwriting;
