//! What views do where memory is not in one piece.

use zerocopy::{FromBytes, IntoBytes};

use super::bounds::check;
use super::{Chunks, DynPtrError, View, ViewMut};

/// Bytes that are copied at a time where source and destination are the same memory.
const BUFFER: usize = 256;

impl<'a> View<'a> {
    #[cold]
    pub(super) fn read_pieces(&self, offset: u64, mut dst: &mut [u8]) -> Result<(), DynPtrError> {
        let range = check(self.memory.size, offset, dst.len() as u64)?;
        for chunk in Chunks::new(self.memory, range) {
            let (part, rest) = dst.split_at_mut(chunk.len());
            part.copy_from_slice(chunk);
            dst = rest;
        }
        Ok(())
    }

    #[cold]
    pub(super) fn read_pieces_as<T: FromBytes + IntoBytes>(&self, offset: u64) -> Result<T, DynPtrError> {
        let mut value = T::new_zeroed();
        self.read_pieces(offset, value.as_mut_bytes())?;
        Ok(value)
    }

    #[cold]
    pub(super) fn data_of_fragment(&self, offset: u64, len: u64) -> Result<&'a [u8], DynPtrError> {
        let range = check(self.memory.size, offset, len)?;
        let piece = Chunks::new(self.memory, range).next().unwrap_or_default();
        if piece.len() as u64 == len { Ok(piece) } else { Err(DynPtrError::Fragmented { offset, len }) }
    }
}

impl ViewMut<'_> {
    #[cold]
    pub(super) fn write_pieces(&mut self, offset: u64, src: &[u8]) -> Result<(), DynPtrError> {
        self.for_each_piece(offset, src.len() as u64, |piece, at| piece.copy_from_slice(&src[at..at + piece.len()]))
    }

    #[cold]
    pub(super) fn memset_pieces(&mut self, offset: u64, len: u64, value: u8) -> Result<(), DynPtrError> {
        self.for_each_piece(offset, len, |piece, _| piece.fill(value))
    }

    #[cold]
    pub(super) fn data_of_fragment(&mut self, offset: u64, len: u64) -> Result<&mut [u8], DynPtrError> {
        let range = check(self.size, offset, len)?;
        if range.is_empty() {
            return Ok(Default::default());
        }
        let fragmented = DynPtrError::Fragmented { offset, len };
        let mut at = self.skip + range.start.checked_sub(self.head.len()).ok_or(fragmented)?;
        let fragments = self.fragments.as_deref_mut().ok_or(fragmented)?;
        let mut index = 0;
        while let Some(fragment) = fragments.as_fragments().get(index).filter(|fragment| fragment.len() <= at) {
            at -= fragment.len();
            index += 1;
        }
        fragments.get_mut(index).and_then(|fragment| fragment.get_mut(at..)?.get_mut(..range.len())).ok_or(fragmented)
    }

    #[cold]
    pub(super) fn copy_from_pieces(
        &mut self,
        offset: u64,
        src: View<'_>,
        src_offset: u64,
        len: u64,
    ) -> Result<(), DynPtrError> {
        check(self.size, offset, len)?;
        let mut at = offset;
        for piece in Chunks::new(src.memory, check(src.memory.size, src_offset, len)?) {
            self.write(at, piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    #[cold]
    pub(super) fn copy_within_pieces(&mut self, offset: u64, src_offset: u64, len: u64) -> Result<(), DynPtrError> {
        check(self.size, offset, len)?;
        check(self.size, src_offset, len)?;
        let mut buffer = [0; BUFFER];
        let count = len.div_ceil(BUFFER as u64);
        for nth in 0..count {
            // Away from where the destination is, so that nothing is overwritten that is still to be copied.
            let nth = if offset < src_offset { nth } else { count - 1 - nth };
            let at = nth * BUFFER as u64;
            let part = &mut buffer[..(len - at).min(BUFFER as u64) as usize];
            self.read(src_offset + at, part)?;
            self.write(offset + at, part)?;
        }
        Ok(())
    }

    /// Calls `f` with each piece of a range, and with how many bytes of the range come before it.
    fn for_each_piece(
        &mut self,
        offset: u64,
        len: u64,
        mut f: impl FnMut(&mut [u8], usize),
    ) -> Result<(), DynPtrError> {
        let range = check(self.size, offset, len)?;
        let mut done = 0;
        let mut visit = |piece: &mut [u8]| {
            let part = piece.len().min(range.len() - done);
            f(&mut piece[..part], done);
            done += part;
            done < range.len()
        };
        let (passed, head) = self.head.split_at_mut(range.start.min(self.head.len()));
        let mut skip = self.skip + (range.start - passed.len());
        let mut more = visit(head);
        for index in 0.. {
            let fragment =
                self.fragments.as_deref_mut().filter(|_| more).and_then(|fragments| fragments.get_mut(index));
            let Some(fragment) = fragment else { break };
            match fragment.get_mut(skip..) {
                None => skip -= fragment.len(),
                Some(piece) => {
                    skip = 0;
                    more = visit(piece);
                }
            }
        }
        Ok(())
    }
}
