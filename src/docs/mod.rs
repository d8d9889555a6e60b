//! Documents without code.

pub mod rejected;
