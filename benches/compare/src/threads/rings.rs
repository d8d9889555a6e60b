//! Rings of bytes, or of words.

use std::sync::Arc;

use aeron_rs::command::control_protocol_events::AeronCommand;
use aeron_rs::concurrent::atomic_buffer::AtomicBuffer;
use aeron_rs::concurrent::ring_buffer::{ManyToOneRingBuffer, RingBufferError, TRAILER_LENGTH};
use anyhow::{Context, Result, bail};
use bbqueue::nicknames::{GogiGui, YakiNiku};
use bbqueue::prod_cons::framed::{FramedConsumer, FramedProducer};
use bbqueue::traits::coordination::ReadGrantError;
use bbqueue::traits::storage::BoxedSlice;
use nexus_logbuf::{mpsc, spsc};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::{Kind, only};
use crate::common::{Sizes, fill};
use crate::link::{ROOM, Receiver, Sender};

/// A ring of words: the length, then the payload. All that is there is read at once.
pub struct Rtrb;

pub struct RtrbSender(rtrb::Producer<u64>);

pub struct RtrbReceiver {
    consumer: rtrb::Consumer<u64>,
    /// For payloads that lie in two pieces.
    joined: Vec<u64>,
}

impl Kind for Rtrb {
    type Sender = RtrbSender;
    type Receiver = RtrbReceiver;

    fn link(senders: usize, _: Sizes) -> Result<(Vec<RtrbSender>, RtrbReceiver)> {
        let (producer, consumer) = rtrb::RingBuffer::new(ROOM / 8);
        Ok((only(senders, RtrbSender(producer))?, RtrbReceiver { consumer, joined: Vec::new() }))
    }
}

impl Sender for RtrbSender {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let Ok(mut chunk) = self.0.write_chunk_uninit(1 + len / 8) else { return Ok(false) };
        let (first, second) = chunk.as_mut_slices();
        first[0].write(len as u64);
        for place in first[1..].iter_mut().chain(second) {
            place.write(word);
        }
        #[expect(unsafe_code, reason = "filled from an iterator, it would be slower")]
        // SAFETY: every place has been written to; the first slice is not empty if the chunk is not.
        unsafe {
            chunk.commit_all();
        }
        Ok(true)
    }
}

impl Receiver for RtrbReceiver {
    /// More than are wanted are never there.
    #[inline(always)]
    fn receive(&mut self, _: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let chunk = self.consumer.read_chunk(self.consumer.slots())?;
        let (mut rest, mut next) = chunk.as_slices();
        let mut received = 0;
        loop {
            let Some((&len, payload)) = rest.split_first() else {
                if next.is_empty() {
                    break;
                }
                rest = std::mem::take(&mut next);
                continue;
            };
            let words = len as usize / 8;
            if let Some((payload, behind)) = payload.split_at_checked(words) {
                each(payload.as_bytes());
                rest = behind;
            } else {
                let (end, behind) = next.split_at_checked(words - payload.len()).context("a record without its end")?;
                self.joined.clear();
                self.joined.extend_from_slice(payload);
                self.joined.extend_from_slice(end);
                each(self.joined.as_bytes());
                (rest, next) = (behind, &[]);
            }
            received += 1;
        }
        chunk.commit_all();
        Ok(received)
    }
}

/// Both rings of nexus-logbuf are used in the same way.
macro_rules! nexus {
    ($kind:ident, $sender:ident, $receiver:ident, $ring:ident, $producers:expr) => {
        pub struct $kind;

        pub struct $sender($ring::Producer);

        pub struct $receiver($ring::Consumer);

        impl Kind for $kind {
            type Sender = $sender;
            type Receiver = $receiver;

            fn link(senders: usize, _: Sizes) -> Result<(Vec<$sender>, $receiver)> {
                let (producer, consumer) = $ring::new(ROOM);
                let producers: Vec<$ring::Producer> = $producers(senders, producer)?;
                Ok((producers.into_iter().map($sender).collect(), $receiver(consumer)))
            }
        }

        impl Sender for $sender {
            #[inline(always)]
            fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
                let Ok(mut claim) = self.0.try_claim(len) else { return Ok(false) };
                fill(&mut claim, word);
                claim.commit();
                Ok(true)
            }
        }

        impl Receiver for $receiver {
            #[inline(always)]
            fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
                let mut received = 0;
                while received < most
                    && let Some(record) = self.0.try_claim()
                {
                    each(&record);
                    received += 1;
                }
                Ok(received)
            }
        }
    };
}

nexus!(Nexus, NexusSender, NexusReceiver, mpsc, |senders, producer| Ok::<_, anyhow::Error>(vec![producer; senders]));
nexus!(NexusSpsc, NexusSpscSender, NexusSpscReceiver, spsc, only);

/// Payloads are copied in, and read in place.
pub struct Aeron;

struct AeronRing {
    ring: ManyToOneRingBuffer,
    /// What the ring is in.
    _memory: Vec<Line>,
}

#[derive(Clone, Copy, FromBytes, IntoBytes)]
#[repr(C, align(64))]
struct Line([u8; 64]);

pub struct AeronSender {
    ring: Arc<AeronRing>,
    record: Vec<u8>,
}

pub struct AeronReceiver(Arc<AeronRing>);

impl Kind for Aeron {
    type Sender = AeronSender;
    type Receiver = AeronReceiver;

    fn link(senders: usize, sizes: Sizes) -> Result<(Vec<AeronSender>, AeronReceiver)> {
        let mut memory = vec![Line::new_zeroed(); (ROOM + TRAILER_LENGTH as usize) / size_of::<Line>()];
        let ring = ManyToOneRingBuffer::new(AtomicBuffer::wrap_slice(memory.as_mut_bytes()))?;
        let ring = Arc::new(AeronRing { ring, _memory: memory });
        let sender = || AeronSender { ring: Arc::clone(&ring), record: vec![0; sizes.largest()] };
        Ok(((0..senders).map(|_| sender()).collect(), AeronReceiver(ring)))
    }
}

impl Sender for AeronSender {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let record = &mut self.record[..len];
        fill(record, word);
        match self.ring.ring.write(AeronCommand::ClientKeepAlive, AtomicBuffer::wrap_slice(record), 0, len as i32) {
            Ok(()) => Ok(true),
            Err(RingBufferError::InsufficientCapacity) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Receiver for AeronReceiver {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        Ok(self.0.ring.read(|_, record| each(record.as_slice()), most.min(i32::MAX as u64) as i32) as u64)
    }
}

/// Records with a length in front, in one piece.
pub struct BbQueue;

type Bb = Arc<YakiNiku>;

pub struct BbSender(FramedProducer<Bb>);

pub struct BbReceiver(FramedConsumer<Bb>);

impl Kind for BbQueue {
    type Sender = BbSender;
    type Receiver = BbReceiver;

    fn link(senders: usize, _: Sizes) -> Result<(Vec<BbSender>, BbReceiver)> {
        let queue = GogiGui::new_with_storage(BoxedSlice::new(ROOM));
        Ok((only(senders, BbSender(queue.framed_producer()))?, BbReceiver(queue.framed_consumer())))
    }
}

impl Sender for BbSender {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let Ok(mut grant) = self.0.grant(len as u16) else { return Ok(false) };
        fill(&mut grant, word);
        grant.commit(len as u16);
        Ok(true)
    }
}

impl Receiver for BbReceiver {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let mut received = 0;
        while received < most {
            match self.0.read() {
                Ok(record) => {
                    each(&record);
                    record.release();
                    received += 1;
                }
                Err(ReadGrantError::Empty) => break,
                Err(error) => bail!("bbqueue: {error:?}"),
            }
        }
        Ok(received)
    }
}
