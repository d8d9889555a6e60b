//! Every interleaving of small scenarios, one file each, with the outcomes that are allowed.

mod disconnect;
mod reserve;
mod sleep;
