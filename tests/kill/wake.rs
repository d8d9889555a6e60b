//! A consumer that sleeps, and whoever should wake it is killed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::asleep::Watched;
use crate::operation::{OPERATIONS, places};
use crate::scene::{Scene, Stop, TestResult, report, require_ptrace};
use crate::support::victim::{Steps, until};

/// Longer than it is ever asleep, as it looks after the dead.
const A_WHILE: Option<Duration> = Some(Duration::from_secs(10));

#[test]
fn a_consumer_whose_waker_dies_anywhere_wakes_up_nevertheless() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let output = &OPERATIONS[2];
    for kernel_protocol in [false, true] {
        let Scene { ring, live, mut consumer, .. } = Scene::new(1, kernel_protocol)?;
        let got = Mutex::new(Vec::new());
        let (mut deaths, mut most, mut delivered) = (0, 0, Vec::new());
        let stop = AtomicBool::new(false);
        thread::scope(|scope| -> TestResult {
            let stop = Stop(&stop);
            let (say, hear) = mpsc::channel();
            let (got, stopped) = (&got, stop.0);
            scope.spawn(move || {
                say.send(Watched::current()).unwrap();
                while !stopped.load(Ordering::SeqCst) {
                    let _ = consumer.wait(A_WHILE).unwrap();
                    while let Some(record) = consumer.next().unwrap() {
                        got.lock().unwrap().push(record.to_vec());
                    }
                }
            });
            let thread = hear.recv()?;
            let stats = || ring.ring().stats().unwrap();
            let inherited = crate::scene::Inherited::of(ring.ring());
            for steps in std::iter::once(u64::MAX).chain(0..) {
                if deaths > 0 && steps > most + 1 {
                    break;
                }
                if deaths > 0 && !places(most, 4).any(|place| place == steps) {
                    continue;
                }
                let when = format!("killed after {steps} steps");
                thread.until_asleep();
                let mut victim = output.begin_in(inherited, steps)?;
                if let Steps::Marked(all) = victim.step(steps)? {
                    most = most.max(all);
                }
                victim.kill()?;
                until("the consumer has looked after the dead", || {
                    thread::sleep(Duration::from_micros(100));
                    let stats = stats();
                    stats.consumer_pos == stats.head && stats.producers == 1
                });
                let found = std::mem::take(&mut *got.lock().unwrap());
                assert!(output.contents(steps).starts_with(&found), "{when}: {found:?}");
                delivered.push(found.len());
                deaths += 1;
            }
            drop(stop);
            // Wakes it.
            live.output(b"")?;
            Ok(())
        })?;
        let everything = delivered.remove(0);
        assert!(everything == 1 && delivered.is_sorted(), "{delivered:?}");
        report(&format!(
            "a sleeping consumer's waker (kernel protocol: {kernel_protocol}): {deaths} deaths after 0 to {most} steps"
        ));
    }
    Ok(())
}
