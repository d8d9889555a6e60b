//! What each choice is worth: dynring as it comes, and with one thing done otherwise.

mod rings;
mod ways;

use crate::case::{At, Case, Group};
use crate::common::Sizes;
use crate::ours::{Gathering, Leasing, Plain, Reading};
use crate::threads::Way;
use rings::{Accompanied, AsItComes, Built, ForPlainReaders, Huge, Large, OnlyRead, Setup};
use ways::{Batching, Draining, PastTheCache, Prefetching};

pub const GROUP: Group = Group {
    name: "choices",
    about: "what each choice is worth, made by dynring or left to its users",
    explained: "One thing is done otherwise, by one thread that sends and receives (alone), or by one that sends to another (to
        one). Accompanied: another producer has been there, so that head is swapped. For plain readers: kernel_protocol.
        Drain, batch: records are given back all at once, or 64 at a time. Only read: the consumer writes nothing to the
        data. Prefetched: 512 bytes ahead of what is read. Past the cache: payloads are written with non-temporal stores.
        Huge pages are compared in rings of 8 MiB. Ratios are to dynring as it comes.",
    packages: &[],
    ready: || Ok(()),
    needs: "choices",
    cases,
};

const SIZES: [Sizes; 3] = [Sizes::Fixed(64), Sizes::Fixed(1024), Sizes::Fixed(4096)];

const AS_IT_COMES: &str = "as it comes";

type Usual<R> = Built<R, Plain, Reading>;

fn cases() -> Vec<Case> {
    let alone = SIZES.into_iter().map(|sizes| case("alone", "one thread sends and receives", sizes, Way::Alone));
    let to_one = SIZES.into_iter().map(|sizes| case("to one", "1 thread to one", sizes, Way::ToOne(1)));
    let large = SIZES.into_iter().map(pages);
    alone.chain(to_one).chain(large).collect()
}

fn case(kind: &'static str, how: &str, sizes: Sizes, way: Way) -> Case {
    let case = Case::new(kind, At::sizes(sizes), format!("{how}, {} B", sizes.name()), "ns a record")
        .baseline(AS_IT_COMES)
        .peer(AS_IT_COMES, way.by::<Usual<AsItComes>>(sizes))
        .peer("accompanied", way.by::<Usual<Accompanied>>(sizes))
        .peer("for plain readers", way.by::<Usual<ForPlainReaders>>(sizes))
        .peer("drain", way.by::<Built<AsItComes, Plain, Draining>>(sizes))
        .peer("only read", way.by::<Usual<OnlyRead>>(sizes));
    let case = match way {
        Way::Alone => case,
        _ => case
            .peer("batch", way.by::<Built<AsItComes, Plain, Batching>>(sizes))
            .peer("gather", way.by::<Built<AsItComes, Plain, Gathering>>(sizes))
            .peer("lease", way.by::<Built<AsItComes, Leasing, Reading>>(sizes))
            .peer("lease and gather", way.by::<Built<AsItComes, Leasing, Gathering>>(sizes)),
    };
    if cfg!(target_arch = "x86_64") {
        case.peer("prefetched", way.by::<Built<AsItComes, Plain, Prefetching>>(sizes))
            .peer("past the cache", way.by::<Built<AsItComes, PastTheCache, Reading>>(sizes))
    } else {
        let why = "only written for x86-64";
        case.skip("prefetched", why).skip("past the cache", why)
    }
}

/// Huge pages under the data, or not.
fn pages(sizes: Sizes) -> Case {
    let way = Way::ToOne(1);
    let name = format!("1 thread to one, 8 MiB, {} B", sizes.name());
    let case = Case::new("pages", At::sizes(sizes), name, "ns a record")
        .baseline(AS_IT_COMES)
        .peer(AS_IT_COMES, way.by::<Usual<Large>>(sizes));
    match Huge::ring().and_then(rings::is_huge) {
        Ok(()) => case.peer("huge pages", way.by::<Usual<Huge>>(sizes)),
        Err(why) => case.skip("huge pages", why.to_string()),
    }
}
