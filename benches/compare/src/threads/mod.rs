//! Between threads of one process: one alone, several to one, and to and fro.

mod channels;
mod dynring;
mod rings;
mod run;
mod slots;

use anyhow::{Result, bail};

use self::dynring::{Gather, Lease};
use crate::case::{At, Case, Group};
use crate::common::{SIZES, Sizes};
use crate::link::{Receiver, Sender};
use channels::{Crossbeam, Kanal, Std};
use rings::{Aeron, BbQueue, Nexus, NexusSpsc, Rtrb};
use slots::{DisruptorMulti, DisruptorSingle, Queue, ThingBuf};

pub use self::dynring::{Kinds, LeaseGather, Reserve};
pub use run::{AT_LEAST, Way, round_trips};

pub const GROUP: Group = Group {
    name: "threads",
    about: "records from threads to a thread",
    explained:
        "One thread sends a record and receives it (alone); 1, 2 and 4 threads send to one, and with 64 bytes up to 64
        threads (to one); one record goes to and fro between two threads, of which half the time is taken, the median
        and the 99th percentile (latency). Everybody has a megabyte between the threads. dynring as it comes; gather:
        the consumer lets an eighth of the ring gather, for 20 us at the most; lease: 16 KiB are reserved at once.
        aeron-rs takes part with its many-to-one ring buffer: its log buffers are of no use without a media driver,
        which says how far a publication may write, and cleans the terms.",
    packages: &[
        "aeron-rs",
        "bbqueue",
        "crossbeam-channel",
        "crossbeam-queue",
        "disruptor",
        "kanal",
        "nexus-logbuf",
        "rtrb",
        "thingbuf",
    ],
    ready: || Ok(()),
    needs: "threads",
    cases,
};

/// Something that threads can be linked with.
pub trait Kind: 'static {
    type Sender: Sender + Send + 'static;
    type Receiver: Receiver + Send + 'static;

    /// As many senders as are wanted; the payloads have `sizes`.
    fn link(senders: usize, sizes: Sizes) -> Result<(Vec<Self::Sender>, Self::Receiver)>;
}

/// Measures a kind whose slots are as large as the largest payload.
macro_rules! sized {
    ($way:expr, $sizes:expr, $kind:ident) => {
        match $sizes.largest() {
            8 => $way.measure::<$kind<8>>($sizes),
            64 => $way.measure::<$kind<64>>($sizes),
            256 => $way.measure::<$kind<256>>($sizes),
            512 => $way.measure::<$kind<512>>($sizes),
            1024 => $way.measure::<$kind<1024>>($sizes),
            4096 => $way.measure::<$kind<4096>>($sizes),
            len => bail!("no slots of {len} bytes"),
        }
    };
}

/// The only one of several senders.
fn only<T>(senders: usize, sender: T) -> Result<Vec<T>> {
    if senders != 1 {
        bail!("there can be one sender, not {senders}");
    }
    Ok(vec![sender])
}

/// How many threads send records of [`CROWDED`] bytes, besides the few that send records of all sizes.
const CROWDS: [usize; 4] = [8, 16, 32, 64];
const CROWDED: Sizes = Sizes::Fixed(64);

const LATENCIES: [Sizes; 3] = [Sizes::Fixed(8), Sizes::Fixed(64), Sizes::Fixed(1024)];

fn cases() -> Vec<Case> {
    let alone = SIZES.into_iter().map(alone);
    let few = [1, 2, 4].into_iter().flat_map(|senders| SIZES.into_iter().map(move |sizes| to_one(senders, sizes)));
    let crowds = CROWDS.into_iter().map(|senders| to_one(senders, CROWDED));
    let latencies = LATENCIES.into_iter().flat_map(|sizes| [latency(sizes, 50), latency(sizes, 99)]);
    alone.chain(few).chain(crowds).chain(latencies).collect()
}

fn alone(sizes: Sizes) -> Case {
    let name = format!("one thread sends and receives, {} B", sizes.name());
    let case = Case::new("alone", At::sizes(sizes), name, "ns a record");
    let case = case.peer("dynring", Way::Alone.by::<Reserve>(sizes));
    peers_to_one(peers(case, Way::Alone, sizes), Way::Alone, sizes).goal_to_all("dynring", 1.0)
}

fn to_one(senders: usize, sizes: Sizes) -> Case {
    let way = Way::ToOne(senders);
    let plural = if senders == 1 { "" } else { "s" };
    let name = format!("{senders} thread{plural} to one, {} B", sizes.name());
    let case = Case::new("to one", At::sizes(sizes).producers(senders), name, "ns a record")
        .peer("dynring", way.by::<Reserve>(sizes))
        .peer("dynring, gather", way.by::<Gather>(sizes))
        .peer("dynring, lease", way.by::<Lease>(sizes))
        .peer("dynring, lease and gather", way.by::<LeaseGather>(sizes));
    let case = peers(case, way, sizes);
    let case = if senders == 1 { peers_to_one(case, way, sizes) } else { case };
    case.goal_to_all("dynring", 1.0).goal_to_all("dynring, lease and gather", 1.0)
}

fn latency(sizes: Sizes, percent: usize) -> Case {
    let way = Way::Latency { percent };
    let which = if percent == 50 { "median" } else { "p99" };
    let name = format!("half of to and fro, {} B, {which}", sizes.name());
    let case = Case::new("latency", At::sizes(sizes).percent(percent), name, "ns");
    let case = case.peer("dynring", way.by::<Reserve>(sizes));
    peers_to_one(peers(case, way, sizes), way, sizes).goal_to_all("dynring", 1.0)
}

/// Those that can have several senders.
fn peers(case: Case, way: Way, sizes: Sizes) -> Case {
    let case = case
        .peer("nexus-logbuf", way.by::<Nexus>(sizes))
        .peer("aeron-rs", way.by::<Aeron>(sizes))
        .peer("crossbeam-channel", way.by::<Crossbeam>(sizes))
        .peer("kanal", way.by::<Kanal>(sizes))
        .peer("std sync_channel", way.by::<Std>(sizes))
        .peer("thingbuf", way.by::<ThingBuf>(sizes))
        .peer("disruptor multi", move || sized!(way, sizes, DisruptorMulti));
    // Its values are moved, so larger ones make no sense.
    if sizes.largest() > 512 { case } else { case.peer("ArrayQueue", move || sized!(way, sizes, Queue)) }
}

/// Those that can have one.
fn peers_to_one(case: Case, way: Way, sizes: Sizes) -> Case {
    case.peer("rtrb", way.by::<Rtrb>(sizes))
        .peer("nexus-logbuf spsc", way.by::<NexusSpsc>(sizes))
        .peer("bbqueue", way.by::<BbQueue>(sizes))
        .peer("disruptor single", move || sized!(way, sizes, DisruptorSingle))
}
