//! Slices are checked, and do not outlive what they are of.
//!
//! A range is checked where it is borrowed. What is returned is a slice, which knows its length, or an error; there is no null
//! pointer to forget about.
//!
//! # data_slice_out_of_bounds_ringbuf
//!
//! A byte outside is not read. The compiler sees it where the length is part of the type; elsewhere, this panics:
//!
//! ```compile_fail
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut view = record.view_mut();
//! let data: &mut [u8; 8] = view.data_mut(0, 8)?.try_into()?;
//! data[8] = 1;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut view = record.view_mut();
//! let data: &mut [u8; 8] = view.data_mut(0, 8)?.try_into()?;
//! data[7] = 1;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # data_slice_out_of_bounds_map_value
//!
//! Of plain memory, too:
//!
//! ```compile_fail
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let data: &[u8; 4] = View::new(&memory).data(0, 4)?.try_into()?;
//! assert_eq!(data[5], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let data: &[u8; 4] = View::new(&memory).data(0, 4)?.try_into()?;
//! assert_eq!(data[3], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # data_slice_out_of_bounds_skb
//!
//! Of a packet, too:
//!
//! ```compile_fail
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let header: &[u8; 14] = packet.view().data(0, 14)?.try_into()?;
//! assert_eq!(header[14], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let header: &[u8; 14] = packet.view().data(0, 14)?.try_into()?;
//! assert_eq!(header[13], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # data_slice_out_of_bounds_skb_meta
//!
//! Of its metadata, too:
//!
//! ```compile_fail
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta: &[u8; 1] = packet.meta().data(0, 1)?.try_into()?;
//! assert_eq!(meta[1], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta: &[u8; 1] = packet.meta().data(0, 1)?.try_into()?;
//! assert_eq!(meta[0], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # data_slice_use_after_release1
//!
//! A slice does not outlive the reservation:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! let sample = record.view().data(0, 4)?;
//! record.commit();
//! assert_eq!(sample.len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! let sample = record.view().data(0, 4)?;
//! assert_eq!(sample.len(), 4);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # data_slice_use_after_release2
//!
//! Whichever of several it is of:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let first = producer.reserve(64)?;
//! let mut second = producer.reserve(8)?;
//! let mut view = second.view_mut();
//! let sample = view.data_mut(0, 4)?;
//! second.commit();
//! sample.fill(23);
//! first.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let first = producer.reserve(64)?;
//! let mut second = producer.reserve(8)?;
//! let mut view = second.view_mut();
//! let sample = view.data_mut(0, 4)?;
//! first.commit();
//! sample.fill(23);
//! second.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # data_slice_missing_null_check1
//!
//! What may be an error is not written:
//!
//! ```compile_fail,E0608
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut view = record.view_mut();
//! let data = view.data_mut(0, 8);
//! data[0] = 3;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let mut view = record.view_mut();
//! let data = view.data_mut(0, 8)?;
//! data[0] = 3;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # data_slice_missing_null_check2
//!
//! Nor is it if something else is no error:
//!
//! ```compile_fail,E0608
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(16)?;
//! let (data1, data2) = (record.view().data(0, 8), record.view().data(0, 8));
//! if data1.is_ok() {
//!     assert_eq!(data2[0], 3);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(16)?;
//! let (data1, data2) = (record.view().data(0, 8), record.view().data(0, 8));
//! if let (Ok(data1), Ok(data2)) = (data1, data2) {
//!     assert_eq!(data1[0], data2[0]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_invalidate_slice_reinit
//!
//! A slice is not kept while the view points elsewhere:
//!
//! ```compile_fail,E0506
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let (one, two) = memory.split_at_mut(32);
//! let mut view = ViewMut::new(one);
//! let slice = view.data_mut(0, 1)?;
//! view = ViewMut::new(two);
//! slice[0] = 1;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let (one, two) = memory.split_at_mut(32);
//! let mut view = ViewMut::new(one);
//! let slice = view.data_mut(0, 1)?;
//! slice[0] = 1;
//! view = ViewMut::new(two);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_invalidate_slice_or_null
//!
//! Nor what may be one:
//!
//! ```compile_fail,E0506
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let (one, two) = memory.split_at_mut(32);
//! let mut view = ViewMut::new(one);
//! let slice = view.data_mut(0, 1);
//! view = ViewMut::new(two);
//! assert!(slice.is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let (one, two) = memory.split_at_mut(32);
//! let mut view = ViewMut::new(one);
//! let slice = view.data_mut(0, 1);
//! assert!(slice.is_ok());
//! view = ViewMut::new(two);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_invalidate_slice_failure
//!
//! Nor once the view is gone:
//!
//! ```compile_fail,E0505
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let (one, two) = memory.split_at_mut(32);
//! let (mut view1, mut view2) = (ViewMut::new(one), ViewMut::new(two));
//! let (slice1, slice2) = (view1.data_mut(0, 1)?, view2.data_mut(0, 1)?);
//! drop(view1);
//! assert_eq!(slice1, slice2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let (one, two) = memory.split_at_mut(32);
//! let (mut view1, mut view2) = (ViewMut::new(one), ViewMut::new(two));
//! let (slice1, slice2) = (view1.data_mut(0, 1)?, view2.data_mut(0, 1)?);
//! assert_eq!(slice1, slice2);
//! drop(view1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_data_slices
//!
//! A closure does not change what a slice is of:
//!
//! ```compile_fail,E0499
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let mut view = ViewMut::new(&mut memory);
//! let slice = view.data_mut(0, 4)?;
//! let mut callback = || view.adjust(8, 16);
//! slice.fill(1);
//! callback()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let mut view = ViewMut::new(&mut memory);
//! let slice = view.data_mut(0, 4)?;
//! slice.fill(1);
//! let mut callback = || view.adjust(8, 16);
//! callback()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_read_into_slot
//!
//! What is read does not go to where it comes from:
//!
//! ```compile_fail,E0502
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(64)?;
//! record.read(0, &mut record)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(64)?;
//! let mut data = [0; 64];
//! record.read(0, &mut data)?;
//! # record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # dynptr_from_mem_invalid_api
//!
//! A view does not outlive the memory of the function that makes it:
//!
//! ```compile_fail,E0515
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! fn view<'a>() -> View<'a> {
//!     let x = [0; 4];
//!     View::new(&x)
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! fn view<'a>(x: &'a [u8]) -> View<'a> {
//!     View::new(x)
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
