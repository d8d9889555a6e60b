//! A ring between processes, some of which are killed, and in which nothing is lost.
//!
//! This process makes a ring and starts six others: four producers, a consumer, and an observer that prints how the ring is
//! doing. One producer is killed while it holds a reservation, another while it writes as fast as it can. Then the consumer is
//! killed, and a successor goes on. At the end, the whole history of the ring has to be accounted for, byte by byte.
//!
//! ```text
//!   steady    --.                                .--> consumer (killed), then its successor
//!   steady    ---+-->  ring in a memfd  --------<
//!   holder (killed)                              '--> observer
//!   flooder (killed)
//! ```
//!
//! ```text
//! cargo run --release --example ipc
//! ```

mod audit;
mod child;
mod consumer;
mod messages;
mod producer;

use std::error::Error;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use audit::Audit;
use child::{Child, Role};
use dynring::{Ring, SharedRing, TrustedRing};
use messages::{Begin, Finish, Progress, Ready, Written};

/// Records that the holder writes before it holds one.
const HELD: u64 = 1010;

/// A long enough moment for something to happen.
const MOMENT: Duration = Duration::from_millis(300);

fn main() -> Result<(), Box<dyn Error>> {
    match Role::of_this_process() {
        None => story(),
        Some(role) => child::play(role),
    }
}

/// What the first process does.
fn story() -> Result<(), Box<dyn Error>> {
    let ring = Ring::builder(256 * 1024).build_shared()?;
    println!("A ring of {} KiB, which other processes attach to:", ring.capacity() / 1024);
    let observer = Child::start(Role::Observer, &ring)?;
    let steady = [Child::start(Role::Steady(0), &ring)?, Child::start(Role::Steady(1), &ring)?];
    let holder = Child::start(Role::Holder(2), &ring)?;
    let flooder = Child::start(Role::Flooder(3), &ring)?;
    let consumer = Child::start(Role::Consumer, &ring)?;
    consumer.send(&Progress::default())?;

    // Nobody begins before everybody is there: a consumer that sees the last producer leave is done.
    let producers = [&steady[0], &steady[1], &holder, &flooder];
    for producer in producers {
        let Ready { .. } = producer.receive()?;
    }
    for producer in producers {
        producer.send(&Begin { records: HELD })?;
    }
    // Until the consumer ends, somebody has to take in what it says about its progress.
    let progress = consumer.listen()?;

    let held: Written = holder.receive()?;
    println!("The holder has written {} records, and holds a reservation. It is killed.", held.records);
    holder.kill()?;
    thread::sleep(MOMENT);

    println!("The flooder is killed while it writes.");
    flooder.kill()?;
    thread::sleep(MOMENT);

    consumer.kill()?;
    let first = progress.join().map_err(|_| "the listener panicked")?;
    println!("The consumer is killed, after {} records. A successor takes over.", first.records());
    let successor = Child::start(Role::Consumer, &ring)?;
    successor.send(&first)?;
    let progress = successor.listen()?;

    thread::sleep(MOMENT);

    println!("The others finish.");
    steady.iter().try_for_each(|producer| producer.send(&Finish { now: 1 }))?;
    successor.wait()?;
    let written = [steady[0].receive()?, steady[1].receive()?];
    steady.into_iter().try_for_each(Child::wait)?;
    observer.kill()?;
    let last = progress.join().map_err(|_| "the listener panicked")?;
    Audit { written, held, first, last, stats: ring.stats()? }.run()
}

/// What the observer does: it maps everything read-only, and costs the others nothing.
fn observe(ring: &SharedRing, parent: &UnixStream) -> Result<(), Box<dyn Error>> {
    child::heed(parent)?;
    loop {
        let stats = ring.stats()?;
        println!(
            "    observer: {:>5} MiB reserved, {:>3} KiB not consumed; {} producers, {}; {} discarded, {} abandoned",
            stats.head >> 20,
            stats.available >> 10,
            stats.producers,
            if ring.has_consumer()? { "a consumer" } else { "no consumer" },
            stats.discarded,
            stats.abandoned
        );
        thread::sleep(MOMENT / 2);
    }
}

/// All processes are this program, so that they can read and write in place.
///
/// Among those who do not trust each other, [`SharedRing::producer`] and [`SharedRing::consumer`] are all there is, and need no
/// `unsafe`: they copy.
#[expect(unsafe_code, reason = "whom to trust is for programs to say")]
fn trusted(ring: &SharedRing) -> TrustedRing {
    // SAFETY: the ring is passed to processes of this program only, which use it through this crate.
    unsafe { ring.trusted() }
}

/// Does what the role says, until it is done or killed.
fn perform(role: Role, ring: &SharedRing, parent: &UnixStream) -> Result<(), Box<dyn Error>> {
    match role {
        Role::Steady(number) => producer::steady(&trusted(ring), number, parent),
        Role::Holder(number) => producer::holder(&trusted(ring), number, parent),
        Role::Flooder(number) => producer::flooder(&trusted(ring), number, parent),
        Role::Consumer => consumer::consume(&trusted(ring), parent),
        Role::Observer => observe(ring, parent),
    }
}
