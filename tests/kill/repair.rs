//! Repairs that are killed after any instruction.

use crate::operation::{OPERATIONS, of_the_dead, places};
use crate::scene::{Scene, TestResult, content, report, require_ptrace, stride, times};
use crate::support::victim::{Steps, Victim, mark};

const LEN: usize = 40;

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

#[test]
fn a_repair_that_dies_anywhere_is_finished_by_the_next() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let output = &OPERATIONS[2];
    for kernel_protocol in [false, true] {
        let mut scene = Scene::new(2, kernel_protocol)?;
        let entering = output.swapped_after(kernel_protocol)?;
        let (mut deaths, mut most) = (0, 0);
        let of_producers = [entering.start - 1, entering.start, (entering.start + entering.end) / 2, entering.end - 1];
        for (round, dead_after) in of_producers.into_iter().enumerate().skip(times(2, 0) as usize) {
            for steps in [u64::MAX].into_iter().chain((0..).take_while(|&steps| steps < 1 << 20)) {
                if steps != u64::MAX && steps > most {
                    break;
                }
                if steps != u64::MAX && !places(most, 2).any(|place| place == steps) {
                    continue;
                }
                let when = format!("a producer killed after {dead_after} steps, a repair after {steps}");
                let whose = 1000 + round as u64;
                let (head, alive) = (scene.head(), [1, 2].map(|number| content(whose, steps ^ number << 20, LEN)));
                scene.live.output(&alive[0])?;
                let mut dead = output.begin(&scene, 1)?;
                dead.step(dead_after)?;
                dead.kill()?;
                scene.live.output(&alive[1])?;
                let mut repairer = begin(&scene)?;
                if let Steps::Marked(all) = repairer.step(steps)? {
                    most = most.max(all);
                }
                repairer.kill()?;
                let repair = scene.ring.ring().repair()?;
                assert_eq!((repair.left, repair.busy), (0, false), "{when}");
                assert_eq!(scene.ring.ring().stats()?.producers, 1, "{when}");
                let found = of_the_dead(scene.read_on(), &alive, &when);
                assert!(found.is_empty(), "{when}: {found:?}");
                let reserved = scene.head().wrapping_sub(head) - 2 * stride(LEN);
                let swapped = dead_after >= entering.start;
                assert_eq!(reserved, if swapped { output.span } else { 0 }, "{when}");
                scene.assert_clean(2, &when);
                deaths += 1;
            }
        }
        report(&format!("repair (kernel protocol: {kernel_protocol}): {deaths} deaths after 0 to {most} steps"));
    }
    Ok(())
}
