//! Until when to wait.

use core::time::Duration;
use std::time::Instant;

/// A point in time, or never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// `timeout` from now; never if it is `None` or further off than clocks go.
    pub(crate) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// The sooner of this and `at_most` from now.
    pub(crate) fn or_after(self, at_most: Option<Duration>) -> Self {
        let other = Self::after(at_most);
        Self(self.0.into_iter().chain(other.0).min())
    }

    /// What is left; `None` if the deadline never comes. Zero once it has passed.
    pub(crate) fn remaining(self) -> Option<Duration> {
        self.0.map(|instant| instant.saturating_duration_since(Instant::now()))
    }

    /// Whether it has passed.
    pub(crate) fn has_passed(self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }
}
