//! Every state of an arena in which somebody may leave it who dies: each is copied, recovered, and looked through.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use dynring::{EntryError, SharedArena, Token};

use crate::arena::{HELD, NEW, OPERATIONS, Operation, World, block, trusted};
use crate::scene::{TestResult, all, report, require_ptrace};
use crate::support::places::lock_place;
use crate::support::victim::{Steps, Victim, mark};

/// A copy of an arena in which the one who lives seems to, and who is killed is dead.
struct Copied {
    path: PathBuf,
    shared: SharedArena,
    /// Has the lock that says so, until it is closed.
    living: Option<File>,
}

impl Copied {
    fn new(state: &[u8]) -> io::Result<Self> {
        let path = PathBuf::from(format!("/dev/shm/dynring-state-{}", std::process::id()));
        fs::write(&path, state)?;
        let living = File::options().read(true).write(true).open(&path)?;
        lock_place(&living, 0)?;
        Ok(Self { shared: SharedArena::open(&path)?, path, living: Some(living) })
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What is in the arena after each step of `victim` that has changed it, until it marks the end.
fn states(victim: &mut Victim, shared: &SharedArena) -> io::Result<Vec<Vec<u8>>> {
    let file = File::from(shared.as_fd().try_clone_to_owned()?);
    let mut now = vec![0; file.metadata()?.len() as usize];
    let mut states: Vec<Vec<u8>> = Vec::new();
    loop {
        file.read_exact_at(&mut now, 0)?;
        if states.last() != Some(&now) {
            states.push(now.clone());
        }
        if let Steps::Marked(_) = victim.step(1)? {
            return Ok(states);
        }
    }
}

/// The dead one's is given back, and nothing else; then all of the living one's.
fn look_through(state: &[u8], empty: u64, token: Token, when: &str) -> TestResult {
    let Copied { shared, living, .. } = &mut Copied::new(state)?;
    assert!(!shared.recover()?.busy && shared.processes()? == 1, "{when}");
    let arena = trusted(shared);
    let map = arena.open_map::<u32>("map")?;
    let mut expected = empty + block(200) + block(20_000);
    for (key, value) in &map {
        let key = u32::from_ne_bytes(key.as_slice().try_into()?);
        let byte = if key == NEW { 7 } else { key as u8 };
        assert!(value.is_torn() || value.iter().all(|found| *found == byte), "{when}: {key}");
        expected += block(value.len());
    }
    for key in 0..10 {
        let held = map.get_mut(&key).map(drop);
        assert_eq!(held, if key == HELD { Err(EntryError::Held) } else { Ok(()) }, "{when}: {key}");
    }
    if let Ok(other) = arena.open_map::<u32>("new") {
        expected += empty + other.iter().map(|(_, value)| block(value.len())).sum::<u64>();
    }
    let used = arena.in_use();
    assert_eq!(used, expected + arena.claim(token).map_or(0, |value| block(value.len())), "{when}");

    drop(living.take());
    assert_eq!(shared.recover()?.processes, 1, "{when}");
    arena.remove_map("new");
    arena.remove_map("map");
    drop(map);
    assert_eq!((arena.in_use(), arena.largest_free()), (0, arena.capacity()), "{when}");
    Ok(())
}

/// Looks each state through in which a recovery of `state` may die. Returns how many.
fn look_through_recoveries(state: &[u8], world: &World, when: &str) -> Result<usize, Box<dyn std::error::Error>> {
    let copied = Copied::new(state)?;
    let path = copied.path.clone();
    let mut recoverer = Victim::traced(|| {
        let shared = SharedArena::open(&path).unwrap();
        mark();
        shared.recover().unwrap();
        mark();
        mark();
    })?;
    let states = states(&mut recoverer, &copied.shared)?;
    recoverer.kill()?;
    drop(copied);
    for (state, nth) in states.iter().zip(0..) {
        look_through(state, world.empty, world.token, &format!("{when}, state {nth} of a recovery"))?;
    }
    Ok(states.len())
}

/// Returns how many states there are, and how many of recoveries.
fn all_states(operation: &Operation) -> Result<(usize, usize), Box<dyn std::error::Error>> {
    let world = World::new();
    let mut victim = world.begin(operation.act)?;
    let states = states(&mut victim, &world.shared)?;
    victim.kill()?;
    let mut of_recoveries = 0;
    for (state, nth) in states.iter().zip(0..) {
        let when = format!("{}, state {nth}", operation.name);
        look_through(state, world.empty, world.token, &when)?;
        if all() {
            of_recoveries += look_through_recoveries(state, &world, &when)?;
        }
    }
    Ok((states.len(), of_recoveries))
}

#[test]
fn whatever_state_somebody_leaves_who_dies_all_that_was_theirs_is_given_back() -> TestResult {
    let Some(_alone) = require_ptrace() else { return Ok(()) };
    for operation in OPERATIONS.iter().filter(|operation| !operation.is_long) {
        let (states, of_recoveries) = all_states(operation)?;
        report(&format!("arena: {}: {states} states, {of_recoveries} of recoveries", operation.name));
    }
    Ok(())
}
