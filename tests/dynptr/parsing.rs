//! Frames in pieces, parsed through dynamic pointers, against what another parser finds in the same frames in one piece.

use std::collections::BTreeMap;
use std::net::IpAddr;

use dynring::View;
use etherparse::{
    ArpHardwareId, ArpOperation, ArpPacket, EtherType, IpFragOffset, IpHeaders, Ipv4Extensions, Ipv4Header,
    Ipv6ExtensionSlice, Ipv6Extensions, Ipv6FragmentHeader, Ipv6Header, Ipv6RawExtHeader, NetSlice, PacketBuilder,
    PacketBuilderStep, SlicedPacket, TransportSlice, VlanId, ip_number,
};

use crate::parse::{Frame, Kind, parse};
use crate::pcap::{self, Frames};
use crate::pieces::{Pieces, bytes};
use crate::random::Random;

const FRAMES: usize = if cfg!(miri) { 40 } else { 100_000 };

#[test]
fn frames_in_pieces_are_parsed_as_another_parser_does_in_one() {
    let mut random = Random::new(2);
    let (mut kinds, mut malformed) = (BTreeMap::new(), 0);
    for nth in 0..FRAMES {
        let mut frame = frame(&mut random);
        if nth % 4 > 0 {
            mutate(&mut random, &mut frame);
        }
        // What it does with encrypted frames, the example does not.
        if (12..26).step_by(4).any(|at| frame.get(at..at + 2) == Some(&[0x88, 0xe5])) {
            continue;
        }
        let packet = SlicedPacket::from_ethernet(&frame);
        let expected = packet.as_ref().map(|packet| found(packet));
        let cuts: Vec<_> = (0..random.below(4)).map(|_| random.below(60) as usize).collect();
        let pieces = Pieces::cut(&frame, &cuts);
        let parsed = parse(pieces.view()).map(|(frame, payload)| (frame, bytes(payload)));
        match (&parsed, &expected) {
            (Ok(parsed), Ok(expected)) => assert_eq!(parsed, expected, "{frame:02x?}"),
            (Err(_), Err(_)) => {}
            _ => panic!("here {parsed:?}, there {expected:?}: {frame:02x?}"),
        }
        match parsed {
            Ok((frame, _)) => *kinds.entry(frame.last).or_insert(0) += 1,
            Err(_) => malformed += 1,
        }
    }
    if !cfg!(miri) {
        assert_eq!(kinds.len(), 13, "{kinds:?}");
        assert!(malformed > FRAMES / 20 && malformed < FRAMES / 2, "{malformed} are malformed");
    }
}

#[test]
fn a_file_of_frames_is_read_up_to_where_it_is_cut_off() {
    let frames = [vec![1; 60], vec![], vec![3; 1000]];
    let mut file = Vec::new();
    pcap::write(&mut file, &frames).unwrap();
    let ends = [24 + 16 + 60, 24 + 16 + 60 + 16, file.len()];
    for len in (0..=file.len()).rev().step_by(if cfg!(miri) { 50 } else { 1 }) {
        let Ok(found) = Frames::of(View::new(&file[..len])) else {
            assert!(len < 24);
            continue;
        };
        let found: Vec<_> = found.map(|frame| frame.map(bytes).ok()).collect();
        let whole = ends.iter().filter(|end| **end <= len).count();
        assert_eq!(found.iter().flatten().collect::<Vec<_>>(), frames[..whole].iter().collect::<Vec<_>>());
        let is_cut_off = !ends.contains(&len) && len != 24;
        assert_eq!(found.len() - whole, usize::from(is_cut_off), "{len} bytes");
    }
    // The same file from a machine of the other byte order.
    let mut swapped = file.clone();
    swapped[..24].chunks_mut(4).for_each(<[u8]>::reverse);
    swapped[24 + 8..][..4].reverse();
    let first = Frames::of(View::new(&swapped)).unwrap().next().unwrap().unwrap();
    assert_eq!(bytes(first), frames[0]);
    file[20] = 0;
    assert!(Frames::of(View::new(&file)).is_err(), "no Ethernet");
    file[0] = 0;
    assert!(Frames::of(View::new(&file)).is_err(), "not of libpcap");
}

/// What the other parser has found, and what is behind the innermost header.
fn found(packet: &SlicedPacket<'_>) -> (Frame, Vec<u8>) {
    let vlans = packet.link_exts.len() as u8;
    let (last, payload) = match (&packet.transport, &packet.net) {
        (Some(transport), _) => innermost(transport),
        (None, Some(net)) => behind_ip(net),
        (None, None) => {
            let payload = packet.ether_payload().expect("it has a link layer").payload;
            (if vlans > 0 { Kind::Vlan } else { Kind::Ethernet }, payload)
        }
    };
    let ports = match &packet.transport {
        Some(TransportSlice::Udp(udp)) => Some((udp.source_port(), udp.destination_port())),
        Some(TransportSlice::Tcp(tcp)) => Some((tcp.source_port(), tcp.destination_port())),
        _ => None,
    };
    let addresses = packet.net.as_ref().and_then(addresses);
    (Frame { vlans, addresses, ports, last: Some(last) }, payload.to_vec())
}

fn innermost<'p>(transport: &TransportSlice<'p>) -> (Kind, &'p [u8]) {
    match transport {
        TransportSlice::Icmpv4(slice) => (Kind::Icmpv4, slice.payload()),
        TransportSlice::Icmpv6(slice) => (Kind::Icmpv6, slice.payload()),
        TransportSlice::Igmp(slice) => (Kind::Igmp, slice.payload()),
        TransportSlice::Udp(slice) => (Kind::Udp, slice.payload()),
        TransportSlice::Tcp(slice) => (Kind::Tcp, slice.payload()),
    }
}

fn behind_ip<'p>(net: &NetSlice<'p>) -> (Kind, &'p [u8]) {
    match net {
        NetSlice::Arp(_) => (Kind::Arp, &[]),
        NetSlice::Ipv4(ip) => {
            let kind = if ip.extensions().auth.is_some() { Kind::Authentication } else { Kind::Ipv4 };
            (kind, ip.payload().payload)
        }
        NetSlice::Ipv6(ip) => {
            let kind = ip.extensions().clone().into_iter().last().map_or(Kind::Ipv6, |extension| match extension {
                Ipv6ExtensionSlice::Fragment(_) => Kind::Fragment,
                Ipv6ExtensionSlice::Authentication(_) => Kind::Authentication,
                _ => Kind::Options,
            });
            (kind, ip.payload().payload)
        }
    }
}

fn addresses(net: &NetSlice<'_>) -> Option<(IpAddr, IpAddr)> {
    match net {
        NetSlice::Arp(_) => None,
        NetSlice::Ipv4(ip) => Some((ip.header().source_addr().into(), ip.header().destination_addr().into())),
        NetSlice::Ipv6(ip) => Some((ip.header().source_addr().into(), ip.header().destination_addr().into())),
    }
}

/// A frame of any kind, as it should be.
fn frame(random: &mut Random) -> Vec<u8> {
    let link = PacketBuilder::ethernet2([2; 6], [4; 6]);
    let id = VlanId::try_new(random.below(4096) as u16).unwrap();
    let tagged = random.below(3);
    if random.once_in(8) {
        let arp = arp(random);
        return match tagged {
            0 => write(|bytes| link.arp(arp).write_to_vec(bytes).unwrap()),
            _ => write(|bytes| link.single_vlan(id).arp(arp).write_to_vec(bytes).unwrap()),
        };
    }
    let (ip, payload_len) = (ip(random), random.below(80) as usize);
    let payload = random.bytes(payload_len);
    match tagged {
        0 => transport(random, link.ip(ip), &payload),
        1 => transport(random, link.single_vlan(id).ip(ip), &payload),
        _ => transport(random, link.double_vlan(id, VlanId::ZERO).ip(ip), &payload),
    }
}

fn write(build: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    build(&mut bytes);
    bytes
}

fn arp(random: &mut Random) -> ArpPacket {
    let (hardware, protocol) = (random.bytes(6), random.bytes(4));
    let operation = ArpOperation(random.below(3) as u16);
    ArpPacket::new(ArpHardwareId::ETHERNET, EtherType::IPV4, operation, &hardware, &protocol, &hardware, &protocol)
        .unwrap()
}

fn ip(random: &mut Random) -> IpHeaders {
    if random.once_in(2) {
        let mut header = Ipv4Header { source: [10, 0, 0, random.next() as u8], ..Default::default() };
        header.destination = [192, 168, 0, 1];
        header.options = random.one_of(&[&[][..], &[1; 4], &[0; 40]]).try_into().unwrap();
        header.more_fragments = random.once_in(12);
        return IpHeaders::Ipv4(header, Ipv4Extensions { auth: random.once_in(6).then(Default::default) });
    }
    let options = |random: &mut Random| {
        let payload = random.one_of(&[&[1; 6][..], &[0; 14]]);
        random.once_in(5).then(|| Ipv6RawExtHeader::new_raw(ip_number::UDP, payload).unwrap())
    };
    let extensions = Ipv6Extensions {
        hop_by_hop_options: options(random),
        destination_options: options(random),
        routing: None,
        fragment: random.once_in(6).then(|| {
            let offset = IpFragOffset::try_new(random.below(3) as u16 % 2).unwrap();
            Ipv6FragmentHeader::new(ip_number::UDP, offset, random.once_in(3), 7)
        }),
        auth: random.once_in(8).then(Default::default),
    };
    let mut header = Ipv6Header { source: [random.next() as u8; 16], ..Default::default() };
    header.destination = [0xfe; 16];
    IpHeaders::Ipv6(header, extensions)
}

fn transport(random: &mut Random, ip: PacketBuilderStep<IpHeaders>, payload: &[u8]) -> Vec<u8> {
    let (from, to) = (random.next() as u16, random.next() as u16);
    write(|bytes| match random.below(8) {
        0 | 1 => ip.udp(from, to).write_to_vec(bytes, payload).unwrap(),
        2 => ip.tcp(from, to, 1, 1000).write_to_vec(bytes, payload).unwrap(),
        3 => ip.tcp(from, to, 1, 1000).options_raw(&[1; 12]).unwrap().write_to_vec(bytes, payload).unwrap(),
        4 => ip.icmpv4_raw(random.one_of(&[0, 8, 13]), 0, [0; 4]).write_to_vec(bytes, payload).unwrap(),
        _ => ip
            .write_to_vec(bytes, random.one_of(&[ip_number::IGMP, ip_number::IPV6_ICMP, ip_number::GRE]), payload)
            .unwrap(),
    })
}

/// Makes it something else: mostly in headers, and mostly a little.
fn mutate(random: &mut Random, frame: &mut Vec<u8>) {
    for _ in 0..1 + random.below(3) {
        let len = frame.len().max(1) as u64;
        let at = if random.once_in(3) { random.below(len) } else { random.below(len.min(60)) } as usize;
        match (random.below(9), frame.get_mut(at)) {
            (0, _) => frame.truncate(at),
            (1, _) => frame.extend(random.bytes(random.clone().below(20) as usize)),
            (2 | 3, Some(byte)) => *byte ^= 1 << random.below(8),
            (4 | 5, Some(byte)) => *byte = byte.wrapping_add(random.below(5) as u8).wrapping_sub(2),
            (6, Some(byte)) => *byte = random.one_of(&[0, 0x11, 0x29, 0x2b, 0x2c, 0x33, 0x3c, 0x45, 0x60, 0x81, 0xff]),
            (_, Some(byte)) => *byte = random.next() as u8,
            (_, None) => {}
        }
    }
}
