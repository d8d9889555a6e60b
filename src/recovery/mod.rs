//! Who is alive, and what is to be done about those who are not.

#[cfg(not(miri))]
mod arena;
#[cfg(not(miri))]
mod locks;
#[cfg(not(miri))]
mod roster;
mod watch;

#[cfg(not(miri))]
pub(crate) use arena::{ArenaRoster, Recovered};
#[cfg(not(miri))]
pub(crate) use locks::Locks;
#[cfg(not(miri))]
pub(crate) use roster::{Roster, repair};
pub(crate) use watch::Watch;
