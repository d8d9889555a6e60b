//! Where and of what something was measured.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sysinfo::System;

/// What has to be known to read the figures.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_bytes: u64,
    pub kernel: String,
    pub system: String,
    pub rustc: String,
    /// The commit of dynring, with `-dirty` if there were changes.
    pub commit: Option<String>,
    /// Version of each package that takes part.
    pub packages: BTreeMap<String, String>,
    /// Averages of the last minute, 5 and 15 minutes, before measuring.
    pub load: [f64; 3],
}

impl Machine {
    pub fn look(packages: &[&str]) -> Result<Self> {
        let system = System::new_all()?;
        let load = System::load_average()?;
        let unknown = || "unknown".to_owned();
        Ok(Self {
            cpu: system.cpus().first().map_or_else(unknown, |cpu| cpu.brand().trim().to_owned()),
            cores: crate::common::cores(),
            memory_bytes: system.total_memory(),
            kernel: System::kernel_long_version()?,
            system: System::long_os_version()?,
            rustc: rustc_version_runtime::version().to_string(),
            commit: commit(),
            packages: locked(packages)?,
            load: [load.one, load.five, load.fifteen],
        })
    }

    /// Whether others were at work when it began, so that figures are not to be gone by.
    pub fn was_busy(&self) -> bool {
        self.load[0] > 0.25 * self.cores as f64
    }

    pub fn lines(&self) -> Vec<String> {
        let packages: Vec<_> = self.packages.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let [one, five, fifteen] = self.load;
        vec![
            format!(
                "{}, {} cores, {} MiB; load {one:.2} {five:.2} {fifteen:.2}",
                self.cpu,
                self.cores,
                self.memory_bytes >> 20
            ),
            format!("{}, {}, rustc {}", self.kernel, self.system, self.rustc),
            format!("{}; dynring at {}", packages.join(", "), self.commit.as_deref().unwrap_or("an unknown commit")),
        ]
    }
}

/// The versions that the lock file has of `packages`.
fn locked(packages: &[&str]) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }

    let lock: Lock = toml::from_str(include_str!("../Cargo.lock")).context("the lock file")?;
    let wanted = |package: &Package| packages.contains(&package.name.as_str());
    Ok(lock.package.into_iter().filter(wanted).map(|package| (package.name, package.version)).collect())
}

fn commit() -> Option<String> {
    let mut git = Command::new("git");
    git.args(["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty", "--exclude=*"]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
