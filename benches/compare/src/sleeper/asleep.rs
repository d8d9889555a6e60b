//! Whether another thread sleeps, as the system sees it.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::common::{back_off, cores};

/// How long a thread has to fall asleep.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a thread says of itself when it goes to sleep.
#[derive(Debug, Default)]
pub struct Bed {
    thread: AtomicU64,
    nights: AtomicU64,
}

impl Bed {
    /// Said by the thread that is about to go to sleep.
    pub fn going(&self) {
        self.thread.store(rustix::thread::gettid().as_raw_nonzero().get() as u64, Ordering::Relaxed);
        self.nights.fetch_add(1, Ordering::Release);
    }

    /// Waits until the thread has gone to sleep for the `nth` time, and sleeps.
    pub fn wait_for(&self, nth: u64) -> Result<()> {
        let begun = Instant::now();
        while self.nights.load(Ordering::Acquire) < nth || !self.sleeps()? {
            ensure!(begun.elapsed() < PATIENCE, "the thread does not sleep");
            back_off(cores() < 2);
        }
        Ok(())
    }

    fn sleeps(&self) -> Result<bool> {
        let stat = fs::read_to_string(format!("/proc/self/task/{}/stat", self.thread.load(Ordering::Relaxed)))?;
        // The name of the thread is in parentheses, and may contain some.
        let (_, state) = stat.rsplit_once(") ").context("no state")?;
        Ok(state.starts_with('S'))
    }
}
