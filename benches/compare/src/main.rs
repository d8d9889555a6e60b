//! dynring and its peers, side by side, in interleaved rounds.
//!
//! ```sh
//! cargo run --release -- --quick
//! ```

mod case;
#[path = "../../common/mod.rs"]
mod common;
mod groups;
mod ipc;
mod kernel;
mod link;
mod machine;
mod measure;
mod ours;
mod report;
#[allow(clippy::manual_is_multiple_of, reason = "shared with what builds with an older Rust")]
#[path = "../../../tests/support/mod.rs"]
mod support;
mod threads;

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use case::{Case, Group};
use groups::GROUPS;
use machine::Machine;
use measure::{Effort, measure};
use report::{GroupReport, Report};

/// Measures dynring and its peers side by side, in interleaved rounds: medians, and their ratios.
#[derive(Debug, Parser)]
struct Arguments {
    /// Less than two minutes in all.
    #[arg(long)]
    quick: bool,
    /// One round of as little as can be done, to see that everything works. Says nothing about speed.
    #[arg(long, conflicts_with = "quick")]
    smoke: bool,
    /// Only these groups.
    #[arg(long, value_name = "GROUP", value_parser = GROUPS.iter().map(|group| group.name).collect::<Vec<_>>())]
    only: Vec<String>,
    /// Only cases with this in their names.
    #[arg(long, value_name = "TEXT", default_value = "")]
    case: String,
    /// Minutes that all of it may take.
    #[arg(long, value_name = "MINUTES", default_value_t = 15.0)]
    minutes: f64,
    /// Where to write everything that was measured, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Shows what there is to measure, and measures nothing.
    #[arg(long)]
    list: bool,
    /// Plays the other process's part.
    #[arg(long, hide = true, value_name = "PART")]
    child: Option<String>,
    /// On the core with this number.
    #[arg(long, hide = true, requires = "child")]
    core: Option<usize>,
}

/// How much is measured of everything together.
struct Plan {
    name: &'static str,
    rounds: usize,
    time: Duration,
}

impl Plan {
    fn of(arguments: &Arguments) -> Result<Self> {
        ensure!(arguments.minutes > 0.0, "--minutes: more than 0 are needed");
        Ok(match arguments {
            Arguments { smoke: true, .. } => Self { name: "smoke", rounds: 1, time: Duration::ZERO },
            Arguments { quick: true, .. } => Self { name: "quick", rounds: 7, time: Duration::from_secs(65) },
            _ => Self { name: "full", rounds: 21, time: Duration::from_secs_f64(60.0 * arguments.minutes) },
        })
    }

    /// Whether the figures mean anything.
    fn tells_speed(&self) -> bool {
        self.time > Duration::ZERO
    }

    /// What it leaves for each round. Finding out how much a round can do takes two more.
    fn effort(&self, peers: usize) -> Effort {
        let rounds = (self.rounds + 2) * peers.max(1);
        Effort { rounds: self.rounds, round: self.time / u32::try_from(rounds).unwrap_or(u32::MAX) }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(part) = arguments.child {
        return ipc::play(&part, arguments.core);
    }
    let chosen = choose(&arguments)?;
    if arguments.list {
        list(&chosen);
        return Ok(());
    }
    let plan = Plan::of(&arguments)?;
    let packages = chosen.iter().flat_map(|(group, _)| group.packages).copied();
    let packages: Vec<_> = packages.chain(["dynring"]).collect();
    let machine = Machine::look(&packages)?;
    for line in machine.lines() {
        println!("{line}");
    }
    common::pin(0);
    let report = Report { machine, effort: plan.name, groups: run(chosen, &plan)? };
    if let Some(path) = arguments.json {
        let json = serde_json::to_string_pretty(&report)?;
        fs::write(&path, json).with_context(|| format!("{}", path.display()))?;
        println!("everything in {}", path.display());
    }
    Ok(())
}

/// The groups and cases that were asked for and can be measured here.
fn choose(arguments: &Arguments) -> Result<Vec<(&'static Group, Vec<Case>)>> {
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

fn list(chosen: &[(&Group, Vec<Case>)]) {
    for (group, cases) in chosen {
        println!("{}: {}", group.name, group.about);
        for case in cases {
            let peers: Vec<_> = case.peers.iter().map(|peer| peer.name.as_str()).collect();
            println!("  {} ({}): {}", case.name, case.unit, peers.join(", "));
        }
    }
}

fn run(chosen: Vec<(&'static Group, Vec<Case>)>, plan: &Plan) -> Result<Vec<GroupReport>> {
    let peers = chosen.iter().flat_map(|(_, cases)| cases).map(|case| case.peers.len()).sum();
    let effort = plan.effort(peers);
    let bar = ProgressBar::new((peers * (effort.rounds + 1)) as u64);
    bar.set_style(ProgressStyle::with_template("{elapsed} {bar:40} {percent} %, {eta} left: {msg}")?);
    let mut reports = Vec::new();
    for (group, cases) in chosen {
        let mut measured = Vec::new();
        for case in cases {
            bar.set_message(format!("{}: {}", group.name, case.name));
            let report = measure(case, effort, || bar.inc(1))?;
            bar.suspend(|| {
                println!("{}", report.table());
                if plan.tells_speed() {
                    report.goal_lines().for_each(|line| println!("{line}"));
                }
            });
            measured.push(report);
        }
        reports.push(GroupReport { name: group.name, cases: measured });
    }
    bar.finish_and_clear();
    Ok(reports)
}
