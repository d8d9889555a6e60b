//! iceoryx2: slices that are loaned, published, and read in place.

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow};
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;
use zerocopy::IntoBytes;

use super::Kind;
use super::child::{tell_name, told_name};
use crate::common::Sizes;
use crate::link::{ROOM, Receiver, Sender};

pub struct Iceoryx;

/// Payloads are words, which are written faster than bytes.
type Service = PortFactory<ipc::Service, [u64], ()>;

pub struct IceoryxSender {
    publisher: Publisher<ipc::Service, [u64], ()>,
    _alive: (Node<ipc::Service>, Service),
}

pub struct IceoryxReceiver {
    subscriber: Subscriber<ipc::Service, [u64], ()>,
    _alive: (Node<ipc::Service>, Service),
}

/// iceoryx2's errors are not all `Error`s.
fn failed(error: impl std::fmt::Debug) -> anyhow::Error {
    anyhow!("iceoryx2: {error:?}")
}

/// Samples that may wait: as much as other peers have room for, within what iceoryx2 is made for.
fn places(sizes: Sizes) -> usize {
    (ROOM / sizes.largest()).clamp(64, 4096)
}

fn attach(name: &str, sizes: Sizes) -> Result<(Node<ipc::Service>, Service)> {
    set_log_level(LogLevel::Error);
    let node = NodeBuilder::new().create::<ipc::Service>().map_err(failed)?;
    let name = ServiceName::new(name).map_err(failed)?;
    let service = node.service_builder(&name).publish_subscribe::<[u64]>();
    let service = service.enable_safe_overflow(false).max_publishers(1).max_subscribers(1);
    let service = service.subscriber_max_buffer_size(places(sizes)).subscriber_max_borrowed_samples(1);
    Ok((node, service.open_or_create().map_err(failed)?))
}

impl Kind for Iceoryx {
    const NAME: &'static str = "iceoryx2";

    type Sender = IceoryxSender;
    type Receiver = IceoryxReceiver;

    fn receiver(other: &UnixStream, sizes: Sizes) -> Result<IceoryxReceiver> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("dynring-compare-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let alive = attach(&name, sizes)?;
        let subscriber = alive.1.subscriber_builder().buffer_size(places(sizes)).create().map_err(failed)?;
        tell_name(other, &name)?;
        Ok(IceoryxReceiver { subscriber, _alive: alive })
    }

    fn sender(other: &UnixStream, sizes: Sizes) -> Result<IceoryxSender> {
        let alive = attach(&told_name(other)?, sizes)?;
        let publisher = alive.1.publisher_builder().initial_max_slice_len(sizes.largest() / 8).max_loaned_samples(1);
        let publisher = publisher.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered);
        let publisher = publisher.create().map_err(failed)?;
        Ok(IceoryxSender { publisher, _alive: alive })
    }
}

impl Sender for IceoryxSender {
    /// Waits for room by itself.
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let sample = self.publisher.loan_slice_uninit(len / 8).map_err(failed)?;
        sample.write_from_fn(|_| word).send().map_err(failed)?;
        Ok(true)
    }
}

impl Receiver for IceoryxReceiver {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let mut received = 0;
        while received < most
            && let Some(sample) = self.subscriber.receive().map_err(failed)?
        {
            each(sample.payload().as_bytes());
            received += 1;
        }
        Ok(received)
    }
}
