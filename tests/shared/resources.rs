//! What attaching costs, and that all of it is given back.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use dynring::{Ring, SharedRing};

use crate::alone::{TestResult, alone, alone_for, descriptors};
use crate::forge::SIZE;
use crate::support::pages::page_size;

/// How often to attach and go again. A hundred thousand is a full run.
const CYCLES: &str = "DYNRING_ATTACH_CYCLES";

/// Of this process: pages in memory, and mappings.
fn memory() -> Result<(usize, usize), Box<dyn std::error::Error>> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).ok_or("pages in memory")?.parse()?;
    Ok((pages, fs::read_to_string("/proc/self/maps")?.lines().count()))
}

/// Attaches in each role, and in each way, and goes.
fn come_and_go(ring: &SharedRing, near: &UnixStream, far: &UnixStream) -> TestResult {
    ring.share(near)?;
    for ring in [SharedRing::from_fd(ring)?, SharedRing::receive(far)?] {
        let producer = ring.producer()?;
        let mut consumer = ring.consumer()?;
        assert!(ring.consumer().is_err());
        producer.output(b"record")?;
        assert!(consumer.next_into(&mut Vec::new())?);
        assert_eq!(ring.stats()?.producers, 1);
        ring.repair()?;
        consumer.recover()?;
    }
    assert!(SharedRing::from_fd(ring.as_fd().try_clone_to_owned()?)?.stats()?.available == 0);
    Ok(())
}

#[test]
fn whoever_has_gone_leaves_no_descriptor_no_mapping_and_no_memory_behind() -> TestResult {
    let cycles = std::env::var(CYCLES).ok().and_then(|cycles| cycles.parse().ok()).unwrap_or(2000);
    // Where it is to take long, it may, on a machine that does other things too.
    alone_for(cycles / 100, "resources::whoever_has_gone_leaves_no_descriptor_no_mapping_and_no_memory_behind", || {
        let ring = Ring::builder(SIZE).build_shared()?;
        let (near, far) = UnixStream::pair()?;
        (0..100).try_for_each(|_| come_and_go(&ring, &near, &far))?;
        let (open, (pages, mappings)) = (descriptors()?, memory()?);
        (0..cycles).try_for_each(|_| come_and_go(&ring, &near, &far))?;
        assert_eq!(descriptors()?, open);
        let (now, mappings_now) = memory()?;
        // The allocator may keep some.
        assert!(now < pages + 64, "{pages} pages, then {now}");
        assert!(mappings_now < mappings + 8, "{mappings} mappings, then {mappings_now}");
        Ok(())
    })
}

#[test]
fn a_ring_takes_its_size_and_a_few_pages() -> TestResult {
    alone("resources::a_ring_takes_its_size_and_a_few_pages", || {
        const BYTES: usize = 32 << 20;
        let (before, _) = memory()?;
        let ring = Ring::builder(BYTES).build_shared()?;
        let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
        let mut record = Vec::with_capacity(1 << 20);
        for _ in 0..2 * BYTES / (1 << 20) {
            producer.output(&vec![1; 1 << 20])?;
            assert!(consumer.next_into(&mut record)?);
        }
        let (after, _) = memory()?;
        // Two roles, each of which maps the data twice; of what a page is mapped to, each mapping counts.
        let roles = 2 * 2 * BYTES / page_size();
        assert!(after - before <= roles + 1024, "{} pages", after - before);
        let file = fs::File::from(ring.as_fd().try_clone_to_owned()?);
        let blocks = std::os::unix::fs::MetadataExt::blocks(&file.metadata()?) as usize * 512;
        assert!(blocks >= BYTES && blocks <= BYTES + 16 * page_size(), "{blocks} bytes");
        Ok(())
    })
}

#[test]
fn a_ring_is_committed_when_it_is_made() -> TestResult {
    let ring = Ring::builder(8 << 20).max_producers(100).build_shared()?;
    let metadata = fs::File::from(ring.as_fd().try_clone_to_owned()?).metadata()?;
    assert!(std::os::unix::fs::MetadataExt::blocks(&metadata) * 512 >= metadata.len());
    Ok(())
}
