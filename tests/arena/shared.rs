//! Arenas that processes share: found, refused, used by several, forked, and full of what cannot be.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dynring::{
    AllocError, Arena, ArenaBuildError, AttachError, ClaimError, EntryError, JoinError, MapError, MapSize, NotInserted,
    Ring, SharedArena,
};

use crate::support::child::in_a_child_that_is_killed;
use crate::support::places::lock_place;
use crate::{Numbers, TestResult};

/// One test at a time: what another forks has this one's descriptors for a moment.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const SIZE: MapSize = MapSize { entries: 16, key_bytes: 8 };

#[expect(unsafe_code, reason = "all processes are of this test")]
fn trusted(shared: &SharedArena) -> Result<Arena, JoinError> {
    // SAFETY: nobody else has the arena.
    unsafe { shared.trusted() }
}

fn build(bytes: usize) -> SharedArena {
    Arena::builder(bytes).max_processes(3).build_shared().unwrap()
}

/// A path on a tmpfs, where nothing is left when this is dropped.
struct Path(PathBuf);

impl Path {
    fn new(name: &str) -> Self {
        Self(PathBuf::from(format!("/dev/shm/dynring-arena-{name}-{}", std::process::id())))
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn put(arena: &Arena, key: u64, bytes: &[u8]) -> TestResult {
    let map = match arena.open_map::<u64>("map") {
        Ok(map) => map,
        Err(_) => arena.create_map::<u64>("map", SIZE)?,
    };
    let mut value = arena.alloc(bytes.len())?;
    value.copy_from_slice(bytes);
    map.insert(&key, value).map_err(|error| error.why)?;
    Ok(())
}

fn get(arena: &Arena, key: u64) -> Option<Vec<u8>> {
    arena.open_map::<u64>("map").unwrap().get(&key).unwrap().map(|value| value.to_vec())
}

#[test]
fn what_one_handle_puts_in_is_found_by_another_however_it_has_attached() -> TestResult {
    let _alone = alone();
    let path = Path::new("found");
    let (here, there) = UnixStream::pair()?;
    let named = Arena::builder(1 << 20).build_at(&path.0)?;
    let anonymous = build(1 << 20);
    anonymous.share(&here)?;
    let received = SharedArena::receive(&there)?;
    for (one, other) in
        [(&named, SharedArena::open(&path.0)?), (&anonymous, SharedArena::from_fd(&anonymous)?), (&anonymous, received)]
    {
        let (writer, reader) = (trusted(one)?, trusted(&other)?);
        writer.remove_map("map");
        put(&writer, 7, b"bytes")?;
        assert_eq!(get(&reader, 7).as_deref(), Some(b"bytes".as_slice()));
        assert_eq!((one.capacity(), one.in_use()?), (other.capacity(), other.in_use()?));
        assert_eq!((one.processes()?, one.largest_free()?), (2, writer.largest_free()));
        drop(writer);
        assert_eq!(get(&reader, 7).as_deref(), Some(b"bytes".as_slice()), "it outlives who has put it in");
    }
    Ok(())
}

#[test]
fn a_token_goes_from_one_handle_to_another_and_dies_with_its_sender() -> TestResult {
    let _alone = alone();
    let shared = build(1 << 20);
    let (one, two) = (trusted(&shared)?, trusted(&shared)?);
    let mut value = one.alloc(100_000)?;
    value.fill(3);
    let (token, never) = (value.into_token(), one.alloc(100)?.into_token());
    assert!(two.claim(token)?.iter().all(|byte| *byte == 3));
    drop(one);
    assert_eq!(two.claim(never).unwrap_err(), ClaimError::Stale);
    assert_eq!(two.in_use(), 0);
    Ok(())
}

#[test]
fn what_is_no_arena_is_refused() -> TestResult {
    let _alone = alone();
    let path = Path::new("refused");
    let ring = Ring::builder(4096).build_shared()?;
    assert!(matches!(SharedArena::from_fd(&ring), Err(AttachError::Descriptor(_))));
    assert!(matches!(dynring::SharedRing::from_fd(build(4096)), Err(AttachError::Descriptor(_))));
    let named = Arena::builder(4096).build_at(&path.0)?;
    assert!(matches!(SharedArena::from_fd(&named), Err(AttachError::NotSealed)));
    assert!(matches!(Arena::builder(4096).build_at(&path.0), Err(ArenaBuildError::Exists { .. })));
    File::options().write(true).open(&path.0)?.set_len(4096)?;
    assert!(matches!(SharedArena::open(&path.0), Err(AttachError::Length { found: 4096, .. })));
    let (here, there) = UnixStream::pair()?;
    ring.share(&here)?;
    assert!(matches!(SharedArena::receive(&there), Err(AttachError::Message { descriptors: 1 })));
    assert!(matches!(SharedArena::open("/dev/null"), Err(AttachError::NotAFile)));
    Ok(())
}

#[test]
fn an_arena_to_which_nobody_is_attached_is_removed() -> TestResult {
    let _alone = alone();
    let path = Path::new("stale");
    let shared = Arena::builder(4096).build_at(&path.0)?;
    assert!(!SharedArena::remove_stale(&path.0)?);
    drop(shared);
    assert!(SharedArena::remove_stale(&path.0)?);
    assert!(SharedArena::open(&path.0).is_err());
    Ok(())
}

#[test]
fn an_arena_to_which_a_forked_child_is_attached_is_not_removed() -> TestResult {
    let _alone = alone();
    let path = Path::new("child");
    let shared = Mutex::new(Some(Arena::builder(4096).build_at(&path.0)?));
    let (mut here, mut there) = UnixStream::pair()?;
    std::thread::scope(|scope| -> TestResult {
        let child = scope.spawn(|| {
            in_a_child_that_is_killed(|| {
                let shared = shared.lock().unwrap().take().unwrap();
                let attached = trusted(&shared);
                let told = there.write_all(&[1]).and_then(|()| there.read_exact(&mut [0]));
                attached.is_ok() && told.is_ok()
            })
        });
        here.read_exact(&mut [0])?;
        drop(shared.lock().unwrap().take());
        let removed = SharedArena::remove_stale(&path.0);
        here.write_all(&[1])?;
        assert!(child.join().unwrap()?);
        assert!(!removed?, "the child is attached");
        Ok(())
    })?;
    assert!(SharedArena::remove_stale(&path.0)?);
    Ok(())
}

#[test]
fn a_free_place_whose_lock_somebody_has_for_a_moment_is_waited_for() -> TestResult {
    let _alone = alone();
    let shared = Arena::builder(4096).max_processes(1).build_shared()?;
    // As a child has it that was just forked.
    let child = File::options().read(true).write(true).open(format!("/proc/self/fd/{}", shared.as_raw_fd()))?;
    lock_place(&child, 0)?;
    assert!(matches!(trusted(&shared), Err(JoinError::Full { max: 1 })));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            drop(child);
        });
        assert!(trusted(&shared).is_ok());
    });
    Ok(())
}

#[test]
fn places_are_taken_by_the_living_and_given_back_by_the_dead() -> TestResult {
    let _alone = alone();
    let shared = build(1 << 20);
    let handles = [trusted(&shared)?, trusted(&shared)?];
    // Which attaches anew, as a parent's handles are of no use to it.
    let killed = in_a_child_that_is_killed(|| {
        let attached = SharedArena::from_fd(&shared).map(|shared| trusted(&shared));
        let Ok(Ok(arena)) = &attached else { return false };
        std::mem::forget(arena.alloc(100_000));
        let full = trusted(&shared).is_err();
        std::mem::forget(attached);
        full
    })?;
    assert!(killed);
    assert_eq!((shared.processes()?, shared.in_use()?), (3, 102_400));
    let third = trusted(&shared)?;
    assert_eq!((shared.processes()?, shared.in_use()?), (3, 0));
    assert!(matches!(trusted(&shared), Err(JoinError::Full { max: 3 })));
    drop((handles, third));
    assert_eq!(shared.processes()?, 0);
    Ok(())
}

#[test]
fn who_runs_out_of_memory_has_that_of_the_dead() -> TestResult {
    let _alone = alone();
    let shared = build(256 << 10);
    let arena = trusted(&shared)?;
    let killed = in_a_child_that_is_killed(|| {
        let Ok(Ok(arena)) = SharedArena::from_fd(&shared).map(|shared| trusted(&shared)) else { return false };
        std::mem::forget(arena.alloc(200_000));
        std::mem::forget(arena);
        true
    })?;
    assert!(killed);
    assert_eq!(arena.alloc(200_000)?.len(), 200_000);
    assert_eq!(shared.processes()?, 1);
    Ok(())
}

#[test]
fn a_forked_child_has_nothing_of_its_parents_arena() -> TestResult {
    let _alone = alone();
    let shared = build(1 << 20);
    let arena = trusted(&shared)?;
    put(&arena, 1, b"value")?;
    // Now it has a block that it has set apart for itself.
    (0..3).try_for_each(|_| arena.alloc(100).map(drop))?;
    let map = arena.open_map::<u64>("map")?;
    let (held, owned) = (map.get(&1)?.unwrap(), arena.alloc_owned(100)?);
    let (token, used) = (arena.alloc(100)?.into_token(), arena.in_use());
    let parts = Mutex::new(Some((arena.clone(), map.clone(), held.clone(), owned)));
    let refused = in_a_child_that_is_killed(|| {
        let (arena, map, held, owned) = parts.lock().unwrap().take().unwrap();
        let alloc = (0..3).all(|_| matches!(arena.alloc(100), Err(AllocError::Forked)));
        let claim = matches!(arena.claim(token), Err(ClaimError::Forked));
        let names = [arena.open_map::<u64>("map"), arena.create_map("other", SIZE)];
        let names = names.into_iter().all(|map| matches!(map, Err(MapError::Forked)));
        let found = [map.get(&1).map(drop), map.get_mut(&1).map(drop), map.remove(&1).map(drop)];
        let refused = map.insert(&2, owned).unwrap_err();
        let maps = names && found == [Err(EntryError::Forked); 3] && refused.why == NotInserted::Forked;
        let owned = refused.value;
        let empty = held.iter().chain(owned.iter()).all(|byte| *byte == 0);
        drop((held, owned, map, arena));
        alloc && claim && maps && empty
    })?;
    assert!(refused);
    assert_eq!((arena.in_use(), shared.processes()?), (used, 1));
    assert_eq!(&*held, b"value");
    drop(arena.claim(token)?);
    Ok(())
}

/// What words of an arena might say that nobody has written.
fn garbage(numbers: &mut Numbers) -> u64 {
    match numbers.below(4) {
        0 => u64::MAX,
        1 => numbers.below(8),
        2 => numbers.below(1 << 16),
        _ => numbers.below(1 << 31) << 32 | numbers.below(1 << 31),
    }
}

#[test]
fn words_that_nobody_has_written_are_no_reason_to_panic() -> TestResult {
    let _alone = alone();
    for seed in 0..300 {
        let mut numbers = Numbers(seed);
        // Only the larger has blocks that are set apart.
        let shared = build(if seed % 2 == 0 { 64 << 10 } else { 512 << 10 });
        let arena = trusted(&shared)?;
        put(&arena, 1, &[1; 100])?;
        put(&arena, 2, &[2; 9000])?;
        let map = arena.open_map::<u64>("map")?;
        let held = map.get(&1)?;
        let token = arena.alloc(300)?.into_token();
        let file = File::from(shared.as_fd().try_clone_to_owned()?);
        // All but the descriptor.
        let words = file.metadata()?.len() / 8 - 512;
        for _ in 0..1 << numbers.below(14) {
            file.write_all_at(&garbage(&mut numbers).to_ne_bytes(), 4096 + 8 * numbers.below(words))?;
        }
        for round in 0..20 {
            let _ = arena.alloc(numbers.below(20_000) as usize).map(drop);
            let _ = map.get(&numbers.below(4)).map(drop);
            let _ = map.get_mut(&numbers.below(4)).map(drop);
            let _ = map.remove(&numbers.below(4));
            let _ = map.iter().count() + map.len();
            let _ = arena.open_map::<u64>("map").map(drop);
            let _ = arena.create_map::<u64>("other", SIZE).map(drop);
            let _ = (arena.in_use(), arena.largest_free(), arena.remove_map("map"));
            if round == 10 {
                let _ = arena.claim(token).map(drop);
                let _ = shared.recover();
            }
            if let Ok(value) = arena.alloc(10) {
                let _ = map.insert(&numbers.below(9), value).map_err(drop);
            }
        }
        drop((held, map, arena));
    }
    Ok(())
}
