//! Every interleaving of small scenarios, one file each, with the outcomes that are allowed.

mod reserve;
mod sleep;
