//! Producing and consuming allocate nothing, nor do views and packets.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::Duration;

use dynring::{Consumer, DynPtrError, Layer, Layers, Limits, Packet, Producer, Ring, View, ViewMut};

/// The system's allocator, which counts for each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: all is left to the system's allocator. A counter that needs neither memory nor a destructor cannot recurse.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are those that it asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread during `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// One of each way to produce, at most about 1 KiB in all.
fn produce(producer: &Producer) {
    producer.output(b"output").unwrap();
    let mut record = producer.reserve(100).unwrap();
    record.fill(1);
    record.commit();
    producer.reserve_zeroed(10).unwrap().commit_len(3).unwrap();
    producer.reserve(10).unwrap().discard();
    producer.reserve_owned(10).unwrap().commit();
    producer.reserve_blocking(10, Some(Duration::ZERO)).unwrap().commit();
    let mut value = producer.reserve_as::<u64>().unwrap();
    *value = 1;
    value.commit();
    let mut lease = producer.lease(200).unwrap();
    while lease.output(&[0; 24]).is_ok() {}
    drop(lease);
    for record in producer.reserve_batch(&[1, 2, 3]).unwrap().take(2) {
        record.commit();
    }
}

/// One of each way to consume, and a look at the figures.
fn consume(ring: &Ring, consumer: &mut Consumer) {
    let _ = consumer.wait(None).unwrap();
    let _ = consumer.wait_for(10, Duration::ZERO, None).unwrap();
    assert_eq!(consumer.next().unwrap().unwrap().len(), 6);
    assert_eq!(consumer.batch().iter().take(3).count(), 3);
    let two = Limits { records: Some(2), ..Limits::default() };
    assert_eq!(consumer.drain_up_to(two, |_| ControlFlow::Continue(())), Ok(2));
    assert_ne!(consumer.drain(|_| ControlFlow::Continue(())), Ok(0));
    let _ = consumer.wait(Some(Duration::ZERO)).unwrap();
    assert_eq!(ring.stats().available, 0);
}

#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn producing_and_consuming_allocate_nothing() {
    for kernel_protocol in [false, true] {
        let ring = Ring::builder(4096).kernel_protocol(kernel_protocol).build().unwrap();
        let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        let laps = if cfg!(miri) { 5 } else { 1000 };
        let mut round = || {
            produce(&producer);
            consume(&ring, &mut consumer);
        };
        // Whatever is made when first used.
        round();
        assert_eq!(allocations(|| (0..laps).for_each(|_| round())), 0);
    }
}

#[test]
#[cfg(not(miri))] // which knows no epoll for what a merge waits on
fn merging_allocates_nothing() {
    let mut merge = dynring::RingMerge::new(Duration::ZERO, |record: &[u8]| record.len()).unwrap();
    let rings = [(); 3].map(|()| Ring::builder(4096).build().unwrap());
    let producers = rings.each_ref().map(|ring| {
        merge.add(ring.consumer().unwrap()).unwrap();
        ring.producer().unwrap()
    });
    let mut round = |nth: usize| {
        for (producer, len) in producers.iter().zip([3, 1, 2]) {
            producer.output(&[0; 100][..nth % 50 + len]).unwrap();
        }
        let mut lens = [0; 3];
        let mut next = lens.iter_mut();
        let records = merge.consume(|record| {
            *next.next().unwrap() = record.len() - nth % 50;
            ControlFlow::Continue(())
        });
        assert_eq!((records.unwrap(), lens), (3, [1, 2, 3]));
        assert_eq!(merge.poll(Some(Duration::ZERO), |_| ControlFlow::Continue(())).unwrap().records, 0);
    };
    round(0);
    assert_eq!(allocations(|| (0..1000).for_each(&mut round)), 0);
}

#[test]
fn being_refused_allocates_nothing() {
    let ring = Ring::builder(4096).build().unwrap();
    let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    let too_large = producer.max_len() + 1;
    let refused = || {
        assert!(producer.reserve(too_large).is_err());
        while producer.output(&[0; 8]).is_ok() {}
        assert!(producer.reserve_owned(8).is_err());
        assert!(producer.reserve_blocking(8, Some(Duration::ZERO)).is_err());
        assert!(producer.lease(8).and_then(|mut lease| lease.output(&[0; 100])).is_err());
        assert!(ring.consumer().is_err());
    };
    assert_eq!(allocations(refused), 0);
    assert_eq!(consumer.drain(|_| ControlFlow::Continue(())), Ok(255));
    drop(consumer);
    assert_eq!(allocations(|| assert!(producer.output(b"").is_err())), 0);
}

#[test]
fn views_and_packets_allocate_nothing() {
    let (mut head, mut fragments) = ([0; 100], [[1; 100], [2; 100]]);
    let work = || {
        let memory = ViewMut::with_fragments(&mut head, &mut fragments);
        let mut packet = Packet::with_room(memory, 20, 290).unwrap();
        packet.adjust_meta(-8).unwrap();
        packet.adjust_head(10).unwrap();
        packet.adjust_tail(-100).unwrap();
        assert!(packet.adjust_head(-100).is_err());
        let mut view = packet.view_mut().unwrap();
        view.write(60, &[3; 50]).unwrap();
        view.memset(0, view.size(), 4).unwrap();
        view.copy_within(1, 0, 150).unwrap();
        view.copy_from(50, View::new(&[5; 40]), 0, 40).unwrap();
        view.slice_mut(60, 20, &mut [0; 20]).unwrap().fill(6);
        view.adjust(2, 150).unwrap();
        assert!(view.read_as::<[u8; 100]>(10).is_ok());
        assert!(view.read(100, &mut [0; 100]).is_err());
        let look = |_: &(), layer: View<'_>| -> Result<_, DynPtrError> {
            let payload = (layer.size() > 10).then_some(());
            Ok(Layer { header: 10, end: layer.size(), payload })
        };
        assert_eq!(Layers::new(packet.view(), (), look).count(), 16);
    };
    assert_eq!(allocations(work), 0);
}

#[cfg(not(miri))]
#[test]
fn copying_in_and_out_of_a_shared_ring_allocates_nothing() {
    for kernel_protocol in [false, true] {
        let ring = Ring::builder(4096).kernel_protocol(kernel_protocol).build_shared().unwrap();
        let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        let mut record = Vec::with_capacity(4096);
        let mut round = || {
            producer.output(b"output").unwrap();
            let mut piecewise = producer.reserve_blocking(100, Some(Duration::ZERO)).unwrap();
            piecewise.write(7, &[1; 93]).unwrap();
            piecewise.commit();
            producer.reserve(10).unwrap().discard();
            for len in [6, 100] {
                let _ = consumer.wait(None).unwrap();
                assert!(consumer.next_into(&mut record).unwrap());
                assert_eq!(record.len(), len);
            }
            assert!(!consumer.next_into(&mut record).unwrap());
            assert!(consumer.stalled().is_none());
            assert_eq!(ring.stats().unwrap().available, 0);
        };
        // Whatever is made when first used.
        round();
        // Now and then, the consumer looks after the dead.
        assert_eq!(allocations(|| (0..1000).for_each(|_| round())), 0);
    }
}
