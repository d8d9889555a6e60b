//! What nobody can attach to, and what the error says.

use std::error::Error;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use dynring::{AttachError, BuildError, DescriptorError, RegisterError, Ring, SharedRing};

use crate::alone::{TestResult, alone, descriptors};
use crate::forge::SIZE;
use crate::post::{ALL_SEALS, limit, memfd, mount_tmpfs, punch_hole, send};
use crate::support::pages::page_size;
use crate::support::privilege::as_nobody;
use crate::support::require;

const DESCRIPTOR: usize = 64;

/// A path on a tmpfs that nothing is at; what is there in the end goes.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        Self(PathBuf::from(format!("/dev/shm/dynring-refuse-{}-{name}", std::process::id())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0).or_else(|_| fs::remove_dir(&self.0));
    }
}

fn image() -> Result<Vec<u8>, Box<dyn Error>> {
    let ring = Ring::builder(SIZE).build_shared()?;
    let mut bytes = vec![0; ring.window_offset() as usize + 2 * page_size() + SIZE];
    File::from(ring.as_fd().try_clone_to_owned()?).read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Fowler, Noll, Vo: the checksum made right again.
fn correct(image: &mut [u8]) {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    let checksum: u64 = image[..56].iter().fold(0xcbf2_9ce4_8422_2325, hash);
    image[56..DESCRIPTOR].copy_from_slice(&checksum.to_ne_bytes());
}

fn attach(image: &[u8]) -> Result<SharedRing, AttachError> {
    SharedRing::from_fd(memfd(image, image.len() as u64, ALL_SEALS)?)
}

/// The error, which leaves no descriptor behind, and can be told to somebody.
fn refused<R>(attach: impl FnOnce() -> Result<R, AttachError>) -> AttachError {
    let before = descriptors().unwrap();
    let error = attach().err().expect("a refusal");
    assert_eq!(descriptors().unwrap(), before, "{error}");
    assert!(!error.to_string().is_empty());
    error
}

#[test]
fn every_bit_of_the_descriptor_counts() -> TestResult {
    alone("refuse::every_bit_of_the_descriptor_counts", || {
        let image = image()?;
        attach(&image)?;
        for bit in 0..8 * DESCRIPTOR {
            let mut flipped = image.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = refused(|| attach(&flipped));
            assert!(matches!(error, AttachError::Descriptor(_)), "bit {bit}: {error}");
        }
        Ok(())
    })
}

#[test]
fn a_forged_field_with_a_checksum_that_fits_is_refused_or_describes_the_file() -> TestResult {
    alone("refuse::a_forged_field_with_a_checksum_that_fits_is_refused_or_describes_the_file", || {
        let image = image()?;
        let mut refusals = 0;
        for bit in 0..8 * (DESCRIPTOR - 8) {
            let mut forged = image.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            correct(&mut forged);
            match attach(&forged) {
                Err(AttachError::Descriptor(_) | AttachError::Length { .. } | AttachError::NotShared) => refusals += 1,
                Err(error) => panic!("bit {bit}: {error}"),
                // Fewer slots, another feature: all that lies within the file.
                Ok(ring) => {
                    ring.producer()?.output(b"record")?;
                    let mut record = Vec::new();
                    assert!(ring.consumer()?.next_into(&mut record)?, "bit {bit}");
                }
            }
        }
        assert!(refusals > 8 * (DESCRIPTOR - 8) - 64, "{refusals}");
        Ok(())
    })
}

#[test]
fn other_versions_are_named() -> TestResult {
    for (version, known) in [(0u32, 1), (2, 1), (u32::MAX, 1)] {
        let mut forged = image()?;
        forged[8..12].copy_from_slice(&version.to_ne_bytes());
        for checksum_fits in [false, true] {
            if checksum_fits {
                correct(&mut forged);
            }
            let error = attach(&forged).unwrap_err();
            let AttachError::Descriptor(found) = &error else { panic!("{error}") };
            assert_eq!(*found, DescriptorError::Version { found: version, known });
            let text = error.to_string();
            assert!(text.contains(&version.to_string()) && text.contains(&known.to_string()), "{text}");
        }
    }
    Ok(())
}

#[test]
fn a_file_of_another_length_is_refused_before_it_is_mapped() -> TestResult {
    alone("refuse::a_file_of_another_length_is_refused_before_it_is_mapped", || {
        let image = image()?;
        let whole = image.len() as u64;
        for length in [0, 1, 63, 64, 65, 4096, whole - 1, whole + 1, whole + page_size() as u64, 1 << 40] {
            let kept = &image[..image.len().min(length as usize)];
            let error = refused(|| SharedRing::from_fd(memfd(kept, length, ALL_SEALS)?));
            let AttachError::Length { found, expected } = error else { panic!("{length}: {error}") };
            assert_eq!((found, expected), (length, if length < 64 { 64 } else { whole }));
            let text = error.to_string();
            assert!(text.contains(&found.to_string()) && text.contains(&expected.to_string()), "{text}");

            let place = Place::new("length");
            fs::write(&place.0, kept)?;
            File::options().write(true).open(&place.0)?.set_len(length)?;
            let error = refused(|| SharedRing::open(&place.0));
            assert!(matches!(error, AttachError::Length { found, .. } if found == length), "{error}");
        }
        Ok(())
    })
}

#[test]
fn a_file_whose_length_may_change_is_refused() -> TestResult {
    alone("refuse::a_file_whose_length_may_change_is_refused", || {
        let image = image()?;
        for seals in (0..1 << 5).filter(|seals| seals & ALL_SEALS != ALL_SEALS) {
            let error = refused(|| SharedRing::from_fd(memfd(&image, image.len() as u64, seals)?));
            assert!(matches!(error, AttachError::NotSealed), "{seals:#x}: {error}");
            assert!(error.to_string().contains("F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_SEAL"));
        }
        let named = Place::new("seals");
        fs::write(&named.0, &image)?;
        let file = File::options().read(true).write(true).open(&named.0)?;
        assert!(matches!(refused(|| SharedRing::from_fd(&file)), AttachError::NotSealed));
        Ok(())
    })
}

#[test]
fn the_length_of_a_ring_is_sealed() -> TestResult {
    let ring = Ring::builder(SIZE).build_shared()?;
    let file = File::from(ring.as_fd().try_clone_to_owned()?);
    for length in [0, 4096, file.metadata()?.len() - 1, file.metadata()?.len() + 1] {
        assert_eq!(file.set_len(length).unwrap_err().raw_os_error(), Some(libc::EPERM), "{length}");
    }
    Ok(())
}

#[test]
fn foreign_files_are_refused() -> TestResult {
    alone("refuse::foreign_files_are_refused", || {
        for bytes in [vec![0; 1 << 16], b"\x7fELF".repeat(9000), b"dynring".repeat(9000), vec![0xff; 1 << 16]] {
            let error = refused(|| attach(&bytes));
            let AttachError::Descriptor(DescriptorError::Magic { found, .. }) = error else { panic!("{error}") };
            assert_eq!(found, bytes[..8]);
        }
        let unshared = Ring::builder(SIZE).build()?;
        assert!(matches!(refused(|| SharedRing::from_fd(&unshared)), AttachError::NotShared));
        let (socket, _other) = UnixStream::pair()?;
        assert!(matches!(refused(|| SharedRing::from_fd(&socket)), AttachError::NotAFile));
        assert!(matches!(refused(|| SharedRing::from_fd(File::open("/")?)), AttachError::NotAFile));
        assert!(matches!(refused(|| SharedRing::from_fd(File::open("/dev/zero")?)), AttachError::NotAFile));
        Ok(())
    })
}

#[test]
fn what_is_no_file_is_refused_by_its_path_and_nobody_waits_for_it() -> TestResult {
    alone("refuse::what_is_no_file_is_refused_by_its_path_and_nobody_waits_for_it", || {
        for path in ["/dev/shm", "/dev/zero", "/dev/null"] {
            assert!(matches!(refused(|| SharedRing::open(path)), AttachError::NotAFile), "{path}");
            assert!(matches!(refused(|| SharedRing::remove_stale(path)), AttachError::NotAFile), "{path}");
        }
        let fifo = Place::new("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo.0).status()?.success());
        assert!(matches!(refused(|| SharedRing::open(&fifo.0)), AttachError::NotAFile));
        let socket = Place::new("socket");
        let _listener = UnixListener::bind(&socket.0)?;
        let error = refused(|| SharedRing::open(&socket.0));
        assert!(matches!(&error, AttachError::System(error) if error.raw_os_error() == Some(libc::ENXIO)), "{error}");
        let error = refused(|| SharedRing::open("/proc/self/mem"));
        assert!(matches!(error, AttachError::NotInMemory { .. }), "{error}");
        Ok(())
    })
}

#[test]
fn a_ring_that_was_copied_to_a_disk_is_refused() -> TestResult {
    let image = image()?;
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let copy = directory.join(format!("ring-{}", std::process::id()));
    fs::write(&copy, &image)?;
    let (opened, built) = (SharedRing::open(&copy), Ring::builder(SIZE).build_at(directory.join("never")));
    fs::remove_file(&copy)?;
    let disk = match opened {
        Err(AttachError::NotInMemory { found }) => Ok(found),
        Err(error) => panic!("{error}"),
        Ok(_) => Err("what tests may write to is a tmpfs"),
    };
    let Some(found) = require("disk", disk) else { return Ok(()) };
    let error = built.unwrap_err();
    assert!(
        matches!(&error, BuildError::System { error, .. } if error.kind() == io::ErrorKind::Unsupported),
        "{error}"
    );
    assert!(error.to_string().contains(&format!("{found:#x}")), "{error}");
    Ok(())
}

#[test]
fn a_link_leads_to_its_ring_and_a_loose_one_nowhere() -> TestResult {
    let (place, link, loose) = (Place::new("linked"), Place::new("link"), Place::new("loose"));
    let ring = Ring::builder(SIZE).build_at(&place.0)?;
    symlink(&place.0, &link.0)?;
    symlink("/dev/shm/nothing-here", &loose.0)?;
    SharedRing::open(&link.0)?.producer()?.output(b"through the link")?;
    assert_eq!(ring.stats()?.available, 24);
    let error = SharedRing::open(&loose.0).unwrap_err();
    assert!(matches!(error, AttachError::System(error) if error.kind() == io::ErrorKind::NotFound));
    // Nothing is made through a link.
    assert!(matches!(Ring::builder(SIZE).build_at(&loose.0), Err(BuildError::Exists { .. })));
    Ok(())
}

#[test]
fn the_mode_of_a_file_decides_who_attaches() -> TestResult {
    let place = Place::new("mode");
    let ring = Ring::builder(SIZE).build_at(&place.0)?;
    let mode = fs::metadata(&place.0)?.permissions().mode() & 0o777;
    assert_eq!(mode & 0o077, 0, "made for its owner alone");
    let open = || SharedRing::open(&place.0).map(drop);
    let Some(refused) = require("root", as_nobody(open)) else { return Ok(()) };
    let kind = |error: AttachError| match error {
        AttachError::System(error) => error.kind(),
        error => panic!("{error}"),
    };
    assert_eq!(kind(refused.unwrap_err()), io::ErrorKind::PermissionDenied);
    // Who may read it cannot take part.
    fs::set_permissions(&place.0, Permissions::from_mode(0o644))?;
    assert_eq!(kind(as_nobody(open)?.unwrap_err()), io::ErrorKind::PermissionDenied);
    fs::set_permissions(&place.0, Permissions::from_mode(0o666))?;
    as_nobody(open)??;
    drop(ring);
    Ok(())
}

#[test]
fn a_tmpfs_that_is_full_fails_the_one_who_makes_a_ring() -> TestResult {
    alone("refuse::a_tmpfs_that_is_full_fails_the_one_who_makes_a_ring", || {
        let place = Place::new("full");
        fs::create_dir(&place.0)?;
        let path = place.0.to_str().ok_or("a path")?.to_owned();
        // Namespaces of mounts belong to threads.
        std::thread::spawn(move || -> Result<(), Box<dyn Error + Send + Sync>> {
            if require("root", mount_tmpfs(&path, 1 << 20)).is_none() {
                return Ok(());
            }
            let before = descriptors()?;
            let ring = format!("{path}/ring");
            let error = Ring::builder(2 << 20).build_at(&ring).unwrap_err();
            let full = |error: &BuildError| match error {
                BuildError::System { error, .. } => error.kind() == io::ErrorKind::StorageFull,
                _ => false,
            };
            assert!(full(&error), "{error}");
            assert!(!fs::exists(&ring)?, "half a ring");
            let small = Ring::builder(64 << 10).build_at(&ring)?;
            let fill = fs::write(format!("{path}/rest"), vec![1; 1 << 20]);
            assert_eq!(fill.unwrap_err().kind(), io::ErrorKind::StorageFull);
            // What somebody has taken back is missing now.
            let holed = format!("{path}/holed");
            fs::remove_file(format!("{path}/rest"))?;
            drop(Ring::builder(64 << 10).build_at(&holed)?);
            punch_hole(File::options().write(true).open(&holed)?, small.window_offset() as usize, 4 * page_size())?;
            assert!(fs::write(format!("{path}/rest"), vec![1; 1 << 20]).is_err());
            let refused = SharedRing::open(&holed).unwrap_err();
            assert!(matches!(refused, AttachError::Sparse { found, expected } if found < expected), "{refused}");
            assert!(SharedRing::remove_stale(&holed)?);
            // What is there is committed.
            let (producer, mut consumer) = (small.producer()?, small.consumer()?);
            let (payload, mut record) = (vec![1; 60 << 10], Vec::new());
            for _ in 0..4 {
                producer.output(&payload)?;
                assert!(consumer.next_into(&mut record)?);
                assert_eq!(record, payload);
            }
            drop((small, producer, consumer));
            assert_eq!(descriptors()?, before);
            Ok(())
        })
        .join()
        .expect("no panic")
        .map_err(|error| error.to_string().into())
    })
}

#[test]
fn descriptors_that_are_short_are_an_error_at_each_step() -> TestResult {
    alone("refuse::descriptors_that_are_short_are_an_error_at_each_step", || {
        let ring = Ring::builder(SIZE).build_shared()?;
        let (near, far) = UnixStream::pair()?;
        let before = descriptors()?;
        let (mut refused, mut most) = (0, before);
        // One more each time, until all goes well.
        loop {
            // The listing of descriptors itself takes one, and is not needed now.
            limit_soft(most as u64 - 1)?;
            let all = attach_and_use(&ring, &near, &far);
            limit_soft(1024)?;
            assert_eq!(descriptors()?, before);
            match all {
                Ok(()) => break,
                Err(error) => assert!(error.contains("open files") || error.contains("descriptors"), "{error}"),
            }
            // What was sent and could not be received.
            far.set_nonblocking(true)?;
            while (&far).read(&mut [0; 64]).is_ok_and(|bytes| bytes > 0) {}
            far.set_nonblocking(false)?;
            (refused, most) = (refused + 1, most + 1);
        }
        assert!(refused > 3, "{refused}");
        Ok(())
    })
}

/// RLIMIT_NOFILE, which can be raised again.
fn limit_soft(most: u64) -> io::Result<()> {
    crate::post::soft_limit(libc::RLIMIT_NOFILE, most)
}

fn attach_and_use(ring: &SharedRing, near: &UnixStream, far: &UnixStream) -> Result<(), String> {
    fn say(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    ring.share(near).map_err(say)?;
    let received = SharedRing::receive(far).map_err(say)?;
    let producer = received.producer().map_err(say)?;
    let mut consumer = received.consumer().map_err(say)?;
    received.repair().map_err(say)?;
    received.stats().map_err(say)?;
    producer.output(b"record").map_err(say)?;
    assert!(consumer.next_into(&mut Vec::new()).map_err(say)?);
    Ok(())
}

#[test]
fn memory_and_file_sizes_that_are_short_are_errors() -> TestResult {
    alone("refuse::memory_and_file_sizes_that_are_short_are_errors", || {
        let ring = Ring::builder(64 << 20).build_shared()?;
        let before = descriptors()?;
        limit(libc::RLIMIT_FSIZE, 1 << 20)?;
        let error = Ring::builder(2 << 20).build_shared().unwrap_err();
        assert!(matches!(&error, BuildError::System { error, .. } if error.kind() == io::ErrorKind::FileTooLarge));
        assert!(error.to_string().contains("RLIMIT_FSIZE"), "{error}");
        // Whose file is longer than this process's may be is no matter.
        ring.producer()?.output(b"record")?;
        ring.consumer()?;
        let fresh = SharedRing::from_fd(&ring)?;
        limit(libc::RLIMIT_AS, 64 << 20)?;
        let error = fresh.producer().unwrap_err();
        assert!(
            matches!(&error, RegisterError::System(error) if error.kind() == io::ErrorKind::OutOfMemory),
            "{error}"
        );
        assert!(fresh.consumer().is_err() && fresh.stats().is_err() && fresh.repair().is_err());
        drop(fresh);
        assert_eq!(descriptors()?, before);
        Ok(())
    })
}

#[test]
fn a_file_with_holes_is_refused() -> TestResult {
    alone("refuse::a_file_with_holes_is_refused", || {
        let image = image()?;
        let all = image.len();
        for bytes in [DESCRIPTOR, page_size(), all - page_size()] {
            let error = refused(|| SharedRing::from_fd(memfd(&image[..bytes], all as u64, ALL_SEALS)?));
            let AttachError::Sparse { found, expected } = error else { panic!("{error}") };
            assert_eq!((found, expected), (bytes.next_multiple_of(page_size()) as u64, all as u64));
            let text = error.to_string();
            assert!(text.contains(&found.to_string()) && text.contains(&expected.to_string()), "{text}");
        }
        // One that was made with a gap, so that its data lies in huge pages.
        let ring = Ring::builder(2 << 20).huge_pages(true).build_shared()?;
        assert!(ring.window_offset() > 1 << 20);
        SharedRing::from_fd(&ring)?;
        Ok(())
    })
}

#[test]
fn a_message_that_passes_no_ring_is_refused() -> TestResult {
    alone("refuse::a_message_that_passes_no_ring_is_refused", || {
        let ring = Ring::builder(SIZE).build_shared()?;
        let (pipe, _writer) = io::pipe()?;
        let foreign = memfd(&[0; 9000], 9000, ALL_SEALS)?;
        let pipe = OwnedFd::from(pipe);
        let [fd, pipe, foreign] = [ring.as_fd().as_raw_fd(), pipe.as_raw_fd(), foreign.as_raw_fd()];
        let text = b"dynring1";
        let receive = |bytes: &[u8], fds: &[i32]| {
            refused(|| {
                let (near, far) = UnixStream::pair()?;
                send(&near, bytes, fds)?;
                SharedRing::receive(&far)
            })
        };
        let wrong: [(&[u8], &[i32]); 5] =
            [(text, &[]), (text, &[fd, fd, fd]), (text, &[fd, fd, fd, fd]), (b"dynring2", &[fd]), (b"dynring", &[fd])];
        for (bytes, fds) in wrong {
            let error = receive(bytes, fds);
            assert!(matches!(error, AttachError::Message { descriptors } if descriptors == fds.len()), "{error}");
            assert!(error.to_string().contains(&fds.len().to_string()), "{error}");
        }
        for no_bell in [fd, pipe] {
            let error = receive(text, &[fd, no_bell]);
            assert!(matches!(error, AttachError::Bell), "{error}");
        }
        let error = receive(text, &[fd; 5]);
        assert!(matches!(&error, AttachError::System(error) if error.kind() == io::ErrorKind::InvalidData), "{error}");
        assert!(matches!(receive(text, &[foreign]), AttachError::Descriptor(DescriptorError::Magic { .. })));
        assert!(matches!(receive(text, &[pipe]), AttachError::NotAFile));
        let (near, far) = UnixStream::pair()?;
        drop(near);
        let error = refused(|| SharedRing::receive(&far));
        assert!(
            matches!(&error, AttachError::System(error) if error.kind() == io::ErrorKind::UnexpectedEof),
            "{error}"
        );
        let (near, far) = UnixStream::pair()?;
        drop(far);
        assert_eq!(ring.share(&near).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let (near, far) = UnixStream::pair()?;
        (&near).write_all(b"plain text")?;
        assert!(matches!(refused(|| SharedRing::receive(&far)), AttachError::Message { descriptors: 0 }));
        Ok(())
    })
}
