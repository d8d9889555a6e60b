//! What came of it: a table for people, JSON for programs.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::case::Goal;
use crate::machine::Machine;

#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// How much was measured: `smoke`, `quick`, `full`.
    pub effort: &'static str,
    pub groups: Vec<GroupReport>,
}

#[derive(Debug, Serialize)]
pub struct GroupReport {
    pub name: &'static str,
    pub cases: Vec<CaseReport>,
}

#[derive(Debug, Serialize)]
pub struct CaseReport {
    pub name: String,
    pub unit: &'static str,
    pub baseline: Option<String>,
    pub peers: Vec<PeerReport>,
    pub goals: Vec<GoalReport>,
}

#[derive(Debug, Serialize)]
pub struct PeerReport {
    pub name: String,
    pub median: f64,
    pub lower_quartile: f64,
    pub upper_quartile: f64,
    pub to_best: f64,
    pub to_baseline: Option<f64>,
    /// Of each round, in order.
    pub samples: Vec<f64>,
}

#[derive(Debug, Serialize)]
pub struct GoalReport {
    pub peer: String,
    pub others: Vec<String>,
    pub at_most: f64,
    /// The ratio of the medians.
    pub ratio: f64,
    pub met: bool,
}

impl PeerReport {
    /// Ratios are filled in when all peers are known.
    pub fn new(name: String, samples: Vec<f64>) -> Self {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let [lower_quartile, median, upper_quartile] = [1, 2, 3].map(|quarter| quantile(&sorted, quarter, 4));
        Self { name, median, lower_quartile, upper_quartile, to_best: 1.0, to_baseline: None, samples }
    }
}

/// The `part` of `parts` quantile, between two samples if need be.
pub fn quantile(sorted: &[f64], part: usize, parts: usize) -> f64 {
    let last = sorted.len().saturating_sub(1) * part;
    let (below, rest) = (last / parts, last % parts);
    let at = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or(f64::NAN);
    at(below) + (at(below + 1) - at(below)) * rest as f64 / parts as f64
}

impl CaseReport {
    pub fn new(
        name: String,
        unit: &'static str,
        baseline: Option<String>,
        mut peers: Vec<PeerReport>,
        goals: &[Goal],
    ) -> Self {
        let median_of = |wanted: &str| peers.iter().find(|peer| peer.name == wanted).map(|peer| peer.median);
        let best = peers.iter().map(|peer| peer.median).fold(f64::INFINITY, f64::min);
        let base = baseline.as_deref().and_then(median_of);
        let goals = goals.iter().filter_map(|goal| GoalReport::new(goal, median_of)).collect();
        for peer in &mut peers {
            peer.to_best = peer.median / best;
            peer.to_baseline = base.map(|base| peer.median / base);
        }
        Self { name, unit, baseline, peers, goals }
    }

    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        let baseline = self.baseline.as_ref().map(|name| format!("to {name}"));
        let head = [self.name.as_str(), self.unit, "quartiles", "to best"].into_iter().chain(baseline.as_deref());
        table.set_header(head);
        for peer in &self.peers {
            let quartiles = format!("{:.2} - {:.2}", peer.lower_quartile, peer.upper_quartile);
            let mut row =
                vec![peer.name.clone(), format!("{:.2}", peer.median), quartiles, format!("{:.2}", peer.to_best)];
            row.extend(peer.to_baseline.map(|ratio| format!("{ratio:.2}")));
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    pub fn goal_lines(&self) -> impl Iterator<Item = String> + '_ {
        self.goals.iter().map(|goal| {
            let GoalReport { peer, at_most, ratio, .. } = goal;
            let (others, word) = (goal.others_in_words(), if goal.met { "met   " } else { "MISSED" });
            format!("  {word}  {peer} to {others}: {ratio:.2}; no more than {at_most:.2} is wanted")
        })
    }
}

impl GoalReport {
    fn others_in_words(&self) -> String {
        if self.others.len() > 3 { "the best of the others".to_owned() } else { self.others.join(" or ") }
    }

    /// Nothing if not all of those concerned were measured.
    fn new(goal: &Goal, median_of: impl Fn(&str) -> Option<f64>) -> Option<Self> {
        let others: Option<Vec<f64>> = goal.others.iter().map(|other| median_of(other)).collect();
        let best = others?.into_iter().fold(f64::INFINITY, f64::min);
        let ratio = median_of(&goal.peer)? / best;
        let Goal { peer, others, at_most } = goal;
        let (peer, others) = (peer.clone(), others.clone());
        Some(Self { peer, others, at_most: *at_most, ratio, met: ratio <= *at_most })
    }
}
