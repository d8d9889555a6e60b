//! The other process, which is this program started once more.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Kind;
use super::iceoryx::Iceoryx;
use super::idle;
use super::ours::{ByDefault, Copied, Gathered, Leased, LeasedGathered, ReadOnly};
use super::system::{IpcChannel, Pipe, SeqPacket};
use crate::common::{Sizes, core_number, cores, pin_to};
use crate::link::{By, Expected, Sender, receive_all};

/// How long a process has to end, once it is asked to.
const PATIENCE: Duration = Duration::from_secs(1);

/// A process that is told what to do through a socket. It ends when this is dropped.
pub struct Child {
    process: process::Child,
    pub stream: UnixStream,
}

impl Child {
    pub fn start(kind: &str, role: &str, sizes: Sizes) -> Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        let part = format!("{kind} {role} {} {}", sizes.name(), cores());
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--child", &part]).stdin(OwnedFd::from(theirs));
        if let Some(core) = core_number(1) {
            command.args(["--core", &core.to_string()]);
        }
        Ok(Self { process: command.spawn().context("the other process")?, stream })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Then it ends, and puts away what it has made. Whether it is gone already does not matter.
        let _ = self.stream.shutdown(Shutdown::Both);
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            match self.process.try_wait() {
                Ok(Some(status)) if status.success() => return,
                Ok(Some(status)) => return eprintln!("the other process has failed: {status}"),
                _ => thread::sleep(Duration::from_millis(1)),
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the other process does: records to send, or to send back, as it is told, until its parent is gone.
pub fn play(part: &str, core: Option<usize>) -> Result<()> {
    if let Some(core) = core {
        pin_to(core);
    }
    let parent = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let [kind, role, sizes, cores] = part.split(' ').collect::<Vec<_>>()[..] else { bail!("no part: {part}") };
    let sizes = match sizes.parse() {
        Ok(len) => Sizes::Fixed(len),
        Err(_) => Sizes::Mixed,
    };
    // How many there are shows only before anything is pinned.
    let by = By { sender: 0, sizes, shared_core: cores.parse::<usize>()? < 2 };
    match kind {
        ReadOnly::NAME => act::<ReadOnly>(role, by, &parent),
        ByDefault::NAME => act::<ByDefault>(role, by, &parent),
        Copied::NAME => act::<Copied>(role, by, &parent),
        Gathered::NAME => act::<Gathered>(role, by, &parent),
        Leased::NAME => act::<Leased>(role, by, &parent),
        LeasedGathered::NAME => act::<LeasedGathered>(role, by, &parent),
        Iceoryx::NAME => act::<Iceoryx>(role, by, &parent),
        Pipe::NAME => act::<Pipe>(role, by, &parent),
        SeqPacket::NAME => act::<SeqPacket>(role, by, &parent),
        IpcChannel::NAME => act::<IpcChannel>(role, by, &parent),
        idle::NAME => idle::consume(role, &parent),
        _ => bail!("no kind: {kind}"),
    }
}

fn act<K: Kind>(role: &str, by: By, parent: &UnixStream) -> Result<()> {
    match role {
        "send" => send::<K>(by, parent),
        "echo" => echo::<K>(by, parent),
        _ => bail!("no role: {role}"),
    }
}

fn send<K: Kind>(by: By, parent: &UnixStream) -> Result<()> {
    let mut sender = K::sender(parent, by.sizes)?;
    let mut first = 1;
    while let Some([count]) = told(parent)? {
        sender.send(first..first + count, by)?;
        first += count;
    }
    Ok(())
}

fn echo<K: Kind>(by: By, parent: &UnixStream) -> Result<()> {
    let mut back = K::sender(parent, by.sizes)?;
    let mut there = K::receiver(parent, by.sizes)?;
    let mut first = 1;
    while let Some([count]) = told(parent)? {
        let mut expected = Expected::from(first, by.sizes);
        for nth in first..first + count {
            receive_all(&mut there, 1, by.shared_core, &mut expected)?;
            back.send(nth..nth + 1, by)?;
        }
        first += count;
        expected.check(1, first)?;
    }
    Ok(())
}

/// Says some numbers.
pub fn tell<const N: usize>(mut other: &UnixStream, numbers: [u64; N]) -> Result<()> {
    for number in numbers {
        other.write_all(&number.to_ne_bytes())?;
    }
    Ok(())
}

/// What the other process says; nothing once it is gone.
pub fn told<const N: usize>(mut other: &UnixStream) -> Result<Option<[u64; N]>> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        let mut bytes = [0; 8];
        match other.read_exact(&mut bytes) {
            Ok(()) => *number = u64::from_ne_bytes(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(numbers))
}

/// Says a name.
pub fn tell_name(mut other: &UnixStream, name: &str) -> Result<()> {
    tell(other, [name.len() as u64])?;
    Ok(other.write_all(name.as_bytes())?)
}

/// The name that the other process says.
pub fn told_name(mut other: &UnixStream) -> Result<String> {
    let [len] = told(other)?.context("the other process is gone")?;
    ensure!(len < 4096, "a name of {len} bytes");
    let mut name = vec![0; len as usize];
    other.read_exact(&mut name)?;
    Ok(String::from_utf8(name)?)
}
