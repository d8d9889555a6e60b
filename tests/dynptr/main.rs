//! Dynamic pointers: views of reservations, of plain bytes and of packets.

mod model;
mod pieces;
