//! A ring that the kernel fills in overwrite mode, in the model checker's memory, and what the kernel does to it.
//!
//! Each word of a payload says where the record starts, and looks like a committed record; so do the words before the first
//! lap. A reader that looks at a header which is not there yet, or at a payload of another lap, is thereby caught.

use std::sync::Arc;

use loom::sync::Mutex;
use loom::sync::atomic::fence;

use crate::raw::{Overwritten, SnapshotEnd, Snapshots, Unread};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::wire::{HEADER_BYTES, Header, Position, RingSize, stride};

/// What no record holds, and looks like a committed record of 8 bytes.
const STALE: u32 = 8;

const WORD_BYTES: usize = 4;

/// A ring, and a handle on it.
#[derive(Clone, Debug)]
pub struct Window(Arc<Words>);

#[derive(Debug)]
struct Words {
    size: RingSize,
    consumer_pos: AtomicU64,
    producer_pos: AtomicU64,
    overwrite_pos: AtomicU64,
    data: Vec<AtomicU32>,
}

impl Overwritten for Window {
    fn size(&self) -> RingSize {
        self.0.size
    }

    fn consumer_pos(&self) -> &AtomicU64 {
        &self.0.consumer_pos
    }

    fn producer_pos(&self) -> &AtomicU64 {
        &self.0.producer_pos
    }

    fn overwrite_pos(&self) -> &AtomicU64 {
        &self.0.overwrite_pos
    }

    fn data(&self) -> &[AtomicU32] {
        &self.0.data
    }
}

/// A record of `len` bytes that starts at a position.
pub type Record = (u64, u32);

impl Window {
    /// A ring of `size` bytes whose positions start at `first`.
    pub fn new(size: u64, first: u64) -> Self {
        let position = || AtomicU64::new(first);
        Self(Arc::new(Words {
            size: RingSize::new(size).unwrap(),
            consumer_pos: position(),
            producer_pos: position(),
            overwrite_pos: position(),
            data: (0..size as usize / WORD_BYTES).map(|_| AtomicU32::new(STALE)).collect(),
        }))
    }

    /// The kernel, which fills it.
    pub fn kernel(&self) -> Kernel {
        let first = Position::new(self.0.producer_pos.load(Ordering::Relaxed));
        let locked = Positions { pending: first, overwrite: first, end: first };
        Kernel { window: self.clone(), locked: Arc::new(Mutex::new(locked)) }
    }

    fn word(&self, at: Position) -> &AtomicU32 {
        &self.0.data[at.offset(self.0.size) / WORD_BYTES]
    }

    /// The words of the payload of a record.
    fn payload(&self, (at, len): Record) -> impl Iterator<Item = &AtomicU32> {
        let start = Position::new(at).advance(HEADER_BYTES);
        (0..u64::from(len)).step_by(WORD_BYTES).map(move |offset| self.word(start.advance(offset)))
    }
}

/// What the word of a payload says.
fn says((at, _): Record) -> u32 {
    (at as u32 % 0x100) << 8 | STALE
}

/// Whoever produces, on any number of threads.
///
/// Source: `__bpf_ringbuf_reserve`, `bpf_ringbuf_commit`. There, the header is a plain store and nothing comes behind
/// `producer_pos`: it is processors that keep stores in order, across a lock and otherwise. Here, a release store and a
/// fence do.
#[derive(Clone, Debug)]
pub struct Kernel {
    window: Window,
    locked: Arc<Mutex<Positions>>,
}

/// Positions that change under the ring's lock.
#[derive(Debug)]
struct Positions {
    pending: Position,
    overwrite: Position,
    end: Position,
}

impl Kernel {
    /// Reserves a record of `len` bytes, unless an unfinished one is in the way.
    pub fn reserve(&self, len: u32) -> Option<Record> {
        let (words, mask) = (&self.window.0, self.window.0.size.mask());
        let mut locked = self.locked.lock().unwrap();
        let (at, end) = (locked.end, locked.end.advance(stride(len)));
        locked.pending = self.hop(locked.pending, |pending, header| pending != at && !header.is_busy());
        if end.since(locked.pending) > mask {
            return None;
        }
        locked.overwrite = self.hop(locked.overwrite, |overwrite, _| end.since(overwrite) > mask);
        words.overwrite_pos.store(locked.overwrite.get(), Ordering::Relaxed);
        self.window.word(at).store(Header::busy(len).word(), Ordering::Release);
        words.producer_pos.store(end.get(), Ordering::Release);
        fence(Ordering::Release);
        locked.end = end;
        Some((at.get(), len))
    }

    fn hop(&self, mut at: Position, goes_on: impl Fn(Position, Header) -> bool) -> Position {
        loop {
            let header = Header::from_word(self.window.word(at).load(Ordering::Relaxed));
            if !goes_on(at, header) {
                return at;
            }
            at = at.advance(stride(header.len()));
        }
    }

    /// Writes the payload of a record.
    pub fn write(&self, record: Record) {
        self.window.payload(record).for_each(|word| word.store(says(record), Ordering::Relaxed));
    }

    /// Finishes a record.
    pub fn finish(&self, (at, _): Record, header: Header) {
        self.window.word(Position::new(at)).swap(header.word(), Ordering::AcqRel);
    }

    /// Reserves, fills and commits a record of `len` bytes.
    pub fn send(&self, len: u32) -> Record {
        let record = self.reserve(len).expect("nothing unfinished is in the way");
        self.write(record);
        self.finish(record, Header::committed(len));
        record
    }
}

/// What a snapshot holds, after every word has been looked at: its records; how many bytes were lost; why it ends.
pub type Taken = (Vec<Record>, u64, SnapshotEnd);

/// Takes a snapshot and consumes it. `None`: producers were faster each time.
pub fn take(snapshots: &mut Snapshots<Window>) -> Option<Taken> {
    let mut copied = vec![0xee; snapshots.window().size().bytes() as usize];
    let extent = match snapshots.copy(&mut copied) {
        Ok(extent) => extent,
        Err(Unread::Overtaken { .. }) => return None,
        Err(Unread::Corrupt(corrupt)) => panic!("{corrupt}"),
    };
    let records = extent.records(&copied).map(|(at, payload)| {
        let record = (at.get(), payload.len() as u32);
        let whole = says(record).to_ne_bytes();
        assert!(payload.chunks(WORD_BYTES).all(|word| word == &whole[..word.len()]), "torn: {record:?} {payload:?}");
        record
    });
    let records = records.collect();
    snapshots.consume(extent.end);
    Some((records, extent.start.since(extent.consumer), extent.ended))
}
