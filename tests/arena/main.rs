//! Memory of arenas: taken, shared, found, sent, and given back.

#[path = "../support/mod.rs"]
#[cfg(not(miri))]
mod support;

mod alloc;
mod map;
// Looks the whole arena through after each operation, for which Miri is too slow.
#[cfg(not(miri))]
mod model;
#[cfg(not(miri))]
mod shared;
mod spares;
mod threads;
mod token;

use std::error::Error;

pub(crate) type TestResult = Result<(), Box<dyn Error>>;

/// Numbers that are the same in every run.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
