//! Producers that are stopped, and live.

use std::time::Duration;

use crate::operation::{OPERATIONS, Operation, of_the_dead, places};
use crate::scene::{Scene, TestResult, alone, content, report, require_ptrace, times};
use crate::support::victim::{Victim, board, mark, until};

const LEN: usize = 40;

/// How producers that were stopped held the consumer up.
#[derive(Default)]
struct Seen {
    stops: u64,
    entering: u64,
    unfinished: u64,
}

/// Looks at what a stopped producer does to the ring, and does all it can to get past it.
fn look_at(scene: &mut Scene, process: u32, lens: &[usize], when: &str, seen: &mut Seen) -> Vec<Vec<u8>> {
    let mut got = scene.read_on();
    for _ in 0..3 {
        let repair = scene.ring.ring().repair().unwrap();
        assert_eq!((repair.freed, repair.busy), (0, false), "{when}");
        assert!(!scene.consumer.recover().unwrap(), "{when}");
        got.extend(scene.read_on());
    }
    seen.stops += 1;
    if let Some(stalled) = scene.consumer.stalled() {
        assert_eq!(stalled.process, Some(process), "{when}");
        match stalled.len {
            None => seen.entering += 1,
            Some(len) => {
                assert!(lens.contains(&len), "{when}: {len} bytes");
                seen.unfinished += 1;
            }
        }
        let again = scene.consumer.stalled().expect("it is still there");
        assert_eq!((again.position, again.since), (stalled.position, stalled.since), "{when}");
    }
    got
}

fn stop_everywhere(operation: &Operation, lens: &[usize], kernel_protocol: bool) -> Result<Seen, std::io::Error> {
    let mut scene = Scene::new(1, kernel_protocol).unwrap();
    let most = operation.steps(kernel_protocol)?;
    let mut seen = Seen::default();
    for steps in places(most, 6).filter(|&steps| steps <= most) {
        let when = format!("{}, stopped after {steps} steps of {most}", operation.name);
        let alive = [1, 2].map(|number| content(steps + 1000, number, LEN));
        let mut victim = operation.begin(&scene, steps)?;
        victim.step(steps)?;
        victim.leave_stopped()?;
        alive.iter().for_each(|record| scene.live.output(record).unwrap());
        let mut got = look_at(&mut scene, victim.id(), lens, &when, &mut seen);
        victim.go_on()?;
        victim.until_stopped()?;
        got.extend(scene.read_on());
        assert_eq!(of_the_dead(got, &alive, &when), operation.contents(steps), "{when}");
        victim.kill()?;
        scene.read_on();
        scene.assert_clean(1, &when);
    }
    assert_eq!(scene.consumer.abandoned(), 0, "somebody was robbed");
    Ok(seen)
}

#[test]
fn a_producer_that_is_stopped_anywhere_is_waited_for_and_reported() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    // The lengths that its unfinished records have, one after the other.
    let lens: [&[usize]; 3] = [&[33], &[128], &[152, 120, 72, 24, 40]];
    let mut sum = Seen::default();
    for (operation, lens) in [2, 3, 4].map(|at| &OPERATIONS[at]).into_iter().zip(lens) {
        for kernel_protocol in [false, true] {
            let seen = stop_everywhere(operation, lens, kernel_protocol)?;
            sum.stops += seen.stops;
            sum.entering += seen.entering;
            sum.unfinished += seen.unfinished;
        }
    }
    let Seen { stops, entering, unfinished } = sum;
    report(&format!(
        "{stops} stops, {entering} of them while entering, {unfinished} with an unfinished record, 0 thefts"
    ));
    assert!(unfinished > 0);
    Ok(())
}

/// The child reserves, and says so; it commits when it is told.
#[test]
fn a_record_whose_producer_is_stopped_again_and_again_is_delivered() -> TestResult {
    let _alone = alone();
    let mut scene = Scene::new(1, false)?;
    let (inherited, board, rounds) = (scene.inherited(), board(), times(50, 1000));
    let [said, told] = [&board[0], &board[8]];
    let order = std::sync::atomic::Ordering::SeqCst;
    let victim = Victim::fork(|| {
        let producer = inherited.attach().producer().unwrap();
        for round in 1..=rounds {
            let mut record = producer.reserve(LEN).unwrap();
            said.store(round, order);
            until("told to commit", || told.load(order) == round);
            record.copy_from_slice(&content(1, round, LEN));
            record.commit();
        }
        mark();
    })?;
    let mut seen = Seen::default();
    for round in 1..=rounds {
        until("the reservation", || said.load(order) == round);
        victim.stop()?;
        told.store(round, order);
        let alive = [content(2, round, LEN)];
        scene.live.output(&alive[0])?;
        assert_eq!(look_at(&mut scene, victim.id(), &[LEN], "stopped", &mut seen), [[0u8; 0]; 0]);
        std::thread::sleep(Duration::from_micros(100));
        let stalled = scene.consumer.stalled().unwrap();
        assert!(stalled.since.elapsed() >= Duration::from_micros(100));
        victim.go_on()?;
        let mut got = Vec::new();
        until("the record", || {
            got.extend(scene.read_on());
            got.len() == 2
        });
        assert_eq!(got, [content(1, round, LEN), content(2, round, LEN)]);
    }
    victim.until_stopped()?;
    victim.kill()?;
    scene.read_on();
    scene.assert_clean(1, "afterwards");
    assert_eq!((seen.unfinished, scene.consumer.abandoned()), (rounds, 0));
    report(&format!("{} stops with a reserved record, 0 thefts", seen.stops));
    Ok(())
}
