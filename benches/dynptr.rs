//! What it costs to read and write 8 bytes through a view, beside doing so in a slice.
//!
//! Both check each access. First the difference, from interleaved rounds, which needs no quiet machine.

#[path = "common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use common::pin;
use criterion::{Criterion, Throughput};
use dynring::{View, ViewMut};

/// Bytes of the memory, which stays in the first cache.
const MEMORY: usize = 4096;

/// Offsets that are not known beforehand, none of them aligned on purpose, all of them within the memory.
fn offsets() -> Vec<u64> {
    let offset = |nth: u64| nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (0..1024).map(|nth| offset(nth) % (MEMORY as u64 - 7)).collect()
}

fn read_slice(memory: &[u8], offset: u64) -> Option<u64> {
    let bytes = memory.get(offset as usize..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

fn write_slice(memory: &mut [u8], offset: u64, value: u64) -> Option<()> {
    *memory.get_mut(offset as usize..)?.first_chunk_mut()? = value.to_le_bytes();
    Some(())
}

/// One way of reading or writing at all offsets.
type Way = fn(&mut [u8], &[u64]);

const READ: [(&str, Way); 3] = [
    ("slice", |memory, offsets| {
        let memory = black_box(&*memory);
        for offset in offsets {
            black_box(read_slice(memory, *offset).unwrap());
        }
    }),
    ("View", |memory, offsets| {
        let view = black_box(View::new(memory));
        for offset in offsets {
            black_box(view.read_as::<u64>(*offset).unwrap());
        }
    }),
    // Not known to have no fragments.
    ("View with fragments", |memory, offsets| {
        let fragments = [[0; 8]; 2];
        let view = black_box(View::with_fragments(memory, &fragments));
        for offset in offsets {
            black_box(view.read_as::<u64>(*offset).unwrap());
        }
    }),
];

const WRITE: [(&str, Way); 3] = [
    ("slice", |memory, offsets| {
        let memory = black_box(memory);
        for offset in offsets {
            write_slice(memory, *offset, *offset).unwrap();
            black_box(&mut *memory);
        }
    }),
    ("ViewMut", |memory, offsets| {
        let mut view = black_box(ViewMut::new(memory));
        for offset in offsets {
            view.write_as(*offset, offset).unwrap();
            black_box(&mut view);
        }
    }),
    ("ViewMut with fragments", |memory, offsets| {
        let mut fragments = [[0; 8]; 2];
        let mut view = black_box(ViewMut::with_fragments(memory, &mut fragments));
        for offset in offsets {
            view.write_as(*offset, offset).unwrap();
            black_box(&mut view);
        }
    }),
];

/// Medians of interleaved rounds.
fn compare(what: &str, ways: &[(&str, Way)]) {
    const ROUNDS: usize = 31;
    const REPEAT: u32 = 2000;
    let (mut memory, offsets) = (vec![0; MEMORY], offsets());
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        for ((_, way), times) in ways.iter().zip(&mut times) {
            let begun = Instant::now();
            (0..REPEAT).for_each(|_| way(&mut memory, &offsets));
            times.push(begun.elapsed().as_secs_f64() * 1e9 / f64::from(REPEAT) / offsets.len() as f64);
        }
    }
    println!("{what} 8 bytes, medians of {ROUNDS} interleaved rounds:");
    let medians = times.iter_mut().map(|times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    let medians: Vec<_> = medians.collect();
    for ((name, _), median) in ways.iter().zip(&medians) {
        println!("  {name:24} {median:.2} ns, {:+.2} ns (no more than +1 is wanted)", median - medians[0]);
    }
}

fn benchmarks(criterion: &mut Criterion) {
    let (mut memory, offsets) = (vec![0; MEMORY], offsets());
    for (what, ways) in [("read", READ), ("write", WRITE)] {
        let mut group = criterion.benchmark_group(format!("{what} 8 bytes"));
        group.throughput(Throughput::Elements(offsets.len() as u64));
        for (name, way) in ways {
            group.bench_function(name, |bencher| bencher.iter(|| way(&mut memory, &offsets)));
        }
    }
}

fn main() {
    pin(0);
    compare("read", &READ);
    compare("write", &WRITE);
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    benchmarks(&mut criterion);
    criterion.final_summary();
}
