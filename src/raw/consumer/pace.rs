//! Letting records gather for a moment while they come as fast as they are read.
//!
//! A consumer at the heels of producers takes each cache line from them as soon as it is written, and the slots with it. If it lets them
//! get ahead, all lines of many records change hands once. That must not make a record late that comes alone: so there is no pause
//! unless the last look has found something, and none that has not doubled what a look finds is made again soon. What a look finds without
//! one is measured anew all the time. A consumer that has looked in vain, that has work to do between records, or that is its own
//! producer, is hardly held up.

use crate::sync::pause;

/// Spins of the first pause, which each pause that was of use doubles.
const FIRST: u32 = 4;

/// Spins of the longest pause: 1 to 3 microseconds on most processors.
const LONGEST: u32 = 64;

/// Bytes for which nobody needs to pause.
const ENOUGH: u64 = 16 << 10;

/// Looks with a pause, before there is one without.
const PAUSES: u32 = 16;

/// For how many looks there is none after one that was of no use; each time twice as many.
const REST: u32 = 64;
const LONGEST_REST: u32 = 4096;

/// When to pause before a look.
#[derive(Debug)]
pub(super) struct Pace {
    /// Spins before the next look; none while it rests.
    pause: u32,
    /// The pause to go on with after a look without one, if that is of use.
    resume: u32,
    /// Looks with a pause that are left before there is one without.
    pauses: u32,
    /// Bytes that were found without a pause, and at the last look with one.
    without: u64,
    with: u64,
    /// Looks that are left to rest for.
    rest: u32,
    next_rest: u32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { pause: 0, resume: 0, pauses: 0, without: 0, with: 0, rest: 0, next_rest: REST }
    }

    /// Whether there is no pause before this look, whatever the last has found, and nothing to be told of it.
    #[inline]
    pub(super) fn rests(&mut self) -> bool {
        let left = self.rest.checked_sub(1);
        self.rest = left.unwrap_or(0);
        left.is_some()
    }

    #[inline]
    pub(super) fn pause(&self) {
        pause(self.pause);
    }

    /// A look after [`pause`](Self::pause) has found so many bytes more than were known of.
    #[inline]
    pub(super) fn found(&mut self, bytes: u64) {
        if bytes == 0 {
            (self.pause, self.resume) = (0, 0);
        } else if self.pause == 0 {
            self.found_without(bytes);
        } else {
            self.found_with(bytes);
        }
    }

    fn found_without(&mut self, bytes: u64) {
        if bytes >= ENOUGH {
            self.resume = 0;
        } else if self.resume == 0 {
            (self.pause, self.without, self.pauses) = (FIRST, bytes, PAUSES);
        } else if !is_of_use(self.with, bytes) {
            self.was_of_no_use();
        } else {
            (self.pause, self.without, self.pauses) = (self.resume, bytes, PAUSES);
            self.next_rest = REST;
        }
    }

    fn found_with(&mut self, bytes: u64) {
        if !is_of_use(bytes, self.without) {
            return self.was_of_no_use();
        }
        self.with = bytes;
        self.pauses -= 1;
        if self.pauses == 0 {
            (self.pause, self.resume) = (0, self.pause);
        } else if bytes < ENOUGH {
            self.pause = LONGEST.min(2 * self.pause);
        }
    }

    fn was_of_no_use(&mut self) {
        (self.pause, self.resume, self.rest) = (0, 0, self.next_rest);
        self.next_rest = LONGEST_REST.min(2 * self.next_rest);
    }
}

/// Whether a pause is worth it with which so many bytes are found, and without which so many.
fn is_of_use(with: u64, without: u64) -> bool {
    with >= ENOUGH.min(without.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks that find `bytes` bytes each, and as much for each spin before them: how many spins there were before each.
    fn spins(pace: &mut Pace, looks: usize, found: impl Fn(u32) -> u64) -> Vec<u32> {
        let look = |_| {
            if pace.rests() {
                return 0;
            }
            let spins = pace.pause;
            pace.found(found(spins));
            spins
        };
        (0..looks).map(look).collect()
    }

    #[test]
    fn a_stream_is_left_to_gather_longer_and_longer() {
        let found = |spins| 64 + 64 * u64::from(spins);
        assert_eq!(spins(&mut Pace::new(), 8, found), [0, 4, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn what_a_look_in_vain_was_followed_by_is_not_kept_waiting() {
        let mut pace = Pace::new();
        spins(&mut pace, 8, |spins| 64 + 64 * u64::from(spins));
        assert_eq!(spins(&mut pace, 4, |_| 0), [64, 0, 0, 0]);
        assert_eq!(spins(&mut pace, 2, |_| 64), [0, 4]);
    }

    #[test]
    fn pauses_of_no_use_are_rare() {
        let looks = 100_000;
        let spins: u32 = spins(&mut Pace::new(), looks, |_| 16).iter().sum();
        assert!(spins <= FIRST * (looks as u32 / LONGEST_REST + 8), "{spins}");
    }

    /// One short record is no reason to wait for those after it, each of which is longer.
    #[test]
    fn what_was_found_without_a_pause_is_measured_anew() {
        let looks = 100_000;
        for found in [72, 1032, 2 * ENOUGH] {
            let mut pace = Pace::new();
            assert_eq!(spins(&mut pace, 1, |_| 16), [0]);
            let spins = spins(&mut pace, looks, |_| found);
            assert!(spins.iter().sum::<u32>() <= (PAUSES + 16) * LONGEST, "{found}: {:?}", &spins[..40]);
        }
    }

    #[test]
    fn a_stream_is_looked_at_without_a_pause_now_and_then() {
        let stream = spins(&mut Pace::new(), 40, |spins| 64 + 64 * u64::from(spins));
        assert_eq!(stream[16..20], [64, 0, 64, 64]);
        assert_eq!(stream.iter().filter(|&&spins| spins == 0).count(), 3);
    }

    #[test]
    fn who_finds_much_does_not_begin_to_pause() {
        assert_eq!(spins(&mut Pace::new(), 4, |_| ENOUGH), [0; 4]);
    }
}
