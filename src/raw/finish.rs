//! Finishing a record: commit, discard, shrink, and carving records out of a lease.

use super::claim::write_header;
use super::memory::{AWAKE, LISTENING};
use super::{Memory, Sleeper};
use crate::sync::{Edge, Ordering, release};
use crate::wire::{HEADER_BYTES, Header, Position, stride};

/// When finishing a record wakes a sleeping consumer.
///
/// Source: the flags of the kernel's `bpf_ringbuf_submit` and `bpf_ringbuf_discard`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Wakeup {
    /// If the record is the one that the consumer waits for. No system call unless the consumer sleeps.
    #[default]
    Adaptive,
    /// Never. The record is seen when the consumer next looks, and a later adaptive commit might not wake it either, since
    /// that record is not the one it waits for.
    #[doc(alias = "BPF_RB_NO_WAKEUP")]
    None,
    /// Whenever the consumer sleeps, whichever record it waits for.
    #[doc(alias = "BPF_RB_FORCE_WAKEUP")]
    Force,
}

/// Gives the record at `at` its final header. The caller holds its reservation, and gives it up.
#[inline]
pub fn finish<M: Memory>(memory: &M, at: Position, header: Header, wakeup: Wakeup) {
    memory.header(at).word.store(header.word(), release(Edge::Finish));
    if wakeup != Wakeup::None {
        memory.store_load().light(Edge::FinishFence);
        if consumer_sleeps(memory) {
            wake_from(memory, at, wakeup);
        }
    }
}

#[cold]
fn wake_from<M: Memory>(memory: &M, at: Position, wakeup: Wakeup) {
    let waits_for = memory.consumer().consumer_pos.load(Ordering::Relaxed);
    if wakeup == Wakeup::Force || waits_for == at.get() {
        wake_consumer(memory);
    }
}

/// Whether the consumer says that it sleeps.
#[inline]
pub(super) fn consumer_sleeps<M: Memory>(memory: &M) -> bool {
    memory.consumer().state.sleeping.load(Ordering::Relaxed) != AWAKE
}

/// Wakes the consumer in the way in which it sleeps.
///
/// If it sleeps in another way than a moment ago, it has been awake since, and what is read now tells of the sleep that
/// matters.
#[cold]
fn wake_consumer<M: Memory>(memory: &M) {
    let listens = memory.consumer().state.sleeping.load(Ordering::Relaxed) == LISTENING;
    memory.wake(if listens { Sleeper::Listener } else { Sleeper::Consumer });
}

/// Wakes the consumer, whichever record it waits for, if it sleeps.
#[cold]
pub(super) fn wake_any<M: Memory>(memory: &M, edge: Edge) {
    memory.store_load().light(edge);
    if consumer_sleeps(memory) {
        wake_consumer(memory);
    }
}

/// Commits the first `len` bytes of a record that was reserved with `reserved` bytes; the rest becomes a discarded record.
pub fn shrink<M: Memory>(memory: &M, at: Position, reserved: u32, len: u32, owner: u16, wakeup: Wakeup) {
    debug_assert!(len <= reserved);
    let tail = stride(reserved) - stride(len);
    if tail > 0 {
        write_header(memory, at.advance(stride(len)), Header::discarded((tail - HEADER_BYTES) as u32), owner);
    }
    finish(memory, at, Header::committed(len), wakeup);
}

/// Splits the busy record at `at`, which takes `span` bytes with its header, so that one with a payload of `len` bytes may be
/// finished at `at`. Returns what is left behind it: where, and how many bytes with its header.
#[inline]
pub fn carve<M: Memory>(memory: &M, at: Position, span: u64, len: u32, owner: u16) -> (Position, u64) {
    debug_assert!(stride(len) <= span);
    let (rest, left) = (at.advance(stride(len)), span - stride(len));
    if left > 0 {
        write_header(memory, rest, Header::busy((left - HEADER_BYTES) as u32), owner);
    }
    (rest, left)
}
