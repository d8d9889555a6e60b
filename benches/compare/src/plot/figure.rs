//! Which pictures there are, and which of what was measured each shows.

use crate::case::{At, is_ours};
use crate::report::{CaseReport, PeerReport, Report};

/// One picture: how something changes with something else, for everybody who does it.
pub struct Figure {
    pub file: &'static str,
    pub title: &'static str,
    group: &'static str,
    kind: &'static str,
    /// Which cases of the kind.
    only: fn(&At) -> bool,
    pub x: X,
    pub y: Y,
    /// The ways to use dynring that are shown; all, if none are named.
    ours: &'static [&'static str],
    /// Peers that are shown, and are no measure: they do less.
    limits: &'static [&'static str],
}

/// What is to the right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum X {
    Bytes,
    Producers,
    Ring,
    Idle,
}

/// What is upwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Y {
    /// Millions a second.
    Rate,
    Nanoseconds,
    /// How many times as long as at the first point.
    Times,
}

pub const FIGURES: &[Figure] = &[
    Figure {
        file: "threads.svg",
        title: "From one thread to another",
        only: |at| at.producers == Some(1),
        ours: &["dynring", "dynring, lease and gather"],
        ..Figure::rate("threads", "to one")
    },
    Figure {
        file: "producers.svg",
        title: "From many threads to one, 64 bytes",
        only: |at| at.bytes == Some(64),
        x: X::Producers,
        ours: &["dynring", "dynring, lease and gather"],
        ..Figure::rate("threads", "to one")
    },
    Figure {
        file: "processes.svg",
        title: "From one process to another",
        ours: &["dynring", "dynring, lease and gather", "dynring, copying"],
        ..Figure::rate("ipc", "rate")
    },
    Figure {
        file: "kernel.svg",
        title: "Draining a ring of the kernel, every byte read",
        ours: &["dynring drain"],
        limits: &["bare loop"],
        ..Figure::rate("kernel", "drain")
    },
    Figure {
        file: "latency-threads.svg",
        title: "To and fro between two threads, half the time, median",
        ..Figure::latency("threads")
    },
    Figure {
        file: "latency-processes.svg",
        title: "To and fro between two processes, half the time, median",
        ..Figure::latency("ipc")
    },
    Figure {
        file: "growth.svg",
        title: "A record of 64 bytes, as the ring grows",
        x: X::Ring,
        y: Y::Times,
        ..Figure::rate("growth", "ring")
    },
    Figure {
        file: "idle.svg",
        title: "A record of 64 bytes, beside producers that are idle",
        x: X::Idle,
        y: Y::Times,
        ..Figure::rate("idle", "idle")
    },
];

impl Figure {
    const fn rate(group: &'static str, kind: &'static str) -> Self {
        let (x, y) = (X::Bytes, Y::Rate);
        Self { file: "", title: "", group, kind, only: |_| true, x, y, ours: &[], limits: &[] }
    }

    const fn latency(group: &'static str) -> Self {
        let rate = Self::rate(group, "latency");
        Self { only: |at| at.percent == Some(50), y: Y::Nanoseconds, ..rate }
    }

    /// One line for each peer; or one for each case, if its peers are one thing at several sizes.
    pub fn series(&self, report: &Report) -> Vec<Series> {
        let mut all: Vec<Series> = Vec::new();
        for case in report.cases(self.group, self.kind).filter(|case| (self.only)(&case.at)) {
            for peer in case.peers.iter().filter(|peer| self.shows(peer)) {
                let Some(point) = self.point(case, peer) else { continue };
                let (name, ours) = match peer.at {
                    Some(_) => (&case.name, true),
                    None => (&peer.name, is_ours(&peer.name)),
                };
                match all.iter_mut().find(|series| series.name == *name) {
                    Some(series) => series.points.push(point),
                    None => all.push(Series { name: name.clone(), ours, points: vec![point] }),
                }
            }
        }
        all.retain(|series| series.points.len() > 1);
        all.into_iter().map(|series| self.scaled(series)).collect()
    }

    fn shows(&self, peer: &PeerReport) -> bool {
        self.ours.is_empty() || !is_ours(&peer.name) || self.ours.contains(&peer.name.as_str())
    }

    /// Where it is to the right, and how long it took.
    fn point(&self, case: &CaseReport, peer: &PeerReport) -> Option<(f64, f64)> {
        let x = match self.x {
            X::Bytes => case.at.bytes,
            X::Producers => case.at.producers,
            X::Ring | X::Idle => peer.at,
        };
        Some((x? as f64, peer.median))
    }

    /// In the order, and the unit, in which it is drawn.
    fn scaled(&self, mut series: Series) -> Series {
        series.points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let first = series.points[0].1;
        for (_, y) in &mut series.points {
            *y = match self.y {
                Y::Rate => 1e3 / *y,
                Y::Nanoseconds => *y,
                Y::Times => *y / first,
            };
        }
        series
    }

    /// Whether it is one of those that dynring is measured by.
    pub fn is_measure(&self, series: &Series) -> bool {
        !series.ours && !self.limits.contains(&series.name.as_str())
    }
}

/// A line.
#[derive(Clone, PartialEq, Debug)]
pub struct Series {
    pub name: String,
    /// Whether it is dynring.
    pub ours: bool,
    pub points: Vec<(f64, f64)>,
}

impl Series {
    pub fn at(&self, x: f64) -> Option<f64> {
        self.points.iter().find(|point| point.0 == x).map(|point| point.1)
    }
}
