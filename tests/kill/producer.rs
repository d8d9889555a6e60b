//! Producers that are killed after any instruction.

use std::error::Error;

use crate::operation::{OPERATIONS, Operation, of_the_dead, places};
use crate::scene::{Scene, TestResult, content, report, require_ptrace, stride};
use crate::support::victim::Steps;

const BEFORE: u64 = 1 << 30;
const AFTER: u64 = 2 << 30;
const LEN: usize = 40;

/// Kills after every number of steps in rings of one kind.
fn kill_everywhere(operation: &Operation, of: &str, scene: fn() -> Result<Scene, Box<dyn Error>>) -> TestResult {
    let most = operation.steps_in(&mut scene()?)?;
    let mut scene = scene()?;
    let (mut deaths, mut delivered) = (0, 0);
    for steps in places(most, 5) {
        let when = format!("{}, killed after {steps} steps of {most}", operation.name);
        let head = scene.head();
        let alive = [content(BEFORE, steps, LEN), content(AFTER, steps, LEN)];
        let mut victim = operation.begin(&scene, steps)?;
        scene.let_go_of_the_idle();
        scene.live.output(&alive[0])?;
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
    report(&format!("{} ({of}): {deaths} deaths after 0 to {most} steps", operation.name));
    Ok(())
}

#[test]
fn a_producer_that_dies_anywhere_takes_no_more_than_its_unfinished_records() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    for operation in &OPERATIONS {
        kill_everywhere(operation, "native", || Scene::new(1, false))?;
        kill_everywhere(operation, "kernel protocol", || Scene::new(1, true))?;
    }
    Ok(())
}

#[test]
fn a_producer_that_was_let_go_dies_anywhere_like_others() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    OPERATIONS.iter().try_for_each(|operation| kill_everywhere(operation, "let go", || Scene::with_a_crowd(1)))
}
