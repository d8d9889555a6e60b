//! What is measured: groups of cases, each of which all its peers take part in.

use std::time::Duration;

use anyhow::Result;

/// Cases that belong together, and can be asked for with `--only`.
pub struct Group {
    /// What `--only` takes.
    pub name: &'static str,
    /// What is measured, in a line.
    pub about: &'static str,
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
    /// What [`Sample`] counts, such as "ns a record". Lower is better.
    pub unit: &'static str,
    /// The peer that ratios are to, besides those to the best.
    pub baseline: Option<String>,
    pub peers: Vec<Peer>,
    pub goals: Vec<Goal>,
}

/// One way to do it.
pub struct Peer {
    pub name: String,
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

impl Case {
    pub fn new(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, baseline: None, peers: Vec::new(), goals: Vec::new() }
    }

    /// One more peer. They take turns in this order.
    pub fn peer(mut self, name: impl Into<String>, set_up: impl FnOnce() -> Result<Round> + 'static) -> Self {
        self.peers.push(Peer { name: name.into(), set_up: Box::new(set_up) });
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
        let others: Vec<_> = names.iter().map(String::as_str).filter(|name| !name.starts_with("dynring")).collect();
        self.goal(peer, at_most, &others)
    }
}

impl Sample {
    /// `operations` operations took `time`.
    pub fn each(operations: u64, time: Duration) -> Self {
        Self(time.as_nanos() as f64 / operations as f64)
    }
}
