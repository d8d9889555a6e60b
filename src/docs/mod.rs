//! What cannot be said at any one item. There is no code in here.

pub mod arena;
pub mod dynptr;
pub mod format;
pub mod internal;
pub mod limits;
pub mod performance;
pub mod rejected;
pub mod reliability;
pub mod verifier;
