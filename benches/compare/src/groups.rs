//! The groups that there are. Each lives in a room of its own: a [`Group`] and the cases that it makes.

use std::env;

use anyhow::{Result, bail};

use crate::arguments::Arguments;
use crate::case::{Case, Group};
use crate::{bandwidth, choices, growth, idle, ipc, kernel, sleeper, threads};

pub const GROUPS: &[Group] = &[
    kernel::GROUP,
    threads::GROUP,
    choices::GROUP,
    growth::GROUP,
    idle::GROUP,
    sleeper::GROUP,
    bandwidth::GROUP,
    ipc::GROUP,
];

/// A group, and those of its cases that are to be measured.
pub type Chosen = (&'static Group, Vec<Case>);

/// The groups and cases that were asked for and can be measured here.
pub fn choose(arguments: &Arguments) -> Result<Vec<Chosen>> {
    let mut chosen = Vec::new();
    for group in GROUPS {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|name| name == group.name) {
            continue;
        }
        if let Err(why) = (group.ready)() {
            skip(group, &why)?;
            continue;
        }
        let mut cases = (group.cases)();
        cases.retain(|case| case.name.contains(&arguments.case));
        chosen.push((group, cases));
    }
    Ok(chosen)
}

/// Says that a group is skipped; an error if `DYNRING_REQUIRE` names what it needs.
fn skip(group: &Group, why: &anyhow::Error) -> Result<()> {
    let required = env::var("DYNRING_REQUIRE").unwrap_or_default();
    if required.split(',').any(|name| name.trim() == group.needs) {
        bail!("DYNRING_REQUIRE names {}: {why:#}", group.needs);
    }
    println!("skipped: {}: {}: {why:#}", group.name, group.needs);
    Ok(())
}

pub fn list(chosen: &[Chosen]) {
    for (group, cases) in chosen {
        println!("{}: {}", group.name, group.about);
        for case in cases {
            let peers: Vec<_> = case.peers.iter().map(|peer| peer.name.as_str()).collect();
            println!("  {} ({}): {}", case.name, case.unit, peers.join(", "));
        }
    }
}

/// What the groups are, for `--help`.
pub fn explained() -> String {
    let mut text = String::from(
        "How it is measured:\n  \
         Payloads are fully written and fully read, and checked for order and content. Threads and processes are pinned. All\n  \
         peers of a case take turns, and the medians of their rounds are compared. Looking for records in vain counts as no\n  \
         record. Who finds no room tries again after pauses that grow, crossbeam's Backoff; dynring waits by itself\n  \
         (reserve_blocking). Goals are ratios of medians of one run: lower is better.\n\nGroups (--only), whose cases --list shows:\n",
    );
    for group in GROUPS {
        text.push_str(&format!("  {}: {}\n", group.name, group.about));
        for line in group.explained.lines() {
            text.push_str(&format!("      {}\n", line.trim()));
        }
    }
    text
}
