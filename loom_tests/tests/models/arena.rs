//! Blocks of an arena, and entries of its maps.

use dynring_loom::arena::Arena;
use dynring_loom::model::check;
use dynring_loom::raw::arena::{Block, NotExclusive, NotHeld, NotInserted, recover};
use dynring_loom::sync::Thread;
use loom::thread;

/// Puts a block that says `value` into the map.
fn insert(arena: &Arena, owner: u16, key: &[u8], value: u64) -> Result<Block, NotInserted> {
    let block = arena.alloc(owner, 1).unwrap();
    arena.write(block, value);
    match arena.map(owner).insert(key, block, value) {
        Ok(()) => Ok(block),
        Err(error) => {
            arena.free(owner, block);
            Err(error)
        }
    }
}

/// What the value of an entry says, if it can be held; as the entry says that it does.
fn get(arena: &Arena, owner: u16, key: &[u8]) -> Result<u64, NotHeld> {
    let map = arena.map(owner);
    let (index, _) = map.hold(key)?;
    let value = map.value(index).unwrap();
    let read = arena.read(value.unit);
    assert_eq!(read, value.len, "an entry with another's value");
    map.let_go(index);
    Ok(read)
}

#[test]
fn a_block_is_had_by_one_at_a_time() {
    check(3, || {
        let arena = Arena::new(1, 1);
        // The slab is there, and one of its two blocks is taken.
        let kept = arena.alloc(0, 1).unwrap();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || arena.use_block(1, 1))
        };
        let had = arena.use_block(2, 1);
        assert!(other.join().unwrap() || had);
        arena.free(0, kept);
        assert_eq!(arena.in_use(), 0);
    });
}

#[test]
fn a_slab_that_is_cut_anew_is_nobodys_meanwhile() {
    check(3, || {
        let arena = Arena::new(1, 1);
        let block = arena.alloc(1, 1).unwrap();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || {
                arena.write(block, 1);
                arena.free(1, block);
            })
        };
        let had = arena.use_block(2, 2);
        other.join().unwrap();
        assert_eq!(arena.in_use(), 0);
        assert!(had || arena.use_block(2, 2));
    });
}

#[test]
fn a_block_of_a_slab_that_is_cut_anew_is_taken_before_or_not_at_all() {
    check(2, || {
        let arena = Arena::new(1, 1);
        arena.use_block(0, 1);
        let other = {
            let arena = arena.clone();
            thread::spawn(move || {
                let taken = arena.hand(1).take(1, 0);
                if let Some(block) = taken {
                    arena.write(block, 1);
                }
                taken
            })
        };
        let larger = arena.alloc(2, 2);
        if let Some(block) = larger {
            arena.write(block, 2);
        }
        let taken = other.join().unwrap();
        assert!(taken.is_none() || larger.is_none());
        assert_eq!(arena.in_use(), u64::from(taken.is_some()) + 2 * u64::from(larger.is_some()));
        taken.into_iter().for_each(|block| arena.free(1, block));
        larger.into_iter().for_each(|block| arena.free(2, block));
        assert!(arena.use_block(0, 2) && arena.use_block(0, 1));
    });
}

#[test]
fn what_a_page_was_before_is_over_when_its_blocks_are_taken() {
    check(3, || {
        let arena = Arena::new(1, 1);
        let large = arena.alloc(1, 2).unwrap();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || {
                arena.write(large, 1);
                arena.free(1, large);
                arena.alloc(1, 1)
            })
        };
        let taken = arena.hand(2).take(1, 0);
        if let Some(block) = taken {
            arena.write(block, 2);
        }
        assert!(other.join().unwrap().is_some());
    });
}

#[test]
fn pages_are_had_by_one_at_a_time() {
    check(3, || {
        let arena = Arena::new(2, 1);
        let other = {
            let arena = arena.clone();
            thread::spawn(move || arena.use_block(1, 4))
        };
        let had = arena.use_block(2, 3);
        other.join().unwrap();
        assert_eq!(arena.in_use(), 0);
        assert!(had || arena.use_block(2, 4));
    });
}

#[test]
fn a_token_is_claimed_once_and_what_was_sent_is_there() {
    check(3, || {
        let arena = Arena::new(1, 1);
        let block = arena.alloc(0, 1).unwrap();
        let (unit, generation) = (block.unit, block.word.generation());
        let claim = |owner: u16| {
            let arena = arena.clone();
            thread::spawn(move || {
                let claimed = arena.hand(owner).claim(unit, generation)?;
                assert_eq!(arena.read(unit), 5);
                arena.write(claimed, 6);
                Some(())
            })
        };
        let claims = [claim(1), claim(2)];
        arena.write(block, 5);
        assert!(arena.hand(0).send(block));
        let claimed = claims.map(|claim| claim.join().unwrap().is_some());
        assert!(claimed != [true, true]);
        assert_eq!(arena.hand(0).claim(unit, generation).is_some(), claimed == [false, false]);
    });
}

#[test]
fn an_entry_that_is_found_is_there_whole() {
    check(3, || {
        let arena = Arena::new(1, 1);
        let other = {
            let arena = arena.clone();
            thread::spawn(move || insert(&arena, 1, b"", 7).unwrap())
        };
        let got = get(&arena, 2, b"");
        assert!(matches!(got, Ok(7) | Err(NotHeld::Absent)), "{got:?}");
        other.join().unwrap();
        assert_eq!(get(&arena, 2, b""), Ok(7));
    });
}

#[test]
fn an_entry_is_not_taken_for_the_one_before_it() {
    check(3, || {
        let arena = Arena::new(1, 1);
        insert(&arena, 0, b"old", 1).unwrap();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || {
                assert_eq!(arena.map(1).remove(b"old"), Ok(true));
                // The cell may be held for a moment.
                let _ = insert(&arena, 1, b"new", 2);
            })
        };
        let got = get(&arena, 2, b"old");
        assert!(matches!(got, Ok(1) | Err(NotHeld::Absent)), "{got:?}");
        other.join().unwrap();
    });
}

#[test]
fn a_value_that_is_held_is_not_freed() {
    check(3, || {
        let arena = Arena::new(1, 1);
        insert(&arena, 0, b"key", 1).unwrap();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || get(&arena, 1, b"key"))
        };
        assert_eq!(arena.map(2).remove(b"key"), Ok(true));
        arena.use_block(2, 2);
        let got = other.join().unwrap();
        assert!(matches!(got, Ok(1) | Err(NotHeld::Absent)), "{got:?}");
        assert_eq!(arena.in_use(), 0, "whoever was last has freed it");
        assert!(arena.use_block(2, 2));
    });
}

#[test]
fn of_two_who_let_go_the_last_frees() {
    check(3, || {
        let arena = Arena::new(1, 1);
        insert(&arena, 0, b"key", 1).unwrap();
        let (index, _) = arena.map(1).hold(b"key").unwrap();
        arena.map(2).hold(b"key").unwrap();
        arena.map(0).remove(b"key").unwrap();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || arena.map(1).let_go(index))
        };
        arena.map(2).let_go(index);
        other.join().unwrap();
        assert_eq!(arena.in_use(), 0);
    });
}

#[test]
fn who_has_a_value_alone_is_alone() {
    check(3, || {
        let arena = Arena::new(1, 1);
        let block = insert(&arena, 0, b"key", 1).unwrap();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || {
                let map = arena.map(1);
                let (index, _) = map.hold(b"key")?;
                let read = arena.read(block.unit);
                map.let_go(index);
                Ok(read)
            })
        };
        let alone = arena.map(2).exclusive(b"key");
        if let Ok((index, exclusive)) = alone {
            arena.write(Block { unit: block.unit, word: block.word }, 2);
            arena.map(2).share(index, exclusive);
        }
        let got = other.join().unwrap();
        assert!(matches!(got, Ok(1 | 2) | Err(NotHeld::Exclusive)), "{got:?}");
        assert!(alone.is_ok() || alone == Err(NotExclusive::Held));
        assert_eq!(arena.map(1).exclusive(b"key").map(drop), Ok(()), "{alone:?} {got:?}");
    });
}

#[test]
fn of_two_who_insert_a_key_one_does() {
    check(2, || {
        let arena = Arena::new(1, 2);
        let blocks = [1, 2].map(|owner| arena.alloc(owner, 1).unwrap());
        let other = {
            let arena = arena.clone();
            thread::spawn(move || arena.map(1).insert(b"key", blocks[0], 1).is_ok())
        };
        let inserted = arena.map(2).insert(b"key", blocks[1], 2).is_ok();
        let other = other.join().unwrap();
        assert!(inserted != other);
        assert_eq!((arena.map(0).count(), arena.in_use()), (1, 2));
        arena.free(if inserted { 1 } else { 2 }, blocks[usize::from(!inserted)]);
        assert_eq!(arena.map(0).remove(b"key"), Ok(true));
        assert_eq!(arena.in_use(), 0);
    });
}

#[test]
fn what_a_dead_one_has_is_given_back_while_the_living_go_on() {
    check(2, || {
        let arena = Arena::new(1, 1);
        insert(&arena, 0, b"key", 1).unwrap();
        let sent = arena.alloc(1, 1).unwrap();
        arena.hand(1).send(sent);
        let (unit, generation) = (sent.unit, sent.word.generation());
        arena.map(1).hold(b"key").unwrap();
        // It is dead.
        let living = {
            let arena = arena.clone();
            thread::spawn(move || {
                let claimed = arena.hand(2).claim(unit, generation);
                arena.map(2).remove(b"key").unwrap();
                claimed
            })
        };
        recover(&arena, 1, 1);
        let claimed = living.join().unwrap();
        assert!(arena.is_left(1));
        assert_eq!(arena.in_use(), u64::from(claimed.is_some()));
    });
}

/// Thread 1 takes the spare, if it has it still, and makes it one again. Whether it had it.
fn use_spare(arena: &Arena) -> bool {
    let Some(block) = arena.heap(1).spare(1) else { return false };
    arena.write(block, 1);
    assert_eq!(arena.read(block.unit), 1);
    arena.heap(1).free(block);
    true
}

#[test]
fn a_spare_is_had_by_who_has_the_spares_or_by_who_takes_them_away() {
    check(3, || {
        let arena = Arena::new(1, 1);
        let unit = arena.set_one_apart();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || {
                arena.heap(2).give_spares();
                if let Some(block) = arena.hand(1).take(unit, 0) {
                    arena.write(block, 2);
                    assert_eq!(arena.read(unit), 2);
                    arena.free(1, block);
                }
            })
        };
        use_spare(&arena);
        use_spare(&arena);
        other.join().unwrap();
        assert_eq!(arena.in_use(), 0);
        arena.heap(2).give_spares();
        assert!(arena.use_block(2, 2), "none is lost");
    });
}

#[test]
fn spares_are_taken_over_with_all_that_was_noted() {
    check(3, || {
        let arena = Arena::new(1, 1);
        arena.set_one_apart();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || {
                arena.spares().take_over(Thread(2));
                if let Some(block) = arena.heap(2).spare(1) {
                    arena.write(block, 2);
                    arena.heap(2).free(block);
                }
            })
        };
        use_spare(&arena);
        other.join().unwrap();
        assert_eq!(arena.in_use(), 0);
        arena.heap(3).give_spares();
        assert!(arena.use_block(2, 2), "none is lost");
    });
}

#[test]
fn of_two_who_take_spares_away_one_gives_each_back() {
    check(2, || {
        let arena = Arena::new(1, 1);
        let unit = arena.set_one_apart();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || {
                arena.heap(2).give_spares();
                let taken = arena.hand(1).take(unit, 0)?;
                arena.write(taken, 2);
                arena.heap(2).free(taken);
                Some(())
            })
        };
        arena.spares().take_over(Thread(3));
        if let Some(block) = arena.heap(3).spare(1) {
            arena.write(block, 3);
            arena.heap(3).free(block);
        }
        arena.heap(3).give_spares();
        other.join().unwrap();
        assert_eq!(arena.in_use(), 0);
        arena.heap(2).give_spares();
        assert!(arena.use_block(2, 2), "none is lost");
    });
}

#[test]
fn who_had_the_spares_before_does_not_say_that_the_next_is_done() {
    check(2, || {
        let arena = Arena::new(1, 1);
        let unit = arena.set_one_apart();
        let before = {
            let arena = arena.clone();
            thread::spawn(move || arena.heap(1).spare(1).is_some())
        };
        let next = {
            let arena = arena.clone();
            thread::spawn(move || {
                arena.spares().take_over(Thread(2));
                let spare = arena.heap(2).spare(1);
                spare.into_iter().for_each(|block| arena.write(block, 2));
            })
        };
        arena.heap(3).give_spares();
        if let Some(block) = arena.hand(2).take(unit, 0) {
            arena.write(block, 3);
        }
        before.join().unwrap();
        next.join().unwrap();
    });
}

#[test]
fn a_slab_with_a_spare_is_not_cut_anew() {
    check(3, || {
        let arena = Arena::new(1, 1);
        arena.set_one_apart();
        let other = {
            let arena = arena.clone();
            thread::spawn(move || arena.alloc(2, 2).is_some())
        };
        assert!(use_spare(&arena) && use_spare(&arena));
        assert!(!other.join().unwrap());
        assert!(arena.heap(1).give_spares() && arena.use_block(2, 2));
    });
}

#[test]
fn spares_of_a_dead_one_are_free() {
    check(2, || {
        let arena = Arena::new(1, 1);
        let unit = arena.set_one_apart();
        arena.alloc(1, 1).unwrap();
        // It is dead.
        let living = {
            let arena = arena.clone();
            thread::spawn(move || {
                let taken = arena.hand(2).take(unit, 0);
                taken.into_iter().for_each(|block| arena.write(block, 2));
                taken
            })
        };
        assert_eq!(recover(&arena, 1, 1), 1, "a spare is nobody's");
        let taken = living.join().unwrap();
        assert_eq!(arena.in_use(), u64::from(taken.is_some()));
        taken.into_iter().for_each(|block| arena.free(2, block));
        assert!(arena.use_block(2, 2));
    });
}
