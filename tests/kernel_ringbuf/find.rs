//! Rings that are opened by a path or a number.

use std::error::Error;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use dynring::kernel::{OpenError, OpenStep, RingBuf};

use crate::bpf::{Code, MapType, ProgramType, Records, Register::R0, create_map, pin};
use crate::support::bpffs::{c_path, in_a_bpffs};
use crate::support::id_of;
use crate::support::pages::page_size;
use crate::support::{privilege, require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

fn page() -> u32 {
    page_size() as u32
}

fn refused(path: impl AsRef<Path>) -> OpenError {
    RingBuf::from_path(path).map(drop).expect_err("not a ring")
}

#[test]
fn a_pinned_ring_is_consumed() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let read = in_a_bpffs(|root| -> io::Result<Option<Vec<u8>>> {
        let path = root.join("events");
        pin(ring.as_fd(), &c_path(&path))?;
        ring.output(&Records::one(7, &[0; 8]))?;
        let mut consumer = RingBuf::from_path(&path)?.into_consumer()?;
        Ok(consumer.next()?.map(|record| record.to_vec()))
    });
    let Some(read) = require("bpffs", read) else { return Ok(()) };
    assert_eq!(read?, Some(7_u64.to_ne_bytes().to_vec()));
    Ok(())
}

#[test]
fn a_pinned_ring_is_consumed_once_at_a_time_however_it_is_opened() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let opened = RingBuf::from_fd(&ring)?;
    let errors = in_a_bpffs(|root| -> io::Result<[OpenError; 2]> {
        let path = root.join("events");
        pin(ring.as_fd(), &c_path(&path))?;
        Ok([refused(&path), RingBuf::from_id(id_of(ring.as_fd())?).map(drop).expect_err("open already")])
    });
    let Some(errors) = require("bpffs", errors) else { return Ok(()) };
    for error in errors? {
        assert!(matches!(error, OpenError::AlreadyOpen { .. }), "{error:?}");
    }
    drop(opened);
    Ok(())
}

#[test]
fn a_path_at_which_nothing_is_is_named() {
    for path in ["/no/such/path", "/proc/self/exe/below-a-file", "with a \0"] {
        let error = refused(path);
        if let OpenError::Permission { step: OpenStep::GetPinned, .. } = error {
            // Before Linux 5.19, this is as far as it goes without privilege.
            continue;
        }
        assert!(matches!(&error, OpenError::NoSuchPath { path: found } if found == Path::new(path)), "{error:?}");
        assert!(error.to_string().contains(path), "{error}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::NotFound);
    }
}

#[test]
fn a_path_outside_of_a_bpffs_is_told_apart() {
    const PROC: u64 = 0x9fa0;

    if require_kernel(page()).is_none() {
        return;
    }
    for path in ["/proc/self/status", "/proc"] {
        let error = refused(path);
        assert!(matches!(error, OpenError::NotInBpffs { found: PROC, .. }), "{error:?}");
        assert!(error.to_string().contains(path) && error.to_string().contains("0x9fa0"), "{error}");
    }
}

#[test]
fn what_else_a_bpffs_can_hold_is_told_apart() -> TestResult {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let array = create_map(MapType::Array, 4, 8, 1)?;
    let program = Code::new().set(R0, 0).exit().load_as(ProgramType::SocketFilter)?;
    let errors = in_a_bpffs(|root| -> io::Result<[OpenError; 3]> {
        pin(array.as_fd(), &c_path(&root.join("array")))?;
        pin(program.as_fd(), &c_path(&root.join("program")))?;
        Ok([refused(root.join("array")), refused(root.join("program")), refused(root)])
    });
    let Some(errors) = require("bpffs", errors) else { return Ok(()) };
    let [array, program, directory] = errors?;
    assert!(matches!(array, OpenError::WrongMapType { found: 2, .. }), "{array:?}");
    assert!(matches!(program, OpenError::NotAMap), "{program:?}");
    assert!(matches!(directory, OpenError::IsADirectory { .. }), "{directory:?}");
    Ok(())
}

#[test]
fn a_pin_that_others_own_may_not_be_opened() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let error = in_a_bpffs(|root| -> io::Result<OpenError> {
        let path = root.join("events");
        pin(ring.as_fd(), &c_path(&path))?;
        // The caller's thread is one that nobody else uses.
        privilege::become_nobody()?;
        Ok(refused(&path))
    });
    let Some(error) = require("bpffs", error) else { return Ok(()) };
    let error = error?;
    assert!(matches!(error, OpenError::Permission { step: OpenStep::GetPinned, .. }), "{error:?}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::PermissionDenied);
    Ok(())
}

#[test]
fn a_ring_is_found_by_its_id() -> TestResult {
    let Some(ring) = require_kernel(2 * page()) else { return Ok(()) };
    let opened = RingBuf::from_id(id_of(ring.as_fd())?)?;
    assert_eq!(opened.size().bytes(), u64::from(2 * page()));
    Ok(())
}

#[test]
fn an_id_that_no_map_has_is_named() {
    if require_kernel(page()).is_none() {
        return;
    }
    let error = RingBuf::from_id(u32::MAX).map(drop).expect_err("no map");
    assert!(matches!(error, OpenError::NoSuchId { id: u32::MAX }), "{error:?}");
    assert!(error.to_string().contains("4294967295"), "{error}");
}

#[test]
fn an_id_of_another_map_is_told_apart() -> TestResult {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let array = create_map(MapType::Array, 4, 8, 1)?;
    let error = RingBuf::from_id(id_of(array.as_fd())?).map(drop).expect_err("an array");
    assert!(matches!(error, OpenError::WrongMapType { found: 2, .. }), "{error:?}");
    Ok(())
}

#[test]
fn an_id_takes_privilege() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let id = id_of(ring.as_fd())?;
    let error = privilege::as_nobody(|| RingBuf::from_id(id).map(drop))?.expect_err("without privilege");
    assert!(matches!(error, OpenError::Permission { step: OpenStep::GetById, .. }), "{error:?}");
    assert!(error.to_string().contains("CAP_SYS_ADMIN"), "{error}");
    Ok(())
}
