//! What is allocated is freed.
//!
//! The first drafts of the kernel's dynamic pointers had allocations with a `put` for each; these are their cases, under the names of
//! then. Here, the owner of dynamic memory frees it by being dropped: `missing_put`, `missing_put_callback` and `alloc_twice`, which
//! forgot to, compile and free. A reservation that borrows nothing stands for all owners.
//!
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
//! let mut owner = producer.reserve_owned(8)?;
//! assert_eq!(owner.len(), 8);
//! owner = producer.reserve_owned(16)?;
//! let callback = || drop(owner);
//! callback();
//! assert!(consumer.next()?.is_none());
//! assert_eq!(consumer.discarded(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # put_nonalloc
//!
//! What was not allocated is not freed:
//!
//! ```compile_fail,E0599
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let view = View::new(&memory);
//! view.discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let owner = producer.reserve_owned(8)?;
//! owner.discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # put_data_slice
//!
//! Nor is a slice:
//!
//! ```compile_fail,E0599
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut owner = producer.reserve_owned(8)?;
//! owner[..4].discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut owner = producer.reserve_owned(8)?;
//! owner[..4].fill(0);
//! owner.discard();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # put_uninit_dynptr
//!
//! Nor is what was never allocated:
//!
//! ```compile_fail,E0381
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner: dynring::DynPtr<'static>;
//! drop(owner);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner: dynring::DynPtr<'static>;
//! owner = producer.reserve_owned(8)?;
//! drop(owner);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # use_after_put
//!
//! What was freed is not read:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner = producer.reserve_owned(8)?;
//! drop(owner);
//! owner.read(0, &mut [0; 8])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner = producer.reserve_owned(8)?;
//! owner.read(0, &mut [0; 8])?;
//! drop(owner);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # put_twice
//!
//! Nor freed again:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner = producer.reserve_owned(8)?;
//! drop(owner);
//! drop(owner);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner = producer.reserve_owned(8)?;
//! drop(owner);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # put_twice_callback
//!
//! Nor each time that a closure is called:
//!
//! ```compile_fail,E0507
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner = producer.reserve_owned(8)?;
//! (0..10).for_each(|_| drop(owner));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner = producer.reserve_owned(8)?;
//! Some(owner).into_iter().for_each(|owner| drop(owner));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # data_slice_use_after_put
//!
//! A slice does not outlive its owner:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut owner = producer.reserve_owned(8)?;
//! let mut view = owner.view_mut();
//! let slice = view.data_mut(0, 8)?;
//! drop(owner);
//! slice.fill(1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut owner = producer.reserve_owned(8)?;
//! let mut view = owner.view_mut();
//! let slice = view.data_mut(0, 8)?;
//! slice.fill(1);
//! drop(owner);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # zero_slice_access
//!
//! A slice of no length has no bytes. The compiler sees it where the length is part of the type:
//!
//! ```compile_fail
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner = producer.reserve_owned(0)?;
//! let slice: &[u8; 0] = owner.view().data(0, 0)?.try_into()?;
//! assert_eq!(slice[0], 23);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let owner = producer.reserve_owned(0)?;
//! let slice: &[u8; 0] = owner.view().data(0, 0)?.try_into()?;
//! assert!(slice.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
