//! Rounds of all peers of a case in turn: A B C A B C.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::case::{Case, Round};
use crate::report::{CaseReport, PeerReport, quantile};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds of each peer that count.
    pub rounds: usize,
    /// How long a round should take, whatever it does besides what counts included; zero: as little as can be done.
    pub round: Duration,
    /// When there are enough rounds, if there are [`FEWEST`].
    pub until: Option<Instant>,
}

/// Rounds of each peer that there are in any case, if so many were asked for.
const FEWEST: usize = 3;

/// A peer in the making.
struct Entry {
    name: String,
    at: Option<u64>,
    round: Round,
    operations: u64,
    samples: Vec<f64>,
}

/// Measures all peers of the case. `done` is called after each round.
pub fn measure(case: Case, effort: Effort, done: impl Fn()) -> Result<CaseReport> {
    let Case { name, kind, at, unit, moves, baseline, peers, goals, skipped } = case;
    let mut entries = Vec::new();
    for peer in peers {
        let round = (peer.set_up)().with_context(|| format!("{name}: {}", peer.name))?;
        entries.push(Entry { name: peer.name, at: peer.at, round, operations: 1, samples: Vec::new() });
    }
    for entry in &mut entries {
        entry.warm_up(effort.round).with_context(|| format!("{name}: {}", entry.name))?;
        done();
    }
    for nth in 0..effort.rounds {
        if nth >= FEWEST && effort.until.is_some_and(|until| Instant::now() > until) {
            break;
        }
        for entry in &mut entries {
            entry.measure(effort.round).with_context(|| format!("{name}: {}", entry.name))?;
            done();
        }
    }
    let peers = entries.into_iter().map(|entry| PeerReport::new(entry.name, entry.at, &entry.samples)).collect();
    let (kind, unit) = (kind.to_owned(), unit.to_owned());
    Ok(CaseReport { name, kind, at, unit, moves, baseline, peers, goals: Vec::new(), skipped }.compared(&goals))
}

impl Entry {
    /// Finds out how many operations take about `round`, and warms up.
    fn warm_up(&mut self, round: Duration) -> Result<()> {
        loop {
            let took = self.time_round()?;
            // One that was interrupted looks like one that has much to do.
            let took = if took >= round / 2 { took.min(self.time_round()?) } else { took };
            if took >= round / 2 || self.operations > 1 << 40 {
                let scale = round.as_secs_f64() / took.as_secs_f64().max(1e-9);
                self.operations = ((self.operations as f64 * scale) as u64).max(1);
                return Ok(());
            }
            self.operations *= 2;
        }
    }

    /// One round that counts. If it was much shorter than it should be, so that it says less, the next does more.
    fn measure(&mut self, round: Duration) -> Result<()> {
        let begun = Instant::now();
        let sample = (self.round)(self.operations)?;
        if begun.elapsed() < round / 2 {
            self.operations *= 2;
        }
        self.samples.push(sample.0);
        Ok(())
    }

    fn time_round(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        (self.round)(self.operations)?;
        Ok(begun.elapsed())
    }
}

/// The `part` of `parts` quantile of what was measured many times in one round.
pub fn quantile_of(mut samples: Vec<f64>, part: usize, parts: usize) -> f64 {
    samples.sort_by(f64::total_cmp);
    quantile(&samples, part, parts)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::case::{At, Sample};

    /// A case whose peers note when it is their turn, and what came of it.
    fn measured(rounds: usize, until: Option<Instant>) -> (CaseReport, String) {
        let turns = Rc::new(RefCell::new(String::new()));
        let mut case = Case::new("turns", At::default(), "turns", "ns");
        for (name, took) in [("a", 3.0), ("b", 6.0)] {
            let turns = Rc::clone(&turns);
            let round: Round = Box::new(move |_| {
                turns.borrow_mut().push_str(name);
                Ok(Sample(took))
            });
            case = case.peer(name, move || Ok(round));
        }
        let effort = Effort { rounds, round: Duration::ZERO, until };
        let report = measure(case.goal("a", 0.5, &["b"]), effort, || ()).unwrap();
        let turns = turns.borrow().clone();
        (report, turns)
    }

    #[test]
    fn peers_take_turns() {
        let (report, turns) = measured(2, None);
        assert!(turns.ends_with("abab"), "{turns}");
        assert!(report.peers.iter().all(|peer| peer.samples.len() == 2));
        assert_eq!((report.peers[1].to_best, report.goals[0].ratio, report.goals[0].met), (2.0, 0.5, true));
    }

    #[test]
    fn when_time_is_up_there_are_no_more_rounds_than_the_fewest() {
        let (report, _) = measured(10, Some(Instant::now()));
        assert!(report.peers.iter().all(|peer| peer.samples.len() == FEWEST));
    }
}
