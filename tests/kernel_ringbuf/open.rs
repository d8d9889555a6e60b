//! What can be opened, and what is said of what can not.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use dynring::kernel::{OpenError, OpenStep, RingBuf};

use crate::bpf::{Code, MapType, ProgramType, Register::R0, create_map, create_ring, freeze, map_by_id};
use crate::support::pages::page_size;
use crate::support::{id_of, privilege, require_kernel};

fn page() -> u32 {
    page_size() as u32
}

#[test]
fn a_ring_of_every_size_is_opened() -> io::Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    for pages in [1, 2, 4, 64, 1024] {
        let ring = create_ring(pages * page())?;
        assert_eq!(RingBuf::from_fd(&ring)?.size().bytes(), u64::from(pages * page()));
    }
    Ok(())
}

#[test]
fn the_descriptor_that_was_passed_in_may_be_closed() -> io::Result<()> {
    use crate::bpf::Records;
    use crate::reader::Reader;

    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let passed = ring.as_fd().try_clone_to_owned()?;
    let mut reader = Reader::open(&passed)?;
    drop(passed);
    ring.output(&Records::one(7, b"8 bytes!"))?;
    assert_eq!(reader.numbers()?, [7]);
    Ok(())
}

#[test]
fn a_ring_is_consumed_once_at_a_time() -> io::Result<()> {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let opened = RingBuf::from_fd(&ring)?;
    let refused = || RingBuf::from_fd(&ring).map(drop).expect_err("open already");
    assert!(matches!(refused(), OpenError::AlreadyOpen { .. }), "{}", refused());
    let consumer = opened.into_consumer()?;
    assert!(matches!(refused(), OpenError::AlreadyOpen { .. }), "{}", refused());
    drop(consumer);
    RingBuf::from_fd(&ring)?;
    Ok(())
}

#[test]
fn what_was_duplicated_is_closed_again_and_not_inherited() -> io::Result<()> {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let opened = RingBuf::from_fd(&ring)?;
    let flags = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", opened.as_fd().as_raw_fd()))?;
    let flags = flags.lines().find_map(|line| i32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    assert!(flags.is_some_and(|flags| flags & libc::O_CLOEXEC != 0), "{flags:?}");
    assert_ne!(opened.as_raw_fd(), ring.as_fd().as_raw_fd());
    assert_eq!(opened.as_raw_fd(), opened.as_fd().as_raw_fd());
    Ok(())
}

#[test]
fn a_map_of_another_type_is_named() -> io::Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let array = create_map(MapType::Array, 4, 8, 1)?;
    let user = create_map(MapType::UserRingBuf, 0, 0, page())?;
    for (map, number, name) in [(array, 2, "array (2)"), (user, 31, "user_ringbuf (31)")] {
        let error = RingBuf::from_fd(map).expect_err(name);
        assert!(matches!(error, OpenError::WrongMapType { found, expected: 27 } if found == number), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
    Ok(())
}

#[test]
fn a_descriptor_that_is_not_open_is_said_to_be() {
    let error = RingBuf::from_fd(privilege::closed_fd()).expect_err("closed");
    assert!(matches!(error, OpenError::BadFd), "{error:?}");
}

#[test]
fn a_descriptor_of_a_file_is_not_that_of_a_map() -> io::Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let error = RingBuf::from_fd(File::open("/proc/self/exe")?).expect_err("a file");
    assert!(matches!(error, OpenError::NotAMap), "{error:?}");
    Ok(())
}

#[test]
fn a_descriptor_of_a_program_is_not_that_of_a_map() -> io::Result<()> {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let program = Code::new().set(R0, 0).exit().load_as(ProgramType::SocketFilter)?;
    let error = RingBuf::from_fd(program.as_fd()).expect_err("a program");
    assert!(matches!(error, OpenError::NotAMap), "{error:?}");
    Ok(())
}

#[test]
fn a_descriptor_that_is_not_for_reading_and_writing_may_not_map() -> io::Result<()> {
    /// `BPF_F_RDONLY`, `BPF_F_WRONLY`.
    const ONE_WAY: [u32; 2] = [1 << 3, 1 << 4];

    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    for flags in ONE_WAY {
        let map = map_by_id(id_of(ring.as_fd())?, flags)?;
        let error = RingBuf::from_fd(map).expect_err("not for reading and writing");
        assert!(matches!(error, OpenError::Permission { step: OpenStep::Map, .. }), "{error:?}");
    }
    Ok(())
}

#[test]
fn a_frozen_ring_may_not_be_mapped() -> io::Result<()> {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    freeze(ring.as_fd())?;
    let error = RingBuf::from_fd(&ring).expect_err("frozen");
    assert!(matches!(error, OpenError::Permission { step: OpenStep::Map, .. }), "{error:?}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::PermissionDenied);
    Ok(())
}

#[test]
fn a_sandbox_that_forbids_bpf_is_told_apart() -> io::Result<()> {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let error = privilege::without_bpf(|| RingBuf::from_fd(&ring))?.expect_err("forbidden");
    assert!(matches!(error, OpenError::Permission { step: OpenStep::Describe, .. }), "{error:?}");
    Ok(())
}

#[test]
fn whoever_holds_a_descriptor_needs_no_privilege() -> io::Result<()> {
    use crate::bpf::Records;
    use crate::reader::Reader;

    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    ring.output(&Records::one(7, b"8 bytes!"))?;
    let (created, read) =
        privilege::as_nobody(|| (create_ring(page()), Reader::open(&ring).map(|mut it| it.numbers())))?;
    assert_eq!(created.map_err(|error| error.kind()).err(), Some(io::ErrorKind::PermissionDenied));
    match read {
        Ok(numbers) => assert_eq!(numbers?, [7]),
        // Linux before 5.19.
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}"),
    }
    Ok(())
}
