//! What each role may write, as the system sees it.

#![expect(unsafe_code, reason = "tries to write, and to be allowed to")]

use std::error::Error;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use dynring::{Ring, SharedRing};

use crate::alone::{TestResult, alone};
use crate::forge::SIZE;
use crate::support::pages::page_size;

/// Parts of the ring.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
enum Part {
    Descriptor,
    Slots,
    ConsumerPage,
    ProducerPage,
    Data,
}

/// A page of the ring in this process's memory.
#[derive(Debug)]
struct Page {
    part: Part,
    address: usize,
    writable: bool,
}

/// All pages of the ring that are mapped in this process, as `/proc/self/maps` has it.
fn pages(ring: &SharedRing) -> Result<Vec<Page>, Box<dyn Error>> {
    let inode = fs::File::from(ring.as_fd().try_clone_to_owned()?).metadata()?.ino();
    let mut pages = Vec::new();
    for line in fs::read_to_string("/proc/self/maps")?.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [range, rights, offset, _device, found, ..] = fields[..] else { continue };
        if found.parse() != Ok(inode) {
            continue;
        }
        let (start, end) = range.split_once('-').ok_or("a range")?;
        let (start, end) = (usize::from_str_radix(start, 16)?, usize::from_str_radix(end, 16)?);
        let offset = usize::from_str_radix(offset, 16)?;
        assert!(rights.starts_with('r') && rights[2..] == *"-s", "{line}");
        pages.extend((start..end).step_by(page_size()).map(|address| Page {
            part: part(ring, offset + address - start),
            address,
            writable: &rights[1..2] == "w",
        }));
    }
    Ok(pages)
}

fn part(ring: &SharedRing, offset: usize) -> Part {
    let window = ring.window_offset() as usize;
    match offset {
        0 => Part::Descriptor,
        offset if offset < window => Part::Slots,
        offset if offset == window => Part::ConsumerPage,
        offset if offset == window + page_size() => Part::ProducerPage,
        _ => Part::Data,
    }
}

/// Tries to write a byte as whoever owns the mapping could: no signal comes, but an error. What is there stays there.
fn try_to_write(address: usize) -> io::Result<()> {
    let there = std::ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: mapped, readable, and of a ring that nobody uses at the moment.
    let mut byte = unsafe { there.read_volatile() };
    let local = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: there.cast_mut().cast(), iov_len: 1 };
    // SAFETY: writes, to memory of a ring that nobody uses at the moment, what is there.
    let result = unsafe {
        libc::process_vm_writev(std::process::id() as libc::pid_t, &raw const local, 1, &raw const remote, 1, 0)
    };
    if result == 1 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn try_to_make_writable(address: usize) -> io::Result<()> {
    let page = std::ptr::with_exposed_provenance_mut(address);
    // SAFETY: a page that is mapped; more rights do no harm.
    let result = unsafe { libc::mprotect(page, page_size(), libc::PROT_READ | libc::PROT_WRITE) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// That of all pages of the ring, those of the `writable` parts can be written, and the others never.
fn only_these_are_writable(ring: &SharedRing, writable: &[Part]) -> TestResult {
    let pages = pages(ring)?;
    let mut parts: Vec<_> = pages.iter().map(|page| page.part).collect();
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts, [Part::Descriptor, Part::Slots, Part::ConsumerPage, Part::ProducerPage, Part::Data]);
    assert_eq!(pages.iter().filter(|page| page.part == Part::Data).count(), 2 * SIZE / page_size());
    for Page { part, address, writable: found } in pages {
        assert_eq!(found, writable.contains(&part), "{part:?}");
        if found {
            try_to_write(address)?;
        } else {
            assert_eq!(try_to_write(address).unwrap_err().raw_os_error(), Some(libc::EFAULT), "{part:?}");
            let widened = try_to_make_writable(address);
            assert_eq!(widened.unwrap_err().raw_os_error(), Some(libc::EACCES), "{part:?}");
        }
    }
    Ok(())
}

fn ring() -> Result<SharedRing, Box<dyn Error>> {
    let ring = Ring::builder(SIZE).max_producers(33).build_shared()?;
    assert!(pages(&ring)?.is_empty(), "whoever has no role has mapped nothing");
    Ok(ring)
}

#[test]
fn a_consumer_writes_its_page_and_nothing_else() -> TestResult {
    alone("rights::a_consumer_writes_its_page_and_nothing_else", || {
        let ring = ring()?;
        let consumer = ring.consumer()?;
        only_these_are_writable(&ring, &[Part::ConsumerPage])?;
        drop(consumer);
        assert!(pages(&ring)?.is_empty());
        Ok(())
    })
}

#[test]
fn a_trusted_consumer_writes_its_page_and_the_data_unless_it_is_only_to_read() -> TestResult {
    alone("rights::a_trusted_consumer_writes_its_page_and_the_data_unless_it_is_only_to_read", || {
        let ring = ring()?;
        // SAFETY: all processes are this one.
        let trusted = unsafe { ring.trusted() };
        let consumer = trusted.reading_consumer()?;
        only_these_are_writable(&ring, &[Part::ConsumerPage])?;
        drop(consumer);
        let _consumer = trusted.consumer()?;
        only_these_are_writable(&ring, &[Part::ConsumerPage, Part::Data])
    })
}

#[test]
fn a_producer_writes_all_but_the_consumer_page_and_the_descriptor() -> TestResult {
    alone("rights::a_producer_writes_all_but_the_consumer_page_and_the_descriptor", || {
        let ring = ring()?;
        let _producer = ring.producer()?;
        only_these_are_writable(&ring, &[Part::Slots, Part::ProducerPage, Part::Data])
    })
}

#[test]
fn an_observer_writes_nothing() -> TestResult {
    alone("rights::an_observer_writes_nothing", || {
        let ring = ring()?;
        ring.stats()?;
        only_these_are_writable(&ring, &[])
    })
}

#[test]
fn a_consumer_that_has_repaired_can_write_no_more_than_before() -> TestResult {
    alone("rights::a_consumer_that_has_repaired_can_write_no_more_than_before", || {
        let ring = ring()?;
        // It has gone, and its record with it.
        let producer = ring.producer()?;
        std::mem::forget(producer.reserve(8)?);
        drop(producer);
        let ring = SharedRing::from_fd(&ring)?;
        let mut consumer = ring.consumer()?;
        assert!(consumer.recover()?);
        let mapped = pages(&ring)?.into_iter().filter(|page| page.writable && page.part == Part::ConsumerPage).count();
        assert_eq!(mapped, 1);
        Ok(())
    })
}
