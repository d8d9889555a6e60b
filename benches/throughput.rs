//! Records from producers to the consumer, every byte written and read, every record checked.
//!
//! First the ratio that needs no quiet machine: one thread alone against crossbeam's `ArrayQueue`, in interleaved rounds.

#[path = "common/mod.rs"]
mod common;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use common::{SIZES, Sizes, back_off, cores, fill, fold, pin};
use criterion::{BenchmarkId, Criterion, Throughput};
use crossbeam_queue::ArrayQueue;
use dynring::{Consumer, Producer, Readiness, ReserveError, Ring};

const RING: usize = 1 << 20;

/// Bytes of a lease.
const LEASE: usize = 16 << 10;

/// How a producer reserves, and how the consumer waits.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    lease: bool,
    gather: bool,
}

const WAYS: [Way; 4] = [
    Way { name: "reserve", lease: false, gather: false },
    Way { name: "reserve, gather", lease: false, gather: true },
    Way { name: "lease", lease: true, gather: false },
    Way { name: "lease, gather", lease: true, gather: true },
];

fn ring() -> Ring {
    Ring::builder(RING).build().expect("a ring")
}

/// One thread: reserve, fill, commit, consume.
fn alone(records: u64, sizes: Sizes) -> Duration {
    let ring = ring();
    let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    let begun = Instant::now();
    for nth in 1..=records {
        let mut record = producer.reserve(sizes.len(nth)).unwrap();
        fill(&mut record, nth);
        record.commit();
        let record = consumer.next().unwrap().unwrap();
        assert_eq!(fold(&record), nth);
    }
    begun.elapsed()
}

/// One thread: push and pop of one word.
fn array_queue(records: u64) -> Duration {
    let queue = ArrayQueue::new(RING / 16);
    let begun = Instant::now();
    for nth in 1..=records {
        queue.push([nth]).unwrap();
        assert_eq!(queue.pop().unwrap(), [nth]);
    }
    begun.elapsed()
}

/// From `producers` threads to this one; the time from the start to the last record.
fn across(records: u64, sizes: Sizes, producers: usize, way: Way) -> Duration {
    let ring = ring();
    let mut consumer = ring.consumer().unwrap();
    let each = records.div_ceil(producers as u64);
    let start = Barrier::new(producers + 1);
    // Producers that share a core give it up while they wait.
    let shared_core = producers >= cores();
    thread::scope(|scope| {
        for nth in 0..producers {
            let (producer, start) = (ring.producer().unwrap(), &start);
            scope.spawn(move || {
                // The consumer has the first core to itself, if there is another.
                pin(1 + nth % (cores() - 1).max(1));
                start.wait();
                if way.lease {
                    send_leased(&producer, each, sizes, shared_core);
                } else {
                    send(&producer, each, sizes, shared_core);
                }
            });
        }
        pin(0);
        start.wait();
        let begun = Instant::now();
        receive(&mut consumer, each * producers as u64, way.gather);
        begun.elapsed()
    })
}

fn send(producer: &Producer, records: u64, sizes: Sizes, shared_core: bool) {
    for nth in 1..=records {
        let mut record = loop {
            match producer.reserve(sizes.len(nth)) {
                Ok(record) => break record,
                Err(ReserveError::Full) => back_off(shared_core),
                Err(error) => panic!("{error}"),
            }
        };
        fill(&mut record, nth);
        record.commit();
    }
}

fn send_leased(producer: &Producer, records: u64, sizes: Sizes, shared_core: bool) {
    let mut nth = 1;
    while nth <= records {
        let Ok(mut lease) = producer.lease(LEASE.max(2 * sizes.largest())) else {
            back_off(shared_core);
            continue;
        };
        while nth <= records {
            let Ok(mut record) = lease.reserve(sizes.len(nth)) else { break };
            fill(&mut record, nth);
            record.commit();
            nth += 1;
        }
    }
}

fn receive(consumer: &mut Consumer, records: u64, gather: bool) {
    let mut left = records;
    while left > 0 {
        if gather {
            let readiness = consumer.wait_for(RING / 8, Duration::from_micros(20), None);
            assert_eq!(readiness.unwrap(), Readiness::Ready);
        }
        let drained = consumer.drain(|record| {
            assert_ne!(black_box(fold(record)), 0, "a torn record");
            ControlFlow::Continue(())
        });
        match drained.unwrap() {
            0 => std::hint::spin_loop(),
            count => left -= count,
        }
    }
}

/// Medians of interleaved rounds, and their ratio.
fn compare_with_array_queue() {
    const ROUNDS: usize = 15;
    const RECORDS: u64 = 400_000;
    let nanoseconds = |time: Duration| time.as_nanos() as f64 / RECORDS as f64;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(nanoseconds(alone(RECORDS, Sizes::Fixed(8))));
        theirs.push(nanoseconds(array_queue(RECORDS)));
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!("one thread, 8 bytes, medians of {ROUNDS} interleaved rounds:");
    println!("  dynring reserve + fill + commit + consume    {ours:.1} ns");
    println!("  ArrayQueue<[u64; 1]> push + pop              {theirs:.1} ns");
    println!("  ratio                                        {:.2} (no more than 1.25 is wanted)", ours / theirs);
}

fn benchmarks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("alone");
    for sizes in SIZES {
        group.throughput(Throughput::Elements(1));
        group.bench_function(sizes.name(), |bencher| bencher.iter_custom(|records| alone(records, sizes)));
    }
    group.bench_function("ArrayQueue<[u64; 1]>", |bencher| bencher.iter_custom(array_queue));
    group.finish();

    for way in WAYS {
        for producers in [1, 2, 4] {
            let mut group = criterion.benchmark_group(format!("{producers} to 1, {}", way.name));
            group.throughput(Throughput::Elements(1));
            for sizes in SIZES {
                let id = BenchmarkId::from_parameter(sizes.name());
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|records| across(records, sizes, producers, way));
                });
            }
        }
    }
}

fn main() {
    pin(0);
    compare_with_array_queue();
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .configure_from_args();
    benchmarks(&mut criterion);
    criterion.final_summary();
}
