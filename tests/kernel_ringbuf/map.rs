//! Which parts of a ring the kernel lets a process map, and how.

use std::io;
use std::os::fd::AsFd;

use crate::support::pages::{EXECUTE, Pages, READ, WRITE, page_size};
use crate::support::require_kernel;

fn refused<T>(with: i32, result: io::Result<T>) {
    assert_eq!(result.err().and_then(|error| error.raw_os_error()), Some(with));
}

#[test]
fn the_consumer_page_is_writable_and_nothing_else_is() -> io::Result<()> {
    let page = page_size();
    let Some(ring) = require_kernel(page as u32) else { return Ok(()) };
    let map = |protection, offset, bytes| Pages::map(ring.as_fd(), protection, offset, bytes);
    map(READ, 0, page)?;
    map(WRITE, 0, page)?;
    refused(libc::EPERM, map(WRITE, 0, 2 * page));
    refused(libc::EPERM, map(WRITE, page, page));
    refused(libc::EPERM, map(WRITE, 2 * page, page));
    refused(libc::EPERM, map(WRITE, 3 * page, page));
    map(READ, 0, 4 * page)?;
    map(READ, page, page)?;
    map(READ, 2 * page, 2 * page)?;
    refused(libc::EINVAL, map(READ, page, 4 * page));
    refused(libc::EINVAL, map(READ, 4 * page, page));
    Ok(())
}

#[test]
fn a_mapping_can_not_gain_permissions_later() -> io::Result<()> {
    let page = page_size();
    let Some(ring) = require_kernel(page as u32) else { return Ok(()) };
    for offset in [page, 2 * page, 3 * page] {
        let pages = Pages::map(ring.as_fd(), READ, offset, page)?;
        refused(libc::EACCES, pages.protect(WRITE));
        refused(libc::EACCES, pages.protect(EXECUTE));
    }
    let consumer = Pages::map(ring.as_fd(), WRITE, 0, page)?;
    refused(libc::EACCES, consumer.protect(EXECUTE));
    Ok(())
}

#[test]
fn the_writable_mapping_can_not_grow() -> io::Result<()> {
    let page = page_size();
    let Some(ring) = require_kernel(page as u32) else { return Ok(()) };
    let mut consumer = Pages::map(ring.as_fd(), WRITE, 0, page)?;
    assert!(consumer.resize(2 * page).is_err());
    Ok(())
}

#[test]
fn the_data_is_mapped_twice_in_a_row() -> io::Result<()> {
    use crate::bpf::Records;

    let page = page_size();
    let Some(ring) = require_kernel(page as u32) else { return Ok(()) };
    ring.output(&Records::one(1, &[0xa5; 100]).times(20))?;
    let data = Pages::map(ring.as_fd(), READ, 2 * page, 2 * page)?;
    assert_eq!(data.copy(0, page), data.copy(page, page));
    assert_ne!(data.copy(0, page), vec![0; page]);
    Ok(())
}
