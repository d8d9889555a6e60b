//! Half a round trip between two threads, each with a ring of its own to the other: looking all the time, and asleep.

#[path = "common/mod.rs"]
mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{fill, fold, pin};
use criterion::{BenchmarkId, Criterion};
use dynring::{Consumer, Producer, Readiness, Ring};

const RING: usize = 1 << 16;

/// How the receiving side waits.
#[derive(Clone, Copy)]
enum Waiting {
    /// It looks again and again.
    Looking,
    /// It calls `wait`, which looks for some microseconds before it sleeps. The answer takes longer than that to come.
    Sleeping,
}

/// How long the other side thinks, so that who waits for it has fallen asleep.
const THINK: Duration = Duration::from_micros(50);

fn receive(consumer: &mut Consumer, waiting: Waiting) -> u64 {
    loop {
        if let Some(record) = consumer.next().unwrap() {
            return fold(&record);
        }
        match waiting {
            Waiting::Looking => std::hint::spin_loop(),
            Waiting::Sleeping => assert_eq!(consumer.wait(Some(Duration::from_secs(10))).unwrap(), Readiness::Ready),
        }
    }
}

fn send(producer: &Producer, len: usize, nth: u64) {
    let mut record = producer.reserve(len).unwrap();
    fill(&mut record, nth);
    record.commit();
}

fn think() {
    let begun = Instant::now();
    while begun.elapsed() < THINK {
        std::hint::spin_loop();
    }
}

/// The time of `rounds` halves of a round trip, thinking not counted.
fn ping_pong(rounds: u64, len: usize, waiting: Waiting) -> Duration {
    let ring = || Ring::builder(RING).build().unwrap();
    let (there, back) = (ring(), ring());
    let (ping, pong) = (there.producer().unwrap(), back.producer().unwrap());
    let (mut pinged, mut ponged) = (there.consumer().unwrap(), back.consumer().unwrap());
    let thinks = matches!(waiting, Waiting::Sleeping);
    thread::scope(|scope| {
        scope.spawn(move || {
            pin(1);
            for nth in 1..=rounds {
                assert_eq!(receive(&mut pinged, waiting), nth);
                if thinks {
                    think();
                }
                send(&pong, len, nth);
            }
        });
        pin(0);
        let mut time = Duration::ZERO;
        for nth in 1..=rounds {
            if thinks {
                think();
            }
            let begun = Instant::now();
            send(&ping, len, nth);
            assert_eq!(receive(&mut ponged, waiting), nth);
            time += begun.elapsed().saturating_sub(if thinks { THINK } else { Duration::ZERO });
        }
        time / 2
    })
}

fn benchmarks(criterion: &mut Criterion) {
    for (name, waiting, sizes) in
        [("looking", Waiting::Looking, &[8, 64, 256, 1024, 4096][..]), ("sleeping", Waiting::Sleeping, &[8])]
    {
        let mut group = criterion.benchmark_group(format!("half a round trip, {name}"));
        for &len in sizes {
            group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
                bencher.iter_custom(|rounds| ping_pong(rounds, len, waiting));
            });
        }
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    benchmarks(&mut criterion);
    criterion.final_summary();
}
