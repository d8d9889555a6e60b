//! Every interleaving of small scenarios, one file each, with the outcomes that are allowed.

mod disconnect;
mod overtaken;
mod reserve;
mod sleep;
