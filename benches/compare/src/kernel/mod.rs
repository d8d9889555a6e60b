//! Rings of the kernel: draining those that programs fill, and filling those that programs drain.

#[path = "../../../common/bare.rs"]
mod bare;
mod drain;
mod user;

use anyhow::Result;

use crate::case::{Case, Group};
use crate::support;

pub const GROUP: Group = Group {
    name: "kernel",
    about: "rings of the kernel, drained and filled",
    packages: &["aya", "libbpf-rs", "libbpf-sys"],
    ready,
    needs: "kernel",
    cases,
};

/// Whether maps and programs can be made here.
fn ready() -> Result<()> {
    support::bpf::Ring::new(support::pages::page_size() as u32)?;
    support::drain::UserRing::new(support::pages::page_size() as u32)?;
    Ok(())
}

fn cases() -> Vec<Case> {
    drain::cases().into_iter().chain(user::cases()).collect()
}
