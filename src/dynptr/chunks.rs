//! The pieces that memory lies in.

use core::ops::Range;
use core::{fmt, mem};

use super::Fragments;
use super::view::Memory;

/// The pieces that a view's memory lies in, in order. None is empty. From [`View::chunks`](crate::View::chunks).
#[derive(Clone)]
pub struct Chunks<'a> {
    head: &'a [u8],
    fragments: Option<&'a dyn Fragments>,
    /// The fragment that is next.
    index: usize,
    /// Bytes of the fragments that come first.
    skip: usize,
    /// Bytes that are wanted.
    left: usize,
}

impl<'a> Chunks<'a> {
    /// Those of a range, which must be within the memory.
    pub(super) fn new(memory: Memory<'a>, range: Range<usize>) -> Self {
        let Memory { head, fragments, skip, .. } = memory;
        let (passed, head) = head.split_at(range.start.min(head.len()));
        Self { head, fragments, index: 0, skip: skip + (range.start - passed.len()), left: range.len() }
    }

    fn piece(&mut self) -> Option<&'a [u8]> {
        let head = mem::take(&mut self.head);
        if !head.is_empty() {
            return Some(head);
        }
        loop {
            let fragment = self.fragments?.get(self.index)?;
            self.index += 1;
            match fragment.get(self.skip..) {
                Some([]) | None => self.skip -= fragment.len(),
                Some(piece) => {
                    self.skip = 0;
                    return Some(piece);
                }
            }
        }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        let piece = self.piece()?;
        let piece = piece.get(..self.left).unwrap_or(piece);
        self.left -= piece.len();
        Some(piece)
    }
}

impl fmt::Debug for Chunks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("left", &self.left).finish_non_exhaustive()
    }
}
