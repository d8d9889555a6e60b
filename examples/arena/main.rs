//! Two processes, an arena that they share, and a ring through which one tells the other what is in it.
//!
//! ```text
//!   writer  ---- values of any size ---->  map in the arena   ---- get ---->  reader
//!           ---- keys, and tokens of  -->  ring in a memfd    ---- claim -->
//!                what is too large
//! ```
//!
//! This program starts itself as the writer, twice. The first comes to its end by itself. The second is killed at full speed, with
//! memory that it has taken, and tokens on their way. The bytes in use have to add up then.
//!
//! ```text
//! cargo run --release --example arena
//! ```

mod writer;

use std::env;
use std::error::Error;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dynring::{Arena, ArenaRecovery, ClaimError, Map, MapSize, Readiness, Ring, SharedArena, SharedRing, Token};
use writer::{Message, VALUES, content};

/// Bytes of the arena.
const BYTES: usize = 32 << 20;

/// How long the second writer lives.
const A_WHILE: Duration = Duration::from_millis(300);

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        None => read(),
        Some(role) => writer::write(role),
    }
}

/// What the reader has seen.
#[derive(Default)]
struct Seen {
    values: u64,
    bytes: u64,
    claimed: u64,
    gone: u64,
}

fn read() -> Result<(), Box<dyn Error>> {
    let shared = Arena::builder(BYTES).build_shared()?;
    let ring = Ring::builder(16 * 1024).build_shared()?;
    let arena = trusted(&shared)?;
    let map = arena.create_map::<u64>("values", MapSize { entries: 2 * VALUES as u32, key_bytes: 0 })?;
    let empty = arena.in_use();

    let mut seen = Seen::default();
    let mut patient = start("patient", &shared, &ring)?;
    listen(&ring, &arena, &map, &mut seen, || false)?;
    let status = patient.wait()?;
    if !status.success() {
        return Err(format!("the first writer failed: {status}").into());
    }
    println!("{:>10} values were found in the map, {} bytes in all", seen.values, seen.bytes);
    println!("{:>10} values came by token, each larger than the ring", seen.claimed);
    let first = (seen.values, seen.claimed);

    let (mut hasty, begun) = (start("hasty", &shared, &ring)?, Instant::now());
    let mut killed = None;
    listen(&ring, &arena, &map, &mut seen, || {
        if killed.is_none() && begun.elapsed() >= A_WHILE {
            killed = Some(kill(&mut hasty, &shared));
        }
        killed.is_none()
    })?;
    let (before, recovery) = killed.ok_or("the second writer came to its end")??;
    println!("killed: the second writer, at full speed");
    println!("{:>10} more values and {} more tokens had come", seen.values - first.0, seen.claimed - first.1);
    println!("{before:>10} bytes were in use, until {} blocks of the dead were given back", recovery.blocks);
    println!("{:>10} tokens came after that: their memory has gone with their sender", seen.gone);

    let (left, entries) = (arena.in_use(), map.len());
    println!("{:>10} bytes are {entries} values that it had put into the map, which stay", left - empty);
    let in_map: u64 = map.iter().map(|(_, value)| block(value.len())).sum();
    if left != empty + in_map || recovery.processes != 1 || entries == 0 {
        return Err(format!("{left} bytes in use, {empty} of the map itself and {in_map} of what is in it").into());
    }
    for key in 0..2 * VALUES {
        map.remove(&key)?;
    }
    if (arena.in_use(), shared.processes()?) != (empty, 1) {
        return Err("something was lost".into());
    }
    println!("everything adds up");
    Ok(())
}

/// Kills a writer, and gives back what it had. Returns how many bytes were in use before, and what was given back.
fn kill(writer: &mut Child, shared: &SharedArena) -> Result<(u64, ArenaRecovery), io::Error> {
    writer.kill()?;
    writer.wait()?;
    Ok((shared.in_use()?, shared.recover()?))
}

/// Reads what the writer sends until there is none any more, dead ones included. Asks `more` whether there may be one that has not
/// begun.
fn listen(
    ring: &SharedRing,
    arena: &Arena,
    map: &Map<u64>,
    seen: &mut Seen,
    mut more: impl FnMut() -> bool,
) -> Result<(), Box<dyn Error>> {
    let (mut consumer, mut record, mut begun) = (ring.consumer()?, Vec::new(), false);
    loop {
        let readiness = consumer.wait(Some(Duration::from_millis(10)))?;
        // A few at a time: the writer is to be killed with some on their way.
        for _ in 0..100 {
            if !consumer.next_into(&mut record)? {
                break;
            }
            begun = true;
            match Message::from_bytes(&record)? {
                Message::Key(key) => seen.look_up(map, key)?,
                Message::Token(number, token) => seen.claim(arena, number, token)?,
            }
        }
        if !more() && begun && readiness == Readiness::Disconnected {
            return Ok(());
        }
    }
}

impl Seen {
    fn look_up(&mut self, map: &Map<u64>, key: u64) -> Result<(), Box<dyn Error>> {
        let value = map.get(&key)?.ok_or_else(|| format!("there is no value under {key}"))?;
        check(&value, key)?;
        self.values += 1;
        self.bytes += value.len() as u64;
        // Held, the value stays until it is dropped here.
        map.remove(&key)?;
        Ok(())
    }

    fn claim(&mut self, arena: &Arena, number: u64, token: Token) -> Result<(), Box<dyn Error>> {
        match arena.claim(token) {
            Ok(value) => {
                check(&value, number)?;
                self.claimed += 1;
            }
            Err(ClaimError::Stale) => self.gone += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn check(value: &[u8], number: u64) -> Result<(), Box<dyn Error>> {
    let intact = content(number, value.len()).eq(value.iter().copied());
    if intact { Ok(()) } else { Err(format!("value {number} is not what was written").into()) }
}

/// How many bytes a block for `len` bytes takes.
fn block(len: usize) -> u64 {
    let scratch = Arena::builder(1 << 20).build().expect("memory");
    let _value = scratch.alloc(len).expect("memory");
    scratch.in_use()
}

#[expect(unsafe_code, reason = "who shares the arena is known")]
fn trusted(shared: &SharedArena) -> Result<Arena, Box<dyn Error>> {
    // SAFETY: all processes that have the arena are this program's, and use it as this one does.
    Ok(unsafe { shared.trusted() }?)
}

fn start(role: &str, arena: &SharedArena, ring: &SharedRing) -> Result<Child, Box<dyn Error>> {
    let (here, there) = UnixStream::pair()?;
    let child = Command::new(env::current_exe()?).arg(role).stdin(Stdio::from(OwnedFd::from(there))).spawn()?;
    arena.share(&here)?;
    ring.share(&here)?;
    Ok(child)
}
