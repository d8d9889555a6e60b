//! Repairs that are killed after any instruction.

use std::io;

use crate::operation::{OPERATIONS, Operation, of_the_dead, places};
use crate::scene::{Scene, TestResult, content, report, require_ptrace, stride, times};
use crate::support::victim::{Steps, Victim, mark};

const LEN: usize = 40;
const OUTPUT: &Operation = &OPERATIONS[2];

/// Somebody who repairs.
fn begin(scene: &Scene) -> std::io::Result<Victim> {
    let inherited = scene.inherited();
    Victim::traced(|| {
        let ring = inherited.attach();
        // So that the ring is mapped.
        drop(ring.producer().unwrap());
        mark();
        ring.ring().repair().unwrap();
        mark();
        mark();
    })
}

/// A producer dies after `dead_after` instructions between two records of one who lives, then a repair of that after `steps`. The
/// next repair leaves nothing to be done. What came of the one that died.
fn die_one_after_the_other(scene: &mut Scene, dead_after: u64, steps: u64, reserved: u64) -> io::Result<Steps> {
    let when = format!("a producer killed after {dead_after} steps, a repair after {steps}");
    let (head, alive) = (scene.head(), [1, 2].map(|number| content(1000 + dead_after, steps ^ number << 20, LEN)));
    scene.live.output(&alive[0])?;
    let mut dead = OUTPUT.begin(scene, 1)?;
    dead.step(dead_after)?;
    dead.kill()?;
    scene.live.output(&alive[1])?;
    let mut repairer = begin(scene)?;
    let made = repairer.step(steps)?;
    repairer.kill()?;

    let repair = scene.ring.ring().repair()?;
    assert_eq!((repair.left, repair.busy), (0, false), "{when}");
    assert_eq!(scene.ring.ring().stats()?.producers, 1, "{when}");
    let found = of_the_dead(scene.read_on(), &alive, &when);
    assert!(found.is_empty(), "{when}: {found:?}");
    assert_eq!(scene.head().wrapping_sub(head) - 2 * stride(LEN), reserved, "{when}");
    scene.assert_clean(2, &when);
    Ok(made)
}

fn kill_everywhere(kernel_protocol: bool) -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let mut scene = Scene::new(2, kernel_protocol)?;
    let entering = OUTPUT.swapped_after(kernel_protocol)?;
    let mut deaths = 0;
    let of_producers = [entering.start, entering.end - 1, entering.start - 1, (entering.start + entering.end) / 2];
    for dead_after in of_producers.into_iter().take(times(3, 4) as usize) {
        let reserved = if dead_after >= entering.start { OUTPUT.span } else { 0 };
        let whole = die_one_after_the_other(&mut scene, dead_after, u64::MAX, reserved)?;
        let Steps::Marked(most) = whole else { unreachable!() };
        for steps in places(most, 2) {
            die_one_after_the_other(&mut scene, dead_after, steps, reserved)?;
            deaths += 1;
        }
        let protocol = if kernel_protocol { "kernel protocol" } else { "native" };
        report(&format!("repair ({protocol}): {deaths} deaths, the last of them after {most} steps"));
    }
    Ok(())
}

#[test]
fn a_repair_that_dies_anywhere_is_finished_by_the_next() -> TestResult {
    kill_everywhere(false)
}

#[test]
fn a_repair_that_dies_anywhere_hides_nothing_from_plain_readers() -> TestResult {
    kill_everywhere(true)
}
