//! Dynamic pointers: views of reservations, of plain bytes and of packets.

mod errors;
mod model;
mod packets;
#[path = "../../examples/packets/parse.rs"]
mod parse;
mod parsing;
#[path = "../../examples/packets/pcap.rs"]
mod pcap;
mod pieces;
#[path = "../support/random.rs"]
mod random;
mod selftests;
