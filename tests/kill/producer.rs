//! Producers that are killed after any instruction.

use crate::operation::{OPERATIONS, Operation, of_the_dead, places};
use crate::scene::{Scene, TestResult, content, report, require_ptrace, stride};
use crate::support::victim::Steps;

const BEFORE: u64 = 1 << 30;
const AFTER: u64 = 2 << 30;
const LEN: usize = 40;

/// Kills after every number of steps. Returns how many deaths there were.
fn kill_everywhere(operation: &Operation, kernel_protocol: bool) -> Result<u64, Box<dyn std::error::Error>> {
    let mut scene = Scene::new(1, kernel_protocol)?;
    let most = operation.steps(kernel_protocol)?;
    let (mut deaths, mut delivered) = (0, 0);
    for steps in places(most, 5) {
        let when = format!("{}, killed after {steps} steps of {most}", operation.name);
        let head = scene.head();
        let alive = [content(BEFORE, steps, LEN), content(AFTER, steps, LEN)];
        scene.live.output(&alive[0])?;
        let mut victim = operation.begin(&scene, steps)?;
        let done = victim.step(steps)? != Steps::Made;
        victim.kill()?;
        scene.live.output(&alive[1])?;

        let found = of_the_dead(scene.read_on(), &alive, &when);
        let contents = operation.contents(steps);
        assert!(contents.starts_with(&found), "{when}: {found:?}");
        // What was committed after fewer steps is after more.
        assert!(found.len() >= delivered, "{when}: {found:?}");
        assert!(!done || found == contents, "{when}: {found:?}");
        delivered = found.len();
        let reserved = scene.head().wrapping_sub(head) - 2 * stride(LEN);
        assert!(reserved == operation.span || reserved == 0 && found.is_empty(), "{when}: {reserved} bytes");
        scene.assert_clean(1, &when);
        deaths += 1;
    }
    assert_eq!(delivered, operation.lens.len());
    report(&format!(
        "{} ({}): {deaths} deaths after 0 to {most} steps",
        operation.name,
        if kernel_protocol { "kernel protocol" } else { "native" }
    ));
    Ok(deaths)
}

#[test]
fn a_producer_that_dies_anywhere_takes_no_more_than_its_unfinished_records() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    for operation in &OPERATIONS {
        for kernel_protocol in [false, true] {
            kill_everywhere(operation, kernel_protocol)?;
        }
    }
    Ok(())
}
