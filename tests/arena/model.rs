//! Any sequence of operations, beside a model of what they should do.

use std::collections::HashMap;

use dynring::{Arena, ArenaPtr, EntryError, MapMut, MapRef, MapSize, NotInserted, Token};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Operation {
    Alloc(usize),
    Free(usize),
    Send(usize),
    Claim(usize),
    ClaimAgain,
    Insert(usize, u8),
    Get(u8),
    GetMut(u8),
    LetGo(usize),
    Share(usize),
    Remove(u8),
}

fn operation() -> impl Strategy<Value = Operation> {
    let len = prop_oneof![0usize..600, 0usize..10_000, Just(30_000usize)];
    prop_oneof![
        4 => len.prop_map(Operation::Alloc),
        3 => any::<usize>().prop_map(Operation::Free),
        1 => any::<usize>().prop_map(Operation::Send),
        1 => any::<usize>().prop_map(Operation::Claim),
        1 => Just(Operation::ClaimAgain),
        3 => (any::<usize>(), 0u8..10).prop_map(|(at, key)| Operation::Insert(at, key)),
        2 => (0u8..10).prop_map(Operation::Get),
        1 => (0u8..10).prop_map(Operation::GetMut),
        2 => any::<usize>().prop_map(Operation::LetGo),
        1 => any::<usize>().prop_map(Operation::Share),
        2 => (0u8..10).prop_map(Operation::Remove),
    ]
}

/// A value that says which it is in all its bytes.
struct Known<T> {
    value: T,
    number: u8,
    len: usize,
}

impl<T: std::ops::Deref<Target = [u8]>> Known<T> {
    fn check(&self) {
        assert_eq!(self.value.len(), self.len);
        assert!(self.value.iter().all(|byte| *byte == self.number), "{} was overwritten", self.number);
    }
}

fn pick<T>(from: &mut Vec<T>, at: usize) -> Option<T> {
    if from.is_empty() { None } else { Some(from.swap_remove(at % from.len())) }
}

const ENTRIES: u32 = 6;

#[derive(Default)]
struct World<'a> {
    owned: Vec<Known<ArenaPtr<'a>>>,
    sent: Vec<Known<Token>>,
    spent: Vec<Token>,
    /// Number and length by key.
    entries: HashMap<u8, (u8, usize)>,
    held: Vec<(u8, Known<MapRef>)>,
    alone: Vec<(u8, Known<MapMut>)>,
    next: u8,
}

impl<'a> World<'a> {
    fn run(&mut self, arena: &'a Arena, map: &dynring::Map<u8>, operation: Operation) {
        match operation {
            Operation::Alloc(len) => {
                if let Ok(mut value) = arena.alloc(len) {
                    self.next = self.next.wrapping_add(1);
                    value.fill(self.next);
                    self.owned.push(Known { value, number: self.next, len });
                }
            }
            Operation::Free(at) => drop(pick(&mut self.owned, at)),
            Operation::Send(at) => {
                if let Some(Known { value, number, len }) = pick(&mut self.owned, at) {
                    self.sent.push(Known { value: value.into_token(), number, len });
                }
            }
            Operation::Claim(at) => {
                if let Some(Known { value: token, number, len }) = pick(&mut self.sent, at) {
                    let value = arena.claim(token).unwrap();
                    self.spent.push(token);
                    self.owned.push(Known { value, number, len });
                }
            }
            Operation::ClaimAgain => {
                assert!(self.spent.iter().all(|token| arena.claim(*token).is_err()));
            }
            Operation::Insert(at, key) => self.insert(map, at, key),
            Operation::Get(key) => match map.get(&key) {
                Ok(Some(value)) => {
                    let (number, len) = self.entries[&key];
                    self.held.push((key, Known { value, number, len }));
                }
                Ok(None) => assert!(!self.entries.contains_key(&key)),
                Err(error) => {
                    assert_eq!(error, EntryError::Exclusive);
                    assert!(self.alone.iter().any(|(other, _)| *other == key));
                }
            },
            Operation::GetMut(key) => self.get_mut(map, key),
            Operation::LetGo(at) => drop(pick(&mut self.held, at)),
            Operation::Share(at) => drop(pick(&mut self.alone, at)),
            Operation::Remove(key) => match map.remove(&key) {
                Ok(there) => assert_eq!(self.entries.remove(&key).is_some(), there),
                Err(_) => assert!(self.alone.iter().any(|(other, _)| *other == key)),
            },
        }
    }

    fn insert(&mut self, map: &dynring::Map<u8>, at: usize, key: u8) {
        let Some(Known { value, number, len }) = pick(&mut self.owned, at) else { return };
        match map.insert(&key, value) {
            Ok(()) => assert_eq!(self.entries.insert(key, (number, len)), None),
            Err(error) => {
                match error.why {
                    NotInserted::Exists => assert!(self.entries.contains_key(&key)),
                    // Cells of what was removed and is held are not free yet.
                    why => assert_eq!(why, NotInserted::Full { entries: ENTRIES }),
                }
                self.owned.push(Known { value: error.value, number, len });
            }
        }
    }

    fn get_mut(&mut self, map: &dynring::Map<u8>, key: u8) {
        match map.get_mut(&key) {
            Ok(Some(mut value)) => {
                let (_, len) = self.entries[&key];
                self.next = self.next.wrapping_add(1);
                value.fill(self.next);
                self.entries.insert(key, (self.next, len));
                self.alone.push((key, Known { value, number: self.next, len }));
            }
            Ok(None) => assert!(!self.entries.contains_key(&key)),
            Err(EntryError::Held) => assert!(self.held.iter().any(|(other, _)| *other == key)),
            Err(_) => assert!(self.alone.iter().any(|(other, _)| *other == key)),
        }
    }

    fn check(&self, map: &dynring::Map<u8>) {
        self.owned.iter().for_each(Known::check);
        self.held.iter().for_each(|(_, known)| known.check());
        self.alone.iter().for_each(|(_, known)| known.check());
        assert_eq!(map.len(), self.entries.len());
        for (key, value) in map {
            let (number, len) = self.entries[&key[0]];
            Known { value, number, len }.check();
        }
        let mut places: Vec<(u64, usize)> =
            self.owned.iter().map(|known| (known.value.offset(), known.value.len())).collect();
        places.sort_unstable();
        assert!(places.windows(2).all(|two| two[0].0 + two[0].1 as u64 <= two[1].0), "{places:?} overlap");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_overlaps_and_nothing_is_lost(operations in prop::collection::vec(operation(), 1..200)) {
        let arena = Arena::builder(1 << 17).build().unwrap();
        let map = arena.create_map::<u8>("map", MapSize { entries: ENTRIES, key_bytes: 0 }).unwrap();
        let empty = arena.in_use();
        let mut world = World::default();
        for operation in operations {
            world.run(&arena, &map, operation);
            world.check(&map);
        }
        let World { owned, sent, entries, held, alone, .. } = world;
        drop((owned, held, alone));
        for token in sent {
            drop(arena.claim(token.value).unwrap());
        }
        for key in entries.keys() {
            prop_assert!(map.remove(key).unwrap());
        }
        prop_assert_eq!(arena.in_use(), empty);
        drop(map);
        prop_assert!(arena.remove_map("map"));
        prop_assert_eq!((arena.in_use(), arena.largest_free()), (0, arena.capacity()));
    }
}
