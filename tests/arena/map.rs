//! Values in maps.

use dynring::{Arena, EntryError, Map, MapError, MapSize, NotInserted};

use crate::TestResult;

const SIZE: MapSize = MapSize { entries: 8, key_bytes: 16 };

fn put<K: dynring::Key + ?Sized>(arena: &Arena, map: &Map<K>, key: &K, bytes: &[u8]) -> Result<(), NotInserted> {
    let mut value = arena.alloc(bytes.len()).unwrap();
    value.copy_from_slice(bytes);
    map.insert(key, value).map_err(NotInserted::from)
}

#[test]
fn what_is_put_in_is_found_by_its_key_and_by_no_other() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let map = arena.create_map::<[u8]>("map", SIZE)?;
    let keys: [&[u8]; 7] = [b"", b"\0", b"a", b"ab", b"a\0", b"sixteen bytes!!!", b"sixteen bytes!!?"];
    for key in keys {
        put(&arena, &map, key, &[key, b"'s value"].concat())?;
    }
    for key in keys {
        assert_eq!(*map.get(key)?.unwrap(), *[key, b"'s value"].concat());
    }
    for absent in [b"b".as_slice(), b"\0\0", b"abc", b"more than sixteen bytes"] {
        assert!(map.get(absent)?.is_none());
        assert!(!map.remove(absent)?);
        assert!(map.get_mut(absent)?.is_none());
    }
    let mut found: Vec<Vec<u8>> = map
        .iter()
        .map(|(key, value)| {
            assert_eq!(*value, *[&key, b"'s value".as_slice()].concat());
            key
        })
        .collect();
    found.sort_unstable();
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!((map.len(), map.is_empty(), map.capacity()), (7, false, 8));
    Ok(())
}

#[test]
fn what_is_refused_is_handed_back() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let map = arena.create_map::<str>("map", SIZE)?;
    put(&arena, &map, "key", b"first")?;
    let mut value = arena.alloc(6)?;
    value.copy_from_slice(b"second");
    let refused = map.insert("key", value).unwrap_err();
    assert_eq!((&*refused.value, refused.why), (b"second".as_slice(), NotInserted::Exists));
    let refused = map.insert("a key of too many bytes", refused.value).unwrap_err();
    assert_eq!(refused.why, NotInserted::KeyLength { found: 23, most: 16 });
    for number in 0..7 {
        put(&arena, &map, &number.to_string(), b"")?;
    }
    let refused = map.insert("one more", refused.value).unwrap_err();
    assert_eq!((&*refused.value, refused.why), (b"second".as_slice(), NotInserted::Full { entries: 8 }));
    assert!(map.remove("3")?);
    assert!(map.insert("one more", refused.value).is_ok());
    Ok(())
}

#[test]
fn a_value_of_another_arena_is_refused() -> TestResult {
    let [one, two] = [Arena::builder(1 << 18).build()?, Arena::builder(1 << 18).build()?];
    let map = one.create_map::<u64>("map", SIZE)?;
    two.create_map::<u64>("map", SIZE)?;
    let refused = map.insert(&1, two.alloc(10)?).unwrap_err();
    assert_eq!(refused.why, NotInserted::Foreign);
    assert!(map.is_empty());
    let used = two.in_use();
    drop(refused);
    assert_eq!(used - two.in_use(), 64);
    Ok(())
}

#[test]
fn a_value_that_is_held_stays_when_it_is_removed_and_replaced() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let map = arena.create_map::<u32>("map", SIZE)?;
    let empty = arena.in_use();
    put(&arena, &map, &1, b"old")?;
    let old = map.get(&1)?.unwrap();
    let again = old.clone();
    assert!(map.remove(&1)?);
    assert!(map.get(&1)?.is_none());
    put(&arena, &map, &1, b"new")?;
    drop(old);
    assert_eq!((&*again, &*map.get(&1)?.unwrap()), (b"old".as_slice(), b"new".as_slice()));
    assert_eq!(arena.in_use() - empty, 128);
    drop(again);
    assert_eq!(arena.in_use() - empty, 64);
    assert!(map.remove(&1)?);
    assert_eq!(arena.in_use(), empty);
    Ok(())
}

#[test]
fn who_has_a_value_alone_keeps_others_out_and_is_kept_out_by_them() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let map = arena.create_map::<u32>("map", SIZE)?;
    put(&arena, &map, &1, b"old")?;
    let held = map.get(&1)?.unwrap();
    assert_eq!(map.get_mut(&1).unwrap_err(), EntryError::Held);
    drop(held);
    let mut alone = map.get_mut(&1)?.unwrap();
    assert_eq!(map.get(&1).unwrap_err(), EntryError::Exclusive);
    assert_eq!(map.get_mut(&1).unwrap_err(), EntryError::Exclusive);
    assert_eq!(map.remove(&1).unwrap_err(), EntryError::Exclusive);
    assert_eq!(put(&arena, &map, &1, b"").unwrap_err(), NotInserted::Exists);
    assert_eq!((map.iter().count(), map.len()), (0, 1));
    alone.view_mut().write(0, b"new")?;
    drop(alone);
    let value = map.get(&1)?.unwrap();
    assert_eq!((value.view().data(0, 3)?, value.is_torn()), (b"new".as_slice(), false));
    Ok(())
}

#[test]
fn a_map_is_found_by_its_name_and_for_its_keys() -> TestResult {
    let arena = Arena::builder(1 << 19).build()?;
    arena.create_map::<u32>("numbers", SIZE)?;
    arena.create_map::<str>("", SIZE)?;
    assert_eq!(arena.create_map::<u32>("numbers", SIZE).unwrap_err(), MapError::Exists);
    let rest: Vec<_> = core::iter::from_fn(|| arena.alloc(arena.largest_free().max(1) as usize).ok()).collect();
    assert_eq!(arena.create_map::<u32>("numbers", SIZE).unwrap_err(), MapError::Exists);
    assert!(matches!(arena.create_map::<u32>("others", SIZE), Err(MapError::OutOfMemory { .. })));
    drop(rest);
    assert_eq!(arena.open_map::<u32>("number").unwrap_err(), MapError::Absent);
    assert_eq!(arena.open_map::<u64>("numbers").unwrap_err(), MapError::Keys { found: Some(4), expected: Some(8) });
    assert_eq!(arena.open_map::<str>("numbers").unwrap_err(), MapError::Keys { found: Some(4), expected: None });
    assert_eq!(arena.open_map::<u8>("").unwrap_err(), MapError::Keys { found: None, expected: Some(1) });
    let long = "a name that is thirty-three bytes";
    assert_eq!(arena.create_map::<u8>(long, SIZE).unwrap_err(), MapError::NameLength { found: 33, most: 32 });
    for (entries, key_bytes) in [(0, 1), (1 << 25, 1), (1, 4097)] {
        let made = arena.create_map::<str>("x", MapSize { entries, key_bytes });
        assert!(matches!(made, Err(MapError::Size { .. })), "{entries} entries, {key_bytes} bytes");
    }
    let made = arena.create_map::<u8>("x", MapSize { entries: 100_000, key_bytes: 0 });
    assert!(matches!(made, Err(MapError::OutOfMemory { .. })));
    arena.open_map::<u32>("numbers")?;
    Ok(())
}

#[test]
fn there_are_as_many_maps_as_said() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let tiny = MapSize { entries: 1, key_bytes: 1 };
    for number in 0..64 {
        arena.create_map::<u8>(&number.to_string(), tiny)?;
    }
    assert_eq!(arena.create_map::<u8>("one more", tiny).unwrap_err(), MapError::TooMany { most: 64 });
    assert!(arena.remove_map("17"));
    arena.create_map::<u8>("one more", tiny)?;
    Ok(())
}

#[test]
fn a_map_that_is_removed_goes_with_its_last_user_and_takes_its_values_along() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let map = arena.create_map::<u32>("map", SIZE)?;
    for key in 0..8 {
        put(&arena, &map, &key, &[7; 5000])?;
    }
    assert!(map.remove(&5)?);
    let held = map.get(&3)?.unwrap();
    let used = arena.in_use();
    assert!(arena.remove_map("map"));
    assert!(!arena.remove_map("map"));
    assert_eq!(arena.open_map::<u32>("map").unwrap_err(), MapError::Absent);
    // Who has it open goes on.
    put(&arena, &map, &5, b"late")?;
    drop(map);
    assert_eq!(arena.in_use(), used + 64);
    assert!(held.iter().all(|byte| *byte == 7));
    drop(held);
    assert_eq!((arena.in_use(), arena.largest_free()), (0, arena.capacity()));
    Ok(())
}
