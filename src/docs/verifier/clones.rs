//! Views do not outlive what they are of.
//!
//! What the kernel clones, is borrowed here: from the reservation, or from another view.
//!
//! # clone_invalid2
//!
//! A reservation is not written over with a view of something else:
//!
//! ```compile_fail,E0308
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! let mut record = producer.reserve(64)?;
//! record = view;
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! let mut record = producer.reserve(64)?;
//! record.view_mut().copy_from(0, view, 0, 64)?;
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_invalidate1
//!
//! A view does not outlive the reservation that it is of:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! let clone = record.view();
//! record.commit();
//! clone.read(0, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! let clone = record.view();
//! clone.read(0, &mut [0; 8])?;
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_invalidate2
//!
//! It cannot release it either:
//!
//! ```compile_fail,E0599
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! let clone = record.view();
//! clone.commit();
//! record.read(0, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! let clone = record.view();
//! clone.read(0, &mut [0; 8])?;
//! record.read(0, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_invalidate3
//!
//! Nor does a second view outlive it:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! let clone1 = record.view();
//! let clone2 = clone1;
//! record.commit();
//! clone2.read(0, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! let clone1 = record.view();
//! let clone2 = clone1;
//! clone1.read(0, &mut [0; 8])?;
//! clone2.read(0, &mut [0; 8])?;
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_invalidate4
//!
//! Nor does a slice of one:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut clone = record.view_mut();
//! let data = clone.data_mut(0, 4)?;
//! record.commit();
//! data.fill(123);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut clone = record.view_mut();
//! let data = clone.data_mut(0, 4)?;
//! data.fill(123);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_invalidate5
//!
//! Nor a slice of the reservation itself:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let data = &mut record[..4];
//! record.commit();
//! data.fill(123);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let data = &mut record[..4];
//! data.fill(123);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_invalidate6
//!
//! Nor a slice of a view of a view:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut clone1 = record.view_mut();
//! let mut clone2 = clone1.reborrow();
//! let data = clone2.data_mut(0, 4)?;
//! record.commit();
//! data.fill(123);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut clone1 = record.view_mut();
//! let mut clone2 = clone1.reborrow();
//! let data = clone2.data_mut(0, 4)?;
//! data.fill(123);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_overwrite_ref_invalidate_slice
//!
//! A slice is not kept while another reservation takes the place of its own:
//!
//! ```compile_fail,E0506
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let data = &record[..4];
//! record = producer.reserve(8)?;
//! assert_eq!(data.len(), 4);
//! # record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let data = &record[..4];
//! assert_eq!(data.len(), 4);
//! record = producer.reserve(8)?;
//! # record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
