//! Reservations are released once.
//!
//! Committing and discarding take the reservation; dropping it discards. So nothing is released twice, nothing that was released
//! is used, and nothing is left out: `ringbuf_missing_release1`, `ringbuf_missing_release2` and
//! `ringbuf_missing_release_callback`, which the verifier rejects, compile here, and discard the record where the reservation goes
//! out of scope.
//!
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
//! for len in [8, 64] {
//!     let record = producer.reserve(len)?;
//!     assert_eq!(record.len(), len);
//! }
//! assert!(consumer.next()?.is_none());
//! assert_eq!(consumer.discarded(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # ringbuf_release_uninit_dynptr
//!
//! What was never reserved is not committed:
//!
//! ```compile_fail,E0381
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record: dynring::DynPtr<'_>;
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record: dynring::DynPtr<'_>;
//! record = producer.reserve(8)?;
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # use_after_invalid
//!
//! What was committed is not read:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(64)?;
//! let mut bytes = [0; 64];
//! record.commit();
//! record.read(0, &mut bytes)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(64)?;
//! let mut bytes = [0; 64];
//! record.read(0, &mut bytes)?;
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # release_twice
//!
//! What was discarded is not discarded again:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(16)?;
//! record.discard();
//! record.discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(16)?;
//! record.discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # release_twice_callback
//!
//! Nor by a closure:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(32)?;
//! record.discard();
//! let callback = || record.discard();
//! callback();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(32)?;
//! let callback = || record.discard();
//! callback();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # ringbuf_invalid_api
//!
//! A slice is not what is committed:
//!
//! ```compile_fail,E0599
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut view = record.view_mut();
//! let slice = view.data_mut(0, 8)?;
//! slice.fill(123);
//! slice.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut view = record.view_mut();
//! let slice = view.data_mut(0, 8)?;
//! slice.fill(123);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # add_dynptr_to_map1
//!
//! What was put into a map is the map's to commit:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut map = std::collections::HashMap::new();
//! let record = producer.reserve(8)?;
//! map.insert(0, record);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut map = std::collections::HashMap::new();
//! let record = producer.reserve(8)?;
//! map.insert(0, record);
//! map.remove(&0).unwrap().commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # add_dynptr_to_map2
//!
//! In a structure, too:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! struct Info<'p> {
//!     number: u32,
//!     record: dynring::DynPtr<'p>,
//! }
//! let mut map = std::collections::HashMap::new();
//! let info = Info { number: 1, record: producer.reserve(8)? };
//! map.insert(0, info);
//! info.record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! struct Info<'p> {
//!     number: u32,
//!     record: dynring::DynPtr<'p>,
//! }
//! let mut map = std::collections::HashMap::new();
//! let info = Info { number: 1, record: producer.reserve(8)? };
//! map.insert(info.number, info);
//! map.remove(&1).unwrap().record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # global
//!
//! What outlives the producer does not keep what is borrowed from it:
//!
//! ```compile_fail,E0597
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use std::sync::{Mutex, PoisonError};
//! static GLOBAL: Mutex<Option<dynring::DynPtr<'static>>> = Mutex::new(None);
//! *GLOBAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(producer.reserve(16)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use std::sync::{Mutex, PoisonError};
//! static GLOBAL: Mutex<Option<dynring::DynPtr<'static>>> = Mutex::new(None);
//! *GLOBAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(producer.reserve_owned(16)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_pruning_overwrite
//!
//! What may have been released on the way is not released:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! if record.is_empty() {
//!     drop(record);
//! }
//! record.discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! if record.is_empty() {
//!     drop(record);
//! } else {
//!     record.discard();
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_pruning_type_confusion
//!
//! What is a reservation on one way only is not discarded:
//!
//! ```compile_fail,E0308
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let choice = memory[0] == 0;
//! let either = if choice { producer.reserve(8)? } else { ViewMut::new(&mut memory) };
//! either.discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let choice = memory[0] == 0;
//! let either = if choice { Ok(producer.reserve(8)?) } else { Err(ViewMut::new(&mut memory)) };
//! if let Ok(record) = either {
//!     record.discard();
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_var_off_overwrite
//!
//! One of several, chosen at run time, is not taken out from among the others:
//!
//! ```compile_fail,E0508
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let records = [producer.reserve(8)?, producer.reserve(8)?];
//! let nth = records[0].len() % 2;
//! records[nth].discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let records = [producer.reserve(8)?, producer.reserve(8)?];
//! let nth = records[0].len() % 2;
//! records.into_iter().nth(nth).unwrap().discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_partial_slot_invalidate
//!
//! A reservation does not share its place with something else:
//!
//! ```compile_fail,E0740
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! union Slot<'p> {
//!     record: dynring::DynPtr<'p>,
//!     view: dynring::View<'p>,
//! }
//! let slot = Slot { view: dynring::View::new(&[]) };
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! enum Slot<'p> {
//!     Record(dynring::DynPtr<'p>),
//!     View(dynring::View<'p>),
//! }
//! let slot = Slot::View(dynring::View::new(&[]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
