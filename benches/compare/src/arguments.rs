//! What the program is told, and how much it measures then.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;

use crate::groups::{self, GROUPS};
use crate::measure::Effort;
use crate::readme;

/// Measures dynring and its peers side by side, in interleaved rounds: medians, and their ratios.
#[derive(Clone, Debug, Parser)]
#[command(after_long_help = groups::explained())]
pub struct Arguments {
    /// Less than two minutes in all.
    #[arg(long)]
    pub quick: bool,
    /// One round of as little as can be done, to see that everything works. Says nothing about speed.
    #[arg(long, conflicts_with = "quick")]
    pub smoke: bool,
    /// Only these groups.
    #[arg(long, value_name = "GROUP", value_parser = GROUPS.iter().map(|group| group.name).collect::<Vec<_>>())]
    pub only: Vec<String>,
    /// Only cases with this in their names.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub case: String,
    /// Minutes that all of it may take.
    #[arg(long, value_name = "MINUTES", default_value_t = 15.0)]
    pub minutes: f64,
    /// Where results.json and the plots are written: target/compare of this crate unless said otherwise.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Shows what there is to measure, and measures nothing.
    #[arg(long)]
    pub list: bool,
    /// Plots what was measured before, from its results.json, and measures nothing.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Measures what the README shows: everything, into the results folder of this crate, and then as --readme.
    #[arg(long, conflicts_with_all = ["only", "case", "output", "list", "plot", "smoke"])]
    pub publish: bool,
    /// Brings the README's figures up to date with the results folder of this crate, and measures nothing.
    #[arg(long, conflicts_with_all = ["list", "plot", "publish"])]
    pub readme: bool,
    /// Plays the other process's part.
    #[arg(long, hide = true, value_name = "PART")]
    pub child: Option<String>,
    /// On the core with this number.
    #[arg(long, hide = true, requires = "child")]
    pub core: Option<usize>,
}

impl Arguments {
    /// Where to write to.
    pub fn directory(&self) -> PathBuf {
        match &self.output {
            Some(directory) => directory.clone(),
            None if self.publish => readme::results(),
            None => Path::new(env!("CARGO_MANIFEST_DIR")).join("target/compare"),
        }
    }
}

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
    pub fn of(arguments: &Arguments) -> Result<Self> {
        ensure!(arguments.minutes > 0.0, "--minutes: more than 0 are needed");
        let all = Duration::from_secs_f64(60.0 * arguments.minutes);
        Ok(match arguments {
            Arguments { smoke: true, .. } => Self::new("smoke", 1, Duration::ZERO, Duration::MAX),
            Arguments { quick: true, .. } => Self::new("quick", 7, Duration::from_secs(55), Duration::from_secs(100)),
            _ => Self::new("full", 21, all.mul_f64(0.8), all),
        })
    }

    fn new(name: &'static str, rounds: usize, time: Duration, limit: Duration) -> Self {
        Self { name, rounds, time, limit }
    }

    /// Whether the figures mean anything.
    pub fn tells_speed(&self) -> bool {
        self.time > Duration::ZERO
    }

    /// What it leaves for each round of a case, which is over when `part` of all that there is to measure is. Finding out how much
    /// a round can do takes two more.
    pub fn effort(&self, peers: usize, begun: Instant, part: f64) -> Effort {
        let rounds = (self.rounds + 2) * peers.max(1);
        let round = self.time / u32::try_from(rounds).unwrap_or(u32::MAX);
        let until = Duration::try_from_secs_f64(self.limit.as_secs_f64() * part).ok();
        Effort { rounds: self.rounds, round, until: until.and_then(|time| begun.checked_add(time)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_was_asked_for_is_shared_by_the_rounds() {
        let arguments = Arguments::parse_from(["compare", "--minutes", "23"]);
        let begun = Instant::now();
        let effort = Plan::of(&arguments).unwrap().effort(10, begun, 0.5);
        assert_eq!(effort.rounds, 21);
        assert_eq!(effort.round.as_secs_f64(), 23.0 * 60.0 * 0.8 / 23.0 / 10.0);
        assert_eq!(effort.until, Some(begun + Duration::from_secs(23 * 30)));
    }

    #[test]
    fn a_smoke_test_has_one_round_and_no_end() {
        let effort = Plan::of(&Arguments::parse_from(["compare", "--smoke"])).unwrap().effort(10, Instant::now(), 0.5);
        assert!(matches!(effort, Effort { rounds: 1, round: Duration::ZERO, until: None }));
    }

    #[test]
    fn no_time_at_all_is_refused() {
        assert!(Plan::of(&Arguments::parse_from(["compare", "--minutes", "0"])).is_err());
    }

    #[test]
    fn help_explains_each_group() {
        let help = <Arguments as clap::CommandFactory>::command().render_long_help().to_string();
        for group in GROUPS {
            assert!(help.contains(&format!("{}: {}", group.name, group.about)), "{} is not explained", group.name);
        }
    }
}
