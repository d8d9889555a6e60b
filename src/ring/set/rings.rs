//! Rings that are waited for together.

use core::fmt;
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::member::Member;
use super::{AddError, PollError, RingToken};
use crate::notify::{Bells, POLL, Stalled, Waker};
use crate::ring::Consumer;

/// Many rings, the bells by which they are heard, and for each what its set needs to know.
///
/// # Invariants
/// 1. `members` are in ascending order of their tokens, which are never given out again.
/// 2. The map of each member that has one is in `bells` under its token.
pub(super) struct Rings<T> {
    bells: Bells,
    pub(super) members: Vec<Member<T>>,
    next_token: u64,
    /// Records of rings that were removed.
    departed: u64,
}

impl<T> Rings<T> {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { bells: Bells::new()?, members: Vec::new(), next_token: 0, departed: 0 })
    }

    /// Adds a ring of the kernel.
    pub(super) fn add(&mut self, consumer: Consumer, own: T) -> Result<RingToken, AddError> {
        if consumer.bell().is_none() { Err(AddError::not_of_the_kernel(consumer)) } else { self.add_any(consumer, own) }
    }

    /// Adds any ring. One of this crate is not heard.
    pub(super) fn add_any(&mut self, consumer: Consumer, own: T) -> Result<RingToken, AddError> {
        let token = RingToken(self.next_token);
        if let Some(Err(error)) = consumer.bell().map(|bell| self.bells.add(bell, token.0)) {
            return Err(AddError::refused(consumer, error));
        }
        self.members.push(Member::new(token, consumer, own));
        self.next_token += 1;
        Ok(token)
    }

    pub(super) fn remove(&mut self, ring: RingToken) -> Option<Consumer> {
        let member = self.members.remove(self.index(ring)?);
        if let Some(bell) = member.consumer.bell() {
            let removed = self.bells.remove(bell);
            debug_assert!(removed.is_ok(), "invariant 2: {removed:?}");
        }
        self.departed += member.records;
        Some(member.consumer)
    }

    pub(super) fn waker(&self) -> Waker {
        self.bells.waker()
    }

    pub(super) fn tokens(&self) -> impl Iterator<Item = RingToken> {
        self.members.iter().map(|member| member.token)
    }

    pub(super) fn get(&self, ring: RingToken) -> Option<&Member<T>> {
        Some(&self.members[self.index(ring)?])
    }

    pub(super) fn records(&self) -> u64 {
        self.departed + self.members.iter().map(|member| member.records).sum::<u64>()
    }

    pub(super) fn stalled(&mut self) -> impl Iterator<Item = (RingToken, Stalled)> {
        self.members.iter_mut().filter_map(|member| Some((member.token, member.consumer.stalled()?)))
    }

    pub(super) fn index(&self, ring: RingToken) -> Option<usize> {
        self.members.binary_search_by_key(&ring, |member| member.token).ok()
    }

    /// Waits until something rings, or it is time to look at rings that are not heard. Whether a waker rings. `rung` is called
    /// with the members that do.
    ///
    /// To be slept on only if each member has said that it may sleep since its consumer moved last, or need not be heard.
    pub(super) fn listen(
        &mut self,
        timeout: Option<Duration>,
        mut rung: impl FnMut(&mut Member<T>),
    ) -> Result<bool, PollError> {
        let members = &mut self.members;
        let unheard = members.iter().any(|member| member.consumer.bell().is_none());
        let timeout = if unheard { Some(timeout.map_or(POLL, |timeout| timeout.min(POLL))) } else { timeout };
        let rung = |token| {
            if let Ok(index) = members.binary_search_by_key(&RingToken(token), |member| member.token) {
                rung(&mut members[index]);
            }
        };
        self.bells.wait(timeout, rung).map_err(PollError::System)
    }

    /// A waker that has rung is heard no more.
    pub(super) fn silence(&self) {
        self.bells.silence();
    }
}

impl<T> AsFd for Rings<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bells.as_fd()
    }
}

impl<T> fmt::Debug for Rings<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bells, members, next_token, departed } = self;
        let mut debug = f.debug_struct("Rings");
        debug.field("bells", bells).field("members", members);
        debug.field("next_token", next_token).field("departed", departed).finish()
    }
}
