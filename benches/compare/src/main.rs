//! dynring and its peers, side by side, in interleaved rounds.
//!
//! ```sh
//! cargo run --release -- --quick
//! ```

mod arguments;
mod bandwidth;
mod choices;
mod groups;
mod growth;
mod idle;
mod ipc;
mod kernel;
mod link;
mod ours;
mod sleeper;
#[allow(clippy::manual_is_multiple_of, reason = "shared with what builds with an older Rust")]
#[path = "../../../tests/support/mod.rs"]
mod support;
mod threads;

use std::path::Path;
use std::time::{Instant, SystemTime};
use std::{env, fs};

use anyhow::{Context, Result};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use dynring_compare::machine::Machine;
use dynring_compare::report::{CaseReport, GroupReport, Report};
use dynring_compare::{case, common, measure, plan, plot, readme, units};

use arguments::Arguments;
use groups::Chosen;
use plan::{Plan, Share};

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(part) = arguments.child {
        return ipc::play(&part, arguments.core);
    }
    let directory = arguments.directory();
    if let Some(measured) = &arguments.plot {
        return write(&Report::read(measured)?, &directory);
    }
    if arguments.readme {
        return readme::update();
    }
    let chosen = groups::choose(&arguments)?;
    if arguments.list {
        groups::list(&chosen);
        return Ok(());
    }
    let report = run(chosen, &arguments.plan()?)?;
    write(&report, &directory)?;
    if arguments.publish { readme::update() } else { Ok(()) }
}

/// Writes what was measured, and the plots of it.
fn write(report: &Report, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("{}", directory.display()))?;
    report.write(&directory.join("results.json"))?;
    let plots = plot::draw_all(report, directory)?;
    println!("results.json, {} in {}", plots.join(", "), directory.display());
    Ok(())
}

fn run(chosen: Vec<Chosen>, plan: &Plan) -> Result<Report> {
    let packages = chosen.iter().flat_map(|(group, _)| group.packages).copied();
    let packages: Vec<_> = packages.chain(["dynring"]).collect();
    let machine = Machine::look(&packages)?;
    let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    for line in machine.lines() {
        println!("{line}");
    }
    if machine.was_busy() && plan.tells_speed() {
        println!("others are at work on this machine: expect noise");
    }
    common::pin(0);
    let groups = measure_all(chosen, plan)?;
    Ok(Report { machine, date, arguments: env::args().skip(1).collect(), effort: plan.name.to_owned(), groups })
}

fn measure_all(chosen: Vec<Chosen>, plan: &Plan) -> Result<Vec<GroupReport>> {
    let all = chosen.iter().flat_map(|(_, cases)| cases).map(|case| case.peers.len()).sum();
    let (begun, mut seen) = (Instant::now(), 0);
    let bar = ProgressBar::new(all as u64);
    bar.set_style(ProgressStyle::with_template("{elapsed} {bar:40} {percent} %, {eta} left: {msg}")?);
    let mut reports = Vec::new();
    for (group, cases) in chosen {
        let mut measured = Vec::new();
        for case in cases {
            bar.set_message(format!("{}: {}", group.name, case.name));
            let share = Share { begun, all, before: seen, peers: case.peers.len() };
            let effort = plan.effort(share);
            seen += share.peers;
            let report = measure::measure(case, effort, || bar.tick())?;
            bar.set_position(seen as u64);
            bar.suspend(|| show(&report, plan));
            measured.push(report);
        }
        reports.push(GroupReport { name: group.name.to_owned(), cases: measured });
    }
    bar.finish_and_clear();
    Ok(reports)
}

fn show(report: &CaseReport, plan: &Plan) {
    println!("{}", report.table());
    report.skipped_lines().for_each(|line| println!("{line}"));
    if plan.tells_speed() {
        report.goal_lines().for_each(|line| println!("{line}"));
    }
}
