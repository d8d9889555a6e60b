//! Frames to look at.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};

use etherparse::{ArpHardwareId, ArpOperation, ArpPacket, EtherType, PacketBuilder, VlanId};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Sends a little over the loopback interface.
pub(crate) fn send() -> io::Result<()> {
    let (one, other) = (UdpSocket::bind((HERE, 0))?, UdpSocket::bind((HERE, 0))?);
    one.send_to(b"to whom it may concern", other.local_addr()?)?;
    // Nobody listens there as a rule, which a frame of ICMP says; whether it does, the next call may be told.
    let _ = one.send_to(b"never mind", (HERE, 9));

    let listener = TcpListener::bind((HERE, 0))?;
    let mut connection = TcpStream::connect(listener.local_addr()?)?;
    let (mut accepted, _) = listener.accept()?;
    connection.write_all(b"hello")?;
    accepted.read_exact(&mut [0; 5])?;
    Ok(())
}

/// A few frames of several kinds, one of which is cut off.
pub(crate) fn made() -> io::Result<Vec<Vec<u8>>> {
    let link = || PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let ipv4 = || link().ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    let ipv6 = || link().ipv6([0x20; 16], [0x21; 16], 64);
    let tagged = || link().single_vlan(VlanId::ZERO).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    let arp = ArpPacket::new(
        ArpHardwareId::ETHERNET,
        EtherType::IPV4,
        ArpOperation::REQUEST,
        &[2, 0, 0, 0, 0, 1],
        &[192, 0, 2, 1],
        &[0; 6],
        &[192, 0, 2, 2],
    );

    let mut frames = vec![Vec::new(); 6];
    ipv4().udp(4000, 53).write_to_vec(&mut frames[0], b"a query").map_err(io::Error::other)?;
    tagged().udp(4000, 9).write_to_vec(&mut frames[1], b"to be discarded").map_err(io::Error::other)?;
    ipv4().tcp(4000, 80, 1, 1024).syn().write_to_vec(&mut frames[2], b"").map_err(io::Error::other)?;
    ipv6().icmpv6_echo_request(1, 1).write_to_vec(&mut frames[3], b"are you there?").map_err(io::Error::other)?;
    link().arp(arp.map_err(io::Error::other)?).write_to_vec(&mut frames[4]).map_err(io::Error::other)?;
    ipv4().tcp(4000, 80, 2, 1024).write_to_vec(&mut frames[5], b"cut off").map_err(io::Error::other)?;
    frames[5].truncate(50);
    Ok(frames)
}
