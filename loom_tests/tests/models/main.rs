//! Every interleaving of small scenarios, one file each, with the outcomes that are allowed.

mod alone;
mod arena;
mod arena_mutants;
mod disconnect;
mod entering;
mod give_up;
mod handover;
mod listen;
mod mutants;
mod observer;
mod overtaken;
mod plain;
mod repair;
mod reserve;
mod resume;
mod reuse;
mod sleep;
mod slots;
mod snapshot;
mod space;
mod split;
mod watched;
mod weakened;
