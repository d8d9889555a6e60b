//! What is in a frame: each header is looked at through a dynamic pointer, which is then adjusted to the payload.
//!
//! Where fields lie in a header, etherparse knows. Where headers lie in the frame, the pointer knows; also if the frame is in
//! several pieces.

use std::net::IpAddr;

use dynring::{DynPtrError, Layer, Layers, View};
use etherparse::{
    EtherType, Ethernet2Header, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, SingleVlanHeader,
    TcpHeaderSlice, UdpHeader, ether_type, ip_number,
};
use zerocopy::big_endian::U16;

/// Bytes of the longest header that is looked at as a whole: that of IPv4 or TCP, with options.
const LONGEST: usize = 60;

/// Tags of virtual networks that are looked behind.
const VLANS: u8 = 3;

/// Kinds of headers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Ethernet,
    Vlan,
    Arp,
    Ipv4,
    Ipv6,
    /// Of IPv6: hop by hop, routing or destination options.
    Options,
    /// Of IPv6.
    Fragment,
    Authentication,
    Udp,
    Tcp,
    Icmpv4,
    Icmpv6,
    Igmp,
}

/// What a frame has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) vlans: u8,
    /// From where to where.
    pub(crate) addresses: Option<(IpAddr, IpAddr)>,
    pub(crate) ports: Option<(u16, u16)>,
    /// The innermost header.
    pub(crate) last: Option<Kind>,
}

/// A header that cannot be what it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Malformed {
    /// It reaches outside the layer around it.
    Length(DynPtrError),
    /// It says of itself what cannot be.
    Content,
}

impl From<DynPtrError> for Malformed {
    fn from(error: DynPtrError) -> Self {
        Self::Length(error)
    }
}

/// Goes through the layers of a frame. Returns what it has, and what is behind the innermost header.
pub(crate) fn parse(frame: View<'_>) -> Result<(Frame, View<'_>), Malformed> {
    let mut parser = Parser::default();
    let mut layers = Layers::new(frame, Kind::Ethernet, |kind, layer| parser.look(*kind, layer));
    let mut last = None;
    for layer in layers.by_ref() {
        last = Some(layer?.0);
    }
    let payload = layers.rest();
    Ok((Frame { last, ..parser.found }, payload))
}

/// What is known of the frame so far.
#[derive(Default)]
struct Parser {
    found: Frame,
    is_ipv6: bool,
    is_fragment: bool,
}

impl Parser {
    fn look(&mut self, kind: Kind, layer: View<'_>) -> Result<Layer<Kind>, Malformed> {
        match kind {
            Kind::Ethernet => {
                let header = Ethernet2Header::from_bytes(layer.read_as(0)?);
                Ok(Layer { header: 14, end: layer.size(), payload: self.behind_link(header.ether_type) })
            }
            Kind::Vlan => {
                let header = SingleVlanHeader::from_bytes(layer.read_as(0)?);
                self.found.vlans += 1;
                Ok(Layer { header: 4, end: layer.size(), payload: self.behind_link(header.ether_type) })
            }
            Kind::Arp => {
                let [.., hardware, protocol] = layer.read_as::<[u8; 6]>(0)?;
                let len = 8 + 2 * (u64::from(hardware) + u64::from(protocol));
                Ok(Layer { header: len, end: len, payload: None })
            }
            Kind::Ipv4 => self.ipv4(layer),
            Kind::Ipv6 => self.ipv6(layer),
            Kind::Options | Kind::Fragment | Kind::Authentication => self.extension(kind, layer),
            Kind::Udp => self.udp(layer),
            Kind::Tcp => self.tcp(layer),
            Kind::Icmpv4 => icmpv4(layer),
            Kind::Icmpv6 => Ok(Layer { header: 8, end: layer.size(), payload: None }),
            Kind::Igmp => igmp(layer),
        }
    }

    fn ipv4(&mut self, layer: View<'_>) -> Result<Layer<Kind>, Malformed> {
        let mut scratch = [0; LONGEST];
        let len = u64::from(layer.read_as::<u8>(0)? & 0xf) * 4;
        let header = Ipv4HeaderSlice::from_slice(layer.slice(0, len, &mut scratch)?).map_err(|_| Malformed::Content)?;
        self.found.addresses = Some((header.source_addr().into(), header.destination_addr().into()));
        self.is_fragment = header.is_fragmenting_payload();
        Ok(Layer { header: len, end: header.total_len().into(), payload: self.behind_ip(header.protocol(), true)? })
    }

    fn ipv6(&mut self, layer: View<'_>) -> Result<Layer<Kind>, Malformed> {
        let bytes: [u8; 40] = layer.read_as(0)?;
        let header = Ipv6HeaderSlice::from_slice(&bytes).map_err(|_| Malformed::Content)?;
        self.found.addresses = Some((header.source_addr().into(), header.destination_addr().into()));
        self.is_ipv6 = true;
        // No length is that of a packet whose length is said elsewhere.
        let end = match header.payload_length() {
            0 => layer.size(),
            len => 40 + u64::from(len),
        };
        Ok(Layer { header: 40, end, payload: self.behind_ip(header.next_header(), true)? })
    }

    fn extension(&mut self, kind: Kind, layer: View<'_>) -> Result<Layer<Kind>, Malformed> {
        let bytes: [u8; 8] = layer.read_as(0)?;
        let [next, len, ..] = bytes;
        let header = match kind {
            Kind::Authentication if len == 0 => return Err(Malformed::Content),
            Kind::Authentication => (u64::from(len) + 2) * 4,
            Kind::Fragment => 8,
            _ => (u64::from(len) + 1) * 8,
        };
        if kind == Kind::Fragment {
            let fragment = Ipv6FragmentHeaderSlice::from_slice(&bytes).map_err(|_| Malformed::Content)?;
            self.is_fragment |= fragment.is_fragmenting_payload();
        }
        Ok(Layer { header, end: layer.size(), payload: self.behind_ip(IpNumber(next), false)? })
    }

    fn udp(&mut self, layer: View<'_>) -> Result<Layer<Kind>, Malformed> {
        let header = UdpHeader::from_bytes(layer.read_as(0)?);
        self.found.ports = Some((header.source_port, header.destination_port));
        let end = match header.length {
            0 => layer.size(),
            len => len.into(),
        };
        Ok(Layer { header: 8, end, payload: None })
    }

    fn tcp(&mut self, layer: View<'_>) -> Result<Layer<Kind>, Malformed> {
        let mut scratch = [0; LONGEST];
        let len = u64::from(layer.read_as::<u8>(12)? >> 4) * 4;
        let header = TcpHeaderSlice::from_slice(layer.slice(0, len, &mut scratch)?).map_err(|_| Malformed::Content)?;
        self.found.ports = Some((header.source_port(), header.destination_port()));
        Ok(Layer { header: len, end: layer.size(), payload: None })
    }

    fn behind_link(&self, next: EtherType) -> Option<Kind> {
        match next {
            ether_type::VLAN_TAGGED_FRAME | ether_type::PROVIDER_BRIDGING | ether_type::VLAN_DOUBLE_TAGGED_FRAME => {
                (self.found.vlans < VLANS).then_some(Kind::Vlan)
            }
            ether_type::ARP => Some(Kind::Arp),
            ether_type::IPV4 => Some(Kind::Ipv4),
            ether_type::IPV6 => Some(Kind::Ipv6),
            _ => None,
        }
    }

    fn behind_ip(&self, next: IpNumber, is_first: bool) -> Result<Option<Kind>, Malformed> {
        Ok(match next {
            ip_number::AUTH if self.is_ipv6 || is_first => Some(Kind::Authentication),
            ip_number::IPV6_HOP_BY_HOP if self.is_ipv6 && !is_first => return Err(Malformed::Content),
            ip_number::IPV6_HOP_BY_HOP | ip_number::IPV6_ROUTE | ip_number::IPV6_DEST_OPTIONS if self.is_ipv6 => {
                Some(Kind::Options)
            }
            ip_number::IPV6_FRAG if self.is_ipv6 => Some(Kind::Fragment),
            _ if self.is_fragment => None,
            ip_number::UDP => Some(Kind::Udp),
            ip_number::TCP => Some(Kind::Tcp),
            ip_number::ICMP => Some(Kind::Icmpv4),
            ip_number::IPV6_ICMP => Some(Kind::Icmpv6),
            ip_number::IGMP => Some(Kind::Igmp),
            _ => None,
        })
    }
}

fn icmpv4(layer: View<'_>) -> Result<Layer<Kind>, Malformed> {
    const TIMESTAMP: u8 = 13;
    const TIMESTAMP_REPLY: u8 = 14;
    match layer.read_as::<[u8; 2]>(0)? {
        [TIMESTAMP | TIMESTAMP_REPLY, 0] if layer.size() != 20 => Err(Malformed::Content),
        [TIMESTAMP | TIMESTAMP_REPLY, 0] => Ok(Layer { header: 20, end: 20, payload: None }),
        _ => Ok(Layer { header: 8, end: layer.size(), payload: None }),
    }
}

fn igmp(layer: View<'_>) -> Result<Layer<Kind>, Malformed> {
    const QUERY: u8 = 0x11;
    if layer.size() == 8 || layer.read_as::<u8>(0)? != QUERY {
        return Ok(Layer { header: 8, end: layer.size(), payload: None });
    }
    let mut sources = layer;
    sources.adjust(12, 12 + 4 * u64::from(layer.read_as::<U16>(10)?.get()))?;
    Ok(Layer { header: 12, end: layer.size(), payload: None })
}
