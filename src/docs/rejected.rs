//! Programs that the compiler rejects.
//!
//! What the kernel's verifier checks when a BPF program is loaded, the compiler checks here: each reservation is released
//! once, and nothing that points into the ring outlives what it points to. Each program below is followed by its twin, which
//! differs in the one point that matters, and compiles. The cases of the kernel's own tests are in [`verifier`](super::verifier).
//!
//! # Producing
//!
//! A reservation does not outlive its producer:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! drop(producer);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! record.commit();
//! drop(producer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nor the ring, unless it is an owned one:
//!
//! ```compile_fail,E0597
//! let record;
//! {
//!     let ring = dynring::Ring::builder(4096).build()?;
//!     let producer = ring.producer()?;
//!     record = producer.reserve(8)?;
//! }
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! let record;
//! {
//!     let ring = dynring::Ring::builder(4096).build()?;
//!     let producer = ring.producer()?;
//!     record = producer.reserve_owned(8)?;
//! }
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A lease does not outlive its producer, nor does a record that was taken out of it:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! let producer = ring.producer()?;
//! let record = producer.lease(100)?.reserve(8)?;
//! drop(producer);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! let producer = ring.producer()?;
//! let record = producer.lease(100)?.reserve(8)?;
//! record.commit();
//! drop(producer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A reservation is committed once:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! record.commit();
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let record = producer.reserve(8)?;
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It is not written after it was committed, nor after it was discarded:
//!
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! record.commit();
//! record.fill(1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```compile_fail,E0382
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! record.discard();
//! record.fill(1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! record.fill(1);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A slice of it is not kept over the commit:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let slice = &mut record[..4];
//! record.commit();
//! slice.fill(1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut record = producer.reserve(8)?;
//! let slice = &mut record[..4];
//! slice.fill(1);
//! record.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A value of a type that is aligned to more than 8 bytes is not reserved:
//!
//! ```compile_fail,E0080
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut value = producer.reserve_as::<u128>()?;
//! *value = 1;
//! value.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let mut value = producer.reserve_as::<u64>()?;
//! *value = 1;
//! value.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nor one of a type for which not all bytes are values:
//!
//! ```compile_fail,E0277
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! producer.reserve_as::<bool>()?.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! producer.reserve_as::<u8>()?.commit();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A producer is not shared between threads, but each can have one:
//!
//! ```compile_fail,E0277
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let shared = &producer;
//! std::thread::scope(|scope| {
//!     scope.spawn(move || shared.output(b"").is_ok());
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let producer = ring.producer()?;
//! let clone = producer.try_clone()?;
//! std::thread::scope(|scope| {
//!     scope.spawn(move || clone.output(b"").is_ok());
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Consuming
//!
//! A record is not kept while the next one is looked for:
//!
//! ```compile_fail,E0499
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let mut consumer = ring.consumer()?;
//! let first = consumer.next()?;
//! let second = consumer.next()?;
//! drop((first, second));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let mut consumer = ring.consumer()?;
//! let first = consumer.next()?;
//! drop(first);
//! let second = consumer.next()?;
//! drop(second);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It does not outlive its consumer:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! let mut consumer = ring.consumer()?;
//! let record = consumer.next()?;
//! drop(consumer);
//! drop(record);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! let mut consumer = ring.consumer()?;
//! let record = consumer.next()?;
//! drop(record);
//! drop(consumer);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A slice does not outlive its record:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # ring.producer()?.output(b"record")?;
//! # let mut consumer = ring.consumer()?;
//! let record = consumer.next()?.unwrap();
//! let slice = &record[..4];
//! drop(record);
//! assert_eq!(slice, b"reco");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # ring.producer()?.output(b"record")?;
//! # let mut consumer = ring.consumer()?;
//! let record = consumer.next()?.unwrap();
//! let slice = &record[..4];
//! assert_eq!(slice, b"reco");
//! drop(record);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nor its batch:
//!
//! ```compile_fail,E0505
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # ring.producer()?.output(b"record")?;
//! # let mut consumer = ring.consumer()?;
//! let batch = consumer.batch();
//! let slice = batch.next()?.unwrap();
//! drop(batch);
//! assert_eq!(slice, b"record");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # ring.producer()?.output(b"record")?;
//! # let mut consumer = ring.consumer()?;
//! let batch = consumer.batch();
//! let slice = batch.next()?.unwrap();
//! assert_eq!(slice, b"record");
//! drop(batch);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nor the closure that was called with it:
//!
//! ```compile_fail,E0521
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let mut consumer = ring.consumer()?;
//! let mut kept = Vec::new();
//! consumer.drain(|record| {
//!     kept.push(record);
//!     std::ops::ControlFlow::Continue(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let mut consumer = ring.consumer()?;
//! let mut kept = Vec::new();
//! consumer.drain(|record| {
//!     kept.push(record.to_vec());
//!     std::ops::ControlFlow::Continue(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A record is not written:
//!
//! ```compile_fail,E0596
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # ring.producer()?.output(b"record")?;
//! # let mut consumer = ring.consumer()?;
//! let mut record = consumer.next()?.unwrap();
//! record.fill(1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # ring.producer()?.output(b"record")?;
//! # let mut consumer = ring.consumer()?;
//! let record = consumer.next()?.unwrap();
//! record.to_vec().fill(1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Two threads do not read at the same time, but one after the other:
//!
//! ```compile_fail,E0499
//! # let ring = dynring::Ring::builder(4096).build()?;
//! let mut consumer = ring.consumer()?;
//! std::thread::scope(|scope| {
//!     scope.spawn(|| consumer.next().is_ok());
//!     scope.spawn(|| consumer.next().is_ok());
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! let mut consumer = ring.consumer()?;
//! std::thread::scope(|scope| {
//!     scope.spawn(|| consumer.next().is_ok());
//! });
//! std::thread::scope(|scope| {
//!     scope.spawn(|| consumer.next().is_ok());
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nor is a batch shared between threads; what was taken out of it is:
//!
//! ```compile_fail,E0277
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let mut consumer = ring.consumer()?;
//! let batch = consumer.batch();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| batch.next().is_ok());
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let ring = dynring::Ring::builder(4096).build()?;
//! # let mut consumer = ring.consumer()?;
//! let batch = consumer.batch();
//! let taken = batch.next()?;
//! std::thread::scope(|scope| {
//!     scope.spawn(|| taken.map(<[u8]>::len));
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A record that a merge delivers is not kept:
//!
//! ```compile_fail,E0521
//! # let mut merge = dynring::RingMerge::new(std::time::Duration::ZERO, |record: &[u8]| record.len())?;
//! let mut kept = Vec::new();
//! merge.consume(|record| {
//!     kept.push(record);
//!     std::ops::ControlFlow::Continue(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut merge = dynring::RingMerge::new(std::time::Duration::ZERO, |record: &[u8]| record.len())?;
//! let mut kept = Vec::new();
//! merge.consume(|record| {
//!     kept.push(record.to_vec());
//!     std::ops::ControlFlow::Continue(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A record of a snapshot does not outlive it:
//!
//! ```compile_fail,E0505
//! # fn f(mut ring: dynring::kernel::OverwriteRingBuf) -> Result<(), dynring::kernel::SnapshotError> {
//! let snapshot = ring.snapshot()?;
//! let record = snapshot.records().next();
//! snapshot.consume();
//! println!("{record:?}");
//! # Ok(())
//! # }
//! ```
//! ```
//! # fn f(mut ring: dynring::kernel::OverwriteRingBuf) -> Result<(), dynring::kernel::SnapshotError> {
//! let snapshot = ring.snapshot()?;
//! let record = snapshot.records().next();
//! println!("{record:?}");
//! snapshot.consume();
//! # Ok(())
//! # }
//! ```
//!
//! And is not kept while the next one is taken:
//!
//! ```compile_fail,E0499
//! # fn f(mut ring: dynring::kernel::OverwriteRingBuf) -> Result<(), dynring::kernel::SnapshotError> {
//! let first = ring.snapshot()?;
//! let second = ring.snapshot()?;
//! println!("{} {}", first.lost(), second.lost());
//! # Ok(())
//! # }
//! ```
//! ```
//! # fn f(mut ring: dynring::kernel::OverwriteRingBuf) -> Result<(), dynring::kernel::SnapshotError> {
//! let first = ring.snapshot()?;
//! println!("{}", first.lost());
//! let second = ring.snapshot()?;
//! println!("{}", second.lost());
//! # Ok(())
//! # }
//! ```
