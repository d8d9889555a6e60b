//! Producers that are killed where others are reserving, too.

use std::time::Duration;

use crate::operation::{OPERATIONS, Operation, of_the_dead, places};
use crate::scene::{Scene, TestResult, all, content, report, require_ptrace, stride, times};
use crate::support::victim::{Steps, Victim, mark};

const OUTPUT: &Operation = &OPERATIONS[2];
const LONGER: &Operation = &OPERATIONS[3];
const LEN: usize = 40;

/// Somebody reserves while the one who is going to die stands still, so that it has to try again, and again is killed after any
/// instruction.
#[test]
fn a_producer_dies_having_been_overtaken() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    for kernel_protocol in [false, true] {
        let mut scene = Scene::new(1, kernel_protocol)?;
        let most = OUTPUT.steps(kernel_protocol)?;
        let mut deaths = 0;
        let more = if all() { &[5, 13, 29, 61, 97, 151, u64::MAX][..] } else { &[most / 9, u64::MAX] };
        for (first, &then) in places(most, 3).flat_map(|first| more.iter().map(move |then| (first, then))) {
            let when = format!("killed after {first} steps and {then}");
            let (head, alive) = (scene.head(), [1, 2].map(|number| content(first + 1000, number, LEN)));
            let mut victim = OUTPUT.begin(&scene, first)?;
            let done = victim.step(first)? != Steps::Made;
            scene.live.output(&alive[0])?;
            let done = done || victim.step(then)? != Steps::Made;
            victim.kill()?;
            scene.live.output(&alive[1])?;
            let found = of_the_dead(scene.read_on(), &alive, &when);
            assert!(OUTPUT.contents(first).starts_with(&found), "{when}: {found:?}");
            assert!(!done || found.len() == 1, "{when}");
            let reserved = scene.head().wrapping_sub(head) - 2 * stride(LEN);
            assert!([0, OUTPUT.span].contains(&reserved), "{when}: {reserved} bytes");
            scene.assert_clean(1, &when);
            deaths += 1;
        }
        report(&format!("overtaken (kernel protocol: {kernel_protocol}): {deaths} deaths"));
    }
    Ok(())
}

/// Both have seen the same head, and reserve different lengths.
#[test]
fn two_producers_die_at_one_place() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    for kernel_protocol in [false, true] {
        let mut scene = Scene::new(2, kernel_protocol)?;
        let most = OUTPUT.steps(kernel_protocol)?.max(LONGER.steps(kernel_protocol)?);
        let points = || (0..=most).step_by((most / times(4, 70)).max(1) as usize);
        let mut deaths = 0;
        for (first, second) in points().flat_map(|first| points().map(move |second| (first, second))) {
            let when = format!("killed after {first} steps, and {second}");
            let (head, alive) = (scene.head(), [content(first + 1000, second, LEN)]);
            let mut done = Vec::new();
            let mut victims = [OUTPUT.begin(&scene, 1)?, LONGER.begin(&scene, 2)?];
            for (victim, steps) in victims.iter_mut().zip([first, second]) {
                done.push(victim.step(steps)? != Steps::Made);
            }
            victims.into_iter().try_for_each(|victim| victim.kill())?;
            scene.live.output(&alive[0])?;
            let found = of_the_dead(scene.read_on(), &alive, &when);
            let contents = [OUTPUT.contents(1).remove(0), LONGER.contents(2).remove(0)];
            for (content, done) in contents.iter().zip(done) {
                let times = found.iter().filter(|found| *found == content).count();
                assert!(times == 1 || times == 0 && !done, "{when}: delivered {times} times");
            }
            assert!(found.iter().all(|found| contents.contains(found)), "{when}: {found:?}");
            let reserved = scene.head().wrapping_sub(head) - stride(LEN);
            let sums = [0, OUTPUT.span, LONGER.span, OUTPUT.span + LONGER.span];
            assert!(sums.contains(&reserved), "{when}: {reserved} bytes");
            scene.assert_clean(2, &when);
            deaths += 2;
        }
        report(&format!("two at one place (kernel protocol: {kernel_protocol}): {deaths} deaths"));
    }
    Ok(())
}

/// The ring is full, and stays so while the one who is going to die waits.
#[test]
fn a_producer_dies_waiting_for_space() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    // Long enough to get to sleep, one instruction at a time.
    let patience = Duration::from_millis(if cfg!(debug_assertions) { 300 } else { 30 });
    for kernel_protocol in [false, true] {
        let mut scene = Scene::new(1, kernel_protocol)?;
        let inherited = scene.inherited();
        let (mut deaths, mut most, mut number) = (0, None, 0);
        loop {
            let steps = match most {
                None => u64::MAX,
                Some(most) => match places(most, 3).nth(deaths - 1) {
                    None => break,
                    Some(steps) => steps,
                },
            };
            let when = format!("killed after {steps} steps");
            let mut sent = Vec::new();
            loop {
                number += 1;
                let record = content(1, number, 500);
                if scene.live.output(&record).is_err() {
                    break;
                }
                sent.push(record);
            }
            let mut victim = Victim::traced(|| {
                let producer = inherited.attach().producer().unwrap();
                mark();
                assert!(producer.reserve_blocking(500, Some(patience)).is_err());
                mark();
            })?;
            if let Steps::Marked(all) = victim.step(steps)? {
                most = most.max(Some(all));
            }
            victim.kill()?;
            assert!(scene.read_on() == sent, "{when}: lost, doubled or out of order");
            scene.assert_clean(1, &when);
            deaths += 1;
        }
        report(&format!(
            "waiting for space (kernel protocol: {kernel_protocol}): {deaths} deaths after 0 to {} steps",
            most.unwrap_or(0)
        ));
    }
    Ok(())
}
