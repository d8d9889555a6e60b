//! Who may attach to what.

use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;

use dynring::{AttachError, BuildError, Ring, SharedRing};

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

#[test]
fn a_ring_is_not_made_on_a_disk() -> TestResult {
    let path = std::env::current_dir()?.join(format!("no-ring-{}", std::process::id()));
    match Ring::builder(4096).build_at(&path) {
        // Where the whole tree lies in memory.
        Ok(_) => fs::remove_file(&path)?,
        Err(BuildError::System { error, .. }) => {
            assert!(matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::IsADirectory), "{error}");
        }
        Err(error) => panic!("{error}"),
    }
    assert!(!fs::exists(&path)?);
    Ok(())
}
