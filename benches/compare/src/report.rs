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

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// One case with dynring and two peers, and one of dynring alone at two sizes.
    pub fn example() -> Report {
        let machine = Machine {
            cpu: "a processor".to_owned(),
            cores: 2,
            memory_bytes: 1 << 34,
            kernel: "Linux".to_owned(),
            system: "a system".to_owned(),
            rustc: "1.95.0".to_owned(),
            commit: None,
            packages: BTreeMap::from([("dynring".to_owned(), "0.1.0".to_owned())]),
            load: [0.0, 0.5, 1.0],
        };
        let peer = |name: &str, at, samples: &[f64]| PeerReport::new(name.to_owned(), at, samples);
        let rates = |bytes: u64, times: f64| {
            let peers = vec![
                peer("dynring", None, &[4.0 * times, 5.0 * times, 9.0 * times]),
                peer("slow", None, &[40.0 * times]),
                peer("fast", None, &[10.0 * times]),
            ];
            let at = At { bytes: Some(bytes), producers: Some(1), percent: None };
            case("to one", at, peers).compared(&[goal("dynring", &["slow", "fast"], 0.5)])
        };
        let rings = vec![peer("64 KiB", Some(1 << 16), &[10.0]), peer("1 MiB", Some(1 << 20), &[13.0])];
        let rings = CaseReport { baseline: Some("64 KiB".to_owned()), ..case("ring", At::default(), rings) };
        let rings = rings.compared(&[goal("1 MiB", &["64 KiB"], 1.25)]);
        Report {
            machine,
            date: "2026-11-25T00:00:00Z".to_owned(),
            arguments: vec!["--quick".to_owned()],
            effort: "quick".to_owned(),
            groups: vec![
                GroupReport { name: "threads".to_owned(), cases: vec![rates(64, 1.0), rates(512, 3.0)] },
                GroupReport { name: "growth".to_owned(), cases: vec![rings] },
            ],
        }
    }

    fn case(kind: &str, at: At, peers: Vec<PeerReport>) -> CaseReport {
        let skipped = vec![Skipped { peer: "1 GiB".to_owned(), why: "memory: too little".to_owned() }];
        CaseReport {
            name: kind.to_owned(),
            kind: kind.to_owned(),
            at,
            unit: "ns a record".to_owned(),
            moves: Some(64),
            baseline: None,
            peers,
            goals: Vec::new(),
            skipped,
        }
    }

    fn goal(peer: &str, others: &[&str], at_most: f64) -> Goal {
        Goal { peer: peer.to_owned(), others: others.iter().map(ToString::to_string).collect(), at_most }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let report = example();
        assert_eq!(serde_json::from_str::<Report>(&report.json().unwrap()).unwrap(), report);
    }

    #[test]
    fn each_peer_has_a_line_of_its_own() {
        let json = example().json().unwrap();
        let line = json.lines().find(|line| line.contains("\"slow\"")).unwrap();
        assert!(
            line.trim_start().starts_with('{') && line.contains("[40.0]") && line.trim_end().ends_with("},"),
            "{line}"
        );
    }

    #[test]
    fn medians_are_compared_with_the_best_and_the_baseline() {
        let report = example();
        let rates = report.cases("threads", "to one").next().unwrap();
        let ratios: Vec<_> = rates.peers.iter().map(|peer| (peer.median, peer.to_best, peer.to_baseline)).collect();
        assert_eq!(ratios, [(5.0, 1.0, None), (40.0, 8.0, None), (10.0, 2.0, None)]);
        let rings = report.cases("growth", "ring").next().unwrap();
        assert_eq!(rings.peers[1].to_baseline, Some(1.3));
    }

    #[test]
    fn a_goal_is_a_ratio_to_the_best_of_the_others() {
        let report = example();
        let of = |group, kind| report.cases(group, kind).next().unwrap().goals[0].clone();
        assert!(matches!(of("threads", "to one"), GoalReport { ratio: 0.5, met: true, .. }));
        assert!(matches!(of("growth", "ring"), GoalReport { ratio: 1.3, met: false, .. }));
    }

    #[test]
    fn a_goal_of_what_was_not_measured_is_none() {
        let rates = case("to one", At::default(), vec![PeerReport::new("dynring".to_owned(), None, &[1.0])]);
        assert_eq!(rates.compared(&[goal("dynring", &["gone"], 1.0)]).goals, []);
    }

    #[test]
    fn quantiles_lie_between_samples() {
        let samples = [1.0, 2.0, 3.0, 5.0];
        assert_eq!([1, 2, 3].map(|quarter| quantile(&samples, quarter, 4)), [1.75, 2.5, 3.5]);
        assert_eq!(quantile(&samples, 100, 100), 5.0);
    }
}
