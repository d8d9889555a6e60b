//! Between two processes: how many records a second, how long one takes, and what it costs to wait for one.

mod child;
mod iceoryx;
mod idle;
mod ours;
mod run;
mod system;

use std::os::unix::net::UnixStream;

use anyhow::Result;

use crate::case::{At, Case, Group};
use crate::common::Sizes;
use crate::link::{Receiver, Sender};
use iceoryx::Iceoryx;
use ours::{ByDefault, Copied, Gathered, Leased, LeasedGathered, ReadOnly};
use run::Way;
use system::{IpcChannel, Pipe, SeqPacket};

pub use child::play;

pub const GROUP: Group = Group {
    name: "ipc",
    about: "records from one process to another",
    explained:
        "The other process sends to this one (rate); one record goes to and fro, of which half the time is taken, the
        median and the 99th percentile (latency); a consumer waits for a record that does not come (wait). dynring is
        shared by processes that trust each other, with a consumer that maps the data read-only, or one that writes a
        word of each cache line that it has read; or by processes that do not, who copy.",
    packages: &["iceoryx2", "ipc-channel"],
    ready: || Ok(()),
    needs: "ipc",
    cases,
};

/// Something that two processes can be linked with. Whoever receives makes it, and says over the socket where it is.
pub trait Kind: 'static {
    /// Which kind it is, for the other process.
    const NAME: &'static str;

    type Sender: Sender + 'static;
    type Receiver: Receiver + 'static;

    fn receiver(other: &UnixStream, sizes: Sizes) -> Result<Self::Receiver>;
    fn sender(other: &UnixStream, sizes: Sizes) -> Result<Self::Sender>;
}

const RATES: [Sizes; 7] = [
    Sizes::Fixed(8),
    Sizes::Fixed(64),
    Sizes::Fixed(256),
    Sizes::Fixed(512),
    Sizes::Fixed(1024),
    Sizes::Fixed(4096),
    Sizes::Mixed,
];

const LATENCIES: [Sizes; 3] = [Sizes::Fixed(8), Sizes::Fixed(64), Sizes::Fixed(1024)];

fn cases() -> Vec<Case> {
    let latencies = LATENCIES.into_iter().flat_map(|sizes| [latency(sizes, 50), latency(sizes, 99)]);
    RATES.into_iter().map(rate).chain(latencies).chain([idle::case()]).collect()
}

/// Up to 512 bytes, eight times the rate of iceoryx2 is wanted.
fn rate(sizes: Sizes) -> Case {
    let name = format!("to another process, {} B", sizes.name());
    let case = Case::new("rate", At::sizes(sizes), name, "ns a record")
        .peer("dynring", Way::Rate.by::<ByDefault>(sizes))
        .peer("dynring, reading consumer", Way::Rate.by::<ReadOnly>(sizes))
        .peer("dynring, copying", Way::Rate.by::<Copied>(sizes))
        .peer("dynring, gather", Way::Rate.by::<Gathered>(sizes))
        .peer("dynring, lease", Way::Rate.by::<Leased>(sizes))
        .peer("dynring, lease and gather", Way::Rate.by::<LeasedGathered>(sizes))
        .baseline("iceoryx2");
    let case = peers(case, Way::Rate, sizes);
    if sizes.largest() > 512 { case } else { case.goal("dynring", 0.125, &["iceoryx2"]) }
}

fn latency(sizes: Sizes, percent: usize) -> Case {
    let way = Way::Latency { percent };
    let which = if percent == 50 { "median" } else { "p99" };
    let name = format!("half of to and fro between processes, {} B, {which}", sizes.name());
    let case = Case::new("latency", At::sizes(sizes).percent(percent), name, "ns")
        .peer("dynring", way.by::<ByDefault>(sizes))
        .peer("dynring, reading consumer", way.by::<ReadOnly>(sizes))
        .peer("dynring, copying", way.by::<Copied>(sizes))
        .baseline("iceoryx2");
    let case = peers(case, way, sizes);
    if percent == 50 { case.goal("dynring", 0.5, &["iceoryx2"]) } else { case }
}

fn peers(case: Case, way: Way, sizes: Sizes) -> Case {
    case.peer("iceoryx2", way.by::<Iceoryx>(sizes))
        .peer("pipe", way.by::<Pipe>(sizes))
        .peer("SOCK_SEQPACKET", way.by::<SeqPacket>(sizes))
        .peer("ipc-channel", way.by::<IpcChannel>(sizes))
}
