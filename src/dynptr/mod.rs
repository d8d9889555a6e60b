//! Memory whose size is known only at run time, used safely.
//!
//! Whoever owns such memory hands out views of it: a [`View`] to read, a [`ViewMut`] to write. All operations are theirs, so
//! that it does not matter what kind of memory it is.

mod bounds;
mod chunks;
mod error;
mod fragments;
mod pieces;
mod reservation;
mod slice_mut;
mod typed;
mod view;
mod view_mut;

pub use chunks::Chunks;
pub use error::{DynPtrError, TooLong};
pub use fragments::{Fragments, FragmentsMut};
pub use reservation::DynPtr;
pub use slice_mut::SliceMut;
pub use typed::Reserved;
pub use view::View;
pub use view_mut::ViewMut;
