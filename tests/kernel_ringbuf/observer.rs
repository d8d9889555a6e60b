//! Looking at a ring that somebody else consumes.

use std::error::Error;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dynring::kernel::{Observer, OpenError, OpenStep};

use crate::bpf::{MapType, Query, Records, create_map, freeze, map_by_id, pin};
use crate::reader::Reader;
use crate::support::bpffs::{c_path, in_a_bpffs};
use crate::support::id_of;
use crate::support::pages::page_size;
use crate::support::{privilege, require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

/// `BPF_F_RDONLY`, `BPF_F_WRONLY`.
const READ_ONLY: u32 = 1 << 3;
const WRITE_ONLY: u32 = 1 << 4;

fn page() -> u32 {
    page_size() as u32
}

#[test]
fn an_observer_and_the_kernel_agree_while_somebody_consumes() -> TestResult {
    let Some(ring) = require_kernel(2 * page()) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    let observers = [Observer::from_fd(&ring)?, Observer::from_fd(&ring)?, Observer::from_id(id_of(ring.as_fd())?)?];
    for nth in 0..200 {
        ring.output(&Records::one(0, &[0; 100]).times(nth % 20))?;
        for _ in 0..nth % 7 {
            reader.next()?;
        }
        for observer in &observers {
            assert_eq!(observer.available(), ring.query(Query::AvailData)?);
            assert_eq!(observer.consumer_pos(), ring.query(Query::ConsPos)?);
            assert_eq!(observer.producer_pos(), ring.query(Query::ProdPos)?);
            assert_eq!(observer.size().bytes(), u64::from(2 * page()));
        }
    }
    Ok(())
}

#[test]
fn producers_are_never_seen_behind_the_consumer() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let observer = Observer::from_fd(&ring)?;
    let mut reader = Reader::open(&ring)?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> TestResult {
        let both = scope.spawn(|| -> io::Result<()> {
            while !done.load(Ordering::Relaxed) {
                ring.output(&Records::one(0, &[0; 8]).times(64))?;
                reader.drain()?;
            }
            Ok(())
        });
        // More than the ring's size can have come while it looked, but not that much.
        let strange = (0..1_000_000).map(|_| observer.available()).find(|&available| available > 1 << 40);
        done.store(true, Ordering::Relaxed);
        both.join().expect("producer and consumer")?;
        assert_eq!(strange, None);
        Ok(())
    })
}

#[test]
fn the_descriptor_may_be_closed_and_everything_is_mapped_read_only() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let before = fs::read_to_string("/proc/self/maps")?;
    let passed = ring.as_fd().try_clone_to_owned()?;
    let observer = Observer::from_fd(&passed)?;
    drop(passed);
    let maps = fs::read_to_string("/proc/self/maps")?;
    // Other tests map other rings at the same time; this one maps two pages from offset 0.
    let new = maps.lines().filter(|line| line.contains("bpf-map") && !before.contains(*line));
    let mut two_pages = new.filter(|line| line.contains(" 00000000 ") && pages_of(line) == Some(2));
    assert!(two_pages.any(|line| line.contains(" r--s ")), "{maps}");
    ring.output(&Records::one(0, &[0; 8]))?;
    assert_eq!(observer.available(), 16);
    Ok(())
}

/// How many pages are in a line of `maps`.
fn pages_of(line: &str) -> Option<usize> {
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    let bytes = usize::from_str_radix(end, 16).ok()? - usize::from_str_radix(start, 16).ok()?;
    Some(bytes / page_size())
}

#[test]
fn a_descriptor_that_is_not_for_reading_and_writing_is_refused() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    for flags in [READ_ONLY, WRITE_ONLY] {
        let error = Observer::from_fd(map_by_id(id_of(ring.as_fd())?, flags)?).expect_err("one way");
        assert!(matches!(error, OpenError::Permission { step: OpenStep::Map, .. }), "{error:?}");
        assert!(error.to_string().contains("open for reading and writing"), "{error}");
    }
    Ok(())
}

#[test]
fn a_frozen_ring_may_be_observed() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    freeze(ring.as_fd())?;
    let observer = Observer::from_fd(&ring)?;
    ring.output(&Records::one(0, &[0; 8]))?;
    assert_eq!(observer.available(), 16);
    Ok(())
}

#[test]
fn a_pinned_ring_may_be_observed_by_whoever_may_open_the_pin() -> TestResult {
    use std::os::unix::fs::PermissionsExt;

    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    ring.output(&Records::one(0, &[0; 8]))?;
    let observed = in_a_bpffs(|root| -> io::Result<[Result<u64, OpenError>; 2]> {
        let (open, closed) = (root.join("open"), root.join("closed"));
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        for (path, mode) in [(&open, 0o666), (&closed, 0o644)] {
            pin(ring.as_fd(), &c_path(path))?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        privilege::become_nobody()?;
        Ok([open, closed].map(|path| Observer::from_path(path).map(|observer| observer.available())))
    });
    let Some(observed) = require("bpffs", observed) else { return Ok(()) };
    let [open, closed] = observed?;
    match open {
        Ok(available) => assert_eq!(available, 16),
        // Linux before 5.19.
        Err(error) => assert!(matches!(error, OpenError::Permission { .. }), "{error:?}"),
    }
    assert!(matches!(closed, Err(OpenError::Permission { step: OpenStep::GetPinned, .. })), "{closed:?}");
    Ok(())
}

#[test]
fn what_is_no_ring_is_not_observed() -> TestResult {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let array = Observer::from_fd(create_map(MapType::Array, 4, 8, 1)?).expect_err("an array");
    assert!(matches!(array, OpenError::WrongMapType { found: 2, .. }), "{array:?}");
    let file = Observer::from_path("/proc/self/status").expect_err("a file");
    assert!(matches!(file, OpenError::NotInBpffs { .. }), "{file:?}");
    let nobody = Observer::from_id(u32::MAX).expect_err("no map");
    assert!(matches!(nobody, OpenError::NoSuchId { .. }), "{nobody:?}");
    Ok(())
}
