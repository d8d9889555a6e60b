//! Whose turn it is.
//!
//! *A record that becomes readable within the window after one with a later key was seen, comes before that.* Say that B is
//! delivered, and A, which has a smaller key, is in another ring, which is in order by itself. Had that ring a head, it
//! would be no greater than A, and come before B. So it had none, and was waited for; and B was delivered because some head
//! R, with B's key or a later one, had been seen a window ago by the clock that was read before all rings were looked at.
//! If A had become readable within a window after R was seen, then that look would have found it.

use core::cmp::Ordering;
use core::ops::ControlFlow;

use super::window::Marks;
use super::{MergedRecord, RingMerge};
use crate::notify;
use crate::ring::set::PollError;
use crate::ring::set::member::{Handled, Member};
use crate::wire::Position;

/// What is known of a ring.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) has_head: bool,
    /// Whether nobody is left who could produce into it.
    pub(super) disconnected: bool,
    pub(super) marks: Marks,
}

/// The first record of a ring.
#[derive(Debug)]
pub(super) struct Head<K> {
    key: K,
    /// Which member's.
    pub(super) index: usize,
    pub(super) at: Position,
}

/// Which records are delivered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that need not wait any more.
    Due,
    /// All that have been seen.
    Seen,
}

/// What can be done after a look at all rings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A record is due.
    Deliver,
    /// Something has just come.
    Look,
    /// It is safe to listen.
    Sleep,
}

impl<K: Ord, F: FnMut(&[u8]) -> K> RingMerge<K, F> {
    /// Like [`look`](Self::look), again and again for a moment until there is something to do.
    pub(super) fn look_for_a_moment(&mut self) -> Result<Next, PollError> {
        let found = notify::looking(|| match self.look() {
            Ok(Next::Sleep) => None,
            result => Some(result),
        });
        found.unwrap_or(Ok(Next::Sleep))
    }

    /// Looks at all rings, and makes sure that those without a record ring if they get one.
    pub(super) fn look(&mut self) -> Result<Next, PollError> {
        self.gather()?;
        if self.is_due() {
            return Ok(Next::Deliver);
        }
        for member in &mut self.rings.members {
            if member.is_waited_for() && !member.consumer.may_sleep().map_err(|corrupt| member.corrupt(corrupt))? {
                return Ok(Next::Look);
            }
        }
        Ok(Next::Sleep)
    }

    /// Looks at all rings: what they have, and what has waited long enough.
    pub(super) fn gather(&mut self) -> Result<(), PollError> {
        // What is ripe now was seen a window ago by the clock, and all rings are looked at after that.
        let now = self.window.now();
        for index in 0..self.rings.members.len() {
            if !self.rings.members[index].is_corrupt() {
                self.rings.members[index].own.marks.ripen(now);
                self.look_at(index)?;
                self.find_head(index)?;
            }
        }
        let now = self.window.now();
        for member in self.rings.members.iter_mut().filter(|member| !member.is_corrupt()) {
            let (marks, seen) = (&mut member.own.marks, member.consumer.seen());
            if self.window.is_zero() { marks.note_ripe(seen) } else { marks.note(now, seen) }
        }
        self.waited_for = self.rings.members.iter().filter(|member| member.is_waited_for()).count();
        self.ripe = self.heads.iter().filter(|head| self.is_ripe(head)).count();
        Ok(())
    }

    /// Looks how far a ring goes, and whether anybody is left who may lengthen it.
    fn look_at(&mut self, index: usize) -> Result<(), PollError> {
        let member = &mut self.rings.members[index];
        // In this order: what the last producer did before it left is there.
        member.own.disconnected = member.consumer.is_disconnected();
        member.consumer.look().map_err(|corrupt| {
            // Nothing more is read there, not even that.
            self.heads.retain(|head| head.index != index);
            member.own.has_head = false;
            member.corrupt(corrupt)
        })
    }

    /// Looks for the first record of a ring, if it is not known. Returns where one was found.
    fn find_head(&mut self, index: usize) -> Result<Option<Position>, PollError> {
        let member = &mut self.rings.members[index];
        if member.own.has_head {
            return Ok(None);
        }
        let found = member.consumer.view_next(&mut self.key).map_err(|corrupt| member.corrupt(corrupt))?;
        Ok(found.map(|(at, key)| {
            member.own.has_head = true;
            self.heads.push(Head { key, index, at });
            at
        }))
    }

    fn is_ripe(&self, head: &Head<K>) -> bool {
        self.rings.members[head.index].own.marks.is_ripe(head.at)
    }

    /// Whether the record that comes next may be delivered: all that could be older are there, or it has waited long enough,
    /// or one that comes behind it has.
    fn is_due(&self) -> bool {
        !self.heads.is_empty() && (self.waited_for == 0 || self.ripe > 0)
    }

    /// Delivers records in order, at most `most`.
    pub(super) fn deliver(
        &mut self,
        which: Which,
        most: u64,
        each: &mut impl FnMut(MergedRecord<'_, K>) -> ControlFlow<()>,
    ) -> Result<Handled, PollError> {
        let mut handled = Handled::default();
        while !handled.stopped && handled.records < most && (which == Which::Seen || self.is_due()) {
            let Some(head) = self.take_head() else { break };
            if which == Which::Seen && !self.rings.members[head.index].own.marks.is_noted(head.at) {
                // The next look finds it again.
                continue;
            }
            handled.stopped = self.deliver_one(head.index, head.key, each)?.is_break();
            handled.records += 1;
            self.find_next(head.index)?;
        }
        Ok(handled)
    }

    fn take_head(&mut self) -> Option<Head<K>> {
        let head = self.heads.pop()?;
        self.ripe -= usize::from(self.is_ripe(&head));
        self.rings.members[head.index].own.has_head = false;
        Some(head)
    }

    /// Looks for the first record of a ring, whose last one was delivered just now.
    fn find_next(&mut self, index: usize) -> Result<(), PollError> {
        let found = self.find_head(index)?;
        let own = &self.rings.members[index].own;
        match found {
            Some(at) => self.ripe += usize::from(own.marks.is_ripe(at)),
            None => self.waited_for += usize::from(!own.disconnected),
        }
        Ok(())
    }

    fn deliver_one(
        &mut self,
        index: usize,
        key: K,
        each: &mut impl FnMut(MergedRecord<'_, K>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, PollError> {
        let member = &mut self.rings.members[index];
        let late = self.latest.as_ref().is_some_and(|latest| key < *latest);
        let (mut flow, mut wrong) = (ControlFlow::Continue(()), None);
        match member.consumer.next() {
            Ok(Some(record)) => {
                member.records += 1;
                flow = each(MergedRecord::new(member.token, &key, late, &record));
            }
            Ok(None) => debug_assert!(false, "invariant 2"),
            Err(corrupt) => wrong = Some(corrupt),
        }
        if let Some(corrupt) = wrong {
            return Err(member.corrupt(corrupt));
        }
        if late {
            self.late += 1;
        } else {
            self.latest = Some(key);
        }
        Ok(flow)
    }
}

impl Member<Track> {
    /// Whether the ring may yet come up with a record that is older than those of others.
    fn is_waited_for(&self) -> bool {
        !self.own.has_head && !self.own.disconnected && !self.is_corrupt()
    }
}

/// The one with the smallest key is the greatest, as heaps have it.
impl<K: Ord> Ord for Head<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        (&other.key, other.index).cmp(&(&self.key, self.index))
    }
}

impl<K: Ord> PartialOrd for Head<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord> PartialEq for Head<K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<K: Ord> Eq for Head<K> {}
