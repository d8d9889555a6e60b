//! Reading rings whose producers overwrite what has not been read: copies, and whether they are whole.

use super::bytes::{WORD_BYTES, load_bytes};
use crate::sync::{AtomicU32, AtomicU64, Edge, Ordering, fence_acquire, release};
use crate::wire::{Corrupt, HEADER_BYTES, Header, Position, RingSize, stride};

/// How often a snapshot is begun anew before it is given up.
const TRIES: u32 = if cfg!(dynring_loom) { 2 } else { 16 };

/// After how many bytes it is made sure that what has been copied is whole.
const CHUNK: u64 = if cfg!(dynring_loom) { 24 } else { 4096 };

/// The words of a ring whose producers overwrite.
pub trait Overwritten {
    /// Size of the data.
    fn size(&self) -> RingSize;

    /// Everything below was consumed. Readers store it; producers go on without it.
    fn consumer_pos(&self) -> &AtomicU64;

    /// Everything below has its header in memory.
    fn producer_pos(&self) -> &AtomicU64;

    /// Everything below may have been overwritten.
    fn overwrite_pos(&self) -> &AtomicU64;

    /// The data, once: as many words as make `size` bytes.
    fn data(&self) -> &[AtomicU32];
}

/// Takes snapshots of a ring whose producers overwrite.
///
/// It trusts nothing that it reads, and waits for nobody.
#[derive(Debug)]
pub struct Snapshots<W> {
    window: W,
    corrupt: Option<Corrupt>,
}

/// What a snapshot holds: consecutive records, each finished and whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Where the consumer was. What lies between that and `start` was overwritten before it was copied.
    pub consumer: Position,
    /// Where the first record starts.
    pub start: Position,
    /// Where the last record ends.
    pub end: Position,
    /// Why it ends there.
    pub ended: SnapshotEnd,
    /// How many bytes lie before the first record in what was copied.
    before: usize,
}

/// Why a snapshot ends where it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SnapshotEnd {
    /// Nothing more had been reserved when the snapshot was begun.
    CaughtUp,
    /// The next record was still being written. Those behind it come after it.
    Unfinished,
    /// Producers have overwritten the next record before it was copied. The next snapshot begins behind what they have
    /// overwritten.
    Overtaken,
    /// The next record cannot be one. From now on, there are no snapshots any more.
    Corrupt(Corrupt),
}

/// Why there is no snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unread {
    /// Producers have overwritten everything before it was copied, each time.
    Overtaken {
        /// How often.
        tries: u32,
    },
    /// No correct peer leaves the ring like this.
    Corrupt(Corrupt),
}

/// Where everything was at one look.
#[derive(Clone, Copy)]
struct View {
    consumer: Position,
    producer: Position,
    overwrite: Position,
}

impl<W: Overwritten> Snapshots<W> {
    /// Snapshots of `window`.
    pub fn new(window: W) -> Self {
        Self { window, corrupt: None }
    }

    /// The ring's words.
    pub fn window(&self) -> &W {
        &self.window
    }

    /// Copies what can be read into `into`, which is as long as the ring's data: from the consumer's position on, or from where
    /// producers have stopped overwriting if that is further.
    ///
    /// Copies no more than twice the size of the ring, and begins anew a bounded number of times.
    ///
    /// # Errors
    /// Producers have been faster each time, or the ring is corrupt; that is sticky.
    pub fn copy(&mut self, into: &mut [u8]) -> Result<Extent, Unread> {
        debug_assert!(into.len() as u64 >= self.window.size().bytes());
        if let Some(corrupt) = self.corrupt {
            return Err(Unread::Corrupt(corrupt));
        }
        for _ in 0..TRIES {
            let view = self.view()?;
            match Copying::new(&self.window, view, into).run() {
                Ok(Some(extent)) => return Ok(self.remember(extent)),
                Ok(None) => {}
                Err(corrupt) => return Err(self.poison(corrupt)),
            }
        }
        Err(Unread::Overtaken { tries: TRIES })
    }

    /// Everything below `end` has been consumed.
    pub fn consume(&self, end: Position) {
        self.window.consumer_pos().store(end.get(), release(Edge::SpaceStore));
    }

    /// Where everything is, if it can be there.
    ///
    /// Producers may have come round once more between the loads of their two positions. If `producer_pos` stays where it
    /// is, they have not, and the ring is corrupt.
    fn view(&mut self) -> Result<View, Unread> {
        let first = View::of(&self.window);
        let mut view = first;
        for _ in 0..TRIES {
            if !view.overwrite.is_after(view.producer) {
                return view.check(self.window.size()).map_err(|corrupt| self.poison(corrupt));
            }
            view = View::of(&self.window);
        }
        let stuck = view.producer == first.producer;
        Err(if stuck {
            self.poison(view.overwrite_pos(self.window.size()))
        } else {
            Unread::Overtaken { tries: TRIES }
        })
    }

    fn remember(&mut self, extent: Extent) -> Extent {
        if let SnapshotEnd::Corrupt(corrupt) = extent.ended {
            self.corrupt = Some(corrupt);
        }
        extent
    }

    #[cold]
    fn poison(&mut self, corrupt: Corrupt) -> Unread {
        Unread::Corrupt(*self.corrupt.insert(corrupt))
    }
}

impl View {
    fn of(window: &impl Overwritten) -> Self {
        let consumer = Position::new(window.consumer_pos().load(Ordering::Relaxed));
        // Whoever stored it had seen producers at least as far.
        fence_acquire(Edge::SpaceLoad);
        let producer = Position::new(window.producer_pos().load(Ordering::Relaxed));
        // Headers below are in sight, and so is the overwrite position that was stored before, or a later one.
        fence_acquire(Edge::WindowLoad);
        let overwrite = Position::new(window.overwrite_pos().load(Ordering::Relaxed));
        Self { consumer, producer, overwrite }
    }

    fn check(self, size: RingSize) -> Result<Self, Corrupt> {
        let Self { consumer, producer, overwrite } = self;
        if !producer.is_aligned() {
            return Err(Corrupt::ProducerPos { found: producer, consumer, size: size.bytes() });
        }
        if !overwrite.is_aligned() || producer.since(overwrite) > size.usable() {
            return Err(self.overwrite_pos(size));
        }
        // Further behind is allowed, but then the other position is where to start.
        if !consumer.is_aligned() || producer.since(self.start()) > size.usable() {
            return Err(Corrupt::ConsumerPos { found: consumer, producer, size: size.bytes() });
        }
        Ok(self)
    }

    fn overwrite_pos(self, size: RingSize) -> Corrupt {
        Corrupt::OverwritePos { found: self.overwrite, producer: self.producer, size: size.bytes() }
    }

    /// Where the first record is that may be read.
    fn start(self) -> Position {
        self.consumer.latest(self.overwrite)
    }
}

/// A snapshot in the making.
///
/// # Invariants
/// 1. `start <= good <= at <= end`, by wrapped distance, within one ring's size behind `base`.
/// 2. From `start` to `good`, `into` holds records that are finished and whole, each at its distance from `base`.
/// 3. From `good` to `at`, it holds what would be such records if nobody had overwritten any of them before it was copied.
struct Copying<'c, W> {
    window: &'c W,
    into: &'c mut [u8],
    consumer: Position,
    base: Position,
    start: Position,
    good: Position,
    at: Position,
    end: Position,
}

/// Why nothing more is copied.
#[derive(Clone, Copy)]
enum Stop {
    Because(SnapshotEnd),
    /// A record that reaches further than producers have come.
    Overlong(u32),
}

impl<'c, W: Overwritten> Copying<'c, W> {
    fn new(window: &'c W, view: View, into: &'c mut [u8]) -> Self {
        let start = view.start();
        let (base, good, at) = (start, start, start);
        Self { window, into, consumer: view.consumer, base, start, good, at, end: view.producer }
    }

    /// Copies chunk by chunk. `None`: producers have overwritten the beginning, and where records start is not known.
    fn run(mut self) -> Result<Option<Extent>, Corrupt> {
        loop {
            let stop = self.copy_chunk();
            if !self.is_whole() {
                if self.good != self.start {
                    self.at = self.good;
                    return Ok(Some(self.extent(SnapshotEnd::Overtaken)));
                }
                if !self.begin_later() {
                    return Ok(None);
                }
            }
            self.good = self.at;
            match stop {
                None => {}
                Some(Stop::Because(ended)) => return Ok(Some(self.extent(ended))),
                Some(Stop::Overlong(found)) => return self.before_overlong(found).map(Some),
            }
        }
    }

    /// What there is before a record that reaches further than producers have come.
    #[cold]
    fn before_overlong(&self, found: u32) -> Result<Extent, Corrupt> {
        let corrupt = Corrupt::Length { at: self.at, found, available: self.end.since(self.at) };
        if self.at == self.start { Err(corrupt) } else { Ok(self.extent(SnapshotEnd::Corrupt(corrupt))) }
    }

    /// Copies records until a chunk is full, or there is nothing more to copy.
    fn copy_chunk(&mut self) -> Option<Stop> {
        while self.at.since(self.good) < CHUNK {
            if self.at == self.end {
                return Some(Stop::Because(SnapshotEnd::CaughtUp));
            }
            let header = self.load_header();
            if header.is_busy() {
                return Some(Stop::Because(SnapshotEnd::Unfinished));
            }
            if stride(header.len()) > self.end.since(self.at) {
                return Some(Stop::Overlong(header.len()));
            }
            self.copy_record(header);
            self.at = self.at.advance(stride(header.len()));
        }
        None
    }

    fn load_header(&self) -> Header {
        let word = self.at.offset(self.window.size()) / WORD_BYTES;
        let header = Header::from_word(self.window.data()[word].load(Ordering::Relaxed));
        // If the record is finished, its payload is in sight.
        fence_acquire(Edge::CopyLoad);
        header
    }

    fn copy_record(&mut self, header: Header) {
        let to = self.at.since(self.base) as usize;
        let (head, payload) = self.into[to..].split_at_mut(HEADER_BYTES as usize);
        head[..WORD_BYTES].copy_from_slice(&header.word().to_ne_bytes());
        if !header.is_discarded() {
            let (data, from) = (self.window.data(), self.at.advance(HEADER_BYTES).offset(self.window.size()));
            let payload = &mut payload[..header.len() as usize];
            let to_the_end = payload.len().min(self.window.size().bytes() as usize - from);
            let (front, back) = payload.split_at_mut(to_the_end);
            load_bytes(&data[from / WORD_BYTES..], front);
            load_bytes(data, back);
        }
    }

    /// Whether nobody had overwritten anything from `good` on when it was copied.
    fn is_whole(&self) -> bool {
        // Whoever has overwritten what was copied had moved `producer_pos` before.
        fence_acquire(Edge::TornCheck);
        let producer = Position::new(self.window.producer_pos().load(Ordering::Relaxed));
        producer.since(self.good) <= self.window.size().mask()
    }

    /// Lets the snapshot begin where producers have stopped overwriting by now, if the chunk that was copied last has a record
    /// there: that one and all behind it were copied whole, and found by way of each other. Whether it has.
    #[cold]
    fn begin_later(&mut self) -> bool {
        // Behind the fence of `is_whole`: whoever has overwritten what was copied had moved this word before, too.
        let overwrite = Position::new(self.window.overwrite_pos().load(Ordering::Relaxed));
        let mut at = self.start;
        while at != overwrite {
            if at == self.at {
                return false;
            }
            at = at.advance(stride(header_in(self.into, at.since(self.base) as usize).len()));
        }
        self.start = at;
        true
    }

    fn extent(&self, ended: SnapshotEnd) -> Extent {
        let Self { consumer, base, start, at, .. } = *self;
        Extent { consumer, start, end: at, ended, before: start.since(base) as usize }
    }
}

/// The header that was copied to `at`.
fn header_in(copied: &[u8], at: usize) -> Header {
    let word = copied[at..].first_chunk().map_or(0, |word| u32::from_ne_bytes(*word));
    Header::from_word(word)
}

impl Extent {
    /// The committed records that were copied to `copied`.
    pub fn records(self, copied: &[u8]) -> Copied<'_> {
        Copied { copied, at: self.start, end: self.end, offset: self.before }
    }
}

/// The committed records of a snapshot, and where each starts in the ring.
#[derive(Clone, Debug)]
pub struct Copied<'c> {
    copied: &'c [u8],
    at: Position,
    end: Position,
    /// Where the record at `at` is in `copied`.
    offset: usize,
}

impl<'c> Iterator for Copied<'c> {
    type Item = (Position, &'c [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while self.at != self.end {
            let (at, offset, header) = (self.at, self.offset, header_in(self.copied, self.offset));
            self.at = at.advance(stride(header.len()));
            self.offset += stride(header.len()) as usize;
            if !header.is_discarded() {
                let payload = offset + HEADER_BYTES as usize;
                return Some((at, &self.copied[payload..payload + header.len() as usize]));
            }
        }
        None
    }
}

#[cfg(all(test, not(dynring_loom)))]
mod tests;
