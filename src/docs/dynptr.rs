//! The kernel's functions for dynamic pointers, and what they are here.
//!
//! Whoever owns memory hands out views of it: a [`View`] to read, a [`ViewMut`] to write. All operations are theirs.
//!
//! | memory | its owner | views |
//! |---|---|---|
//! | a reservation in a ring | [`DynPtr`](crate::DynPtr) | [`view`](crate::DynPtr::view), [`view_mut`](crate::DynPtr::view_mut) |
//! | a record that was taken out of one | [`Record`](crate::Record) | [`View::new`] |
//! | memory of an arena | [`ArenaPtr`](crate::ArenaPtr) | [`view`](crate::ArenaPtr::view), [`view_mut`](crate::ArenaPtr::view_mut) |
//! | a value in a map of one | [`MapRef`](crate::MapRef), [`MapMut`](crate::MapMut) | [`view`](crate::MapRef::view), [`view_mut`](crate::MapMut::view_mut) |
//! | a packet, read-only or not | whoever captured it | [`Packet::view`], [`Packet::view_mut`] |
//! | a head and fragments | whoever has them | [`View::with_fragments`], [`ViewMut::with_fragments`] |
//! | anything else | whoever has it | [`View::new`], [`ViewMut::new`] |
//!
//! # Operations
//!
//! | in the kernel | here |
//! |---|---|
//! | `bpf_dynptr_from_mem` | [`View::new`], [`ViewMut::new`] |
//! | `bpf_ringbuf_reserve_dynptr`, `_submit_`, `_discard_` | [`Producer::reserve`](crate::Producer::reserve), [`DynPtr::commit`](crate::DynPtr::commit), [`DynPtr::discard`](crate::DynPtr::discard) |
//! | `bpf_dynptr_from_skb`, `bpf_dynptr_from_xdp` | [`Packet`], [`View::with_fragments`], [`ViewMut::with_fragments`] |
//! | `bpf_dynptr_from_skb_meta` | [`Packet::meta`], [`Packet::meta_mut`] |
//! | `bpf_dynptr_size` | [`View::size`] |
//! | `bpf_dynptr_is_rdonly` | [`View::is_rdonly`], [`Packet::is_rdonly`] |
//! | `bpf_dynptr_is_null` | `Result::is_err` of what would have made the pointer |
//! | `bpf_dynptr_read` | [`View::read`], [`View::read_as`] |
//! | `bpf_dynptr_write` | [`ViewMut::write`], [`ViewMut::write_as`] |
//! | `bpf_dynptr_data` | [`ViewMut::data_mut`] |
//! | `bpf_dynptr_slice` | [`View::slice`]; without a buffer, [`View::data`] |
//! | `bpf_dynptr_slice_rdwr` | [`ViewMut::slice_mut`]; without a buffer, [`ViewMut::data_mut`] |
//! | `bpf_dynptr_adjust` | [`View::adjust`], [`ViewMut::adjust`] |
//! | `bpf_dynptr_clone` | a copy of a [`View`]; [`ViewMut::reborrow`], [`ViewMut::as_view`] |
//! | `bpf_dynptr_copy` | [`ViewMut::copy_from`], [`ViewMut::copy_within`] |
//! | `bpf_dynptr_memset` | [`ViewMut::memset`] |
//! | `bpf_xdp_adjust_head`, `_tail`, `_meta` | [`Packet::adjust_head`], [`Packet::adjust_tail`], [`Packet::adjust_meta`] |
//! | `bpf_xdp_get_buff_len` | [`Packet::size`] |
//!
//! Results are those of the kernel, with its error numbers beside them: [`DynPtrError::errno`](crate::DynPtrError::errno),
//! [`AdjustError::errno`](crate::AdjustError::errno). `tests/kernel_dynptr` runs the same operations there and here.
//!
//! # What differs
//!
//! - There are no null pointers, and no flags.
//! - A pointer reaches as far as memory does. The kernel's has 24 bits for its size.
//! - What [`ViewMut::slice_mut`] has copied is written back by itself.
//! - A buffer is checked whether it is needed or not, so that one that is too short is noticed with the first packet, and not
//!   with the first that is in fragments.
//! - [`View::data`] and [`ViewMut::data_mut`] borrow from packets, too, where a range lies in one piece.
//! - [`ViewMut::copy_within`] copies right where source and destination overlap in fragments. The kernel copies 256 bytes at a
//!   time from the front, and so copies what it has just overwritten if the destination is behind the source.
//! - One [`ViewMut`] at a time is used for any memory. In the kernel, clones that write are used in turn.
//!
//! [`View`]: crate::View
//! [`View::new`]: crate::View::new
//! [`View::with_fragments`]: crate::View::with_fragments
//! [`View::size`]: crate::View::size
//! [`View::is_rdonly`]: crate::View::is_rdonly
//! [`View::read`]: crate::View::read
//! [`View::read_as`]: crate::View::read_as
//! [`View::slice`]: crate::View::slice
//! [`View::data`]: crate::View::data
//! [`View::adjust`]: crate::View::adjust
//! [`ViewMut`]: crate::ViewMut
//! [`ViewMut::new`]: crate::ViewMut::new
//! [`ViewMut::with_fragments`]: crate::ViewMut::with_fragments
//! [`ViewMut::write`]: crate::ViewMut::write
//! [`ViewMut::write_as`]: crate::ViewMut::write_as
//! [`ViewMut::data_mut`]: crate::ViewMut::data_mut
//! [`ViewMut::slice_mut`]: crate::ViewMut::slice_mut
//! [`ViewMut::adjust`]: crate::ViewMut::adjust
//! [`ViewMut::reborrow`]: crate::ViewMut::reborrow
//! [`ViewMut::as_view`]: crate::ViewMut::as_view
//! [`ViewMut::copy_from`]: crate::ViewMut::copy_from
//! [`ViewMut::copy_within`]: crate::ViewMut::copy_within
//! [`ViewMut::memset`]: crate::ViewMut::memset
//! [`Packet`]: crate::Packet
//! [`Packet::view`]: crate::Packet::view
//! [`Packet::view_mut`]: crate::Packet::view_mut
//! [`Packet::meta`]: crate::Packet::meta
//! [`Packet::meta_mut`]: crate::Packet::meta_mut
//! [`Packet::is_rdonly`]: crate::Packet::is_rdonly
//! [`Packet::size`]: crate::Packet::size
//! [`Packet::adjust_head`]: crate::Packet::adjust_head
//! [`Packet::adjust_tail`]: crate::Packet::adjust_tail
//! [`Packet::adjust_meta`]: crate::Packet::adjust_meta
