//! How arenas work.
