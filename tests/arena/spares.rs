//! What a process sets apart for itself of the memory that it gives back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dynring::{Arena, ArenaPtr};

use crate::{Numbers, TestResult};

const BYTES: usize = 1 << 20;
const ROUNDS: usize = if cfg!(miri) { 20 } else { 3000 };

/// Takes blocks of many sizes and gives them back.
fn give_many_back(arena: &Arena) {
    let values: Vec<_> = (0..40).map(|nth| arena.alloc(100 * nth).unwrap()).collect();
    drop(values);
    for nth in 0..40 {
        drop(arena.alloc(100 * nth).unwrap());
    }
}

#[test]
fn all_that_was_set_apart_is_there_for_who_needs_it() -> TestResult {
    let arena = Arena::builder(BYTES).build()?;
    for _ in 0..3 {
        give_many_back(&arena);
        assert_eq!(arena.in_use(), 0);
        assert_eq!(arena.alloc(BYTES)?.len(), BYTES);
        give_many_back(&arena);
        assert_eq!((arena.largest_free(), arena.capacity()), (BYTES as u64, BYTES as u64));
        let blocks: Vec<_> = std::iter::from_fn(|| arena.alloc(64).ok()).collect();
        assert_eq!(blocks.len(), BYTES / 64);
    }
    Ok(())
}

#[test]
fn another_thread_has_what_was_set_apart_for_one_that_does_nothing_or_has_ended() -> TestResult {
    let arena = Arena::builder(BYTES).build()?;
    thread::scope(|scope| scope.spawn(|| give_many_back(&arena)).join()).unwrap();
    assert_eq!((arena.in_use(), arena.alloc(BYTES)?.len()), (0, BYTES));
    give_many_back(&arena);
    thread::scope(|scope| scope.spawn(|| assert!(arena.alloc(BYTES).is_ok())).join()).unwrap();
    Ok(())
}

#[test]
fn tokens_of_what_was_given_back_are_stale() -> TestResult {
    let arena = Arena::builder(BYTES).build()?;
    for _ in 0..10 {
        let token = arena.alloc(100)?.into_token();
        drop(arena.claim(token)?);
        assert!(arena.claim(token).is_err());
        let again = arena.alloc(100)?;
        assert!(arena.claim(token).is_err());
        drop(again);
    }
    Ok(())
}

fn write(value: &mut ArenaPtr<'_>, number: u8) {
    value.fill(number);
}

fn check(value: &ArenaPtr<'_>, number: u8) {
    assert!(value.iter().all(|byte| *byte == number), "{number} was overwritten");
}

/// Takes and gives back, and sees that nobody else writes what it has.
fn use_some(arena: &Arena, seed: u64, rounds: usize) {
    let mut numbers = Numbers(seed);
    let mut values: Vec<ArenaPtr<'_>> = Vec::new();
    for _ in 0..rounds {
        if let Ok(mut value) = arena.alloc(numbers.below(1500) as usize) {
            write(&mut value, seed as u8);
            values.push(value);
        }
        while values.len() as u64 > numbers.below(12) {
            let value = values.swap_remove(numbers.below(values.len() as u64) as usize);
            check(&value, seed as u8);
        }
    }
}

#[test]
fn nobody_gets_a_spare_that_its_thread_takes_at_the_same_moment() -> TestResult {
    let arena = Arena::builder(BYTES / 2).build()?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (arena, done) = (&arena, &done);
        let users = [1, 2].map(|seed| scope.spawn(move || use_some(arena, seed, 10 * ROUNDS)));
        // Takes all there is, again and again, so that what was set apart is taken away.
        let taker = scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let mut values: Vec<_> = std::iter::from_fn(|| arena.alloc(10_000).ok()).collect();
                values.extend(std::iter::from_fn(|| arena.alloc(512).ok()));
                values.iter_mut().for_each(|value| write(value, 99));
                values.iter().for_each(|value| check(value, 99));
            }
        });
        users.into_iter().for_each(|user| user.join().unwrap());
        done.store(true, Ordering::Relaxed);
        taker.join().unwrap();
    });
    assert_eq!((arena.in_use(), arena.largest_free()), (0, arena.capacity()));
    Ok(())
}

#[test]
fn threads_that_come_after_one_another_take_them_over() -> TestResult {
    let arena = Arena::builder(BYTES).build()?;
    for seed in 0..20 {
        thread::scope(|scope| scope.spawn(|| use_some(&arena, seed, ROUNDS)).join()).unwrap();
        assert_eq!(arena.in_use(), 0);
    }
    assert_eq!(arena.largest_free(), arena.capacity());
    Ok(())
}

/// Figures of `docs::arena`.
#[cfg(not(miri))]
#[test]
#[expect(unsafe_code, reason = "all handles are of this test")]
fn of_what_others_set_apart_one_process_lacks_a_thirty_second_at_most() -> TestResult {
    let shared = Arena::builder(BYTES).max_processes(2).build_shared()?;
    // SAFETY: nobody else has the arena.
    let handle = || unsafe { shared.trusted() };
    let (one, two) = (handle()?, handle()?);
    give_many_back(&one);
    give_many_back(&one);
    assert_eq!((two.in_use(), shared.in_use()?), (0, 0));
    let values: Vec<_> = std::iter::from_fn(|| two.alloc(4096).or_else(|_| two.alloc(64)).ok()).collect();
    let had = values.iter().map(|value| value.len() as u64).sum::<u64>();
    assert!(had >= two.capacity() - two.capacity() / 32, "{had} bytes");
    drop((values, one));
    // Once the one has gone, nothing is lacking.
    assert_eq!(two.alloc(BYTES)?.len(), BYTES);
    Ok(())
}
