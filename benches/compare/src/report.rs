//! What came of it, as it is written to a file and read again.

use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::case::{At, Goal, Skipped, is_ours};
use crate::machine::Machine;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    pub machine: Machine,
    /// When it was begun, as RFC 3339 has it.
    pub date: String,
    /// What the program was told.
    pub arguments: Vec<String>,
    /// How much was measured: `smoke`, `quick`, `full`.
    pub effort: String,
    pub groups: Vec<GroupReport>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GroupReport {
    pub name: String,
    pub cases: Vec<CaseReport>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CaseReport {
    pub name: String,
    pub kind: String,
    pub at: At,
    pub unit: String,
    /// Bytes that an operation moves.
    pub moves: Option<u64>,
    pub baseline: Option<String>,
    pub peers: Vec<PeerReport>,
    pub goals: Vec<GoalReport>,
    pub skipped: Vec<Skipped>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PeerReport {
    pub name: String,
    pub at: Option<u64>,
    pub median: f64,
    pub lower_quartile: f64,
    pub upper_quartile: f64,
    pub to_best: f64,
    pub to_baseline: Option<f64>,
    /// Of each round, in order.
    pub samples: Vec<f64>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GoalReport {
    pub peer: String,
    pub others: Vec<String>,
    pub at_most: f64,
    /// The ratio of the medians.
    pub ratio: f64,
    pub met: bool,
}

impl Report {
    pub fn read(path: &Path) -> Result<Self> {
        let json = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
        serde_json::from_str(&json).with_context(|| format!("{}: not what this version writes", path.display()))
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, self.json()?).with_context(|| format!("{}", path.display()))
    }

    pub fn json(&self) -> Result<String> {
        let mut json = Vec::new();
        self.serialize(&mut Serializer::with_formatter(&mut json, Lines::default()))?;
        json.push(b'\n');
        Ok(String::from_utf8(json)?)
    }

    /// The cases of that kind.
    pub fn cases(&self, group: &str, kind: &str) -> impl Iterator<Item = &CaseReport> {
        let groups = self.groups.iter().filter(move |found| found.name == group);
        groups.flat_map(|group| &group.cases).filter(move |case| case.kind == kind)
    }
}

impl PeerReport {
    /// Ratios are filled in when all peers are known.
    pub fn new(name: String, at: Option<u64>, samples: &[f64]) -> Self {
        let samples: Vec<_> = samples.iter().map(|&sample| rounded(sample)).collect();
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let [lower_quartile, median, upper_quartile] = [1, 2, 3].map(|quarter| rounded(quantile(&sorted, quarter, 4)));
        Self { name, at, median, lower_quartile, upper_quartile, to_best: 1.0, to_baseline: None, samples }
    }
}

/// To thousandths: clocks say no more.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The `part` of `parts` quantile, between two samples if need be.
pub fn quantile(sorted: &[f64], part: usize, parts: usize) -> f64 {
    let last = sorted.len().saturating_sub(1) * part;
    let (below, rest) = (last / parts, last % parts);
    let at = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or(f64::NAN);
    at(below) + (at(below + 1) - at(below)) * rest as f64 / parts as f64
}

impl CaseReport {
    /// Fills in the ratios, and whether the goals are met.
    pub fn compared(mut self, goals: &[Goal]) -> Self {
        let best = self.peers.iter().map(|peer| peer.median).fold(f64::INFINITY, f64::min);
        let base = self.baseline.as_deref().and_then(|name| self.median_of(name));
        self.goals = goals.iter().filter_map(|goal| GoalReport::new(goal, |name| self.median_of(name))).collect();
        for peer in &mut self.peers {
            peer.to_best = rounded(peer.median / best);
            peer.to_baseline = base.map(|base| rounded(peer.median / base));
        }
        self
    }

    pub fn median_of(&self, wanted: &str) -> Option<f64> {
        self.peers.iter().find(|peer| peer.name == wanted).map(|peer| peer.median)
    }

    /// The fastest of the peers that are not dynring, and are not left out.
    pub fn best_other(&self, without: &[&str]) -> Option<&PeerReport> {
        let others = self.peers.iter().filter(|peer| !is_ours(&peer.name) && !without.contains(&peer.name.as_str()));
        others.min_by(|one, other| one.median.total_cmp(&other.median))
    }
}

impl GoalReport {
    /// Nothing if not all of those concerned were measured.
    fn new(goal: &Goal, median_of: impl Fn(&str) -> Option<f64>) -> Option<Self> {
        let others: Option<Vec<f64>> = goal.others.iter().map(|other| median_of(other)).collect();
        let best = others?.into_iter().fold(f64::INFINITY, f64::min);
        let ratio = rounded(median_of(&goal.peer)? / best);
        let Goal { peer, others, at_most } = goal;
        let (peer, others) = (peer.clone(), others.clone());
        Some(Self { peer, others, at_most: *at_most, ratio, met: ratio <= *at_most })
    }
}

/// JSON with a line for each peer and each goal.
#[derive(Default)]
struct Lines {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

impl Lines {
    /// What holds the peers of a case.
    const DEEPEST: usize = 6;

    fn enter(&mut self) -> bool {
        self.depth += 1;
        self.depth <= Self::DEEPEST
    }

    fn leave(&mut self) -> bool {
        self.depth -= 1;
        self.depth < Self::DEEPEST
    }

    fn within(&self) -> bool {
        self.depth <= Self::DEEPEST
    }
}

/// As `PrettyFormatter` has it down to the peers, and on one line below.
macro_rules! lines {
    ($($method:ident($($first:ident)?) $when:ident $plain:expr;)*) => {
        $(fn $method<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $first: bool)?) -> io::Result<()> {
            if self.$when() {
                self.pretty.$method(writer $(, $first)?)
            } else {
                let plain: &[u8] = $plain;
                writer.write_all(plain)
            }
        })*
    };
}

impl Formatter for Lines {
    lines! {
        begin_array() enter b"[";
        end_array() leave b"]";
        begin_array_value(first) within if first { b"" } else { b", " };
        end_array_value() within b"";
        begin_object() enter b"{";
        end_object() leave b"}";
        begin_object_key(first) within if first { b"" } else { b", " };
        begin_object_value() within b": ";
        end_object_value() within b"";
    }
}
