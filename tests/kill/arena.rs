//! Processes that use an arena, and are killed after any instruction.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use dynring::{Arena, ArenaPtr, EntryError, Map, MapRef, MapSize, NotInserted, SharedArena, Token};

use crate::operation::places;
use crate::scene::{TestResult, all, report, require_ptrace, times};
use crate::support::victim::{Steps, Victim, mark};

/// Something that is done with an arena, and leaves to its process what it has not given back.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) act: fn(&Arena, &Map<u32>, Token),
    /// Whether it takes so many steps that it is left out of an ordinary run, and where the deaths of two are tried.
    pub(crate) is_long: bool,
}

const fn operation(name: &'static str, act: fn(&Arena, &Map<u32>, Token)) -> Operation {
    Operation { name, act, is_long: false }
}

const SIZE: MapSize = MapSize { entries: 8, key_bytes: 0 };

/// Keys that are there from the start: one that nobody holds, one that the living hold, and a large one.
const FREE: u32 = 1;
pub(crate) const HELD: u32 = 2;
const LARGE: u32 = 3;
/// What the dead put in.
pub(crate) const NEW: u32 = 4;
/// What the living put in and take out.
const OURS: u32 = 5;

pub(crate) const OPERATIONS: [Operation; 19] = [
    operation("alloc, free", |arena, _, _| drop(arena.alloc(100).unwrap())),
    operation("alloc, free, three times", |arena, _, _| (0..3).for_each(|_| drop(arena.alloc(100).unwrap()))),
    operation("alloc, free, twice, and then alloc of all there is", |arena, _, _| {
        (0..2).for_each(|_| drop(arena.alloc(100).unwrap()));
        assert!(arena.alloc(1 << 20).is_err());
    }),
    operation("alloc of a size that is new, free", |arena, _, _| drop(arena.alloc(3000).unwrap())),
    operation("alloc of whole pages, free", |arena, _, _| drop(arena.alloc(20_000).unwrap())),
    Operation {
        is_long: true,
        ..operation("alloc of all there is, and then of another size", |arena, _, _| {
            let blocks: Vec<_> = std::iter::from_fn(|| arena.alloc(8000).ok()).collect();
            drop(blocks);
            drop(arena.alloc(100_000).unwrap());
        })
    },
    operation("insert", |arena, map, _| map.insert(&NEW, written(arena, 700, 7)).unwrap()),
    operation("insert of what is there", |arena, map, _| {
        let refused = map.insert(&FREE, written(arena, 700, 7)).unwrap_err();
        assert_eq!(refused.why, NotInserted::Exists);
    }),
    operation("get, drop", |_, map, _| drop(map.get(&FREE).unwrap().unwrap())),
    operation("get of what others hold, clone, drop", |_, map, _| drop(map.get(&HELD).unwrap().unwrap().clone())),
    operation("get of what is not there", |_, map, _| assert!(map.get(&99).unwrap().is_none())),
    operation("get_mut, write, drop", |_, map, _| map.get_mut(&FREE).unwrap().unwrap().fill(FREE as u8)),
    operation("get_mut, refused", |_, map, _| assert_eq!(map.get_mut(&HELD).unwrap_err(), EntryError::Held)),
    operation("remove", |_, map, _| assert!(map.remove(&FREE).unwrap())),
    operation("remove of whole pages", |_, map, _| assert!(map.remove(&LARGE).unwrap())),
    operation("get, remove, drop", |_, map, _| {
        let held = map.get(&FREE).unwrap().unwrap();
        assert!(map.remove(&FREE).unwrap());
        drop(held);
    }),
    operation("into_token, claim, drop", |arena, _, _| drop(arena.claim(written(arena, 300, 7).into_token()).unwrap())),
    operation("claim of another's, drop", |arena, _, token| drop(arena.claim(token).unwrap())),
    Operation {
        is_long: true,
        ..operation("create a map, insert, remove the map, drop it", |arena, _, _| {
            let map = arena.create_map::<u32>("new", SIZE).unwrap();
            map.insert(&1, written(arena, 700, 7)).unwrap();
            assert!(arena.remove_map("new"));
        })
    },
];

fn written(arena: &Arena, len: usize, with: u8) -> ArenaPtr<'_> {
    let mut value = arena.alloc(len).unwrap();
    value.fill(with);
    value
}

#[expect(unsafe_code, reason = "all processes are of this test")]
pub(crate) fn trusted(shared: &SharedArena) -> Arena {
    // SAFETY: nobody else has the arena.
    unsafe { shared.trusted() }.unwrap()
}

/// Attaches anew: handles do not survive fork(2).
#[expect(unsafe_code, reason = "borrows an inherited descriptor")]
fn inherited(fd: RawFd) -> SharedArena {
    // SAFETY: the child has inherited it, and never closes it.
    SharedArena::from_fd(unsafe { BorrowedFd::borrow_raw(fd) }).unwrap()
}

/// An arena, and one who lives.
pub(crate) struct World {
    pub(crate) shared: SharedArena,
    arena: Arena,
    map: Map<u32>,
    /// Bytes of the map itself.
    pub(crate) empty: u64,
    held: MapRef,
    owned: [ArenaPtr<'static>; 2],
    /// On its way; 300 bytes.
    pub(crate) token: Token,
}

/// How many bytes a block for `len` bytes has.
pub(crate) fn block(len: usize) -> u64 {
    match len {
        100 => 128,
        200 => 256,
        300 => 320,
        700 => 768,
        12_000 => 12_288,
        20_000 => 20_480,
        _ => unreachable!(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        // Large enough that blocks are set apart.
        let shared = Arena::builder(512 << 10).max_processes(4).prefault(false).build_shared().unwrap();
        let arena = trusted(&shared);
        let map = arena.create_map::<u32>("map", SIZE).unwrap();
        let empty = arena.in_use();
        for (key, len) in [(FREE, 100), (HELD, 700), (LARGE, 12_000)] {
            map.insert(&key, written(&arena, len, key as u8)).unwrap();
        }
        let held = map.get(&HELD).unwrap().unwrap();
        let owned = [200, 20_000].map(|len| {
            let mut value = arena.alloc_owned(len).unwrap();
            value.fill(9);
            value
        });
        let token = written(&arena, 300, 9).into_token();
        Self { shared, arena, map, empty, held, owned, token }
    }

    /// Somebody who is about to do `act`.
    pub(crate) fn begin(&self, act: fn(&Arena, &Map<u32>, Token)) -> io::Result<Victim> {
        let (fd, token) = (self.shared.as_fd().as_raw_fd(), self.token);
        Victim::traced(|| {
            let arena = trusted(&inherited(fd));
            let map = arena.open_map::<u32>("map").unwrap();
            mark();
            act(&arena, &map, token);
            mark();
            // It lives until it is killed.
            mark();
        })
    }

    /// The living go on, whatever somebody is stopped in the middle of.
    fn go_on(&self, when: &str) {
        for len in [100, 700, 12_000] {
            drop(self.arena.alloc(len).ok());
        }
        let mut value = self.arena.alloc(200).expect(when);
        value.fill(5);
        self.map.insert(&OURS, value).map_err(|error| error.why).expect(when);
        assert!(self.map.get(&OURS).expect(when).expect(when).iter().all(|byte| *byte == 5), "{when}");
        self.map.get_mut(&OURS).expect(when).expect(when).fill(6);
        assert!(self.map.remove(&OURS).expect(when), "{when}");
        assert!(self.map.get_mut(&HELD).is_err(), "{when}");
    }

    /// Bytes in use are those that the living have, and then none.
    fn settle(self, when: &str) -> io::Result<()> {
        let Self { shared, arena, map, empty, held, owned, token } = self;
        assert!(owned.iter().all(|value| value.iter().all(|byte| *byte == 9)), "{when}");
        assert!(held.iter().all(|byte| *byte == HELD as u8), "{when}");
        let mut expected = empty + block(200) + block(20_000);
        for (key, value) in &map {
            let key = u32::from_ne_bytes(key.try_into().unwrap());
            let byte = if key == NEW { 7 } else { key as u8 };
            assert!(value.is_torn() || value.iter().all(|found| *found == byte), "{when}: {key}");
            expected += block(value.len());
        }
        if let Ok(other) = arena.open_map::<u32>("new") {
            expected += empty + other.iter().map(|(_, value)| block(value.len())).sum::<u64>();
        }
        let used = arena.in_use();
        let sent = arena.claim(token).map_or(0, |value| block(value.len()));
        assert_eq!(used, expected + sent, "{when}: {} entries, {sent} bytes on their way", map.len());

        arena.remove_map("new");
        arena.remove_map("map");
        drop((held, owned, map));
        assert_eq!((arena.in_use(), arena.largest_free()), (0, arena.capacity()), "{when}");
        drop(arena);
        assert_eq!((shared.processes()?, shared.in_use()?), (0, 0), "{when}");
        Ok(())
    }
}

/// Kills after every number of steps. Returns how many deaths there were.
fn kill_everywhere(operation: &Operation) -> io::Result<u64> {
    let Steps::Marked(most) = World::new().begin(operation.act)?.step(u64::MAX)? else { unreachable!() };
    let mut deaths = 0;
    for steps in places(most, 3) {
        let when = format!("{}, killed after {steps} steps of {most}", operation.name);
        let world = World::new();
        let mut victim = world.begin(operation.act)?;
        victim.step(steps)?;
        world.go_on(&when);
        victim.kill()?;
        let recovery = world.shared.recover()?;
        assert_eq!((recovery.processes, recovery.busy), (1, false), "{when}");
        world.settle(&when)?;
        deaths += 1;
    }
    report(&format!("arena: {}: {deaths} deaths after 0 to {most} steps", operation.name));
    Ok(deaths)
}

#[test]
fn what_a_process_has_is_given_back_wherever_it_dies() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    for operation in OPERATIONS.iter().filter(|operation| all() || !operation.is_long) {
        kill_everywhere(operation)?;
    }
    Ok(())
}

/// One dies in the middle of `operation`, then one who gives back what that had. Returns whether the second was done before.
fn die_one_after_the_other(operation: &Operation, first: u64, second: u64) -> io::Result<Steps> {
    let when = format!("{}, killed after {first} steps, and the recovery after {second}", operation.name);
    let world = World::new();
    let mut victim = world.begin(operation.act)?;
    victim.step(first)?;
    victim.kill()?;
    let fd = world.shared.as_fd().as_raw_fd();
    let mut recoverer = Victim::traced(|| {
        let shared = inherited(fd);
        mark();
        shared.recover().unwrap();
        mark();
        mark();
    })?;
    let made = recoverer.step(second)?;
    world.go_on(&when);
    recoverer.kill()?;
    assert!(!world.shared.recover()?.busy, "{when}");
    world.settle(&when)?;
    Ok(made)
}

#[test]
fn a_recovery_that_dies_anywhere_is_finished_by_the_next() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let (mut deaths, mut last) = (0, 0);
    let tried =
        |operation: &&Operation| if all() { !operation.is_long } else { operation.name.starts_with("get, remove") };
    for operation in OPERATIONS.iter().filter(tried) {
        let Steps::Marked(most) = World::new().begin(operation.act)?.step(u64::MAX)? else { unreachable!() };
        let every = most / times(1, 10) + 1;
        for first in (every / 2..most).step_by(every as usize) {
            let Steps::Marked(steps) = die_one_after_the_other(operation, first, u64::MAX)? else { unreachable!() };
            let every = steps / times(1, 20) + 1;
            last = steps;
            for second in (every / 2..steps).step_by(every as usize) {
                die_one_after_the_other(operation, first, second)?;
                deaths += 1;
            }
        }
    }
    report(&format!("arena: {deaths} deaths of a recovery, the last of them of {last} steps"));
    Ok(())
}

#[test]
fn what_somebody_had_alone_who_died_is_there_again_and_torn() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let world = World::new();
    let mut victim = world.begin(|_, map, _| {
        let mut alone = map.get_mut(&FREE).unwrap().unwrap();
        alone[..50].fill(77);
        mark();
        drop(alone);
    })?;
    victim.step(u64::MAX)?;
    assert_eq!(world.map.get(&FREE).unwrap_err(), EntryError::Exclusive);
    victim.kill()?;
    assert_eq!(world.map.get(&FREE).unwrap_err(), EntryError::Exclusive, "nobody has looked yet");
    world.shared.recover()?;
    let value = world.map.get(&FREE)?.unwrap();
    assert!(value.is_torn() && value[..50].iter().all(|byte| *byte == 77));
    drop(value);
    let mut alone = world.map.get_mut(&FREE)?.unwrap();
    assert!(alone.is_torn());
    alone.fill(FREE as u8);
    drop(alone);
    assert!(!world.map.get(&FREE)?.unwrap().is_torn());
    Ok(world.settle("after it was torn")?)
}

#[test]
fn a_token_goes_with_its_sender() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    let world = World::new();
    let (fd, board) = (world.shared.as_fd().as_raw_fd(), crate::support::victim::board());
    let mut victim = Victim::traced(|| {
        let arena = trusted(&inherited(fd));
        let token = written(&arena, 300, 3).into_token();
        for (word, bytes) in board.iter().zip(token.as_bytes().chunks(8)) {
            let bytes = bytes.try_into().unwrap();
            word.store(u64::from_ne_bytes(bytes), std::sync::atomic::Ordering::SeqCst);
        }
        mark();
        mark();
    })?;
    let bytes: Vec<u8> =
        board.iter().take(4).flat_map(|word| word.load(std::sync::atomic::Ordering::SeqCst).to_ne_bytes()).collect();
    let token = Token::from_bytes(&bytes)?;
    assert!(matches!(victim.step(0), Ok(Steps::Made)));
    victim.kill()?;
    // Until somebody has proved the death, it may be claimed.
    let claimed = world.arena.claim(token)?;
    assert!(claimed.iter().all(|byte| *byte == 3));
    let again = claimed.into_token();
    world.shared.recover()?;
    drop(world.arena.claim(again)?);
    assert_eq!(world.arena.claim(token).unwrap_err(), dynring::ClaimError::Stale);

    let mut victim = Victim::traced(|| {
        let arena = trusted(&inherited(fd));
        let token = written(&arena, 300, 3).into_token();
        for (word, bytes) in board.iter().zip(token.as_bytes().chunks(8)) {
            let bytes = bytes.try_into().unwrap();
            word.store(u64::from_ne_bytes(bytes), std::sync::atomic::Ordering::SeqCst);
        }
        mark();
        mark();
    })?;
    victim.step(0)?;
    victim.kill()?;
    assert_eq!(world.shared.recover()?.blocks, 1);
    let bytes: Vec<u8> =
        board.iter().take(4).flat_map(|word| word.load(std::sync::atomic::Ordering::SeqCst).to_ne_bytes()).collect();
    assert_eq!(world.arena.claim(Token::from_bytes(&bytes)?).unwrap_err(), dynring::ClaimError::Stale);
    Ok(world.settle("after its sender died")?)
}
