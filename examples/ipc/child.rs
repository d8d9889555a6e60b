//! Processes of this program: how they are started, get the ring, and end.

use std::error::Error;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dynring::SharedRing;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::messages::{Finish, Progress};

/// How long a child may be silent before something must have gone wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a process is there for. Producers have a number.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    Steady(usize),
    Holder(usize),
    Flooder(usize),
    Consumer,
    Observer,
}

impl Role {
    /// `None`: it is the first one, which starts the others.
    pub fn of_this_process() -> Option<Self> {
        let mut arguments = std::env::args().skip(1);
        let (role, number) = (arguments.next()?, arguments.next().and_then(|number| number.parse().ok()));
        Some(match (role.as_str(), number) {
            ("steady", Some(number)) => Self::Steady(number),
            ("holder", Some(number)) => Self::Holder(number),
            ("flooder", Some(number)) => Self::Flooder(number),
            ("consumer", _) => Self::Consumer,
            ("observer", _) => Self::Observer,
            _ => return None,
        })
    }

    fn arguments(self) -> Vec<String> {
        match self {
            Self::Steady(number) => vec!["steady".into(), number.to_string()],
            Self::Holder(number) => vec!["holder".into(), number.to_string()],
            Self::Flooder(number) => vec!["flooder".into(), number.to_string()],
            Self::Consumer => vec!["consumer".into()],
            Self::Observer => vec!["observer".into()],
        }
    }
}

/// A process that this one has started. Killed when it is dropped.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    /// The other end is its standard input.
    stream: UnixStream,
}

impl Child {
    /// Starts this program once more, and passes it the ring.
    pub fn start(role: Role, ring: &SharedRing) -> Result<Self, Box<dyn Error>> {
        let (stream, theirs) = UnixStream::pair()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut command = Command::new(std::env::current_exe()?);
        let process = command.args(role.arguments()).stdin(OwnedFd::from(theirs)).spawn()?;
        let child = Self { process, stream };
        ring.share(&child.stream)?;
        println!("    {role:?} is process {}", child.process.id());
        Ok(child)
    }

    pub fn send(&self, message: &(impl IntoBytes + Immutable)) -> io::Result<()> {
        send(&self.stream, message)
    }

    pub fn receive<M: FromBytes + IntoBytes>(&self) -> io::Result<M> {
        receive(&self.stream)
    }

    /// A thread that takes in what the child says about its progress until it is gone, and returns the last of it.
    pub fn listen(&self) -> io::Result<JoinHandle<Progress>> {
        let stream = self.stream.try_clone()?;
        Ok(thread::spawn(move || {
            let mut last = Progress::default();
            while let Ok(progress) = receive(&stream) {
                last = progress;
            }
            last
        }))
    }

    /// Kills the process, with the signal that nobody can catch.
    pub fn kill(mut self) -> Result<(), Box<dyn Error>> {
        self.process.kill()?;
        let status = self.process.wait()?;
        if status.signal() == Some(9) { Ok(()) } else { Err(format!("ended before it was killed: {status}").into()) }
    }

    /// Waits until the process ends by itself.
    pub fn wait(mut self) -> Result<(), Box<dyn Error>> {
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("a process failed: {status}").into()) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It is most likely gone already, and then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the started process does: it takes the ring, and plays its role.
pub fn play(role: Role) -> Result<(), Box<dyn Error>> {
    let parent = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let ring = SharedRing::receive(&parent)?;
    crate::perform(role, &ring, &parent)
}

/// Listens to the parent while this process does other things: whether it has been told to finish. When the parent is gone, so is
/// this process.
pub fn heed(parent: &UnixStream) -> io::Result<Arc<AtomicBool>> {
    let (parent, finish) = (parent.try_clone()?, Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&finish);
    thread::spawn(move || {
        while let Ok(Finish { .. }) = receive(&parent) {
            told.store(true, Ordering::Relaxed);
        }
        process::exit(1);
    });
    Ok(finish)
}

pub fn send(mut stream: &UnixStream, message: &(impl IntoBytes + Immutable)) -> io::Result<()> {
    stream.write_all(message.as_bytes())
}

/// Waits for the next message.
pub fn receive<M: FromBytes + IntoBytes>(mut stream: &UnixStream) -> io::Result<M> {
    let mut message = M::new_zeroed();
    stream.read_exact(message.as_mut_bytes())?;
    Ok(message)
}
