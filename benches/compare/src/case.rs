//! What is measured: groups of cases, each of which all its peers take part in.

use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::common::Sizes;

/// Cases that belong together, and can be asked for with `--only`.
pub struct Group {
    /// What `--only` takes.
    pub name: &'static str,
    /// What is measured, in a line.
    pub about: &'static str,
    /// What its cases are, and how they are measured, for `--help`.
    pub explained: &'static str,
    /// The packages that take part besides dynring, whose versions are recorded.
    pub packages: &'static [&'static str],
    /// Whether it can be measured here; the error says what is missing. `DYNRING_REQUIRE` is compared with [`Self::needs`].
    pub ready: fn() -> Result<()>,
    /// What `ready` looks for, as `DYNRING_REQUIRE` names it.
    pub needs: &'static str,
    /// The cases, in the order in which they are shown.
    pub cases: fn() -> Vec<Case>,
}

/// Something that several peers can do.
pub struct Case {
    pub name: String,
    /// What cases that differ only in [`Self::at`] have in common; unique in its group.
    pub kind: &'static str,
    pub at: At,
    /// What [`Sample`] counts, such as "ns a record". Lower is better.
    pub unit: &'static str,
    /// How many bytes an operation moves, where bytes a second are of interest.
    pub moves: Option<u64>,
    /// The peer that ratios are to, besides those to the best.
    pub baseline: Option<String>,
    pub peers: Vec<Peer>,
    pub goals: Vec<Goal>,
    pub skipped: Vec<Skipped>,
}

/// Where a case stands among those of its kind.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct At {
    /// Bytes of a payload; nothing if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producers: Option<u64>,
    /// Which quantile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u64>,
}

/// One way to do it.
pub struct Peer {
    pub name: String,
    /// Where it stands, in a case whose peers are one thing at several sizes.
    pub at: Option<u64>,
    /// Makes what the rounds need; called just before the case is measured, and what it has made is dropped afterwards.
    pub set_up: Box<dyn FnOnce() -> Result<Round>>,
}

/// Does about as many operations as it is told, checks what came of them, and says what one took.
///
/// What it does besides, such as filling what it is to empty, need not count.
pub type Round = Box<dyn FnMut(u64) -> Result<Sample>>;

/// What one round has measured.
#[derive(Clone, Copy, Debug)]
pub struct Sample(pub f64);

/// What is hoped for: `peer` takes at most `at_most` times as long as the best of `others`.
pub struct Goal {
    pub peer: String,
    pub others: Vec<String>,
    pub at_most: f64,
}

/// A peer that cannot take part here, and what is missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Skipped {
    pub peer: String,
    pub why: String,
}

impl At {
    pub fn sizes(sizes: Sizes) -> Self {
        let bytes = match sizes {
            Sizes::Fixed(len) => Some(len as u64),
            Sizes::Mixed => None,
        };
        Self { bytes, ..Self::default() }
    }

    pub fn producers(self, count: usize) -> Self {
        Self { producers: Some(count as u64), ..self }
    }

    pub fn percent(self, percent: usize) -> Self {
        Self { percent: Some(percent as u64), ..self }
    }
}

impl Case {
    pub fn new(kind: &'static str, at: At, name: impl Into<String>, unit: &'static str) -> Self {
        let (peers, goals, skipped) = (Vec::new(), Vec::new(), Vec::new());
        Self { name: name.into(), kind, at, unit, moves: None, baseline: None, peers, goals, skipped }
    }

    /// One more peer. They take turns in this order.
    pub fn peer(mut self, name: impl Into<String>, set_up: impl FnOnce() -> Result<Round> + 'static) -> Self {
        self.peers.push(Peer { name: name.into(), at: None, set_up: Box::new(set_up) });
        self
    }

    /// The same, with its place among the others.
    pub fn peer_at(
        mut self,
        at: usize,
        name: impl Into<String>,
        set_up: impl FnOnce() -> Result<Round> + 'static,
    ) -> Self {
        self.peers.push(Peer { name: name.into(), at: Some(at as u64), set_up: Box::new(set_up) });
        self
    }

    /// A peer that cannot take part here.
    pub fn skip(mut self, peer: impl Into<String>, why: impl Into<String>) -> Self {
        self.skipped.push(Skipped { peer: peer.into(), why: why.into() });
        self
    }

    pub fn moves(mut self, bytes: u64) -> Self {
        self.moves = Some(bytes);
        self
    }

    pub fn baseline(mut self, name: impl Into<String>) -> Self {
        self.baseline = Some(name.into());
        self
    }

    /// That `peer` take at most `at_most` times as long as the best of `others`.
    pub fn goal(mut self, peer: &str, at_most: f64, others: &[&str]) -> Self {
        let others = others.iter().map(ToString::to_string).collect();
        self.goals.push(Goal { peer: peer.to_owned(), others, at_most });
        self
    }

    /// The same to the best of all that are not dynring.
    pub fn goal_to_all(self, peer: &str, at_most: f64) -> Self {
        let names: Vec<_> = self.peers.iter().map(|peer| peer.name.clone()).collect();
        let others: Vec<_> = names.iter().map(String::as_str).filter(|name| !is_ours(name)).collect();
        self.goal(peer, at_most, &others)
    }

    /// The same to the baseline, for all others.
    pub fn goal_for_all(self, at_most: f64) -> Self {
        let Some(baseline) = self.baseline.clone() else { return self };
        let names: Vec<_> = self.peers.iter().map(|peer| peer.name.clone()).filter(|name| *name != baseline).collect();
        names.iter().fold(self, |case, name| case.goal(name, at_most, &[&baseline]))
    }
}

/// Whether a peer of that name is a way to use dynring.
pub fn is_ours(name: &str) -> bool {
    name.starts_with("dynring")
}

impl Sample {
    /// `operations` operations took `time`.
    pub fn each(operations: u64, time: Duration) -> Self {
        Self(time.as_nanos() as f64 / operations as f64)
    }
}
