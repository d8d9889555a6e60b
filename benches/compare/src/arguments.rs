//! What the program is told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::groups::{self, GROUPS};
use crate::plan::Plan;
use crate::readme;

/// Measures dynring and its peers side by side, in interleaved rounds: medians, and their ratios.
#[derive(Clone, Debug, Parser)]
#[command(after_long_help = groups::explained())]
pub struct Arguments {
    /// Less than two minutes in all.
    #[arg(long)]
    pub quick: bool,
    /// One round of as little as can be done, to see that everything works. Says nothing about speed.
    #[arg(long, conflicts_with = "quick")]
    pub smoke: bool,
    /// Only these groups.
    #[arg(long, value_name = "GROUP", value_parser = GROUPS.iter().map(|group| group.name).collect::<Vec<_>>())]
    pub only: Vec<String>,
    /// Only cases with this in their names.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub case: String,
    /// Minutes that all of it may take.
    #[arg(long, value_name = "MINUTES", default_value_t = 15.0)]
    pub minutes: f64,
    /// Where results.json and the plots are written: target/compare of this crate unless said otherwise.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Shows what there is to measure, and measures nothing.
    #[arg(long)]
    pub list: bool,
    /// Plots what was measured before, from its results.json, and measures nothing.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Measures what the README shows: everything, into the results folder of this crate, and then as --readme.
    #[arg(long, conflicts_with_all = ["only", "case", "output", "list", "plot", "smoke"])]
    pub publish: bool,
    /// Brings the README's figures up to date with the results folder of this crate, and measures nothing.
    #[arg(long, conflicts_with_all = ["list", "plot", "publish"])]
    pub readme: bool,
    /// Plays the other process's part.
    #[arg(long, hide = true, value_name = "PART")]
    pub child: Option<String>,
    /// On the core with this number.
    #[arg(long, hide = true, requires = "child")]
    pub core: Option<usize>,
}

impl Arguments {
    pub fn plan(&self) -> Result<Plan> {
        ensure!(self.minutes > 0.0, "--minutes: more than 0 are needed");
        Ok(match self {
            Self { smoke: true, .. } => Plan::smoke(),
            Self { quick: true, .. } => Plan::quick(),
            _ => Plan::full(Duration::from_secs_f64(60.0 * self.minutes)),
        })
    }

    /// Where to write to.
    pub fn directory(&self) -> PathBuf {
        match &self.output {
            Some(directory) => directory.clone(),
            None if self.publish => readme::results(),
            None => Path::new(env!("CARGO_MANIFEST_DIR")).join("target/compare"),
        }
    }
}
