//! How long a record waits for older ones of other rings.

use core::time::Duration;
use std::collections::VecDeque;
use std::time::Instant;

use crate::wire::Position;

/// In how many parts a window is measured. A record waits for as many, and for the rest of the one in which it was seen.
const PARTS: u64 = 8;

/// The reorder window, and the clock that it is measured by, which counts its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    begun: Instant,
    part: Duration,
}

impl Window {
    pub(super) fn new(window: Duration) -> Self {
        let part = window / PARTS as u32;
        // A window of a few nanoseconds is none.
        Self { begun: Instant::now(), part }
    }

    pub(super) fn is_zero(self) -> bool {
        self.part.is_zero()
    }

    /// How many parts have passed.
    pub(super) fn now(self) -> u64 {
        if self.is_zero() { 0 } else { (self.begun.elapsed().as_nanos() / self.part.as_nanos()) as u64 }
    }

    /// How long it takes until what was seen at `seen` has waited long enough.
    pub(super) fn remaining(self, seen: u64) -> Duration {
        let due = self.part.as_nanos().saturating_mul(u128::from(ripe_at(seen)));
        let remaining = due.saturating_sub(self.begun.elapsed().as_nanos());
        Duration::from_nanos(u64::try_from(remaining).unwrap_or(u64::MAX))
    }
}

/// When what was seen at `seen` has waited long enough.
fn ripe_at(seen: u64) -> u64 {
    seen.saturating_add(PARTS + 1)
}

/// When what was seen of a ring.
///
/// # Invariants
/// 1. `seen` is in ascending order of both, with each time once; none is older than a record waits. So it never grows beyond a
///    few more entries than a window has parts.
/// 2. Everything below `ripe` has waited long enough.
#[derive(Debug)]
pub(super) struct Marks {
    /// Everything below the position was seen at the time or before.
    seen: VecDeque<(u64, Position)>,
    ripe: Position,
    end: Position,
}

impl Marks {
    /// Nothing is seen of a ring that begins at `start`.
    pub(super) fn new(start: Position) -> Self {
        Self { seen: VecDeque::with_capacity(PARTS as usize + 2), ripe: start, end: start }
    }

    /// It is `now`.
    pub(super) fn ripen(&mut self, now: u64) {
        while let Some(&(_, end)) = self.seen.front().filter(|(seen, _)| ripe_at(*seen) <= now) {
            self.ripe = end;
            self.seen.pop_front();
        }
    }

    /// Everything below `end` is seen `now`, which is no earlier than any time before.
    pub(super) fn note(&mut self, now: u64, end: Position) {
        if end == self.end {
            return;
        }
        self.end = end;
        match self.seen.back_mut() {
            Some(last) if last.0 == now => last.1 = end,
            _ => self.seen.push_back((now, end)),
        }
    }

    /// Everything below `end` is seen, and does not wait.
    pub(super) fn note_ripe(&mut self, end: Position) {
        (self.ripe, self.end) = (end, end);
    }

    /// Whether a record that starts at `at` has waited long enough.
    pub(super) fn is_ripe(&self, at: Position) -> bool {
        self.ripe.is_after(at)
    }

    /// Whether a record that starts at `at` was noted as seen.
    pub(super) fn is_noted(&self, at: Position) -> bool {
        self.end.is_after(at)
    }

    /// When a record that starts at `at`, and has not waited long enough, was seen; `None` if it was not noted.
    pub(super) fn seen_at(&self, at: Position) -> Option<u64> {
        self.seen.iter().find(|(_, end)| end.is_after(at)).map(|(seen, _)| *seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE_WRAP: u64 = 0u64.wrapping_sub(48);

    fn at(bytes: u64) -> Position {
        Position::new(BEFORE_WRAP).advance(bytes)
    }

    #[test]
    fn what_was_seen_waits_for_a_window_and_no_more_than_a_part_longer() {
        let mut marks = Marks::new(at(0));
        marks.note(3, at(16));
        marks.note(3, at(32));
        marks.note(5, at(80));
        for now in 3..=3 + PARTS {
            marks.ripen(now);
            assert!(!marks.is_ripe(at(0)), "at {now}");
        }
        assert_eq!((marks.seen_at(at(0)), marks.seen_at(at(32))), (Some(3), Some(5)));
        marks.ripen(3 + PARTS + 1);
        assert!(marks.is_ripe(at(24)) && !marks.is_ripe(at(32)));
        assert_eq!((marks.seen_at(at(72)), marks.seen_at(at(80))), (Some(5), None));
        marks.ripen(1000);
        assert!(marks.is_ripe(at(72)) && !marks.is_ripe(at(80)));
    }

    #[test]
    fn marks_do_not_pile_up() {
        let mut marks = Marks::new(at(0));
        let room = marks.seen.capacity();
        for nth in 0..10_000 {
            let now = nth / 7;
            marks.ripen(now);
            marks.note(now, at(8 * nth));
        }
        assert_eq!(marks.seen.capacity(), room);
    }

    #[test]
    fn a_window_is_measured_by_the_clock() {
        let window = Window::new(Duration::from_secs(8000));
        assert_eq!(window.now(), 0);
        let remaining = window.remaining(0);
        assert!(remaining > Duration::from_secs(8000) && remaining <= Duration::from_secs(9000), "{remaining:?}");
        let ever = Window::new(Duration::MAX);
        assert_eq!((ever.now(), ever.remaining(u64::MAX)), (0, Duration::from_nanos(u64::MAX)));
        assert!(Window::new(Duration::ZERO).is_zero() && !Window::new(Duration::from_micros(1)).is_zero());
    }
}
