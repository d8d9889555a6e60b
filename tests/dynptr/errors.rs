//! What is refused, and what it says.

use std::io;

use dynring::{AdjustError, DynPtrError, Packet, View, ViewMut};

use crate::pieces::Pieces;

fn abcdefgh() -> Pieces {
    Pieces::cut(b"abcdefgh", &[3, 0, 2])
}

#[test]
fn ranges_outside_are_refused_by_every_operation() {
    let mut pieces = abcdefgh();
    let mut view = pieces.view_mut();
    for (offset, len) in [(0, 9), (8, 1), (9, 0), (4, 5), (u64::MAX, 0), (u64::MAX, 1), (1, u64::MAX), (1 << 32, 8)] {
        let error = DynPtrError::OutOfBounds { offset, len, size: 8 };
        assert_eq!(view.data(offset, len).unwrap_err(), error);
        assert_eq!(view.data_mut(offset, len).unwrap_err(), error);
        assert_eq!(view.memset(offset, len, 0).unwrap_err(), error);
        assert_eq!(view.copy_within(offset, 0, len).unwrap_err().errno(), libc::E2BIG);
        assert_eq!(view.copy_within(0, offset, len).unwrap_err().errno(), libc::E2BIG);
        let other = abcdefgh();
        assert_eq!(view.copy_from(0, other.view(), offset, len).unwrap_err(), error);
        assert_eq!(view.copy_from(offset, other.view(), 0, len).unwrap_err().errno(), libc::E2BIG);
        let Ok(mut buffer) =
            usize::try_from(len).map_err(drop).and_then(|len| (len < 10).then(|| vec![0; len]).ok_or(()))
        else {
            continue;
        };
        assert_eq!(view.read(offset, &mut buffer).unwrap_err(), error);
        assert_eq!(view.write(offset, &buffer).unwrap_err(), error);
        assert_eq!(view.as_view().slice(offset, len, &mut buffer).unwrap_err(), error);
        assert_eq!(view.slice_mut(offset, len, &mut buffer).unwrap_err(), error);
    }
    assert_eq!(view.read_as::<u64>(1).unwrap_err(), DynPtrError::OutOfBounds { offset: 1, len: 8, size: 8 });
    assert_eq!(view.write_as(7, &1u16).unwrap_err(), DynPtrError::OutOfBounds { offset: 7, len: 2, size: 8 });
    assert_eq!(pieces.joined(), b"abcdefgh", "nothing is written");
}

#[test]
fn windows_never_grow_and_never_end_before_they_start() {
    let mut pieces = abcdefgh();
    let mut view = pieces.view_mut();
    view.adjust(2, 7).unwrap();
    let mut read_only = view.as_view();
    for (start, end, error) in [
        (3, 2, DynPtrError::Backwards { start: 3, end: 2 }),
        (9, 8, DynPtrError::Backwards { start: 9, end: 8 }),
        (0, 6, DynPtrError::OutOfRange { start: 0, end: 6, size: 5 }),
        (6, 6, DynPtrError::OutOfRange { start: 6, end: 6, size: 5 }),
        (0, u64::MAX, DynPtrError::OutOfRange { start: 0, end: u64::MAX, size: 5 }),
    ] {
        assert_eq!(read_only.adjust(start, end).unwrap_err(), error);
        assert_eq!(read_only.size(), 5);
    }
    assert_eq!(view.adjust(0, 6).unwrap_err().errno(), libc::ERANGE);
    assert_eq!(view.adjust(1, 0).unwrap_err().errno(), libc::EINVAL);
    assert_eq!(view.size(), 5);
}

#[test]
fn what_lies_in_several_pieces_is_not_borrowed_in_one() {
    let mut pieces = abcdefgh();
    let mut view = pieces.view_mut();
    for (offset, len) in [(2, 2), (0, 8), (4, 2)] {
        let error = DynPtrError::Fragmented { offset, len };
        assert_eq!(view.data(offset, len).unwrap_err(), error);
        assert_eq!(view.data_mut(offset, len).unwrap_err(), error);
    }
    for (offset, expected) in [(0, "abc"), (3, "de"), (5, "fgh"), (2, ""), (3, ""), (8, "")] {
        assert_eq!(view.data(offset, expected.len() as u64).unwrap(), expected.as_bytes());
        assert_eq!(view.data_mut(offset, expected.len() as u64).unwrap(), expected.as_bytes());
    }
}

#[test]
fn a_buffer_must_do_whether_it_is_needed_or_not() {
    let mut pieces = abcdefgh();
    let error = DynPtrError::ShortScratch { len: 3, scratch: 2 };
    for offset in [0, 2] {
        assert_eq!(pieces.view().slice(offset, 3, &mut [0; 2]).unwrap_err(), error);
        assert_eq!(pieces.view_mut().slice_mut(offset, 3, &mut [0; 2]).unwrap_err(), error);
    }
    let mut long = [0; 10];
    assert_eq!(pieces.view().slice(2, 3, &mut long).unwrap(), b"cde");
    assert!(pieces.view().slice(0, u64::MAX, &mut long).is_err());
}

#[test]
fn errors_say_what_was_found_and_what_was_allowed() {
    let text = |error: DynPtrError| error.to_string();
    assert_eq!(
        text(DynPtrError::OutOfBounds { offset: 1, len: 8, size: 8 }),
        "8 bytes at offset 1 reach outside a dynamic pointer of 8 bytes"
    );
    assert_eq!(text(DynPtrError::Backwards { start: 3, end: 2 }), "a window from 3 to 2 ends before it starts");
    assert_eq!(
        text(DynPtrError::OutOfRange { start: 0, end: 6, size: 5 }),
        "a window from 0 to 6 reaches outside a dynamic pointer of 5 bytes"
    );
    assert_eq!(text(DynPtrError::ReadOnly), "the memory is read-only");
    assert_eq!(
        text(DynPtrError::Fragmented { offset: 2, len: 2 }),
        "2 bytes at offset 2 lie in several fragments, and are not borrowed in one piece"
    );
    assert_eq!(
        text(DynPtrError::ShortScratch { len: 3, scratch: 2 }),
        "3 bytes were to be copied into a buffer of 2 if need be"
    );
    assert_eq!(io::Error::from(DynPtrError::ReadOnly).kind(), io::ErrorKind::InvalidInput);

    let mut frame = [0; 64];
    let mut packet = Packet::with_room(ViewMut::new(&mut frame), 16, 48).unwrap();
    let cases = [
        (packet.adjust_head(-17), "the start was to move by -17 bytes, with 16 bytes before it"),
        (packet.adjust_head(19), "the packet was to be cut by 19 bytes, of which at most 18 can go"),
        (packet.adjust_tail(17), "the end was to move by 17 bytes, with 16 bytes behind it"),
        (packet.adjust_tail(-19), "the packet was to be cut by -19 bytes, of which at most 18 can go"),
        (packet.adjust_meta(1), "metadata of 0 bytes was to be cut by 1"),
        (packet.adjust_meta(-3), "metadata was to be 3 bytes long; multiples of 4 up to 252 are allowed"),
    ];
    for (result, text) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.to_string(), text);
        let denied = matches!(error, AdjustError::MetadataLen { .. });
        assert_eq!(error.errno(), if denied { libc::EACCES } else { libc::EINVAL });
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_read_only_packet_is_neither_written_nor_moved() {
    let bytes = [7; 64];
    let mut packet = Packet::read_only(View::new(&bytes));
    assert_eq!(packet.view_mut().unwrap_err(), DynPtrError::ReadOnly);
    assert_eq!(packet.meta_mut().unwrap_err(), DynPtrError::ReadOnly);
    assert_eq!(packet.adjust_head(1), Err(AdjustError::ReadOnly));
    assert_eq!(packet.adjust_tail(-1), Err(AdjustError::ReadOnly));
    assert_eq!(packet.adjust_meta(0), Err(AdjustError::ReadOnly));
    assert_eq!(packet.size(), 64);
    assert_eq!(AdjustError::ReadOnly.to_string(), "the packet is read-only");
}
