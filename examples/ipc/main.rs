//! Several processes, one ring, and deaths in the middle of it.
//!
//! ```text
//!   steady producers  ---.                          .---  consumer, which is killed
//!   one that is killed    }-->  ring in a memfd  -->{
//!     with a record open  |                         '---  its successor, which goes on
//!   one that is killed at |            ^
//!     full speed       ---'            '-- an observer, which only looks
//! ```
//!
//! This program starts itself in each of these roles, and passes the ring over a socket. Consumers tell of each record over
//! another before they let go of it; so what was lost or came twice shows here. At the end, the numbers have to add up.

mod roles;
mod tally;

use std::env;
use std::error::Error;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use dynring::{Ring, SharedRing};
use tally::Tally;

/// Records of a producer that nobody kills.
const RECORDS: u64 = 30_000;

/// Records of the producer that is killed with the next one open.
const BEFORE_THE_OPEN_ONE: u64 = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        None => direct(),
        Some("consumer") => roles::consume(),
        Some("observer") => roles::observe(),
        Some(role) => roles::produce(role),
    }
}

fn direct() -> Result<(), Box<dyn Error>> {
    let ring = Ring::builder(64 * 1024).max_producers(8).build_shared()?;
    let (report, reports) = UnixStream::pair()?;
    let counting = thread::spawn(move || Tally::of(report));

    let mut observer = Role::start(&ring, "observer", Stdio::inherit())?;
    let mut consumer = Role::start(&ring, "consumer", OwnedFd::from(reports.try_clone()?).into())?;
    let mut open = Role::start(&ring, "open", Stdio::piped())?;
    let mut fast = Role::start(&ring, "fast", Stdio::null())?;
    let steady = ["steady-1", "steady-2"].map(|name| Role::start(&ring, name, Stdio::null()));

    open.hear()?;
    open.kill("which holds a record open")?;
    thread::sleep(Duration::from_millis(100));
    fast.kill("at full speed")?;
    consumer.kill("with a batch in its hands, or not")?;
    consumer = Role::start(&ring, "consumer", OwnedFd::from(reports).into())?;

    for producer in steady {
        producer?.wait()?;
    }
    consumer.wait()?; // until no producer is left, dead ones included
    observer.kill("which only looked")?;
    let tally = counting.join().map_err(|_| "the counting thread has panicked")??;
    let stats = ring.stats()?;

    println!("{tally}");
    println!("{:>10} records were passed over, as nobody was left to finish them", stats.abandoned);
    println!("{:>10} of {} bytes of the ring's history were consumed", stats.consumer_pos, stats.head);
    tally.check()?;
    if stats.consumer_pos != stats.head || stats.abandoned == 0 || stats.producers != 0 {
        return Err(format!("the ring's figures do not add up: {stats:?}").into());
    }
    println!("everything adds up");
    Ok(())
}

/// A process in one of the roles. It is killed when this is dropped.
struct Role {
    name: &'static str,
    child: Child,
}

impl Role {
    fn start(ring: &SharedRing, name: &'static str, stdout: Stdio) -> Result<Self, Box<dyn Error>> {
        let (here, there) = UnixStream::pair()?;
        let stdin = Stdio::from(OwnedFd::from(there));
        let child = Command::new(env::current_exe()?).arg(name).stdin(stdin).stdout(stdout).spawn()?;
        let role = Self { name, child };
        ring.share(&here)?;
        Ok(role)
    }

    /// Waits until it says something.
    fn hear(&mut self) -> io::Result<()> {
        let said: Option<&mut ChildStdout> = self.child.stdout.as_mut();
        said.map_or(Ok(()), |stdout| stdout.read_exact(&mut [0]))
    }

    fn kill(&mut self, when: &str) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        println!("killed: {} (process {}), {when}", self.name, self.child.id());
        Ok(())
    }

    fn wait(mut self) -> Result<(), Box<dyn Error>> {
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("{}: {status}", self.name).into()) }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
