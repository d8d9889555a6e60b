//! A lock-free ring of variable-size records for Linux: many producers, one consumer, written and read in place, on the
//! memory layout of the kernel's BPF ring buffer. The same consumer reads rings of the kernel, and the same producer fills
//! those that the kernel drains.
//!
//! | to | see |
//! |---|---|
//! | make a ring | [`Ring::builder`] |
//! | reserve a record, write it in place, commit it | [`Producer::reserve`], [`DynPtr`] |
//! | copy a record in | [`Producer::output`] |
//! | read and write it through a checked pointer | [`View`], [`ViewMut`] |
//! | reserve for many records at once | [`Producer::lease`], [`Producer::reserve_batch`] |
//! | read records in place | [`Consumer::next`], [`Consumer::drain`], [`Consumer::batch`] |
//! | sleep until there is one | [`Consumer::wait`], [`Consumer::wait_for`] |
//! | wait in an event loop of one's own | [`Consumer::poll_fd`], [`Consumer::arm`] |
//! | wait in an asynchronous task | `AsyncConsumer`, with the [feature](#features) `tokio` |
//! | see how far it is, how full it was, and what holds it up | [`Consumer::available`], [`Consumer::high_water_mark`], [`Consumer::stalled`] |
//! | share a ring between processes | [`SharedRing`], [`TrustedRing`] |
//! | read a `BPF_MAP_TYPE_RINGBUF` | [`kernel::RingBuf`] |
//! | take snapshots of one whose producers overwrite | [`kernel::OverwriteRingBuf`] |
//! | fill a `BPF_MAP_TYPE_USER_RINGBUF` | [`kernel::UserRingBuf`] |
//! | read many of them in one wait | [`RingSet`] |
//! | read many rings in the order of time | [`RingMerge`] |
//! | look at one that another process reads | [`kernel::Observer`] |
//! | have memory whose size is known only at run time, put it into maps, send it | [`Arena`], [`ArenaPtr`], [`Map`], [`Token`] |
//! | share it between processes | [`SharedArena`] |
//! | look into packets, in one piece or in several, and move them | [`Packet`], [`Layers`] |
//! | understand the protocol, the memory, the limits | [`docs`] |
//!
//! # Features
//! | feature | adds | depends on |
//! |---|---|---|
//! | `tokio` | `Consumer::into_async`, `AsyncConsumer`, `RecordStream` | tokio (`net`, `rt`), futures-core |
//!
//! None is on unless asked for.
//!
//! # Examples
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ring = dynring::Ring::builder(64 * 1024).build()?;
//! let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
//!
//! let mut record = producer.reserve(5)?;
//! record.copy_from_slice(b"bytes");
//! record.commit();
//! drop(producer.reserve(100)?); // never mind
//!
//! let record = consumer.next()?.expect("a record");
//! assert_eq!(&*record, b"bytes");
//! # Ok(())
//! # }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("dynring maps memory as the Linux kernel does, with 64-bit positions: it needs 64-bit Linux");

mod arena;
pub mod docs;
mod dynptr;
#[cfg(not(miri))]
pub mod kernel;
mod mapping;
mod notify;
mod packet;
#[expect(unsafe_code, reason = "hands out the words and bytes of shared memory")]
mod raw;
mod recovery;
mod ring;
mod sync;
#[expect(unsafe_code, reason = "system calls and maps")]
mod sys;
#[cfg(all(feature = "tokio", not(miri)))]
mod tasks;
pub mod wire;

/// Its example compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use arena::{
    AllocError, Arena, ArenaBuildError, ArenaBuilder, ArenaPtr, ClaimError, EntryError, InsertError, Key, Map,
    MapError, MapIter, MapMut, MapRef, MapSize, NotInserted, Token,
};
#[cfg(not(miri))]
pub use arena::{ArenaRecovery, JoinError, SharedArena};
pub use dynptr::{Chunks, DynPtr, DynPtrError, Fragments, FragmentsMut, Reserved, SliceMut, TooLong, View, ViewMut};
#[cfg(not(miri))]
pub use mapping::AttachError;
#[cfg(not(miri))]
pub use notify::Waker;
pub use notify::{Readiness, Stalled, WaitError};
pub use packet::{AdjustError, Layer, Layers, Packet};
pub use raw::Wakeup;
#[cfg(not(miri))]
pub use ring::{AddError, MergedRecord, PollEnd, PollError, Polled, RingMerge, RingSet, RingToken};
pub use ring::{
    Batch, BuildError, Builder, Consumer, ConsumerTaken, Lease, Limits, Producer, Record, RegisterError, ReserveError,
    ReservedBatch, Ring, Stats,
};
#[cfg(not(miri))]
pub use ring::{
    ConsumerError, CopyingConsumer, CopyingProducer, CopyingReservation, Repair, RepairError, SharedRing, TrustedRing,
};
#[cfg(all(feature = "tokio", not(miri)))]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub use tasks::{AsyncConsumer, IntoAsyncError, RecordStream};
pub use wire::{Corrupt, DescriptorError};
