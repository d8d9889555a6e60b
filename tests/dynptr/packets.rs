//! Packets that are moved.

use dynring::{DynPtrError, Layer, Layers, Packet, View, ViewMut};

use crate::pieces::{Pieces, bytes};

#[test]
fn a_packet_grows_into_its_room_and_shrinks_out_of_it() {
    let mut frame = *b"hhhhhhhhPACKET-OF-20-BYTEStttttt";
    let mut packet = Packet::with_room(ViewMut::new(&mut frame), 8, 26).unwrap();
    assert_eq!((packet.size(), packet.headroom(), packet.tailroom()), (18, 8, 6));

    packet.adjust_head(-8).unwrap();
    assert_eq!(bytes(packet.view()), b"hhhhhhhhPACKET-OF-20-BYTES", "what was there before");
    packet.adjust_head(12).unwrap();
    packet.adjust_tail(6).unwrap();
    assert_eq!(bytes(packet.view()), b"ET-OF-20-BYTES\0\0\0\0\0\0");
    assert_eq!((packet.headroom(), packet.tailroom()), (12, 0));
    packet.adjust_tail(-6).unwrap();
    assert_eq!(packet.size(), 14, "an Ethernet header is left");
    assert!(packet.adjust_tail(-1).is_err());
    assert!(packet.adjust_head(1).is_err());
    assert_eq!(bytes(packet.view()), b"ET-OF-20-BYTES");
    packet.view_mut().unwrap().write(0, b"at").unwrap();
    assert_eq!(&frame[10..16], b"CKat-O");
}

#[test]
fn no_amount_is_too_large_to_be_refused() {
    let mut frame = [0; 64];
    let mut packet = Packet::with_room(ViewMut::new(&mut frame), 16, 48).unwrap();
    for delta in [i64::MIN, i64::MIN + 1, i64::MAX - 16, i64::MAX] {
        assert!(packet.adjust_head(delta).is_err(), "{delta}");
        assert!(packet.adjust_tail(delta).is_err(), "{delta}");
        assert!(packet.adjust_meta(delta).is_err(), "{delta}");
    }
    assert_eq!((packet.size(), packet.headroom(), packet.tailroom()), (32, 16, 16));
}

#[test]
fn metadata_moves_with_the_packet_that_it_precedes() {
    let mut frame = [0; 64];
    let mut packet = Packet::with_room(ViewMut::new(&mut frame), 32, 64).unwrap();
    packet.adjust_meta(-8).unwrap();
    assert_eq!((packet.meta().size(), packet.headroom()), (8, 24));
    packet.meta_mut().unwrap().write(0, b"metadata").unwrap();
    packet.adjust_head(-10).unwrap();
    assert_eq!(bytes(packet.meta()), b"metadata");
    packet.adjust_head(20).unwrap();
    assert_eq!(bytes(packet.meta()), b"metadata");
    packet.adjust_meta(4).unwrap();
    assert_eq!(bytes(packet.meta()), b"data");
    let headroom = packet.headroom() as i64;
    assert!(packet.adjust_head(-headroom - 1).is_err());
    packet.adjust_head(-headroom).unwrap();
    assert_eq!(bytes(packet.meta()), b"data");
    assert_eq!(&frame[..4], b"data");
}

#[test]
fn a_packet_in_fragments_grows_in_the_last_and_gives_up_those_it_no_longer_reaches() {
    let mut pieces = Pieces::cut(&(0..=99).collect::<Vec<u8>>(), &[40, 30]);
    let mut packet = Packet::with_room(pieces.view_mut(), 10, 90).unwrap();
    assert_eq!(packet.tailroom(), 10);
    packet.adjust_tail(10).unwrap();
    assert_eq!(packet.tailroom(), 0);
    packet.adjust_tail(-30).unwrap();
    assert_eq!((packet.size(), packet.tailroom()), (60, 0), "up to the border between two fragments");
    assert!(packet.adjust_tail(1).is_err());
    packet.adjust_tail(-31).unwrap();
    assert_eq!((packet.size(), packet.tailroom()), (29, 1), "in the head");
    packet.adjust_tail(1).unwrap();
    assert!(packet.adjust_tail(1).is_err());
    let expected: Vec<u8> = (10..39).chain([0]).collect();
    assert_eq!(bytes(packet.view()), expected);
}

#[test]
fn the_start_stays_in_the_head_with_a_header_behind_it() {
    let mut pieces = Pieces::cut(&[1; 100], &[40]);
    let mut packet = Packet::new(pieces.view_mut());
    assert!(packet.adjust_head(27).is_err());
    packet.adjust_head(26).unwrap();
    assert!(packet.adjust_head(1).is_err());
    assert_eq!(packet.size(), 74);
}

#[test]
fn a_packet_without_a_header_in_its_head_is_not_moved() {
    let mut pieces = Pieces::cut(&[1; 100], &[10]);
    let mut packet = Packet::new(pieces.view_mut());
    assert!(packet.adjust_head(0).is_err());
    let mut short = [0; 13];
    let mut packet = Packet::new(ViewMut::new(&mut short));
    assert!(packet.adjust_tail(0).is_err());
    assert!(Packet::with_room(ViewMut::new(&mut []), 0, 1).is_err());
}

/// A header is its length, the length of all with it, and what kind comes next.
fn look(kind: &u8, layer: View<'_>) -> Result<Layer<u8>, DynPtrError> {
    assert_eq!(layer.read_as::<u8>(0)?, *kind);
    let [header, end, payload] = layer.read_as::<[u8; 3]>(1)?;
    Ok(Layer { header: header.into(), end: end.into(), payload: (payload != 0).then_some(payload) })
}

const LAYERED: &[u8] = &[1, 4, 14, 2, 2, 5, 9, 3, 0xff, 3, 4, 4, 0, 0xff, 0xff];

#[test]
fn layers_are_gone_through_from_the_outermost_on() {
    for cut in 0..LAYERED.len() {
        let pieces = Pieces::cut(LAYERED, &[cut]);
        let mut layers = Layers::new(pieces.view(), 1, look);
        let found: Vec<_> =
            layers.by_ref().map(|layer| layer.unwrap()).map(|(kind, view)| (kind, bytes(view))).collect();
        assert_eq!(found, [(1, LAYERED[..4].to_vec()), (2, LAYERED[4..9].to_vec()), (3, LAYERED[9..13].to_vec())]);
        assert_eq!(layers.rest().size(), 0);
        assert!(layers.next().is_none());
    }
}

#[test]
fn layers_end_with_the_first_that_reaches_outside() {
    for len in 0..13 {
        let mut layers = Layers::new(View::new(&LAYERED[..len]), 1, look);
        let found: Vec<_> = layers.by_ref().map(|layer| layer.is_ok()).collect();
        assert_eq!(found.last(), Some(&false), "{len} bytes");
        assert!(found.len() <= 3);
        assert!(layers.next().is_none());
    }
}
