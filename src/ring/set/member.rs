//! One ring of a set.

use core::fmt;
use core::ops::ControlFlow;

use super::{PollError, RingToken};
use crate::ring::Consumer;
use crate::wire::{Corrupt, Position};

pub(super) type Handler<'h> = Box<dyn FnMut(&[u8]) -> ControlFlow<()> + Send + 'h>;

/// A ring, what the set knows of it, and what the kind of the set needs.
///
/// # Invariants
/// 1. If the state is `Quiet`, then the consumer has found nothing, and the ring has not been heard of since.
pub(super) struct Member<T> {
    pub(super) token: RingToken,
    pub(super) consumer: Consumer,
    /// Records that were handled.
    pub(super) records: u64,
    pub(super) own: T,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Quiet,
    /// There may be records.
    Ready,
    /// Left alone.
    Corrupt,
}

/// How it went with a ring, or with many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Handled {
    pub(super) records: u64,
    /// Whether a handler has said to stop.
    pub(super) stopped: bool,
}

impl<T> Member<T> {
    pub(super) fn new(token: RingToken, consumer: Consumer, own: T) -> Self {
        Self { token, consumer, records: 0, own, state: State::Ready }
    }

    /// Leaves the ring alone from now on.
    pub(super) fn corrupt(&mut self, corrupt: Corrupt) -> PollError {
        self.state = State::Corrupt;
        PollError::Corrupt { ring: self.token, corrupt }
    }

    /// Whether the ring is left alone.
    pub(super) fn is_corrupt(&self) -> bool {
        self.state == State::Corrupt
    }
}

impl Member<Handler<'_>> {
    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// The ring was heard of.
    pub(super) fn rung(&mut self) {
        if self.state == State::Quiet {
            self.state = State::Ready;
        }
    }

    /// Looks whether there are records, unless it is known that there may be. If not, the bell rings once there are.
    pub(super) fn look(&mut self) -> Result<(), PollError> {
        if self.state == State::Quiet && !self.consumer.may_sleep().map_err(|corrupt| self.corrupt(corrupt))? {
            self.state = State::Ready;
        }
        Ok(())
    }

    /// Handles records until `most` are handled, the handler stops, or nothing is left.
    pub(super) fn handle(&mut self, most: u64) -> Result<Handled, PollError> {
        self.handle_while(|_, records| records < most)
    }

    /// Handles the records that producers have begun by now.
    pub(super) fn flush(&mut self) -> Result<Handled, PollError> {
        let end = Position::new(self.consumer.producer_pos());
        self.handle_while(|consumer, _| end.is_after(Position::new(consumer.consumer_pos())))
    }

    /// `goes_on` is asked before each record, and told how many were handled.
    fn handle_while(&mut self, goes_on: impl Fn(&Consumer, u64) -> bool) -> Result<Handled, PollError> {
        if self.state == State::Corrupt {
            return Ok(Handled::default());
        }
        // For whatever ends it before the ring does, be it a panic.
        self.state = State::Ready;
        self.pass(goes_on).map_err(|corrupt| self.corrupt(corrupt))
    }

    fn pass(&mut self, goes_on: impl Fn(&Consumer, u64) -> bool) -> Result<Handled, Corrupt> {
        let mut handled = Handled::default();
        while !handled.stopped && goes_on(&self.consumer, handled.records) {
            let Some(record) = self.consumer.next()? else {
                self.state = State::Quiet;
                break;
            };
            handled.records += 1;
            self.records += 1;
            handled.stopped = (self.own)(&record).is_break();
        }
        Ok(handled)
    }
}

impl<T> fmt::Debug for Member<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, consumer, records, own: _, state } = self;
        let mut debug = f.debug_struct("Member");
        debug.field("token", token).field("consumer", consumer).field("records", records).field("state", state);
        debug.finish_non_exhaustive()
    }
}
