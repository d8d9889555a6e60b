//! Many records in a row.

use core::ops::ControlFlow;

use super::{Consumer, Found};
use crate::raw::Memory;
use crate::sync::{Edge, release};
use crate::wire::{Position, stride};

/// Where a consumer is while it runs over records: in a register, which is why it is this fast.
struct Run<'c, M: Memory> {
    consumer: &'c mut Consumer<M>,
    at: Position,
}

impl<M: Memory> Consumer<M> {
    /// Calls `each` with committed records that are known to be there, one after the other, until it breaks, or something else
    /// comes than a record with a payload. Each is given back before the next, also if `each` panics.
    #[inline(always)]
    pub fn run(&mut self, mut each: impl FnMut(&M, Found) -> ControlFlow<()>) -> ControlFlow<()> {
        let limit = self.limit;
        let run = &mut Run { at: self.taken, consumer: self };
        while run.at != limit {
            let at = run.at;
            let header = run.consumer.header(at);
            let (len, stride) = (header.len(), stride(header.len()));
            if !header.is_committed() || len == 0 || stride > limit.since(at) {
                break;
            }
            run.at = at.advance(stride);
            let flow = each(&run.consumer.memory, Found { at, len });
            run.give_back();
            flow?;
        }
        ControlFlow::Continue(())
    }
}

impl<M: Memory> Run<'_, M> {
    #[inline(always)]
    fn give_back(&mut self) {
        if self.consumer.is_ours() {
            self.consumer.taken = self.at;
            self.consumer.publish();
        } else {
            self.consumer.memory.consumer().consumer_pos.store(self.at.get(), release(Edge::SpaceStore));
        }
    }
}

impl<M: Memory> Drop for Run<'_, M> {
    #[inline]
    fn drop(&mut self) {
        self.consumer.taken = self.at;
        self.consumer.publish();
    }
}
