//! The cases of the kernel's `dynptr_success` selftest, under its names; and those of `dynptr_fail` that are to be accepted.
//!
//! What has no counterpart here is listed in the crate's `docs::verifier`.

use dynring::{Consumer, DynPtrError, Packet, Producer, Ring, View, ViewMut};

use crate::pieces::{Pieces, bytes};

const HELLO: &[u8; 21] = b"hello there, world!!\0";
const E2BIG: i32 = 7;
const EINVAL: i32 = 22;
const ERANGE: i32 = 34;

/// Bytes of a page.
const PAGE: usize = 4096;

fn ring() -> (Ring, Producer, Consumer) {
    let ring = Ring::builder(PAGE).build().unwrap();
    let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    (ring, producer, consumer)
}

fn errno<T: std::fmt::Debug>(result: Result<T, DynPtrError>) -> i32 {
    result.unwrap_err().errno()
}

/// A packet of several pages, as the kernel's test makes one.
fn jumbo() -> Pieces {
    Pieces::cut(&[0; 3 * PAGE], &[PAGE - 256 - 320, PAGE])
}

#[test]
fn test_read_write() {
    let (_ring, producer, _consumer) = ring();
    let mut record = producer.reserve(64).unwrap();
    let mut written = [0; 64];
    written[..HELLO.len()].copy_from_slice(HELLO);
    record.view_mut().write(0, &written).unwrap();
    let mut read = [0xff; 64];
    record.view().read(0, &mut read).unwrap();
    assert_eq!(read, written);
    record.discard();
}

#[test]
fn test_dynptr_data() {
    let mut value = 235u32.to_ne_bytes();
    let mut view = ViewMut::new(&mut value);
    assert!(view.data_mut(5, 1).is_err());
    assert!(view.data_mut(0, 5).is_err());
    view.data_mut(0, 4).unwrap().copy_from_slice(&999u32.to_ne_bytes());
    assert_eq!(u32::from_ne_bytes(value), 999);
}

#[test]
fn test_ringbuf() {
    let (_ring, producer, _consumer) = ring();
    let size = 100;
    let mut record = producer.reserve(size).unwrap();
    let mut view = record.view_mut();
    view.write_as(0, &10u32).unwrap();
    let mut callback = |index: u32| {
        let pid = view.read_as::<u32>(0).unwrap();
        view.write_as(0, &(pid + index)).unwrap();
    };
    (0..10).for_each(&mut callback);
    assert_eq!(view.read_as::<u32>(0).unwrap(), 55);
    record.discard();
}

#[test]
fn test_skb_readonly() {
    let mut packet = Packet::read_only(View::new(&[0; 64]));
    assert_eq!(errno(packet.view_mut().and_then(|mut view| view.write(0, &[1, 2]))), EINVAL);
}

/// The kernel does not hand out pointers into packets by this name; here, they are borrowed where they lie in one piece.
#[test]
fn test_dynptr_skb_data() {
    let jumbo = jumbo();
    let packet = Packet::read_only(jumbo.view());
    assert!(packet.view().data(0, 1).is_ok());
    assert!(packet.view().data(0, packet.size()).is_err());
}

#[test]
fn test_dynptr_skb_meta_data() {
    let mut frame = [0; 64];
    let mut packet = Packet::with_room(ViewMut::new(&mut frame), 32, 64).unwrap();
    assert!(packet.meta().data(0, 1).is_err());
    packet.adjust_meta(-4).unwrap();
    assert!(packet.meta().data(0, 4).is_ok());
}

#[test]
fn test_adjust() {
    let (_ring, producer, _consumer) = ring();
    let mut record = producer.reserve(64).unwrap();
    let mut view = record.view_mut();
    assert_eq!(view.size(), 64);
    view.adjust(10, view.size()).unwrap();
    assert_eq!(view.size(), 54);
    view.adjust(10, 15).unwrap();
    assert_eq!(view.size(), 5);
    record.discard();
}

#[test]
fn test_adjust_err() {
    let (_ring, producer, mut consumer) = ring();
    let mut record = producer.reserve_zeroed(64).unwrap();
    let mut view = record.view_mut();
    assert_eq!(errno(view.adjust(5, 1)), EINVAL);
    assert_eq!(errno(view.adjust(65, 65)), ERANGE);
    assert_eq!(errno(view.adjust(0, 65)), ERANGE);
    view.adjust(20, 64).unwrap();
    assert_eq!(errno(view.write(0, &[1; 45])), E2BIG);
    record.commit();
    assert_eq!(*consumer.next().unwrap().unwrap(), [0; 64], "all of it, adjusted or not");
}

#[test]
fn test_zero_size_dynptr() {
    let (_ring, producer, _consumer) = ring();
    let mut record = producer.reserve(64).unwrap();
    let mut view = record.view_mut();
    view.adjust(64, 64).unwrap();
    assert_eq!(errno(view.read(0, &mut [0])), E2BIG);
    assert_eq!(errno(view.write(0, b"x")), E2BIG);
    view.read(0, &mut []).unwrap();
    view.write(0, &[]).unwrap();
    record.discard();
}

/// What is a null pointer there is an error here.
#[test]
fn test_dynptr_is_null() {
    let (_ring, producer, _consumer) = ring();
    assert!(producer.reserve(usize::MAX).is_err());
    let record = producer.reserve(4);
    assert!(record.is_ok());
}

#[test]
fn test_dynptr_is_rdonly() {
    let (_ring, producer, _consumer) = ring();
    let packet = Packet::read_only(View::new(&[0; 64]));
    assert!(packet.is_rdonly());
    assert!(packet.view().is_rdonly());
    let mut record = producer.reserve(64).unwrap();
    assert!(!record.view_mut().is_rdonly());
    assert!(!Packet::new(record.view_mut()).is_rdonly());
}

#[test]
fn test_dynptr_clone() {
    let packet = Packet::read_only(View::new(&[0; 64]));
    let mut view = packet.view();
    view.adjust(2, view.size()).unwrap();
    let clone = view;
    assert_eq!((clone.size(), clone.is_rdonly()), (62, view.is_rdonly()));
    view.adjust(5, 5).unwrap();
    assert_eq!((view.size(), clone.size()), (0, 62));

    let mut value = [0; 8];
    let mut view = ViewMut::new(&mut value);
    let mut clone = view.reborrow();
    clone.adjust(6, 8).unwrap();
    clone.memset(0, 2, 1).unwrap();
    assert_eq!((clone.size(), view.size()), (2, 8));
    view.write(0, &[2]).unwrap();
    assert_eq!(value, [2, 0, 0, 0, 0, 0, 1, 1]);
}

#[test]
fn test_dynptr_skb_no_buff() {
    let jumbo = jumbo();
    let view = jumbo.view();
    assert!(view.slice(0, 1, &mut []).is_err(), "a buffer is wanted, needed or not");
    assert_eq!(view.data(0, 1).unwrap(), [0]);
}

#[test]
fn test_dynptr_skb_strcmp() {
    let packet = Packet::read_only(View::new(b"foo and more"));
    assert!(packet.view().data(0, 10).unwrap().starts_with(b"foo"));
}

#[test]
fn test_dynptr_copy() {
    let (_ring, producer, _consumer) = ring();
    let (mut src, mut dst) = (producer.reserve(HELLO.len()).unwrap(), producer.reserve_zeroed(HELLO.len()).unwrap());
    src.view_mut().write(0, HELLO).unwrap();
    let len = HELLO.len() as u64;
    dst.view_mut().copy_from(0, src.view(), 0, len).unwrap();
    assert_eq!(*dst, *HELLO);
    dst.view_mut().copy_from(3, src.view(), 5, len - 5).unwrap();
    assert_eq!(dst[3..][..HELLO.len() - 5], HELLO[5..]);
    src.discard();
    dst.discard();
}

#[test]
fn test_dynptr_copy_xdp() {
    const DATA: &[u8; 20] = b"qwertyuiopasdfghjkl\0";
    const CHUNKS: usize = 200;
    let len = (DATA.len() * CHUNKS) as u64;
    let ring = Ring::builder(2 * PAGE).build().unwrap();
    let producer = ring.producer().unwrap();
    let mut jumbo = jumbo();
    let mut record = producer.reserve(len as usize).unwrap();
    for chunk in record.chunks_exact_mut(DATA.len()) {
        chunk.copy_from_slice(DATA);
    }
    let all = DATA.repeat(CHUNKS);
    let mut packet = Packet::new(jumbo.view_mut());

    packet.view_mut().unwrap().copy_from(0, record.view(), 0, len).unwrap();
    assert_eq!(bytes(packet.view())[..all.len()], all);

    record.fill(0);
    record.view_mut().copy_from(0, packet.view(), 0, len).unwrap();
    assert_eq!(*record, all);

    let mut view = packet.view_mut().unwrap();
    view.copy_within(2, DATA.len() as u64, len - DATA.len() as u64).unwrap();
    assert_eq!(bytes(view.as_view())[2..][..all.len() - DATA.len()], all[DATA.len()..]);

    let too_far = 3 * PAGE as u64 - len + 1;
    assert_eq!(errno(view.copy_within(too_far, 0, len)), E2BIG);
    record.discard();
}

#[test]
fn test_dynptr_memset_zero() {
    let mut data = *b"data to be zeroed";
    ViewMut::new(&mut data).memset(0, 17, 0).unwrap();
    assert_eq!(data, [0; 17]);
}

#[test]
fn test_dynptr_memset_notzero() {
    let mut data = *b"data to be overwritten";
    ViewMut::new(&mut data).memset(0, 22, 42).unwrap();
    assert_eq!(data, [42; 22]);
}

#[test]
fn test_dynptr_memset_zero_offset() {
    let mut data = *b"data to be zeroed partially";
    ViewMut::new(&mut data).memset(8, 4, 0).unwrap();
    assert_eq!(&data, b"data to \0\0\0\0eroed partially");
}

#[test]
fn test_dynptr_memset_zero_adjusted() {
    let mut data = *b"data to be zeroed partially";
    let mut view = ViewMut::new(&mut data);
    view.adjust(4, 8).unwrap();
    view.memset(0, view.size(), 0).unwrap();
    assert_eq!(&data, b"data\0\0\0\0be zeroed partially");
}

#[test]
fn test_dynptr_memset_overflow() {
    let mut data = *b"memset overflow data";
    assert_eq!(errno(ViewMut::new(&mut data).memset(0, 21, 0)), E2BIG);
    assert_eq!(&data, b"memset overflow data");
}

#[test]
fn test_dynptr_memset_overflow_offset() {
    let mut data = *b"memset overflow data";
    assert_eq!(errno(ViewMut::new(&mut data).memset(1, 20, 0)), E2BIG);
    assert_eq!(&data, b"memset overflow data");
}

#[test]
fn test_dynptr_memset_readonly() {
    let mut packet = Packet::read_only(View::new(&[1; 64]));
    assert_eq!(errno(packet.view_mut().and_then(|mut view| view.memset(0, 64, 0))), EINVAL);
}

#[test]
fn test_dynptr_memset_xdp_chunks() {
    let mut jumbo = jumbo();
    let mut packet = Packet::new(jumbo.view_mut());
    let size = packet.size();
    packet.view_mut().unwrap().memset(0, size, 42).unwrap();
    assert_eq!(jumbo.joined(), [42; 3 * PAGE]);
}

/// Plain memory is what this process can read: there is no other kind to probe. The same lengths, in a record and over the
/// border between fragments.
#[test]
fn test_probe_read_kernel_dynptr() {
    let expected: Vec<u8> = (0..384).map(|nth| b'a' + (nth % 26) as u8).collect();
    let (_ring, producer, _consumer) = ring();
    let mut record = producer.reserve(expected.len()).unwrap();
    let mut jumbo = jumbo();
    for (mut view, offset) in [(record.view_mut(), 0), (jumbo.view_mut(), (PAGE - 256 - 320 - 32) as u64)] {
        for len in [0, 1, 2, 255, 256, 257, 384] {
            view.write(offset, &expected[..len]).unwrap();
            let mut read = vec![0; len];
            view.read(offset, &mut read).unwrap();
            assert_eq!(read, expected[..len]);
            view.memset(offset, len as u64, 0).unwrap();
        }
    }
    record.discard();
}

#[test]
fn dynptr_pruning_stacksafe() {
    let (_ring, producer, mut consumer) = ring();
    for len in [8, usize::MAX] {
        // Released on the path on which there is something to release.
        if let Ok(record) = producer.reserve(len) {
            record.discard();
        }
    }
    assert!(consumer.next().unwrap().is_none());
    assert_eq!(consumer.discarded(), 1);
}

#[test]
fn dynptr_overwrite_unref() {
    let value = [7; 4];
    let mut view = View::new(&[]);
    for _ in 0..3 {
        assert!(view.size() == 0 || view.size() == 4);
        view = View::new(&value);
    }
    assert_eq!(view.read_as::<u8>(3).unwrap(), 7);
}

#[test]
fn dynptr_invalidate_slice_success() {
    let (mut one, mut two) = ([1; 4], [2; 4]);
    let (mut view1, mut view2) = (ViewMut::new(&mut one), ViewMut::new(&mut two));
    view1.data_mut(0, 1).unwrap()[0] = 3;
    let slice2 = view2.data_mut(0, 1).unwrap();
    let _dropped = view1;
    assert_eq!(slice2[0], 2);
}

/// Assigning to a reservation discards the one before.
#[test]
fn dynptr_overwrite_ref() {
    let (_ring, producer, mut consumer) = ring();
    let mut record = producer.reserve(64).unwrap();
    assert_eq!(record.len(), 64);
    record = producer.reserve(8).unwrap();
    record.fill(1);
    record.commit();
    assert_eq!(*consumer.next().unwrap().unwrap(), [1; 8]);
    assert_eq!(consumer.discarded(), 1);
}

/// Another view in place of one of a reservation leaves the reservation alone.
#[test]
fn dynptr_overwrite_clone_with_original() {
    let (_ring, producer, mut consumer) = ring();
    let record = producer.reserve(64).unwrap();
    let mut clone = record.view();
    assert_eq!(clone.size(), 64);
    clone = View::new(&[]);
    assert_eq!(clone.size(), 0);
    record.discard();
    assert!(consumer.next().unwrap().is_none());
    assert_eq!(consumer.discarded(), 1);
}
