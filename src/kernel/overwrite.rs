//! Reading a ring of the kernel whose producers overwrite.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::error::{OpenError, OpenStep};
use super::find;
use super::open::{BPF_F_RB_OVERWRITE, Kind, RINGBUF, RingMap};
use super::snapshot::{Snapshot, SnapshotError};
use crate::raw::{Overwritten, Snapshots};
use crate::sync::{AtomicU64, Edge, Ordering, fence_acquire};
use crate::sys::bpf::map_create;
use crate::sys::{self, OverwrittenPages, page_size};
use crate::wire::{Position, RingSize};

/// A ring of the kernel that is never full, as producers overwrite its oldest records: a BPF map of type
/// `BPF_MAP_TYPE_RINGBUF` that was created with `BPF_F_RB_OVERWRITE`. A flight recorder.
///
/// Programs do not wait for whoever reads, not even for the moment that it takes. So records cannot be read in place: a
/// [`snapshot`](Self::snapshot) copies them, and makes sure that nobody has overwritten them meanwhile. Any number of
/// processes may take snapshots; one of them may [consume](Snapshot::consume) what it has seen.
///
/// The descriptor is duplicated (close-on-exec); the one passed in may be closed. It can be waited on: the kernel calls the
/// ring readable while there is something that was neither consumed nor overwritten, also if that is still being written.
///
/// Memory for one snapshot, as much as the ring has data, is set aside when the ring is opened; taking one allocates nothing.
///
/// # Which processors
/// On x86-64, what a snapshot holds is whole, for certain. The kernel does not order what it writes into a record behind the
/// announcement that the place is being overwritten; on processors that do not keep stores in order by themselves, as those of
/// aarch64, a store that overtakes the announcement, by the few nanoseconds that it waits in the processor, could go
/// unnoticed.
///
/// # Examples
/// ```no_run
/// use dynring::kernel::OverwriteRingBuf;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut recorder = OverwriteRingBuf::from_path("/sys/fs/bpf/flight_recorder")?;
/// let snapshot = recorder.snapshot()?;
/// println!("{} bytes were overwritten before they were read", snapshot.lost());
/// for record in &snapshot {
///     println!("{} bytes at {:#x}", record.len(), record.position());
/// }
/// snapshot.consume(); // the next one begins behind this one
/// # Ok(())
/// # }
/// ```
#[doc(alias = "BPF_F_RB_OVERWRITE")]
#[derive(Debug)]
pub struct OverwriteRingBuf {
    fd: OwnedFd,
    pub(super) snapshots: Snapshots<OverwrittenPages>,
    pub(super) copied: Vec<u8>,
    pub(super) lost: u64,
}

impl OverwriteRingBuf {
    /// Opens the ring that `fd` is a descriptor of.
    ///
    /// No privilege is needed: whoever has a descriptor that is open for reading and writing may map the ring.
    ///
    /// # Errors
    /// `fd` is not what is needed, the kernel refuses to map it, or memory is short; [`OpenError`] says which.
    pub fn from_fd(fd: impl AsFd) -> Result<Self, OpenError> {
        Self::open(RingMap::open(fd, Kind::Overwritten)?)
    }

    /// Opens the ring that is pinned at `path`, which lies in a bpffs.
    ///
    /// # Errors
    /// As [`RingBuf::from_path`](super::RingBuf::from_path).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open(RingMap::of(find::pinned(path.as_ref())?, Kind::Overwritten)?)
    }

    /// Opens the ring that has the id `id` in the kernel, as `bpftool map` shows it. Takes `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    /// As [`RingBuf::from_id`](super::RingBuf::from_id).
    pub fn from_id(id: u32) -> Result<Self, OpenError> {
        Self::open(RingMap::of(find::by_id(id)?, Kind::Overwritten)?)
    }

    /// Whether the kernel knows such rings: Linux 6.19 and later do. Makes a map of one page to find out, which goes at once.
    ///
    /// # Errors
    /// [`OpenError::NoOverwriteMode`] if it does not. [`OpenError::Permission`] if this process may not make maps, so that it
    /// cannot tell.
    ///
    /// # Examples
    /// ```
    /// use dynring::kernel::{OpenError, OverwriteRingBuf};
    ///
    /// match OverwriteRingBuf::probe() {
    ///     Ok(()) => println!("flight recorders can be made"),
    ///     Err(OpenError::NoOverwriteMode) => println!("the kernel is too old"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    ///
    /// Source: `ringbuf_map_alloc` in the kernel.
    pub fn probe() -> Result<(), OpenError> {
        let bytes = page_size() as u32;
        let create = |flags| map_create(RINGBUF, bytes, flags).map(drop);
        match create(BPF_F_RB_OVERWRITE) {
            Err(error) if error.raw_os_error() == Some(sys::EINVAL) => match create(0) {
                Err(error) if error.raw_os_error() != Some(sys::EINVAL) => Err(error),
                // Without the flag it does, or it knows no rings at all.
                _ => return Err(OpenError::NoOverwriteMode),
            },
            other => other,
        }
        .map_err(|error| OpenError::from_os(OpenStep::Create, error))
    }

    fn open(map: RingMap) -> Result<Self, OpenError> {
        Self::map(map.fd, map.size, map.page).map_err(|error| OpenError::from_os(OpenStep::Map, error))
    }

    pub(super) fn map(fd: OwnedFd, size: RingSize, page: u64) -> io::Result<Self> {
        let pages = OverwrittenPages::new(fd.as_fd(), size, page)?;
        let bytes = usize::try_from(size.bytes()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut copied = Vec::new();
        copied.try_reserve_exact(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
        copied.resize(bytes, 0);
        Ok(Self { fd, snapshots: Snapshots::new(pages), copied, lost: 0 })
    }

    /// Copies the records that can be read: from where the last snapshot that was consumed has ended, or from the oldest that is
    /// not overwritten yet, up to the first that is still being written, or to the newest.
    ///
    /// A snapshot's records are consecutive, and each is whole. Producers go on meanwhile. If they overwrite the oldest before
    /// it is copied, the snapshot begins later; if they come from behind once it has begun, it ends where they are.
    ///
    /// Waits for nobody: no system call. Copies no more than twice the ring's size, and begins anew 15 times at most.
    ///
    /// # Errors
    /// Producers were faster each time, or the ring holds what no correct kernel writes. The latter is sticky.
    pub fn snapshot(&mut self) -> Result<Snapshot<'_>, SnapshotError> {
        let extent = self.snapshots.copy(&mut self.copied)?;
        Ok(Snapshot::new(self, extent))
    }

    /// Size of the ring's data in bytes: `max_entries` of the map.
    pub fn size(&self) -> RingSize {
        self.window().size()
    }

    /// Bytes that were overwritten before they were copied, headers included: the sum of what the snapshots that were
    /// [consumed](Snapshot::consume) through this handle have [lost](Snapshot::lost).
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Bytes that are committed, discarded or unfinished, and neither consumed nor overwritten, headers included. A
    /// snapshot: programs go on while it is taken.
    ///
    /// Source: `BPF_RB_AVAIL_DATA` in the kernel.
    #[doc(alias = "BPF_RB_AVAIL_DATA")]
    pub fn available(&self) -> u64 {
        unread(self.window().consumer_pos(), self.window().producer_pos(), self.window().overwrite_pos())
    }

    /// Everything below was consumed: bytes since the ring began, modulo 2⁶⁴. Producers go on without it.
    #[doc(alias = "BPF_RB_CONS_POS")]
    pub fn consumer_pos(&self) -> u64 {
        self.window().consumer_pos().load(Ordering::Relaxed)
    }

    /// Everything below was reserved: bytes since the ring began, modulo 2⁶⁴.
    #[doc(alias = "BPF_RB_PROD_POS")]
    pub fn producer_pos(&self) -> u64 {
        self.window().producer_pos().load(Ordering::Relaxed)
    }

    /// Everything below was committed or discarded when a program reserved last: bytes since the ring began, modulo 2⁶⁴.
    pub fn pending_pos(&self) -> u64 {
        self.window().pending_pos().load(Ordering::Relaxed)
    }

    /// Everything below may have been overwritten: bytes since the ring began, modulo 2⁶⁴.
    #[doc(alias = "BPF_RB_OVERWRITE_POS")]
    pub fn overwrite_pos(&self) -> u64 {
        self.window().overwrite_pos().load(Ordering::Relaxed)
    }

    fn window(&self) -> &OverwrittenPages {
        self.snapshots.window()
    }
}

/// The descriptor.
impl AsFd for OverwriteRingBuf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The same as a number.
impl std::os::fd::AsRawFd for OverwriteRingBuf {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}

/// What is neither consumed nor overwritten, in bytes.
///
/// Source: `ringbuf_avail_data_sz` in the kernel.
pub(super) fn unread(consumer_pos: &AtomicU64, producer_pos: &AtomicU64, overwrite_pos: &AtomicU64) -> u64 {
    let consumer = Position::new(consumer_pos.load(Ordering::Relaxed));
    // Pairs with the consumer's store (E9): it has seen producers at least as far, so they are not seen behind it.
    fence_acquire(Edge::SpaceLoad);
    let overwrite = Position::new(overwrite_pos.load(Ordering::Relaxed));
    let producer = Position::new(producer_pos.load(Ordering::Relaxed));
    let start = consumer.latest(overwrite);
    // The reservation that makes room announces that first.
    if start.is_after(producer) { 0 } else { producer.since(start) }
}
