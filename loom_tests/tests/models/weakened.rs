//! Edges that are weakened one by one, each of which a model has to notice.

use core::fmt::Debug;
use std::process::Command;

/// The longest that a mutant may go unnoticed, in seconds.
const PATIENCE: &str = "200";

/// Those of `edges` that can be weakened, as `variable` tells this program, without their models failing.
pub fn unnoticed<E: Copy + Debug>(edges: &[E], variable: &str, noticed_by: fn(E) -> &'static str) -> Vec<E> {
    let survives = |&edge: &E| {
        let said = run(noticed_by(edge), variable, &format!("{edge:?}"));
        assert!(said.contains("running 1 test\n"), "{edge:?}: no such model as {}", noticed_by(edge));
        !said.contains("FAILED. 0 passed; 1 failed")
    };
    edges.iter().copied().filter(survives).collect()
}

/// What this program says of its one test `model` if `variable` names an edge to weaken.
fn run(model: &str, variable: &str, edge: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", model])
        .env(variable, edge)
        .env("RUST_BACKTRACE", "0")
        .env("LOOM_MAX_DURATION", PATIENCE)
        .env("LOOM_CHECKPOINT_INTERVAL", "1000")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
