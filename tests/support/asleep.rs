//! Whether a thread sleeps, as the system sees it.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// A thread of this process.
pub struct Watched {
    stat: PathBuf,
}

impl Watched {
    /// The thread that calls.
    pub fn current() -> Self {
        let thread = fs::read_link("/proc/thread-self").unwrap();
        Self { stat: PathBuf::from("/proc").join(thread).join("stat") }
    }

    /// Whether it sleeps, or has ended.
    fn sleeps(&self) -> bool {
        let Ok(stat) = fs::read_to_string(&self.stat) else { return true };
        let (_, state) = stat.rsplit_once(") ").unwrap();
        state.starts_with('S')
    }

    /// Returns once it sleeps or has ended.
    pub fn until_asleep(&self) {
        while !self.sleeps() {
            thread::yield_now();
        }
    }
}

/// Long enough for a thread that was woken, though it should not have been, to be seen awake.
pub fn moment() {
    thread::sleep(Duration::from_millis(50));
}
