//! Memory whose size is known only at run time, used safely.

mod error;
mod reservation;
mod typed;

pub use error::{DynPtrError, TooLong};
pub use reservation::DynPtr;
pub use typed::Reserved;
