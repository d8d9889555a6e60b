//! What tests need besides the crate.

#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]

pub(crate) mod bpf;
pub(crate) mod bpffs;
pub(crate) mod btf;
pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod drain;
pub(crate) mod pages;
pub(crate) mod places;
pub(crate) mod privilege;
pub(crate) mod random;
pub(crate) mod signals;
pub(crate) mod stall;
pub(crate) mod victim;
pub(crate) mod vmlinux;
pub(crate) mod watch;

pub(crate) use stall::is_readable;
pub(crate) use watch::Watch;

use std::fmt::Display;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd};

/// What a test needs of the machine, if it is there. If not, a visible line says that the test is skipped; unless the
/// environment variable `DYNRING_REQUIRE`, a list with commas, names `what`: then the test fails.
pub(crate) fn require<T, E: Display>(what: &str, found: Result<T, E>) -> Option<T> {
    let why = match found {
        Ok(found) => return Some(found),
        Err(why) => why,
    };
    let required = std::env::var("DYNRING_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == what), "DYNRING_REQUIRE names {what}: {why}");
    let thread = std::thread::current();
    let line = format!("skipped: {}: {what}: {why}\n", thread.name().unwrap_or("?"));
    // The macros that print are captured when a test passes; this is not.
    let _ = io::stderr().write_all(line.as_bytes());
    None
}

/// A kernel that lets this process make a ring of `bytes` bytes, and programs for it.
pub(crate) fn require_kernel(bytes: u32) -> Option<bpf::Ring> {
    require("kernel", bpf::Ring::new(bytes))
}

/// A kernel that lets this process make a ring of `bytes` bytes to fill, and programs that drain it.
pub(crate) fn require_user_ring(bytes: u32) -> Option<drain::UserRing> {
    require("kernel", drain::UserRing::new(bytes))
}

/// The number of the map, which is in the descriptor's fdinfo.
pub(crate) fn id_of(map: BorrowedFd<'_>) -> io::Result<u32> {
    let fdinfo = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", map.as_raw_fd()))?;
    let id = fdinfo.lines().find_map(|line| line.strip_prefix("map_id:")?.trim().parse().ok());
    id.ok_or_else(|| io::Error::other(fdinfo))
}
