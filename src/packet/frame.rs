//! A packet, and where it starts and ends in its memory.

use super::AdjustError;
use crate::dynptr::{DynPtrError, View, ViewMut};

/// The header of an Ethernet frame, in bytes: what is always left of a packet, in the first piece of memory.
const LEAST: u64 = 14;

/// The kernel keeps the length of metadata in a byte.
const MOST_METADATA: u64 = u8::MAX as u64;

/// A packet: a window of memory that is in one piece, or in several, and can be moved.
///
/// ```text
///   headroom | metadata | packet ...  | ... packet | ... packet | tailroom
///   \_______________ head ___________/ \_fragment_/ \______fragment______/
/// ```
///
/// Whether it can be written is known at run time. Read and written it is through its [`view`](Self::view) and its
/// [`view_mut`](Self::view_mut), and none of these is there when the packet is moved.
///
/// Source: `struct xdp_buff`, `bpf_dynptr_from_xdp` and `bpf_dynptr_from_skb` in the kernel.
///
/// # Examples
/// ```
/// use dynring::{Packet, View, ViewMut};
///
/// let mut frame = [0; 128];
/// let mut packet = Packet::with_room(ViewMut::new(&mut frame), 32, 96)?;
/// packet.adjust_head(-4)?;
/// packet.adjust_tail(-20)?;
/// assert_eq!(packet.size(), 48);
/// packet.view_mut()?.write(12, &[0x81, 0x00])?;
///
/// let mut packet = Packet::read_only(View::new(b"no more than an example"));
/// assert_eq!(packet.view_mut().unwrap_err(), dynring::DynPtrError::ReadOnly);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "xdp_buff")]
#[doc(alias = "sk_buff")]
#[derive(Debug)]
pub struct Packet<'a> {
    memory: Memory<'a>,
    /// Where metadata, packet and tailroom start, in bytes from the start of the memory. In order, and within it.
    meta: u64,
    start: u64,
    end: u64,
}

#[derive(Debug)]
enum Memory<'a> {
    ReadOnly(View<'a>),
    Writable(ViewMut<'a>),
}

impl<'a> Packet<'a> {
    /// A packet that is all of the memory.
    pub fn new(memory: ViewMut<'a>) -> Self {
        let end = memory.size();
        Self { memory: Memory::Writable(memory), meta: 0, start: 0, end }
    }

    /// A packet that is all of the memory, and is not written.
    pub fn read_only(memory: View<'a>) -> Self {
        let end = memory.size();
        Self { memory: Memory::ReadOnly(memory), meta: 0, start: 0, end }
    }

    /// A packet from `start` to `end` of the memory. What is before is headroom. What is behind, in the piece that the
    /// packet ends in, is tailroom.
    ///
    /// # Errors
    /// `start` is behind `end`, or one of them outside.
    pub fn with_room(memory: ViewMut<'a>, start: u64, end: u64) -> Result<Self, DynPtrError> {
        memory.as_view().adjust(start, end)?;
        Ok(Self { memory: Memory::Writable(memory), meta: start, start, end })
    }

    /// How long the packet is, in bytes.
    ///
    /// Source: `bpf_xdp_get_buff_len` in the kernel.
    #[doc(alias = "bpf_xdp_get_buff_len")]
    #[inline]
    pub fn size(&self) -> u64 {
        self.end - self.start
    }

    /// Whether the packet cannot be written.
    ///
    /// Source: `bpf_dynptr_is_rdonly` in the kernel.
    #[doc(alias = "bpf_dynptr_is_rdonly")]
    #[inline]
    pub fn is_rdonly(&self) -> bool {
        matches!(self.memory, Memory::ReadOnly(_))
    }

    /// The packet, to be read.
    #[inline]
    pub fn view(&self) -> View<'_> {
        self.part(self.start, self.end)
    }

    /// The packet, to be written.
    ///
    /// # Errors
    /// The packet is read-only.
    #[inline]
    pub fn view_mut(&mut self) -> Result<ViewMut<'_>, DynPtrError> {
        self.part_mut(self.start, self.end)
    }

    /// The packet's metadata, to be read.
    ///
    /// Source: `bpf_dynptr_from_skb_meta` in the kernel.
    #[doc(alias = "bpf_dynptr_from_skb_meta")]
    pub fn meta(&self) -> View<'_> {
        self.part(self.meta, self.start)
    }

    /// The packet's metadata, to be written.
    ///
    /// # Errors
    /// The packet is read-only.
    #[doc(alias = "bpf_dynptr_from_skb_meta")]
    pub fn meta_mut(&mut self) -> Result<ViewMut<'_>, DynPtrError> {
        self.part_mut(self.meta, self.start)
    }

    /// Bytes before the packet and its metadata.
    #[inline]
    pub fn headroom(&self) -> u64 {
        self.meta
    }

    /// Bytes behind the packet, in the piece of memory that it ends in.
    pub fn tailroom(&self) -> u64 {
        let mut piece_end = 0;
        for piece in self.all().chunks() {
            piece_end += piece.len() as u64;
            if piece_end >= self.end {
                break;
            }
        }
        piece_end - self.end
    }

    /// Moves the start of the packet by `delta` bytes: back, if it is negative, which makes the packet longer. Metadata moves
    /// along. What a longer packet starts with is what has been there before.
    ///
    /// # Errors
    /// There is no room for it; the packet would be shorter than 14 bytes, or its first piece; it is read-only. Nothing is
    /// changed.
    ///
    /// Source: `bpf_xdp_adjust_head` in the kernel.
    #[doc(alias = "bpf_xdp_adjust_head")]
    pub fn adjust_head(&mut self, delta: i64) -> Result<(), AdjustError> {
        let (meta, head_end) = (self.start - self.meta, self.all().head_len().min(self.end));
        let mut memory = self.memory.writable().ok_or(AdjustError::ReadOnly)?;
        let start = self.start.checked_add_signed(delta).filter(|start| *start >= meta);
        let start = start.ok_or(AdjustError::NoHeadroom { delta, headroom: self.meta })?;
        if start.saturating_add(LEAST) > head_end {
            return Err(AdjustError::TooShort { delta, most: head_end.saturating_sub(self.start + LEAST) });
        }
        // Both are within the memory.
        let _ = memory.copy_within(start - meta, self.meta, meta);
        (self.meta, self.start) = (start - meta, start);
        Ok(())
    }

    /// Moves the end of the packet by `delta` bytes: back, if it is negative, which makes the packet shorter. What a longer
    /// packet ends with is zeros. A packet in fragments grows in the last one only, and gives up those that it no longer
    /// reaches.
    ///
    /// # Errors
    /// There is no room for it; the packet would be shorter than 14 bytes; it is read-only. Nothing is changed.
    ///
    /// Source: `bpf_xdp_adjust_tail` in the kernel.
    #[doc(alias = "bpf_xdp_adjust_tail")]
    pub fn adjust_tail(&mut self, delta: i64) -> Result<(), AdjustError> {
        let (size, tailroom) = (self.size(), self.tailroom());
        let mut memory = self.memory.writable().ok_or(AdjustError::ReadOnly)?;
        if delta > 0 && delta.unsigned_abs() > tailroom {
            return Err(AdjustError::NoTailroom { delta, tailroom });
        }
        let end = self.end.checked_add_signed(delta).filter(|end| *end >= self.start + LEAST);
        let end = end.ok_or(AdjustError::TooShort { delta, most: size.saturating_sub(LEAST) })?;
        // Within the memory.
        let _ = memory.memset(self.end, end.saturating_sub(self.end), 0);
        self.end = end;
        Ok(())
    }

    /// Moves the start of the metadata by `delta` bytes: back, if it is negative, which makes it longer. It ends where the
    /// packet starts, and is empty at first.
    ///
    /// # Errors
    /// There is no room for it; its length would be no multiple of 4, or above 252; the packet is read-only. Nothing is
    /// changed.
    ///
    /// Source: `bpf_xdp_adjust_meta` in the kernel.
    #[doc(alias = "bpf_xdp_adjust_meta")]
    pub fn adjust_meta(&mut self, delta: i64) -> Result<(), AdjustError> {
        self.memory.writable().ok_or(AdjustError::ReadOnly)?;
        let meta = self.meta.checked_add_signed(delta);
        let meta = meta.ok_or(AdjustError::NoHeadroom { delta, headroom: self.meta })?;
        let backwards = AdjustError::Backwards { delta, len: self.start - self.meta };
        let len = self.start.checked_sub(meta).ok_or(backwards)?;
        if len % 4 != 0 || len > MOST_METADATA {
            return Err(AdjustError::MetadataLen { len });
        }
        self.meta = meta;
        Ok(())
    }

    fn all(&self) -> View<'_> {
        match &self.memory {
            Memory::ReadOnly(view) => *view,
            Memory::Writable(view) => view.as_view(),
        }
    }

    #[inline]
    fn part(&self, start: u64, end: u64) -> View<'_> {
        let mut view = self.all();
        // Within the memory, and in order.
        let _ = view.adjust(start, end);
        view
    }

    #[inline]
    fn part_mut(&mut self, start: u64, end: u64) -> Result<ViewMut<'_>, DynPtrError> {
        let mut view = self.memory.writable().ok_or(DynPtrError::ReadOnly)?;
        view.adjust(start, end)?;
        Ok(view)
    }
}

impl Memory<'_> {
    #[inline]
    fn writable(&mut self) -> Option<ViewMut<'_>> {
        match self {
            Memory::ReadOnly(_) => None,
            Memory::Writable(view) => Some(view.reborrow()),
        }
    }
}
