//! Many threads at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use dynring::{Arena, ArenaPtr, EntryError, MapSize, NotInserted, Token};

use crate::{Numbers, TestResult};

const THREADS: u64 = 4;
const ROUNDS: u64 = if cfg!(miri) { 20 } else { 20_000 };

fn write(value: &mut ArenaPtr<'_>, number: u64) {
    let len = value.len();
    for (byte, at) in value.iter_mut().zip(0..) {
        *byte = (number ^ at ^ len as u64) as u8;
    }
}

fn check(value: &[u8], number: u64) {
    let len = value.len() as u64;
    for (byte, at) in value.iter().zip(0..) {
        assert_eq!(*byte, (number ^ at ^ len) as u8, "byte {at} of {len}");
    }
}

#[test]
fn nobody_gets_what_somebody_else_has() -> TestResult {
    // Little enough that it runs out all the time, and slabs come and go.
    let arena = Arena::builder(1 << 17).build()?;
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let arena = &arena;
            scope.spawn(move || {
                let mut numbers = Numbers(seed);
                let mut values: Vec<(u64, ArenaPtr<'_>)> = Vec::new();
                for round in 0..ROUNDS {
                    let len = [100, 700, 5000, 20_000][numbers.below(4) as usize];
                    if let Ok(mut value) = arena.alloc(numbers.below(len) as usize) {
                        let number = seed << 40 ^ round;
                        write(&mut value, number);
                        values.push((number, value));
                    }
                    while values.len() as u64 > numbers.below(20) {
                        let (number, value) = values.swap_remove(numbers.below(values.len() as u64) as usize);
                        check(&value, number);
                    }
                }
            });
        }
    });
    assert_eq!((arena.in_use(), arena.largest_free()), (0, arena.capacity()));
    Ok(())
}

#[test]
fn what_is_freed_by_another_thread_is_free() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let (sender, receiver) = mpsc::sync_channel::<(u64, Token)>(16);
    thread::scope(|scope| {
        let arena = &arena;
        scope.spawn(move || {
            let mut numbers = Numbers(7);
            for round in 0..ROUNDS {
                let mut value = arena.alloc(numbers.below(4000) as usize).unwrap();
                write(&mut value, round);
                sender.send((round, value.into_token())).unwrap();
            }
        });
        for (round, token) in receiver {
            check(&arena.claim(token).unwrap(), round);
        }
    });
    assert_eq!((arena.in_use(), arena.largest_free()), (0, arena.capacity()));
    Ok(())
}

#[test]
fn of_all_who_claim_a_token_one_gets_it() -> TestResult {
    let arena = Arena::builder(1 << 16).build()?;
    for _ in 0..ROUNDS / 20 {
        let token = arena.alloc(64)?.into_token();
        let claimed = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| claimed.fetch_add(usize::from(arena.claim(token).is_ok()), Ordering::Relaxed));
            }
        });
        assert_eq!(claimed.into_inner(), 1);
    }
    assert_eq!(arena.in_use(), 0);
    Ok(())
}

#[test]
fn a_map_is_used_by_all_at_once() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let map = arena.create_map::<u64>("map", MapSize { entries: 8, key_bytes: 0 })?;
    let empty = arena.in_use();
    let balance = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (arena, map, balance) = (&arena, map.clone(), &balance);
            scope.spawn(move || {
                let mut numbers = Numbers(seed);
                for _ in 0..ROUNDS {
                    let key = numbers.below(6);
                    match numbers.below(5) {
                        0 => {
                            let Ok(mut value) = arena.alloc(200 + key as usize) else { continue };
                            write(&mut value, key);
                            match map.insert(&key, value) {
                                Ok(()) => drop(balance.fetch_add(1, Ordering::Relaxed)),
                                Err(error) => assert!(!matches!(error.why, NotInserted::Foreign)),
                            }
                        }
                        1 => match map.remove(&key) {
                            Ok(removed) => drop(balance.fetch_sub(usize::from(removed), Ordering::Relaxed)),
                            Err(error) => assert_eq!(error, EntryError::Exclusive),
                        },
                        2 => match map.get_mut(&key) {
                            Ok(Some(mut value)) => {
                                check(&value, key);
                                value.fill(0);
                                let len = value.len() as u64;
                                for (byte, at) in value.iter_mut().zip(0..) {
                                    *byte = (key ^ at ^ len) as u8;
                                }
                            }
                            Ok(None) => {}
                            Err(error) => assert_ne!(error, EntryError::Corrupt),
                        },
                        3 => {
                            for (key, value) in &map {
                                check(&value, u64::from_ne_bytes(key.try_into().unwrap()));
                            }
                        }
                        _ => match map.get(&key) {
                            Ok(Some(value)) => check(&value.clone(), key),
                            Ok(None) => {}
                            Err(error) => assert_eq!(error, EntryError::Exclusive),
                        },
                    }
                }
            });
        }
    });
    assert_eq!(map.len(), balance.into_inner());
    for key in 0..6 {
        map.remove(&key)?;
    }
    assert_eq!((map.len(), arena.in_use()), (0, empty));
    Ok(())
}

#[test]
fn of_all_who_insert_a_key_one_does() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let map = arena.create_map::<u64>("map", MapSize { entries: 16, key_bytes: 0 })?;
    for key in 0..ROUNDS / 20 {
        let inserted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let done = map.insert(&key, arena.alloc(64).unwrap());
                    inserted.fetch_add(usize::from(done.is_ok()), Ordering::Relaxed);
                });
            }
        });
        assert_eq!((inserted.into_inner(), map.len()), (1, 1));
        map.remove(&key)?;
    }
    Ok(())
}
