//! Who may attach to what.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use dynring::{AttachError, BuildError, DescriptorError, Ring, SharedRing};

type TestResult = Result<(), Box<dyn Error>>;

/// A path on a tmpfs that nothing is at.
fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("/dev/shm/dynring-test-{}-{name}", std::process::id()))
}

#[test]
fn a_ring_with_a_name_is_found_by_it_until_it_is_removed() -> TestResult {
    let path = path("named");
    let ring = Ring::builder(4096).build_at(&path)?;
    let error = Ring::builder(4096).build_at(&path).unwrap_err();
    assert!(matches!(&error, BuildError::Exists { path: found } if *found == path), "{error}");
    let other = SharedRing::open(&path)?;
    ring.producer()?.output(b"found")?;
    let mut record = Vec::new();
    assert!(other.consumer()?.next_into(&mut record)?);
    assert_eq!(record, b"found");

    assert!(!SharedRing::remove_stale(&path)?, "somebody is attached");
    drop(ring);
    assert!(!SharedRing::remove_stale(&path)?, "somebody is attached");
    drop(other);
    assert!(SharedRing::remove_stale(&path)?);
    assert!(!fs::exists(&path)?);
    assert!(
        matches!(SharedRing::open(&path), Err(AttachError::System(error)) if error.kind() == std::io::ErrorKind::NotFound)
    );
    Ok(())
}

/// A memfd with these bytes, and these seals.
fn memfd(bytes: &[u8], seals: libc::c_int) -> io::Result<File> {
    #[expect(unsafe_code, reason = "calls memfd_create(2)")]
    // SAFETY: the name ends in a zero.
    let fd = unsafe { libc::memfd_create(c"test".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    assert!(fd >= 0, "{}", io::Error::last_os_error());
    #[expect(unsafe_code, reason = "owns a descriptor by number")]
    // SAFETY: it has just been opened.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.write_all_at(bytes, 0)?;
    #[expect(unsafe_code, reason = "calls fcntl(2)")]
    // SAFETY: no preconditions.
    let sealed = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
    assert_eq!(sealed, 0, "{}", io::Error::last_os_error());
    Ok(file)
}

const ALL_SEALS: libc::c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;

/// The bytes of a new ring.
fn ring_bytes() -> Result<Vec<u8>, Box<dyn Error>> {
    let ring = Ring::builder(4096).build_shared()?;
    let file = File::from(ring.as_fd().try_clone_to_owned()?);
    let mut bytes = vec![0; file.metadata()?.len() as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

#[test]
fn a_file_without_one_of_the_seals_is_refused() -> TestResult {
    let bytes = ring_bytes()?;
    assert!(SharedRing::from_fd(memfd(&bytes, ALL_SEALS)?).is_ok());
    for missing in [libc::F_SEAL_SHRINK, libc::F_SEAL_GROW, libc::F_SEAL_SEAL, ALL_SEALS] {
        let error = SharedRing::from_fd(memfd(&bytes, ALL_SEALS & !missing)?).unwrap_err();
        assert!(matches!(error, AttachError::NotSealed), "{missing}: {error}");
    }
    Ok(())
}

#[test]
fn the_length_of_a_ring_that_is_passed_round_can_not_be_changed() -> TestResult {
    let ring = Ring::builder(4096).build_shared()?;
    let file = File::from(ring.as_fd().try_clone_to_owned()?);
    let length = file.metadata()?.len();
    for other in [0, length - 1, length + 1] {
        assert_eq!(file.set_len(other).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
    Ok(())
}

#[test]
fn a_descriptor_of_which_any_bit_is_flipped_is_refused() -> TestResult {
    let bytes = ring_bytes()?;
    for bit in 0..64 * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = SharedRing::from_fd(memfd(&flipped, ALL_SEALS)?).unwrap_err();
        assert!(matches!(error, AttachError::Descriptor(_)), "bit {bit}: {error}");
    }
    Ok(())
}

#[test]
fn another_version_is_refused_with_both_versions_named() -> TestResult {
    let mut bytes = ring_bytes()?;
    bytes[8..12].copy_from_slice(&7u32.to_ne_bytes());
    let error = SharedRing::from_fd(memfd(&bytes, ALL_SEALS)?).unwrap_err();
    assert!(matches!(error, AttachError::Descriptor(DescriptorError::Version { found: 7, known: 1 })), "{error}");
    assert!(error.to_string().contains('7') && error.to_string().contains('1'), "{error}");
    Ok(())
}

#[test]
fn files_of_another_length_are_refused_with_both_lengths() -> TestResult {
    let bytes = ring_bytes()?;
    let length = bytes.len() as u64;
    let longer = [&bytes[..], &[0; 4096]].concat();
    for (bytes, least) in [(&bytes[..0], 64), (&bytes[..63], 64), (&bytes[..64], length), (&longer[..], length)] {
        let error = SharedRing::from_fd(memfd(bytes, ALL_SEALS)?).unwrap_err();
        let AttachError::Length { found, expected } = error else { panic!("{error}") };
        assert_eq!((found, expected), (bytes.len() as u64, least));
    }
    Ok(())
}

#[test]
fn what_is_no_ring_is_refused_by_its_kind() -> TestResult {
    for other in ["/dev/zero", "/dev/shm", "/proc/self/maps"] {
        let error = SharedRing::open(other).unwrap_err();
        assert!(!matches!(error, AttachError::System(_)), "{other}: {error}");
    }
    let error = SharedRing::from_fd(File::open("/dev/zero")?).unwrap_err();
    assert!(matches!(error, AttachError::NotAFile), "{error}");
    let foreign = path("foreign");
    fs::write(&foreign, [b'x'; 100_000])?;
    let error = SharedRing::open(&foreign).unwrap_err();
    assert!(matches!(error, AttachError::Descriptor(DescriptorError::Magic { .. })), "{error}");
    assert!(SharedRing::remove_stale(&foreign).is_err());
    fs::remove_file(&foreign)?;
    let ring = Ring::builder(4096).build()?;
    let error = SharedRing::from_fd(&ring).unwrap_err();
    assert!(matches!(error, AttachError::NotShared), "{error}");
    Ok(())
}

#[test]
fn a_ring_on_a_disk_is_refused() -> TestResult {
    let path = std::env::current_dir()?.join("target").join("no-ring");
    match Ring::builder(4096).build_at(&path) {
        // Where the whole tree lies in memory.
        Ok(_) => fs::remove_file(&path)?,
        Err(error) => assert!(matches!(error, BuildError::System { .. }), "{error}"),
    }
    Ok(())
}

#[test]
fn a_message_that_passes_no_ring_is_refused_and_leaves_no_descriptor() -> TestResult {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    let (mut here, there) = UnixStream::pair()?;
    here.write_all(b"dynring1")?;
    assert!(matches!(SharedRing::receive(&there), Err(AttachError::Message { descriptors: 0 })));
    here.write_all(b"something else")?;
    assert!(SharedRing::receive(&there).is_err());
    drop(here);
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut &there, &mut rest)?;
    assert!(
        matches!(SharedRing::receive(&there), Err(AttachError::System(error)) if error.kind() == io::ErrorKind::UnexpectedEof)
    );
    Ok(())
}

#[test]
fn coming_and_going_leaves_no_descriptor_behind() -> TestResult {
    let open = || Ok::<_, io::Error>(fs::read_dir("/proc/self/fd")?.count());
    let ring = Ring::builder(4096).build_shared()?;
    let cycle = || -> TestResult {
        let other = SharedRing::from_fd(&ring)?;
        let producer = other.producer()?;
        producer.output(b"record")?;
        let mut record = Vec::new();
        assert!(other.consumer()?.next_into(&mut record)?);
        other.stats()?;
        Ok(())
    };
    cycle()?;
    // Other tests of this program open and close some meanwhile: of so many cycles, a leak would be a multiple.
    let before = open()?;
    for _ in 0..2000 {
        cycle()?;
    }
    assert!(open()? < before + 200, "{before} before, {} after", open()?);
    Ok(())
}
