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
    explained:
        "A program fills a ring of the kernel, and the peer drains it: every byte read, or the first word of each record
        (drain); the peer fills a user ring, from one thread or from several, and a program drains it (fill). What the
        program does does not count. The bare loop is what one writes by hand on mapped memory, with nothing checked.
        Takes the right to use bpf(2).",
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
