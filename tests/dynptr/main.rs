//! Dynamic pointers: views of reservations, of plain bytes and of packets.

mod errors;
mod model;
mod packets;
mod pieces;
mod selftests;
