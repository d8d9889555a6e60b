//! The README's figures: made from the results that are kept beside it, and from nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};

use crate::case::At;
use crate::report::{CaseReport, GoalReport, Report};

const BEGIN: &str = "<!-- begin: cargo run --release -- --readme -->";
const END: &str = "<!-- end: cargo run --release -- --readme -->";

/// The columns: bytes of a record; nothing if they differ.
const SIZES: [(Option<u64>, &str); 6] = [
    (Some(8), "8 B"),
    (Some(64), "64 B"),
    (Some(256), "256 B"),
    (Some(1024), "1 KiB"),
    (Some(4096), "4 KiB"),
    (None, "8-512 B"),
];

/// A row: one way to use dynring, beside the best of the others.
struct Row {
    what: &'static str,
    group: &'static str,
    kind: &'static str,
    only: fn(&At) -> bool,
    ours: &'static str,
}

const ROWS: &[Row] = &[
    Row { what: "drain a ring of the kernel", ours: "dynring drain", ..Row::of("kernel", "drain") },
    Row {
        what: "fill a user ring, 1 thread",
        only: |at| at.producers == Some(1),
        ours: "dynring reserve",
        ..Row::of("kernel", "fill")
    },
    Row {
        what: "fill a user ring, 4 threads",
        only: |at| at.producers == Some(4),
        ours: "dynring reserve",
        ..Row::of("kernel", "fill")
    },
    Row { what: "one thread sends and receives", ..Row::of("threads", "alone") },
    Row { what: "1 thread to one", only: |at| at.producers == Some(1), ..Row::of("threads", "to one") },
    Row {
        what: "1 thread to one: lease and gather",
        only: |at| at.producers == Some(1),
        ours: "dynring, lease and gather",
        ..Row::of("threads", "to one")
    },
    Row { what: "2 threads to one", only: |at| at.producers == Some(2), ..Row::of("threads", "to one") },
    Row {
        what: "2 threads to one: lease and gather",
        only: |at| at.producers == Some(2),
        ours: "dynring, lease and gather",
        ..Row::of("threads", "to one")
    },
    Row { what: "4 threads to one", only: |at| at.producers == Some(4), ..Row::of("threads", "to one") },
    Row {
        what: "4 threads to one: lease and gather",
        only: |at| at.producers == Some(4),
        ours: "dynring, lease and gather",
        ..Row::of("threads", "to one")
    },
    Row {
        what: "to and fro between threads, median",
        only: |at| at.percent == Some(50),
        ..Row::of("threads", "latency")
    },
    Row { what: "to and fro between threads, p99", only: |at| at.percent == Some(99), ..Row::of("threads", "latency") },
    Row { what: "to another process", ..Row::of("ipc", "rate") },
    Row { what: "to another process: lease and gather", ours: "dynring, lease and gather", ..Row::of("ipc", "rate") },
    Row {
        what: "to and fro between processes, median",
        only: |at| at.percent == Some(50),
        ..Row::of("ipc", "latency")
    },
    Row { what: "to and fro between processes, p99", only: |at| at.percent == Some(99), ..Row::of("ipc", "latency") },
];

/// Groups whose goals are listed: ratios of dynring to itself, or to what the machine can do.
const GOALS: [&str; 4] = ["growth", "idle", "sleeper", "bandwidth"];

/// What is no peer: it checks nothing.
const LIMITS: [&str; 1] = ["bare loop"];

impl Row {
    const fn of(group: &'static str, kind: &'static str) -> Self {
        Self { what: "", group, kind, only: |_| true, ours: "dynring" }
    }

    fn cells(&self, report: &Report) -> Vec<String> {
        let mut cells = vec![self.what.to_owned()];
        cells.extend(SIZES.map(|(bytes, _)| {
            let mut cases = report.cases(self.group, self.kind).filter(|case| (self.only)(&case.at));
            let case = cases.find(|case| case.at.bytes == bytes);
            case.and_then(|case| self.cell(case)).unwrap_or_default()
        }));
        cells
    }

    /// The ratio, and to whom.
    fn cell(&self, case: &CaseReport) -> Option<String> {
        let (ours, best) = (case.median_of(self.ours)?, case.best_other(&LIMITS)?);
        Some(format!("{:.2} {}", ours / best.median, best.name))
    }
}

/// The folder whose results the README shows.
pub fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")
}

/// Brings the README up to date with the results that are kept.
pub fn update() -> Result<()> {
    let report = Report::read(&results().join("results.json"))?;
    let text = fs::read_to_string(path()).with_context(|| format!("{}", path().display()))?;
    fs::write(path(), updated(&text, &report)?)?;
    println!("{}: up to date with {}", path().display(), results().display());
    Ok(())
}

/// The text with what is between the marks made anew.
fn updated(text: &str, report: &Report) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("the README lacks {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("the README lacks {END}"))?;
    Ok(format!("{before}{BEGIN}\n{}{END}{after}", section(report)))
}

fn section(report: &Report) -> String {
    let machine = &report.machine;
    let day = report.date.split('T').next().unwrap_or_default();
    let commit = machine.commit.as_deref().unwrap_or("an unknown commit");
    let busy = if machine.was_busy() {
        "**Others were at work on the machine when this was measured: do not go by it.**\n\n"
    } else {
        ""
    };
    format!(
        "{busy}Time of dynring divided by that of the best peer, who is named: below 1, dynring is faster. Medians of a {} run on\n\
         {}, {} cores, {}, rustc {}, dynring at {commit}, {day}.\n\n{}\n\n\
         Ratios of dynring to itself, or to what the machine can do:\n\n{}\n",
        report.effort,
        machine.cpu,
        machine.cores,
        machine.kernel,
        machine.rustc,
        peers(report),
        goals(report)
    )
}

fn peers(report: &Report) -> Table {
    let head = [""].into_iter().chain(SIZES.map(|(_, name)| name));
    table(head, ROWS.iter().map(|row| row.cells(report)))
}

fn goals(report: &Report) -> Table {
    let groups = report.groups.iter().filter(|group| GOALS.contains(&group.name.as_str()));
    let cases = groups.flat_map(|group| &group.cases).filter(|case| !case.goals.is_empty());
    table(["", "to", "ratio", "wanted at most"], cases.map(goal_cells))
}

fn goal_cells(case: &CaseReport) -> Vec<String> {
    let ratio = |goal: &GoalReport| {
        let missed = if goal.met { "" } else { " (missed)" };
        format!("{}: {:.2}{missed}", goal.peer, goal.ratio)
    };
    let ratios: Vec<_> = case.goals.iter().map(ratio).collect();
    let to = case.goals.first().map(GoalReport::others_in_words).unwrap_or_default();
    let wanted = case.goals.iter().map(|goal| goal.at_most).fold(0.0, f64::max);
    vec![case.name.clone(), to, ratios.join("; "), format!("{wanted:.2}")]
}

fn table<'a>(head: impl IntoIterator<Item = &'a str>, rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(head);
    rows.for_each(|row| {
        table.add_row(row);
    });
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::example;

    #[test]
    fn the_readme_says_what_the_results_say() {
        let report = Report::read(&results().join("results.json")).unwrap();
        let text = fs::read_to_string(path()).unwrap();
        assert!(updated(&text, &report).unwrap() == text, "cargo run --release -- --readme brings it up to date");
    }

    #[test]
    fn the_plots_that_the_readme_shows_are_there() {
        let text = fs::read_to_string(path()).unwrap();
        let shown = text.split("(benches/compare/results/").skip(1);
        let shown: Vec<_> = shown.filter_map(|rest| rest.split_once(')')).map(|(name, _)| name).collect();
        assert!(shown.iter().any(|name| name.ends_with(".svg")), "none is shown");
        for name in shown {
            assert!(results().join(name).exists(), "{name} is not there");
        }
    }

    #[test]
    fn what_is_between_the_marks_is_made_anew_and_the_rest_stays() {
        let text = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let updated = updated(&text, &example()).unwrap();
        assert!(updated.starts_with(&format!("before\n{BEGIN}\nTime of dynring")), "{updated}");
        assert!(updated.ends_with(&format!("{END}\nafter\n")), "{updated}");
        assert!(!updated.contains("old"), "{updated}");
    }

    #[test]
    fn a_readme_without_marks_is_refused() {
        assert!(updated("nothing", &example()).unwrap_err().to_string().contains(BEGIN));
    }

    #[test]
    fn a_cell_is_the_ratio_to_the_best_peer() {
        let row = Row { what: "to one", ..Row::of("threads", "to one") };
        assert_eq!(row.cells(&example()), ["to one", "", "0.50 fast", "", "", "", ""]);
    }
}
