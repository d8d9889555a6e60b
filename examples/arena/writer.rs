//! The one who writes.

use std::error::Error;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use dynring::{Arena, CopyingProducer, Map, SharedArena, SharedRing, Token};

use crate::trusted;

/// How many keys there are.
pub(crate) const VALUES: u64 = 1000;

/// What goes through the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message {
    /// There is a value under this key.
    Key(u64),
    /// The value of this number is what the token stands for.
    Token(u64, Token),
}

impl Message {
    fn send(self, producer: &CopyingProducer) -> Result<(), Box<dyn Error>> {
        let mut bytes = Vec::with_capacity(8 + Token::BYTES);
        match self {
            Self::Key(key) => bytes.extend_from_slice(&key.to_ne_bytes()),
            Self::Token(number, token) => {
                bytes.extend_from_slice(&number.to_ne_bytes());
                bytes.extend_from_slice(token.as_bytes());
            }
        }
        let mut record = producer.reserve_blocking(bytes.len(), None)?;
        record.write(0, &bytes)?;
        record.commit();
        Ok(())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Box<dyn Error>> {
        let (number, rest) = bytes.split_first_chunk().ok_or("a short record")?;
        let number = u64::from_ne_bytes(*number);
        Ok(if rest.is_empty() { Self::Key(number) } else { Self::Token(number, Token::from_bytes(rest)?) })
    }
}

/// The bytes of the value of this number.
pub(crate) fn content(number: u64, len: usize) -> impl Iterator<Item = u8> {
    (0..len as u64).map(move |at| (number ^ at ^ at >> 8) as u8)
}

/// Writes values until it is done, or killed.
pub(crate) fn write(role: &str) -> Result<(), Box<dyn Error>> {
    let stdin = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (shared, ring) = (SharedArena::receive(&stdin)?, SharedRing::receive(&stdin)?);
    let (arena, producer) = (trusted(&shared)?, ring.producer()?);
    let map = arena.open_map::<u64>("values")?;
    let empty = arena.in_use();
    for key in 0..VALUES {
        put(&arena, &map, key)?;
        Message::Key(key).send(&producer)?;
        if key % 10 == 0 {
            send(&arena, &producer, key)?;
        }
    }
    match role {
        // Its tokens are its own until they are claimed.
        "patient" => until_all_is_claimed(&arena, empty),
        _ => go_on_for_ever(&arena, &map, &producer),
    }
}

/// Memory of some size, whose content says whose it is.
fn put(arena: &Arena, map: &Map<u64>, key: u64) -> Result<(), Box<dyn Error>> {
    let mut value = arena.alloc((key * 37 % 3000) as usize)?;
    let len = value.len();
    value.iter_mut().zip(content(key, len)).for_each(|(byte, content)| *byte = content);
    map.insert(&key, value).map_err(|error| error.why)?;
    Ok(())
}

/// A value that the ring has no room for.
fn send(arena: &Arena, producer: &CopyingProducer, number: u64) -> Result<(), Box<dyn Error>> {
    let Ok(mut value) = arena.alloc(50_000) else { return Ok(()) };
    let len = value.len();
    value.iter_mut().zip(content(number, len)).for_each(|(byte, content)| *byte = content);
    Message::Token(number, value.into_token()).send(producer)
}

fn until_all_is_claimed(arena: &Arena, empty: u64) -> Result<(), Box<dyn Error>> {
    while arena.in_use() > empty {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn go_on_for_ever(arena: &Arena, map: &Map<u64>, producer: &CopyingProducer) -> Result<(), Box<dyn Error>> {
    // Nobody is told of these.
    for key in VALUES..VALUES + 10 {
        put(arena, map, key)?;
    }
    for number in 0.. {
        let key = number % VALUES;
        let _kept = arena.alloc(10_000);
        if map.get(&key)?.is_none() {
            put(arena, map, key)?;
            Message::Key(key).send(producer)?;
        }
        send(arena, producer, number)?;
    }
    Ok(())
}
