//! Channels of boxed payloads.

use std::sync::mpsc;

use anyhow::{Result, bail};

use super::Kind;
use crate::common::{Sizes, fill};
use crate::link::{ROOM, Receiver, Sender};

type Payload = Box<[u8]>;

/// An end that payloads are put into.
pub struct BoxSender<S> {
    sender: S,
    /// What there was no room for. It is tried again.
    refused: Option<Payload>,
}

impl<S> BoxSender<S> {
    fn all(senders: usize, sender: &S) -> Vec<Self>
    where
        S: Clone,
    {
        (0..senders).map(|_| Self { sender: sender.clone(), refused: None }).collect()
    }

    #[inline(always)]
    fn payload(&mut self, word: u64, len: usize) -> Payload {
        self.refused.take().unwrap_or_else(|| {
            let mut payload = vec![0; len].into_boxed_slice();
            fill(&mut payload, word);
            payload
        })
    }
}

fn places(sizes: Sizes) -> usize {
    ROOM / sizes.largest()
}

pub struct Crossbeam;

impl Kind for Crossbeam {
    type Sender = BoxSender<crossbeam_channel::Sender<Payload>>;
    type Receiver = crossbeam_channel::Receiver<Payload>;

    fn link(senders: usize, sizes: Sizes) -> Result<(Vec<Self::Sender>, Self::Receiver)> {
        let (sender, receiver) = crossbeam_channel::bounded(places(sizes));
        Ok((BoxSender::all(senders, &sender), receiver))
    }
}

impl Sender for BoxSender<crossbeam_channel::Sender<Payload>> {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let payload = self.payload(word, len);
        match self.sender.try_send(payload) {
            Ok(()) => Ok(true),
            Err(crossbeam_channel::TrySendError::Full(payload)) => {
                self.refused = Some(payload);
                Ok(false)
            }
            Err(error) => bail!("{error}"),
        }
    }
}

impl Receiver for crossbeam_channel::Receiver<Payload> {
    #[inline(always)]
    fn receive(&mut self, most: u64, each: impl FnMut(&[u8])) -> Result<u64> {
        Ok(count(self.try_iter().take(most as usize), each))
    }
}

pub struct Std;

impl Kind for Std {
    type Sender = BoxSender<mpsc::SyncSender<Payload>>;
    type Receiver = mpsc::Receiver<Payload>;

    fn link(senders: usize, sizes: Sizes) -> Result<(Vec<Self::Sender>, Self::Receiver)> {
        let (sender, receiver) = mpsc::sync_channel(places(sizes));
        Ok((BoxSender::all(senders, &sender), receiver))
    }
}

impl Sender for BoxSender<mpsc::SyncSender<Payload>> {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let payload = self.payload(word, len);
        match self.sender.try_send(payload) {
            Ok(()) => Ok(true),
            Err(mpsc::TrySendError::Full(payload)) => {
                self.refused = Some(payload);
                Ok(false)
            }
            Err(error) => bail!("{error}"),
        }
    }
}

impl Receiver for mpsc::Receiver<Payload> {
    #[inline(always)]
    fn receive(&mut self, most: u64, each: impl FnMut(&[u8])) -> Result<u64> {
        Ok(count(self.try_iter().take(most as usize), each))
    }
}

pub struct Kanal;

impl Kind for Kanal {
    type Sender = BoxSender<kanal::Sender<Payload>>;
    type Receiver = kanal::Receiver<Payload>;

    fn link(senders: usize, sizes: Sizes) -> Result<(Vec<Self::Sender>, Self::Receiver)> {
        let (sender, receiver) = kanal::bounded(places(sizes));
        Ok((BoxSender::all(senders, &sender), receiver))
    }
}

impl Sender for BoxSender<kanal::Sender<Payload>> {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        let mut payload = Some(self.payload(word, len));
        let sent = self.sender.try_send_option(&mut payload)?;
        self.refused = payload;
        Ok(sent)
    }
}

impl Receiver for kanal::Receiver<Payload> {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let mut received = 0;
        while received < most
            && let Some(payload) = self.try_recv()?
        {
            each(&payload);
            received += 1;
        }
        Ok(received)
    }
}

#[inline(always)]
fn count(payloads: impl Iterator<Item = Payload>, mut each: impl FnMut(&[u8])) -> u64 {
    let mut received = 0;
    for payload in payloads {
        each(&payload);
        received += 1;
    }
    received
}
