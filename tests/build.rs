//! Making a ring, and what its memory is like.

#![cfg_attr(not(miri), expect(unsafe_code, reason = "limits of the process, and seals of the file, are system calls"))]

#[cfg(not(miri))]
mod support;

use std::error::Error;
use std::io;

use dynring::{BuildError, Builder, RegisterError, Ring};

const MAX: usize = 1 << 40;

#[test]
#[cfg_attr(miri, ignore = "megabytes are slow there")]
fn a_capacity_is_rounded_up_to_a_power_of_two_of_whole_pages() {
    for (asked, got) in [(0, 4096), (1, 4096), (4096, 4096), (4097, 8192), (100_000, 131_072), ((1 << 20) - 1, 1 << 20)]
    {
        let builder = Ring::builder(asked);
        assert_eq!(builder.capacity().unwrap(), got);
        let ring = builder.build().unwrap();
        assert_eq!(ring.capacity(), got);
        assert_eq!(ring.stats().capacity, got as u64);
    }
}

#[test]
#[cfg_attr(miri, ignore = "the heap that stands in for mapped memory has no mirror, which halves the largest record")]
fn the_largest_record_leaves_room_for_two_headers() {
    for capacity in [4096, 8192, 1 << 20] {
        let ring = Ring::builder(capacity).build().unwrap();
        assert_eq!(ring.max_len(), capacity - 16);
        assert_eq!(ring.producer().unwrap().max_len(), capacity - 16);
    }
}

#[test]
fn no_ring_is_larger_than_a_tebibyte() {
    assert_eq!(Ring::builder(MAX).capacity().unwrap(), MAX);
    for asked in [MAX + 1, usize::MAX / 2 + 2, usize::MAX] {
        let builder = Ring::builder(asked);
        let error = builder.build().unwrap_err();
        assert!(builder.capacity().is_err());
        let BuildError::Capacity(size) = &error else { panic!("{error:?}") };
        assert_eq!((size.found, size.max), (asked as u64, MAX as u64));
        let text = error.to_string();
        assert!(text.contains(&asked.to_string()) && text.contains(&MAX.to_string()), "{text}");
        assert_eq!(error.source().unwrap().to_string(), text);
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_ring_is_for_at_least_one_producer_and_at_most_4096() {
    for asked in [0, Builder::MAX_PRODUCERS + 1, u32::MAX] {
        let error = Ring::builder(4096).max_producers(asked).build().unwrap_err();
        let BuildError::Producers { found, max } = error else { panic!("{error:?}") };
        assert_eq!((found, max), (asked, 4096));
        assert_eq!(error.to_string(), format!("a ring for {asked} producers was asked for; 1 to 4096 are allowed"));
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
    }
    // Each registration looks for a free slot among all: too much for Miri.
    let most = if cfg!(miri) { 40 } else { Builder::MAX_PRODUCERS };
    for asked in [1, most] {
        let ring = Ring::builder(4096).max_producers(asked).build().unwrap();
        let producers: Vec<_> = (0..asked).map(|_| ring.producer().unwrap()).collect();
        let error = ring.producer().unwrap_err();
        assert!(matches!(error, RegisterError::Full { max_producers } if max_producers == asked as usize), "{error}");
        assert_eq!(producers[0].try_clone().unwrap_err().to_string(), error.to_string());
        assert_eq!(ring.stats().producers, asked);
    }
}

#[test]
fn a_new_ring_is_empty() {
    for first in [0, 4096, !7, 12345] {
        let ring = Ring::builder(8192).first_position(first).build().unwrap();
        let stats = ring.stats();
        assert_eq!((stats.head, stats.consumer_pos), (first & !7, first & !7));
        assert_eq!((stats.available, stats.producers, stats.refused, stats.discarded), (0, 0, 0, 0));
        assert!(ring.consumer().unwrap().next().unwrap().is_none());
    }
}

#[test]
fn a_clone_is_a_handle_on_the_same_ring() {
    let ring = Ring::builder(4096).build().unwrap();
    let clone = ring.clone();
    ring.producer().unwrap().output(b"to all").unwrap();
    assert_eq!(clone.stats(), ring.stats());
    let mut consumer = clone.consumer().unwrap();
    assert!(ring.consumer().is_err());
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"to all");
}

#[test]
#[cfg_attr(miri, ignore = "megabytes are slow there")]
fn a_ring_works_whether_or_not_it_gets_huge_pages_and_prefaulting() {
    for (huge_pages, prefault) in [(true, true), (true, false), (false, false)] {
        let ring = Ring::builder(4 << 20).huge_pages(huge_pages).prefault(prefault).build().unwrap();
        assert!(huge_pages || !ring.huge_pages());
        let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        let payload = vec![7; 3 << 20];
        for _ in 0..3 {
            producer.output(&payload).unwrap();
            assert!(*consumer.next().unwrap().unwrap() == payload);
        }
    }
}

#[test]
fn a_small_ring_gets_no_huge_pages() {
    let ring = Ring::builder(4096).huge_pages(true).build().unwrap();
    assert!(!ring.huge_pages());
}

#[cfg(not(miri))]
mod memory {
    use super::support::pages::{Pages, READ, WRITE};
    use super::*;

    use std::fs;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::process::Command;

    fn seals(file: BorrowedFd<'_>) -> i32 {
        // SAFETY: no preconditions.
        unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) }
    }

    #[test]
    fn the_length_of_the_file_is_sealed() {
        let ring = Ring::builder(8192).build().unwrap();
        let file = fs::File::from(ring.as_fd().try_clone_to_owned().unwrap());
        let length = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        assert_eq!(seals(ring.as_fd()) & length, length);
        let len = file.metadata().unwrap().len();
        for changed in [0, len - 4096, len + 4096] {
            assert_eq!(file.set_len(changed).unwrap_err().raw_os_error(), Some(libc::EPERM));
        }
        assert_eq!(file.metadata().unwrap().len(), len);
    }

    #[test]
    fn nobody_else_writes_to_the_memory_unless_plain_readers_are_to() {
        for kernel_protocol in [false, true] {
            let ring = Ring::builder(4096).kernel_protocol(kernel_protocol).build().unwrap();
            let file = fs::File::from(ring.as_fd().try_clone_to_owned().unwrap());
            // To write what is there would change nothing, if it were not refused.
            let written = file.write_at(&[0], ring.window_offset());
            assert_eq!(written.is_ok(), kernel_protocol);
            assert_eq!(Pages::map(ring.as_fd(), WRITE, 0, 4096).is_ok(), kernel_protocol);
            assert!(Pages::map(ring.as_fd(), READ, 0, 4096).is_ok());
            let producer = ring.producer().unwrap();
            producer.output(b"still written").unwrap();
        }
    }

    #[test]
    fn the_window_is_the_end_of_the_file_and_begins_at_a_page() {
        for (capacity, producers, huge) in [(4096, 1, false), (65536, 4096, false), (4 << 20, 32, true)] {
            let ring = Ring::builder(capacity).max_producers(producers).huge_pages(huge).build().unwrap();
            let file = fs::File::from(ring.as_fd().try_clone_to_owned().unwrap());
            assert_eq!(ring.window_offset() % 4096, 0);
            assert_eq!(file.metadata().unwrap().len(), ring.window_offset() + 2 * 4096 + capacity as u64);
        }
    }

    #[test]
    fn the_memory_is_committed_when_the_ring_is_made() {
        let ring = Ring::builder(1 << 20).prefault(false).build().unwrap();
        let file = fs::File::from(ring.as_fd().try_clone_to_owned().unwrap());
        let metadata = file.metadata().unwrap();
        assert_eq!(metadata.blocks() * 512, metadata.len());
    }

    /// Mappings of the file with that inode in this process.
    fn mappings(inode: u64) -> usize {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().filter(|line| line.split_whitespace().nth(4) == Some(&inode.to_string())).count()
    }

    /// KiB of huge pages in each mapping of the file with that inode in this process, with the mapping's size in KiB.
    fn huge_pages(inode: u64) -> Vec<(u64, u64)> {
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
        let (mut ours, mut mappings) = (false, Vec::new());
        for line in smaps.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [range, _, _, _, found, ..] if range.contains('-') => ours = found == inode.to_string(),
                ["Size:", size, _] if ours => mappings.push((0, size.parse().unwrap())),
                ["ShmemPmdMapped:", huge, _] if ours => mappings.last_mut().unwrap().0 = huge.parse().unwrap(),
                _ => {}
            }
        }
        mappings
    }

    #[test]
    fn huge_pages_that_are_said_to_be_given_are_mapped_in_both_places() {
        const CAPACITY: usize = 4 << 20;
        for prefault in [true, false] {
            let ring = Ring::builder(CAPACITY).huge_pages(true).prefault(prefault).build().unwrap();
            let given = if ring.huge_pages() { Ok(()) } else { Err("the system gives no huge pages") };
            if support::require("huge pages", given).is_none() {
                return;
            }
            let inode = fs::File::from(ring.as_fd().try_clone_to_owned().unwrap()).metadata().unwrap().ino();
            let mappings = huge_pages(inode);
            let huge: u64 = mappings.iter().map(|&(huge, _)| huge).sum();
            assert_eq!(huge, 2 * CAPACITY as u64 / 1024, "the data and the data again: {mappings:?}");
        }
    }

    #[test]
    fn the_memory_goes_with_the_last_who_holds_it() {
        let ring = Ring::builder(4096).build().unwrap();
        let file = fs::File::from(ring.as_fd().try_clone_to_owned().unwrap());
        let inode = file.metadata().unwrap().ino();
        let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        let record = producer.reserve_owned(8).unwrap();
        drop((ring, producer));
        assert_ne!(mappings(inode), 0);
        drop(consumer);
        assert_ne!(mappings(inode), 0);
        record.commit();
        assert_eq!(mappings(inode), 0);
    }

    const CHILD: &str = "DYNRING_TEST_CHILD";

    /// Runs the test `name` once more, in a process of its own, in which it does `with_less` instead.
    fn in_a_child(name: &str, with_less: impl FnOnce()) {
        if std::env::var_os(CHILD).is_some() {
            return with_less();
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        let output = child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(output.status.success() && text.contains("1 passed"), "{}\n{text}", output.status);
    }

    fn limit(resource: libc::__rlimit_resource_t, most: u64) {
        let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: the pointer is to a limit.
        let result = unsafe { libc::setrlimit(resource, &limit) };
        assert_eq!(result, 0);
    }

    fn assert_refused(capacity: usize, errno: i32) {
        let error = Ring::builder(capacity).build().unwrap_err();
        let BuildError::System { bytes, error: system } = &error else { panic!("{error:?}") };
        assert_eq!(*bytes, capacity as u64);
        assert_eq!(system.raw_os_error(), Some(errno), "{system}");
        assert!(error.to_string().starts_with(&format!("the system refused a ring of {capacity} bytes: ")), "{error}");
        assert!(error.source().is_some());
        assert_eq!(io::Error::from(error).raw_os_error(), Some(errno));
    }

    #[test]
    fn a_ring_for_which_addresses_are_short_is_refused() {
        in_a_child("memory::a_ring_for_which_addresses_are_short_is_refused", || {
            let statm = fs::read_to_string("/proc/self/statm").unwrap();
            let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
            limit(libc::RLIMIT_AS, pages * 4096 + (16 << 20));
            assert_refused(16 << 20, libc::ENOMEM);
            assert!(Ring::builder(4096).build().is_ok());
        });
    }

    /// One tebibyte: more than the machines that tests run on have.
    #[test]
    fn a_ring_larger_than_what_memory_is_left_is_refused_and_nothing_is_killed() {
        let meminfo = fs::read_to_string("/proc/meminfo").map_err(|error| error.to_string());
        let known =
            meminfo.and_then(|text| text.contains("MemAvailable:").then_some(()).ok_or("no figure".to_string()));
        if support::require("/proc/meminfo", known).is_none() {
            return;
        }
        let error = Ring::builder(MAX).build().unwrap_err();
        assert!(error.to_string().contains(&MAX.to_string()), "{error}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::OutOfMemory);
    }

    #[test]
    fn a_ring_for_which_files_may_not_be_large_enough_is_refused_and_nothing_is_killed() {
        in_a_child("memory::a_ring_for_which_files_may_not_be_large_enough_is_refused_and_nothing_is_killed", || {
            const MOST: u64 = 1 << 20;
            let builder = Ring::builder(1 << 20);
            let ring = builder.build().unwrap();
            let needed = fs::File::from(ring.as_fd().try_clone_to_owned().unwrap()).metadata().unwrap().len();
            limit(libc::RLIMIT_FSIZE, MOST);
            let error = builder.build().unwrap_err();
            let BuildError::System { bytes, error: system } = &error else { panic!("{error:?}") };
            assert_eq!((*bytes, system.kind()), (1 << 20, io::ErrorKind::FileTooLarge));
            let text = error.to_string();
            assert!(text.contains(&needed.to_string()) && text.contains(&MOST.to_string()), "{text}");
            assert!(Ring::builder(4096).build().is_ok());
        });
    }

    #[test]
    fn a_ring_that_is_as_large_as_files_may_be_is_made() {
        in_a_child("memory::a_ring_that_is_as_large_as_files_may_be_is_made", || {
            let ring = Ring::builder(8192).build().unwrap();
            let needed = fs::File::from(ring.as_fd().try_clone_to_owned().unwrap()).metadata().unwrap().len();
            limit(libc::RLIMIT_FSIZE, needed);
            assert!(Ring::builder(8192).build().is_ok());
        });
    }

    #[test]
    fn a_ring_for_which_file_descriptors_are_short_is_refused() {
        in_a_child("memory::a_ring_for_which_file_descriptors_are_short_is_refused", || {
            limit(libc::RLIMIT_NOFILE, 0);
            assert_refused(4096, libc::EMFILE);
        });
    }
}
