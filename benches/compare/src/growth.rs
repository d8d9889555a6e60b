//! What a record costs as things grow: the ring, and how many produce into it.

use anyhow::{Result, ensure};
use sysinfo::System;

use crate::case::{At, Case, Group};
use crate::common::Sizes;
use crate::ours::{Gathering, Leasing, Plain, Reading};
use crate::threads::{Kind, Kinds, LeaseGather, Reserve, Way};
use crate::units;

pub const GROUP: Group = Group {
    name: "growth",
    about: "what a record costs as the ring grows, and as producers are added",
    explained:
        "Records of 64 bytes in rings of 64 KiB, 1 MiB, 8 MiB, 64 MiB and 1 GiB, all pages mapped before: one thread
        sends and receives, or one sends to another (ring); 2 to 64 threads send to one, on the cores that there are
        (producers). Ratios are to the smallest ring, and to 2 producers.",
    packages: &[],
    ready: || Ok(()),
    needs: "growth",
    cases,
};

const SIZES: Sizes = Sizes::Fixed(64);

const PRODUCERS: [usize; 6] = [2, 4, 8, 16, 32, 64];

/// How many times as much a record may cost in a larger ring, or with more producers.
const GOAL: f64 = 1.25;

fn cases() -> Vec<Case> {
    vec![
        rings::<Plain, Reading>("one thread sends and receives", Way::Alone),
        rings::<Plain, Reading>("1 thread to one", Way::ToOne(1)),
        rings::<Leasing, Gathering>("1 thread to one, lease and gather", Way::ToOne(1)),
        producers::<Reserve>("2 to 64 threads to one"),
        producers::<LeaseGather>("2 to 64 threads to one, lease and gather"),
    ]
}

/// One way through rings that differ in nothing but how large they are.
fn rings<S, R>(how: &str, way: Way) -> Case
where
    S: crate::link::Sender + From<dynring::Producer> + Send + 'static,
    R: crate::link::Receiver + From<dynring::Consumer> + Send + 'static,
{
    let case = Case::new("ring", At::sizes(SIZES), how, "ns a record").baseline(units::bytes(64 << 10));
    let case = ring::<Kinds<S, R, { 64 << 10 }>>(case, 64 << 10, way);
    let case = ring::<Kinds<S, R, { 1 << 20 }>>(case, 1 << 20, way);
    let case = ring::<Kinds<S, R, { 8 << 20 }>>(case, 8 << 20, way);
    let case = ring::<Kinds<S, R, { 64 << 20 }>>(case, 64 << 20, way);
    let case = ring::<Kinds<S, R, { 1 << 30 }>>(case, 1 << 30, way);
    case.goal_for_all(GOAL)
}

fn ring<K: Kind>(case: Case, capacity: usize, way: Way) -> Case {
    let name = units::bytes(capacity as u64);
    match room_for(capacity as u64) {
        Ok(()) => case.peer_at(capacity, name, way.by::<K>(SIZES)),
        Err(why) => case.skip(name, format!("memory: {why}")),
    }
}

/// Whether so much can be taken without anybody being killed for it: there is to be as much again.
fn room_for(bytes: u64) -> Result<()> {
    let system = System::new_all()?;
    let limited = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    let available = system.available_memory().min(limited);
    ensure!(available >= 2 * bytes, "{} MiB are available, not {}", available >> 20, bytes >> 19);
    Ok(())
}

fn producers<K: Kind>(how: &str) -> Case {
    let name = |count| format!("{count} producers");
    let case = Case::new("producers", At::sizes(SIZES), how, "ns a record").baseline(name(2));
    let add = |case: Case, count| case.peer_at(count, name(count), Way::ToOne(count).by::<K>(SIZES));
    PRODUCERS.into_iter().fold(case, add).goal_for_all(GOAL)
}
