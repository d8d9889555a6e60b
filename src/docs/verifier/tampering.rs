//! The pointer itself is not touched.
//!
//! What a view consists of is private, and has no address that arithmetic could be done with.
//!
//! # invalid_helper1
//!
//! A view is not where bytes are wanted:
//!
//! ```compile_fail,E0308
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! fn compare(bytes: &[u8]) -> bool {
//!     bytes == b"hello!"
//! }
//! let view = View::new(&memory);
//! assert!(!compare(view));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! fn compare(bytes: &[u8]) -> bool {
//!     bytes == b"hello!"
//! }
//! let view = View::new(&memory);
//! assert!(!compare(view.data(0, 6)?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_helper2
//!
//! It has no address to add to:
//!
//! ```compile_fail,E0369
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! (view + 8).read(0, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! view.read(8, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_write1
//!
//! It is not written:
//!
//! ```compile_fail,E0616
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let mut view = View::new(&memory);
//! view.memory = Default::default();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let mut view = View::new(&memory);
//! view = View::new(&[]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_write2
//!
//! Nor as bytes:
//!
//! ```compile_fail,E0599
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! # use zerocopy::IntoBytes;
//! let mut view = View::new(&memory);
//! view.as_mut_bytes()[8] = 0;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! # use zerocopy::IntoBytes;
//! let mut view = View::new(&memory);
//! view.adjust(8, 64)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_write3
//!
//! Wherever:
//!
//! ```compile_fail,E0277
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use zerocopy::IntoBytes;
//! let mut record = producer.reserve(8)?;
//! let at = record.len() & 0xf;
//! IntoBytes::as_mut_bytes(&mut record)[at] = 0;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use zerocopy::IntoBytes;
//! let mut record = producer.reserve(8)?;
//! let at = record.len() & 0x7;
//! IntoBytes::as_mut_bytes(&mut *record)[at] = 0;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_write4
//!
//! Nor by a closure:
//!
//! ```compile_fail,E0616
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let mut view = View::new(&memory);
//! let mut callback = || view.memory = Default::default();
//! callback();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let mut view = View::new(&memory);
//! let mut callback = || view = View::new(&[]);
//! callback();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_read1
//!
//! It is not read as a number:
//!
//! ```compile_fail,E0605
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! let value = view as u64;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! let value = view.read_as::<u64>(0)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_read2
//!
//! It has no address to add to, whatever for:
//!
//! ```compile_fail,E0369
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! (&view + 1).read(0, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! view.read(1, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_read3
//!
//! Its parts are not read:
//!
//! ```compile_fail,E0616
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! let parts = view.memory;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! let size = view.size();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_read4
//!
//! Nor by a closure:
//!
//! ```compile_fail,E0605
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! let callback = || view as u64;
//! assert_eq!(callback(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! let callback = || view.read_as::<u64>(0);
//! assert_eq!(callback()?, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_offset
//!
//! A reservation is not put beside its place:
//!
//! ```compile_fail,E0369
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(64)?;
//! *(&mut record + 1) = producer.reserve(64)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(64)?;
//! *(&mut record) = producer.reserve(64)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # uninit_write_into_slot
//!
//! A buffer is not written further than it is long:
//!
//! ```compile_fail,E0308
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! struct Data<'p> {
//!     buffer: [u8; 64],
//!     record: dynring::DynPtr<'p>,
//! }
//! let mut data = Data { buffer: [0; 64], record: producer.reserve(80)? };
//! let long: &mut [u8; 80] = &mut data.buffer;
//! data.record.read(0, long)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! struct Data<'p> {
//!     buffer: [u8; 80],
//!     record: dynring::DynPtr<'p>,
//! }
//! let mut data = Data { buffer: [0; 80], record: producer.reserve(80)? };
//! let long: &mut [u8; 80] = &mut data.buffer;
//! data.record.read(0, long)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # test_dynptr_reg_type
//!
//! Something else is no view:
//!
//! ```compile_fail,E0308
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! fn function(view: &View<'_>) -> u64 {
//!     view.size()
//! }
//! let current = std::thread::current();
//! assert_eq!(function(&current), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! fn function(view: &View<'_>) -> u64 {
//!     view.size()
//! }
//! let current = View::new(&[]);
//! assert_eq!(function(&current), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
