//! How much is measured.

use std::time::{Duration, Instant};

use crate::measure::Effort;

/// How much is measured of everything together.
pub struct Plan {
    pub name: &'static str,
    rounds: usize,
    /// What the rounds are to take, if everything goes as it should.
    time: Duration,
    /// What everything may take: where more is lost to what does not count, there are fewer rounds.
    limit: Duration,
}

impl Plan {
    /// One round of as little as can be done.
    pub fn smoke() -> Self {
        Self::new("smoke", 1, Duration::ZERO, Duration::MAX)
    }

    /// Less than two minutes, of which some are left for what cannot be cut short.
    pub fn quick() -> Self {
        Self::new("quick", 7, Duration::from_secs(55), Duration::from_secs(100))
    }

    pub fn full(time: Duration) -> Self {
        Self::new("full", 21, time.mul_f64(0.8), time)
    }

    fn new(name: &'static str, rounds: usize, time: Duration, limit: Duration) -> Self {
        Self { name, rounds, time, limit }
    }

    /// Whether the figures mean anything.
    pub fn tells_speed(&self) -> bool {
        self.time > Duration::ZERO
    }

    /// What it leaves for a case.
    pub fn effort(&self, share: Share) -> Effort {
        // Finding out how much a round can do takes two more.
        let rounds = |peers: usize| u32::try_from((self.rounds + 2) * peers.max(1)).unwrap_or(u32::MAX);
        let planned = self.time / rounds(share.all);
        let part = (share.before + share.peers) as f64 / share.all.max(1) as f64;
        let until = Duration::try_from_secs_f64(self.limit.as_secs_f64() * part).ok();
        let until = until.and_then(|time| share.begun.checked_add(time));
        // What came before may have taken longer than it should.
        let left = until.map(|until| until.saturating_duration_since(Instant::now()) / rounds(share.peers));
        Effort { rounds: self.rounds, round: left.map_or(planned, |left| left.min(planned)), until }
    }
}

/// Which part of everything a case is.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// When everything was begun.
    pub begun: Instant,
    /// Peers of all cases, of those before this one, and its own.
    pub all: usize,
    pub before: usize,
    pub peers: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(begun: Instant) -> Share {
        Share { begun, all: 10, before: 3, peers: 2 }
    }

    #[test]
    fn the_time_that_was_asked_for_is_shared_by_the_rounds() {
        let begun = Instant::now();
        let effort = Plan::full(Duration::from_secs(2300)).effort(half(begun));
        assert_eq!((effort.rounds, effort.round), (21, Duration::from_secs(8)));
        assert_eq!(effort.until, Some(begun + Duration::from_secs(1150)));
    }

    #[test]
    fn what_was_lost_before_is_made_up_for() {
        let Some(begun) = Instant::now().checked_sub(Duration::from_secs(1104)) else { return };
        let effort = Plan::full(Duration::from_secs(2300)).effort(half(begun));
        assert!(effort.round <= Duration::from_secs(1), "{effort:?}");
    }

    #[test]
    fn a_smoke_test_has_one_round_and_no_end() {
        let effort = Plan::smoke().effort(half(Instant::now()));
        assert!(matches!(effort, Effort { rounds: 1, round: Duration::ZERO, until: None }));
    }
}
