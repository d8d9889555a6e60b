//! What a ring should do, as a plain queue.
//!
//! Positions are counted from where the ring began, so that they do not wrap; only offsets depend on where that was.

use std::collections::BTreeMap;

/// Whether a record may cross the end of the data. Under Miri, what would is preceded by a discarded record instead.
const MIRRORED: bool = !cfg!(miri);

pub struct Model {
    pub size: u64,
    pub first: u64,
    pub head: u64,
    pub published: u64,
    pub refused: u64,
    pub discarded: u64,
    taken: u64,
    /// What has not been taken, by where it starts.
    queue: BTreeMap<u64, Entry>,
}

struct Entry {
    stride: u64,
    state: State,
}

enum State {
    Busy,
    Committed(Vec<u8>),
    Discarded,
}

/// The ring is full.
#[derive(PartialEq, Eq, Debug)]
pub struct Full;

pub fn stride(len: usize) -> u64 {
    (len as u64 + 8).next_multiple_of(8)
}

impl Model {
    pub fn new(size: u64, first: u64) -> Self {
        let queue = BTreeMap::new();
        Self { size, first, head: 0, published: 0, refused: 0, discarded: 0, taken: 0, queue }
    }

    /// The position as the ring counts it.
    pub fn absolute(&self, position: u64) -> u64 {
        self.first.wrapping_add(position)
    }

    /// Reserves records of these strides, one behind the other. Returns where the first one starts.
    pub fn reserve(&mut self, strides: &[u64]) -> Result<u64, Full> {
        let span: u64 = strides.iter().sum();
        let offset = self.absolute(self.head) % self.size;
        let padding = if MIRRORED || offset + span <= self.size { 0 } else { self.size - offset };
        if self.head + padding + span - self.published > self.size - 8 {
            self.refused += 1;
            return Err(Full);
        }
        if padding > 0 {
            self.push(padding, State::Discarded);
        }
        let start = self.head;
        for stride in strides {
            self.push(*stride, State::Busy);
        }
        Ok(start)
    }

    fn push(&mut self, stride: u64, state: State) {
        self.queue.insert(self.head, Entry { stride, state });
        self.head += stride;
    }

    fn busy(&mut self, at: u64) -> &mut Entry {
        let entry = self.queue.get_mut(&at).unwrap();
        assert!(matches!(entry.state, State::Busy), "a reservation is finished once");
        entry
    }

    pub fn commit(&mut self, at: u64, payload: Vec<u8>) {
        let left = self.busy(at).stride - stride(payload.len());
        if left > 0 {
            let rest = self.split(at, payload.len());
            self.discard(rest);
        }
        self.busy(at).state = State::Committed(payload);
    }

    pub fn discard(&mut self, at: u64) {
        self.busy(at).state = State::Discarded;
    }

    /// Leaves a payload of `len` bytes in the reservation at `at`. Returns where the rest starts.
    pub fn split(&mut self, at: u64, len: usize) -> u64 {
        let entry = self.busy(at);
        let (rest, left) = (at + stride(len), entry.stride - stride(len));
        entry.stride = stride(len);
        self.queue.insert(rest, Entry { stride: left, state: State::Busy });
        rest
    }

    /// Skips what was discarded. Whether a record is there.
    pub fn peek(&mut self) -> bool {
        loop {
            match self.queue.get(&self.taken).map(|entry| &entry.state) {
                None | Some(State::Busy) => return false,
                Some(State::Committed(_)) => return true,
                Some(State::Discarded) => {
                    self.pop();
                    self.discarded += 1;
                }
            }
        }
    }

    /// The next record, not given back yet.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        if !self.peek() {
            return None;
        }
        match self.pop().state {
            State::Committed(payload) => Some(payload),
            _ => unreachable!("`peek` has found a record"),
        }
    }

    fn pop(&mut self) -> Entry {
        let entry = self.queue.remove(&self.taken).unwrap();
        self.taken += entry.stride;
        entry
    }

    /// Gives back what was taken or skipped.
    pub fn publish(&mut self) {
        self.published = self.taken;
    }

    /// The next record, given back.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        let payload = self.take();
        self.publish();
        payload
    }
}
