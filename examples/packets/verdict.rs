//! What is to be done with a frame, as a record in a ring.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use dynring::{Producer, ReserveError, View};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::parse::{Frame, Kind, parse};

/// Bytes of the payload that go with a verdict.
const SHOWN: u64 = 24;

/// The port of the discard protocol.
const DISCARD: u16 = 9;

/// Kinds, by their number.
const KINDS: [&str; 13] =
    ["ethernet", "vlan", "arp", "ipv4", "ipv6", "options", "fragment", "auth", "udp", "tcp", "icmp", "icmpv6", "igmp"];

/// The start of a record. Behind it is as much of the payload as is shown.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(crate) struct Verdict {
    /// As IPv6 has them; zeros if there are none.
    addresses: [[u8; 16]; 2],
    ports: [u16; 2],
    /// Bytes behind the innermost header.
    payload: u32,
    /// The frame's length in bytes.
    len: u32,
    vlans: u8,
    /// The innermost header, or [`MALFORMED`].
    kind: u8,
    pub(crate) drop: u8,
    padding: u8,
}

const MALFORMED: u8 = u8::MAX;

/// Looks at a frame, and says what is to be done with it.
pub(crate) fn judge(frame: View<'_>, producer: &Producer) -> Result<(), ReserveError> {
    let (verdict, mut payload) = match parse(frame) {
        Ok((found, payload)) => (Verdict::on(frame, &found, payload), payload),
        Err(_) => (Verdict { kind: MALFORMED, drop: 1, len: frame.size() as u32, ..Verdict::default() }, frame),
    };
    let _ = payload.adjust(0, payload.size().min(SHOWN));
    let size = size_of::<Verdict>() as u64;
    let mut record = producer.reserve_blocking((size + payload.size()) as usize, None)?;
    let mut view = record.view_mut();
    let written = view.write_as(0, &verdict);
    let copied = view.copy_from(size, payload, 0, payload.size());
    match written.and(copied) {
        Ok(()) => record.commit(),
        Err(error) => unreachable!("the record was reserved for it: {error}"),
    }
    Ok(())
}

impl Verdict {
    fn on(frame: View<'_>, found: &Frame, payload: View<'_>) -> Self {
        let bytes = |address: IpAddr| match address {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let to_discard = found.last == Some(Kind::Udp) && found.ports.is_some_and(|(_, to)| to == DISCARD);
        Self {
            addresses: found.addresses.map_or_else(Default::default, |(from, to)| [bytes(from), bytes(to)]),
            ports: found.ports.map_or_else(Default::default, |(from, to)| [from, to]),
            payload: payload.size() as u32,
            len: frame.size() as u32,
            vlans: found.vlans,
            kind: found.last.map_or(MALFORMED, |kind| kind as u8),
            drop: to_discard.into(),
            padding: 0,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.drop == 0 { "pass" } else { "drop" };
        let kind = KINDS.get(usize::from(self.kind)).unwrap_or(&"malformed");
        write!(f, "{verdict}  {kind:9}  {:5} bytes", self.len)?;
        if self.vlans > 0 {
            write!(f, "  {} x vlan", self.vlans)?;
        }
        if self.addresses != [[0; 16]; 2] {
            let [from, to] = self.addresses.map(|address| Ipv6Addr::from(address).to_canonical());
            match self.ports {
                [0, 0] => write!(f, "  {from} > {to}")?,
                [from_port, to_port] => write!(f, "  {from} {from_port} > {to} {to_port}")?,
            }
        }
        write!(f, "  {} of payload", self.payload)
    }
}
