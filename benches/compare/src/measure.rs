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
}

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
    for _ in 0..effort.rounds {
        for entry in &mut entries {
            let sample = (entry.round)(entry.operations).with_context(|| format!("{name}: {}", entry.name))?;
            entry.samples.push(sample.0);
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
