//! Tests that have a process of their own.
#![allow(dead_code, reason = "not every attack needs all of it")]
#![expect(unsafe_code, reason = "calls alarm(2)")]

use std::error::Error;
use std::io::{self, Write};
use std::process::Command;

pub(crate) type TestResult = Result<(), Box<dyn Error>>;

const CASE: &str = "DYNRING_TEST_ALONE";

/// Seconds after which a process counts as one that never ends.
const ENDLESS: libc::c_uint = 120;

/// Runs the test `name` once more, in a process of its own, where it does `case`. That process is killed, and the test fails, if
/// it takes longer than anything here may take.
pub(crate) fn alone(name: &str, case: impl FnOnce() -> TestResult) -> TestResult {
    alone_for(0, name, case)
}

/// The same for a case that is to take as many seconds by itself.
pub(crate) fn alone_for(seconds: u64, name: &str, case: impl FnOnce() -> TestResult) -> TestResult {
    if std::env::var_os(CASE).is_some() {
        // SAFETY: no preconditions. Nothing handles the signal, which ends the process.
        unsafe { libc::alarm(ENDLESS + seconds as libc::c_uint) };
        return case();
    }
    let mut child = Command::new(std::env::current_exe()?);
    let output = child.args(["--exact", name, "--nocapture"]).env(CASE, name).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let heard = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{heard}\n{said}", output.status);
    assert!(heard.contains("1 passed"), "there is no test {name}:\n{heard}");
    for line in said.lines() {
        if line.contains("skipped: ") {
            // The macros that print are captured when a test passes; this is not.
            writeln!(io::stderr(), "{line}")?;
        } else {
            eprintln!("{line}");
        }
    }
    Ok(())
}

/// How many descriptors this process has open.
pub(crate) fn descriptors() -> io::Result<usize> {
    // The directory itself is open while it is read, each time.
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}
