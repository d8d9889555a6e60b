//! Between threads of one process: one alone, several to one, and to and fro.

mod channels;
mod dynring;
mod rings;
mod run;
mod slots;

use anyhow::{Result, bail};

use self::dynring::{Gather, Lease, LeaseGather, Reserve};
use crate::case::{Case, Group};
use crate::common::{SIZES, Sizes};
use crate::link::{Receiver, Sender};
use channels::{Crossbeam, Kanal, Std};
use rings::{Aeron, BbQueue, Nexus, NexusSpsc, Rtrb};
use run::Way;
use slots::{DisruptorMulti, DisruptorSingle, Queue, ThingBuf};

pub use run::{AT_LEAST, round_trips};

pub const GROUP: Group = Group {
    name: "threads",
    about: "records from threads to a thread",
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

fn cases() -> Vec<Case> {
    let alone = SIZES.into_iter().map(alone);
    let to_one = [1, 2, 4].into_iter().flat_map(|senders| SIZES.into_iter().map(move |sizes| to_one(senders, sizes)));
    let latency = [8, 64, 1024].map(Sizes::Fixed).into_iter().map(latency);
    alone.chain(to_one).chain(latency).collect()
}

fn alone(sizes: Sizes) -> Case {
    let case = Case::new(format!("one thread sends and receives, {} B", sizes.name()), "ns a record");
    let case = case.peer("dynring", Way::Alone.by::<Reserve>(sizes));
    peers_to_one(peers(case, Way::Alone, sizes), Way::Alone, sizes).goal_to_all("dynring", 1.0)
}

fn to_one(senders: usize, sizes: Sizes) -> Case {
    let way = Way::ToOne(senders);
    let plural = if senders == 1 { "" } else { "s" };
    let case = Case::new(format!("{senders} thread{plural} to one, {} B", sizes.name()), "ns a record")
        .peer("dynring", way.by::<Reserve>(sizes))
        .peer("dynring, gather", way.by::<Gather>(sizes))
        .peer("dynring, lease", way.by::<Lease>(sizes))
        .peer("dynring, lease and gather", way.by::<LeaseGather>(sizes));
    let case = peers(case, way, sizes);
    let case = if senders == 1 { peers_to_one(case, way, sizes) } else { case };
    case.goal_to_all("dynring, lease and gather", 1.0)
}

fn latency(sizes: Sizes) -> Case {
    let case = Case::new(format!("half of to and fro, {} B, median", sizes.name()), "ns");
    let case = case.peer("dynring", Way::Latency.by::<Reserve>(sizes));
    peers_to_one(peers(case, Way::Latency, sizes), Way::Latency, sizes).goal_to_all("dynring", 1.0)
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
