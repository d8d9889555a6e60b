//! Dynamic memory that threads and processes share.

mod arena_ptr;
mod builder;
mod error;
mod guard;
mod handle;
mod key;
mod map;
#[cfg(not(miri))]
mod shared;
mod token;

pub use arena_ptr::ArenaPtr;
pub use builder::ArenaBuilder;
#[cfg(not(miri))]
pub use error::JoinError;
pub use error::{AllocError, ArenaBuildError, ClaimError, EntryError, InsertError, MapError, NotInserted};
pub use guard::{MapMut, MapRef};
pub use handle::Arena;
pub use key::Key;
pub use map::{Map, MapIter, MapSize};
#[cfg(not(miri))]
pub use shared::{ArenaRecovery, SharedArena};
pub use token::Token;
