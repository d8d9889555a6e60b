//! Rings of slots that all have one size: that of the largest payload.

use std::sync::Arc;

use anyhow::{Result, bail};
use crossbeam_queue::ArrayQueue;
use disruptor::{
    BusySpin, EventPoller, MultiProducer, MultiProducerBarrier, Polling, Producer, SingleConsumerBarrier,
    SingleProducer, SingleProducerBarrier, build_multi_producer, build_single_producer,
};
use thingbuf::recycling::WithCapacity;

use super::{Kind, only};
use crate::common::{Sizes, fill};
use crate::link::{ROOM, Receiver, Sender};

#[derive(Clone, Copy)]
pub struct Slot<const N: usize> {
    len: usize,
    bytes: [u8; N],
}

impl<const N: usize> Slot<N> {
    /// How many there are: those disruptor has have to be a power of two.
    const COUNT: usize = ROOM / N.next_power_of_two();

    const fn empty() -> Self {
        Self { len: 0, bytes: [0; N] }
    }

    #[inline(always)]
    fn set(&mut self, word: u64, len: usize) {
        self.len = len;
        fill(&mut self.bytes[..len], word);
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Both kinds of disruptor are used in the same way.
macro_rules! disruptor {
    ($kind:ident, $sender:ident, $receiver:ident, $build:ident, $producer:ident, $barrier:ident, $producers:expr) => {
        pub struct $kind<const N: usize>;

        pub struct $sender<const N: usize>($producer<Slot<N>, SingleConsumerBarrier>);

        pub struct $receiver<const N: usize>(EventPoller<Slot<N>, $barrier>);

        impl<const N: usize> Kind for $kind<N> {
            type Sender = $sender<N>;
            type Receiver = $receiver<N>;

            fn link(senders: usize, _: Sizes) -> Result<(Vec<$sender<N>>, $receiver<N>)> {
                let (poller, builder) = $build(Slot::<N>::COUNT, Slot::empty, BusySpin).new_event_poller();
                let producers: Vec<_> = $producers(senders, builder.build())?;
                Ok((producers.into_iter().map($sender).collect(), $receiver(poller)))
            }
        }

        impl<const N: usize> Sender for $sender<N> {
            #[inline(always)]
            fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
                Ok(self.0.try_publish(|slot| slot.set(word, len)).is_ok())
            }
        }

        impl<const N: usize> Receiver for $receiver<N> {
            #[inline(always)]
            fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
                match self.0.take(most) {
                    Ok(mut slots) => {
                        let count = (&mut slots).len() as u64;
                        (&mut slots).for_each(|slot| each(slot.payload()));
                        Ok(count)
                    }
                    Err(Polling::NoEvents) => Ok(0),
                    Err(Polling::Shutdown) => bail!("the producers have gone"),
                }
            }
        }
    };
}

disruptor!(
    DisruptorSingle,
    SingleSender,
    SingleReceiver,
    build_single_producer,
    SingleProducer,
    SingleProducerBarrier,
    only
);
disruptor!(
    DisruptorMulti,
    MultiSender,
    MultiReceiver,
    build_multi_producer,
    MultiProducer,
    MultiProducerBarrier,
    |senders, producer| Ok::<_, anyhow::Error>(vec![producer; senders])
);

/// crossbeam's `ArrayQueue`, which moves values.
pub struct Queue<const N: usize>;

pub struct QueueEnd<const N: usize>(Arc<ArrayQueue<Slot<N>>>);

impl<const N: usize> Kind for Queue<N> {
    type Sender = QueueEnd<N>;
    type Receiver = QueueEnd<N>;

    fn link(senders: usize, _: Sizes) -> Result<(Vec<QueueEnd<N>>, QueueEnd<N>)> {
        let queue = Arc::new(ArrayQueue::new(Slot::<N>::COUNT));
        Ok(((0..senders).map(|_| QueueEnd(Arc::clone(&queue))).collect(), QueueEnd(queue)))
    }
}

impl<const N: usize> Sender for QueueEnd<N> {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let mut slot = Slot::empty();
        slot.set(word, len);
        Ok(self.0.push(slot).is_ok())
    }
}

impl<const N: usize> Receiver for QueueEnd<N> {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let mut received = 0;
        while received < most
            && let Some(slot) = self.0.pop()
        {
            each(slot.payload());
            received += 1;
        }
        Ok(received)
    }
}

/// Vectors that stay in their slots.
pub struct ThingBuf;

pub struct ThingEnd(Arc<thingbuf::ThingBuf<Vec<u8>, WithCapacity>>);

impl Kind for ThingBuf {
    type Sender = ThingEnd;
    type Receiver = ThingEnd;

    fn link(senders: usize, sizes: Sizes) -> Result<(Vec<ThingEnd>, ThingEnd)> {
        let vectors = WithCapacity::new().with_min_capacity(sizes.largest());
        let ring = Arc::new(thingbuf::ThingBuf::with_recycle(ROOM / sizes.largest(), vectors));
        Ok(((0..senders).map(|_| ThingEnd(Arc::clone(&ring))).collect(), ThingEnd(ring)))
    }
}

impl Sender for ThingEnd {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let Ok(mut slot) = self.0.push_ref() else { return Ok(false) };
        slot.resize(len, 0);
        fill(&mut slot, word);
        Ok(true)
    }
}

impl Receiver for ThingEnd {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let mut received = 0;
        while received < most
            && let Some(slot) = self.0.pop_ref()
        {
            each(&slot);
            received += 1;
        }
        Ok(received)
    }
}
