//! What it costs to take memory from an arena and to give it back, beside the system's allocator.
//!
//! First the ratios, from interleaved rounds, which need no quiet machine.
#![expect(unsafe_code, reason = "calls the system's allocator")]

#[path = "common/mod.rs"]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::time::{Duration, Instant};

use common::pin;
use criterion::{BenchmarkId, Criterion};
use dynring::{Arena, ArenaPtr, MapSize};

const SIZES: [usize; 7] = [64, 128, 256, 512, 1024, 2048, 4096];

/// Pairs of taking and giving back in a round.
const PAIRS: usize = 1000;

/// How many are had at once where not each is given back at once.
const AT_ONCE: usize = 50;

fn arena() -> Arena {
    Arena::builder(64 << 20).build().unwrap()
}

/// One byte of it is written, as whoever takes memory does.
fn touch(bytes: *mut u8) {
    // SAFETY: both allocators give at least one byte.
    unsafe { bytes.write(1) };
    black_box(bytes);
}

/// Each is given back before the next is taken.
fn arena_pairs(arena: &Arena, len: usize) {
    for _ in 0..PAIRS {
        let mut value = arena.alloc(black_box(len)).unwrap();
        touch(value.as_mut_ptr());
    }
}

fn system_pairs(len: usize) {
    for _ in 0..PAIRS {
        let layout = Layout::from_size_align(black_box(len), 64).unwrap();
        // SAFETY: the layout has a size.
        let bytes = unsafe { System.alloc(layout) };
        touch(bytes);
        // SAFETY: allocated above with the same layout.
        unsafe { System.dealloc(bytes, layout) };
    }
}

/// As [`system_pairs`], aligned to 16 as malloc(3) aligns by itself.
fn malloc_pairs(len: usize) {
    for _ in 0..PAIRS {
        let layout = Layout::from_size_align(black_box(len), 16).unwrap();
        // SAFETY: the layout has a size.
        let bytes = unsafe { System.alloc(layout) };
        touch(bytes);
        // SAFETY: allocated above with the same layout.
        unsafe { System.dealloc(bytes, layout) };
    }
}

/// Many are taken, then all given back.
fn arena_many<'a>(arena: &'a Arena, len: usize, held: &mut Vec<ArenaPtr<'a>>) {
    for _ in 0..PAIRS / AT_ONCE {
        for _ in 0..AT_ONCE {
            let mut value = arena.alloc(black_box(len)).unwrap();
            touch(value.as_mut_ptr());
            held.push(value);
        }
        held.clear();
    }
}

fn malloc_many(len: usize, held: &mut Vec<*mut u8>) {
    let layout = Layout::from_size_align(black_box(len), 16).unwrap();
    for _ in 0..PAIRS / AT_ONCE {
        for _ in 0..AT_ONCE {
            // SAFETY: the layout has a size.
            let bytes = unsafe { System.alloc(layout) };
            touch(bytes);
            held.push(bytes);
        }
        for bytes in held.drain(..) {
            // SAFETY: allocated above with the same layout.
            unsafe { System.dealloc(bytes, layout) };
        }
    }
}

fn time(round: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    round();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_nanos() as f64 / PAIRS as f64
}

/// Medians of interleaved rounds, in nanoseconds a pair.
fn interleaved(ways: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    const ROUNDS: usize = 301;
    let mut times = vec![Vec::with_capacity(ROUNDS); ways.len()];
    for _ in 0..ROUNDS {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            times.push(time(way));
        }
    }
    times.into_iter().map(median).collect()
}

fn ratios() {
    let arena = arena();
    println!("nanoseconds to take memory, write a byte and give it back; medians of interleaved rounds");
    println!("bytes   arena  malloc  ratio   aligned to 64  ratio   {AT_ONCE} at once: arena  malloc  ratio");
    for len in SIZES {
        let (mut held, mut pointers) = (Vec::with_capacity(AT_ONCE), Vec::with_capacity(AT_ONCE));
        let times = interleaved(&mut [
            &mut || arena_pairs(&arena, len),
            &mut || malloc_pairs(len),
            &mut || system_pairs(len),
            &mut || arena_many(&arena, len, &mut held),
            &mut || malloc_many(len, &mut pointers),
        ]);
        let [own, malloc, aligned, many, malloc_many] = times[..] else { unreachable!() };
        println!(
            "{len:5}  {own:6.1}  {malloc:6.1}  {:5.2}   {aligned:13.1}  {:5.2}   {many:19.1}  {malloc_many:6.1}  {:5.2}",
            own / malloc,
            own / aligned,
            many / malloc_many
        );
    }
}

fn main() {
    pin(0);
    ratios();
    let mut criterion = Criterion::default().configure_from_args();
    let arena = arena();
    let mut group = criterion.benchmark_group("alloc and free");
    for len in SIZES {
        group.bench_with_input(BenchmarkId::new("arena", len), &len, |bench, &len| {
            bench.iter(|| touch(arena.alloc(len).unwrap().as_mut_ptr()));
        });
        group.bench_with_input(BenchmarkId::new("malloc", len), &len, |bench, &len| {
            let layout = Layout::from_size_align(len, 16).unwrap();
            bench.iter(|| {
                // SAFETY: the layout has a size.
                let bytes = unsafe { System.alloc(layout) };
                touch(bytes);
                // SAFETY: allocated above with the same layout.
                unsafe { System.dealloc(bytes, layout) };
            });
        });
    }
    group.finish();

    let map = arena.create_map::<u64>("map", MapSize { entries: 1024, key_bytes: 0 }).unwrap();
    for key in 0..500 {
        map.insert(&key, arena.alloc(100).unwrap()).map_err(|error| error.why).unwrap();
    }
    let mut group = criterion.benchmark_group("map");
    group.bench_function("get", |bench| bench.iter(|| map.get(black_box(&77)).unwrap().unwrap().len()));
    group.bench_function("get of nothing", |bench| bench.iter(|| map.get(black_box(&7777)).unwrap().is_none()));
    group.bench_function("insert, remove", |bench| {
        bench.iter(|| {
            map.insert(black_box(&5555), arena.alloc(100).unwrap()).map_err(|error| error.why).unwrap();
            map.remove(&5555).unwrap()
        });
    });
    group.finish();
    criterion.final_summary();
}
