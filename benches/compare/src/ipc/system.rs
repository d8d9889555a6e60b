//! What the system has: a pipe, a socket that keeps records apart; and a channel that is made of such sockets.

use std::io::{IoSlice, IoSliceMut, PipeReader, PipeWriter, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, bail, ensure};
use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender, bytes_channel};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recv, recvmsg, send, sendmsg, socketpair,
};

use super::Kind;
use super::child::{tell_name, told_name};
use crate::common::{Sizes, fill};
use crate::link::{Receiver, Sender};

/// A pipe, from which each record is read by itself: both sides know how long it is.
pub struct Pipe;

pub struct PipeSender {
    pipe: PipeWriter,
    record: Vec<u8>,
}

pub struct PipeReceiver {
    pipe: PipeReader,
    record: Vec<u8>,
    sizes: Sizes,
    next: u64,
}

impl Kind for Pipe {
    const NAME: &'static str = "pipe";

    type Sender = PipeSender;
    type Receiver = PipeReceiver;

    fn receiver(other: &UnixStream, sizes: Sizes) -> Result<PipeReceiver> {
        let (pipe, theirs) = std::io::pipe()?;
        pass(other, theirs.as_fd())?;
        Ok(PipeReceiver { pipe, record: Vec::new(), sizes, next: 1 })
    }

    fn sender(other: &UnixStream, _: Sizes) -> Result<PipeSender> {
        Ok(PipeSender { pipe: passed(other)?.into(), record: Vec::new() })
    }
}

impl Sender for PipeSender {
    /// Waits for room by itself.
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        self.record.resize(len, 0);
        fill(&mut self.record, word);
        self.pipe.write_all(&self.record)?;
        Ok(true)
    }
}

impl Receiver for PipeReceiver {
    /// Waits for a record.
    fn receive(&mut self, _: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        self.record.resize(self.sizes.len(self.next), 0);
        self.pipe.read_exact(&mut self.record)?;
        self.next += 1;
        each(&self.record);
        Ok(1)
    }
}

/// A pair of sockets that keep records apart.
pub struct SeqPacket;

pub struct SocketEnd {
    socket: OwnedFd,
    record: Vec<u8>,
}

impl Kind for SeqPacket {
    const NAME: &'static str = "seqpacket";

    type Sender = SocketEnd;
    type Receiver = SocketEnd;

    fn receiver(other: &UnixStream, sizes: Sizes) -> Result<SocketEnd> {
        let (socket, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        pass(other, theirs.as_fd())?;
        Ok(SocketEnd { socket, record: vec![0; sizes.largest()] })
    }

    fn sender(other: &UnixStream, _: Sizes) -> Result<SocketEnd> {
        Ok(SocketEnd { socket: passed(other)?, record: Vec::new() })
    }
}

impl Sender for SocketEnd {
    /// Waits for room by itself.
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        self.record.resize(len, 0);
        fill(&mut self.record, word);
        ensure!(send(&self.socket, &self.record, SendFlags::empty())? == len, "a part was sent");
        Ok(true)
    }
}

impl Receiver for SocketEnd {
    /// Waits for a record.
    fn receive(&mut self, _: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let (len, _) = recv(&self.socket, &mut self.record[..], RecvFlags::empty())?;
        each(&self.record[..len]);
        Ok(1)
    }
}

/// ipc-channel's channel of bytes.
pub struct IpcChannel;

pub struct IpcChannelSender {
    sender: IpcBytesSender,
    record: Vec<u8>,
}

impl Kind for IpcChannel {
    const NAME: &'static str = "ipc-channel";

    type Sender = IpcChannelSender;
    type Receiver = IpcBytesReceiver;

    fn receiver(other: &UnixStream, _: Sizes) -> Result<IpcBytesReceiver> {
        let (server, name) = IpcOneShotServer::<IpcBytesReceiver>::new()?;
        tell_name(other, &name)?;
        let (_, receiver) = server.accept()?;
        Ok(receiver)
    }

    fn sender(other: &UnixStream, _: Sizes) -> Result<IpcChannelSender> {
        let (sender, receiver) = bytes_channel()?;
        IpcSender::connect(told_name(other)?)?.send(receiver)?;
        Ok(IpcChannelSender { sender, record: Vec::new() })
    }
}

impl Sender for IpcChannelSender {
    /// Waits for room by itself.
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        self.record.resize(len, 0);
        fill(&mut self.record, word);
        self.sender.send(&self.record)?;
        Ok(true)
    }
}

impl Receiver for IpcBytesReceiver {
    /// Waits for a record.
    fn receive(&mut self, _: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        each(&self.recv()?);
        Ok(1)
    }
}

/// Passes a descriptor to the other process.
fn pass(other: &UnixStream, fd: BorrowedFd<'_>) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let (mut control, fds) = (SendAncillaryBuffer::new(&mut space), [fd]);
    ensure!(control.push(SendAncillaryMessage::ScmRights(&fds)), "no space for a descriptor");
    sendmsg(other, &[IoSlice::new(&[0])], &mut control, SendFlags::empty())?;
    Ok(())
}

/// The descriptor that the other process passes.
fn passed(other: &UnixStream) -> Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    recvmsg(other, &mut [IoSliceMut::new(&mut [0])], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    match control.drain().next() {
        Some(RecvAncillaryMessage::ScmRights(mut fds)) => fds.next().context("no descriptor"),
        _ => bail!("no descriptor"),
    }
}
