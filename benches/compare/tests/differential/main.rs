//! dynring, libbpf-rs and aya on rings of the kernel that programs have filled alike; dynring and libbpf-rs on rings that the
//! kernel drains, which they have filled alike. Where they are known to differ, how.
//!
//! `DYNRING_DIFFERENTIAL_RECORDS` says how many records each of the two long tests goes through; 100,000 if it says nothing.

mod differences;
mod plan;
mod readers;
mod records;
#[allow(clippy::manual_is_multiple_of, reason = "shared with what builds with an older Rust")]
#[path = "../../../../tests/support/mod.rs"]
mod support;
mod user;

use anyhow::{Context, Result};

/// How many records to go through.
fn records() -> Result<u64> {
    match std::env::var("DYNRING_DIFFERENTIAL_RECORDS") {
        Ok(count) => count.replace('_', "").parse().context("DYNRING_DIFFERENTIAL_RECORDS"),
        Err(_) => Ok(100_000),
    }
}
