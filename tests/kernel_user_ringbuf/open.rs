//! What can be opened, and what is said of what can not.

use std::error::Error;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use dynring::Corrupt;
use dynring::kernel::{OpenError, OpenStep, UserRingBuf};

use crate::drain::Window;
use crate::support::bpf::{MapType, create_map, create_ring, freeze, map_by_id};
use crate::support::pages::page_size;
use crate::support::{id_of, privilege, require_user_ring};

type TestResult = Result<(), Box<dyn Error>>;

fn page() -> u32 {
    page_size() as u32
}

#[test]
fn a_ring_of_every_size_is_opened() -> TestResult {
    if require_user_ring(page()).is_none() {
        return Ok(());
    }
    for pages in [1, 2, 4, 64, 1024] {
        let map = create_map(MapType::UserRingBuf, 0, 0, pages * page())?;
        let user = UserRingBuf::from_fd(&map)?;
        assert_eq!(user.size().bytes(), u64::from(pages * page()));
        assert_eq!(user.max_len(), ((pages * page()) as usize - 8).min((1 << 24) - 1));
        drop(map);
        user.producer()?.output(b"the descriptor that was passed in may be closed")?;
    }
    Ok(())
}

#[test]
fn what_is_no_such_ring_is_named() -> io::Result<()> {
    if require_user_ring(page()).is_none() {
        return Ok(());
    }
    let error = UserRingBuf::from_fd(create_ring(page())?).expect_err("filled by the kernel");
    assert!(matches!(error, OpenError::WrongMapType { found: 27, expected: 31 }), "{error:?}");
    assert_eq!(error.to_string(), "the BPF map is of type ringbuf (27); user_ringbuf (31) is allowed");
    let error = UserRingBuf::from_fd(privilege::closed_fd()).expect_err("closed");
    assert!(matches!(error, OpenError::BadFd), "{error:?}");
    let error = UserRingBuf::from_fd(File::open("/proc/self/exe")?).expect_err("a file");
    assert!(matches!(error, OpenError::NotAMap), "{error:?}");
    Ok(())
}

#[test]
fn a_ring_that_may_not_be_written_is_refused() -> io::Result<()> {
    /// `BPF_F_RDONLY`, `BPF_F_WRONLY`.
    const ONE_WAY: [u32; 2] = [1 << 3, 1 << 4];

    let Some(ring) = require_user_ring(page()) else { return Ok(()) };
    for flags in ONE_WAY {
        let error = UserRingBuf::from_fd(map_by_id(id_of(ring.as_fd())?, flags)?).expect_err("one way");
        assert!(matches!(error, OpenError::Permission { step: OpenStep::Map, .. }), "{error:?}");
    }
    freeze(ring.as_fd())?;
    let error = UserRingBuf::from_fd(&ring).expect_err("frozen");
    assert!(matches!(error, OpenError::Permission { step: OpenStep::Map, .. }), "{error:?}");
    Ok(())
}

#[test]
fn whoever_holds_a_descriptor_needs_no_privilege() -> TestResult {
    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let sent = privilege::as_nobody(|| -> io::Result<()> {
        Ok(UserRingBuf::from_fd(&ring)?.producer()?.output(b"from nobody")?)
    })?;
    match sent {
        Ok(()) => assert_eq!(ring.drained()?, [b"from nobody"]),
        // Linux before 5.19.
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}"),
    }
    Ok(())
}

#[test]
fn words_that_somebody_else_keeps_in_the_producer_page_are_left_alone() -> TestResult {
    const HEAD: usize = 128;
    const LAYOUT: usize = 272;

    let Some(ring) = require_user_ring(page()) else { return Ok(()) };
    let window = Window::of(&ring)?;
    let untouched = window.word(LAYOUT).load(Ordering::Relaxed);
    let foreign = |layout: u32| {
        let mut word = untouched.to_ne_bytes();
        word[..4].copy_from_slice(&layout.to_ne_bytes());
        u64::from_ne_bytes(word)
    };
    assert_eq!(untouched, foreign(1));
    window.word(LAYOUT).store(foreign(7), Ordering::Relaxed);
    let error = UserRingBuf::from_fd(&ring).expect_err("another layout");
    assert!(matches!(error, OpenError::Layout { found: 7 }), "{error:?}");
    assert!(error.to_string().contains('7'), "{error}");

    window.word(LAYOUT).store(untouched, Ordering::Relaxed);
    window.word(HEAD).store(3, Ordering::Relaxed);
    let error = UserRingBuf::from_fd(&ring).expect_err("off the grid");
    assert!(matches!(error, OpenError::Corrupt(Corrupt::ProducerPos { .. })), "{error:?}");
    assert_eq!(window.word(HEAD).load(Ordering::Relaxed), 3);
    Ok(())
}
