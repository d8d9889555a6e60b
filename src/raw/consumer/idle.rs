//! Looking at those producers only that do something.

use super::Consumer;
use crate::raw::Memory;
use crate::raw::watched::may_let_go;

impl<M: Memory> Consumer<M> {
    /// Looks no more at the slots of producers that have reserved nothing since this was called last, until they reserve again. Done
    /// now and then by itself.
    #[cold]
    pub fn let_go_of_the_idle(&mut self) {
        let possible = may_let_go(&self.memory) && self.corrupt.is_none() && !self.is_inherited();
        if possible {
            self.watched.let_go_of_the_idle(&self.memory, self.limit);
        } else {
            self.watched.begin_anew();
        }
    }
}
