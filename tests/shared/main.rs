//! Rings that processes share.
#![cfg(not(miri))]

#[path = "../support/mod.rs"]
mod support;

mod alone;
mod attach;
mod attackers;
mod copies;
mod forge;
mod malice;
mod post;
mod refuse;
mod resources;
mod rights;
mod trade;
