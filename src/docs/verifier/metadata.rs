//! Packets and their metadata are not moved under each other's slices.
//!
//! Writing the one takes the other exclusively, too, as they lie in the same memory.
//!
//! # skb_meta_invalid_slice_write
//!
//! Metadata that is borrowed to be read is not written:
//!
//! ```compile_fail,E0594
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta = packet.meta().data(0, 1)?;
//! meta[0] = 42;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta = packet.meta().data(0, 1)?;
//! assert_eq!(meta[0], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # ro_skb_slice_invalid_after_metadata_write
//!
//! A slice of the packet that is read ends before its metadata is written:
//!
//! ```compile_fail,E0502
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let data = packet.view().data(0, 1)?;
//! packet.meta_mut()?.write(0, b"x")?;
//! assert_eq!(data[0], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let data = packet.view().data(0, 1)?;
//! assert_eq!(data[0], 0);
//! packet.meta_mut()?.write(0, b"x")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # rw_skb_slice_invalid_after_metadata_write
//!
//! So does one that is written:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.view_mut()?;
//! let data = view.data_mut(0, 1)?;
//! packet.meta_mut()?.write(0, b"x")?;
//! data[0] = 42;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.view_mut()?;
//! let data = view.data_mut(0, 1)?;
//! data[0] = 42;
//! packet.meta_mut()?.write(0, b"x")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # ro_skb_meta_slice_invalid_after_payload_write
//!
//! A slice of metadata that is read ends before the packet is written:
//!
//! ```compile_fail,E0502
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta = packet.meta().data(0, 1)?;
//! packet.view_mut()?.write(0, b"x")?;
//! assert_eq!(meta[0], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta = packet.meta().data(0, 1)?;
//! assert_eq!(meta[0], 0);
//! packet.view_mut()?.write(0, b"x")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # rw_skb_meta_slice_invalid_after_payload_write
//!
//! So does one that is written:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.meta_mut()?;
//! let meta = view.data_mut(0, 1)?;
//! packet.view_mut()?.write(0, b"x")?;
//! meta[0] = 42;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.meta_mut()?;
//! let meta = view.data_mut(0, 1)?;
//! meta[0] = 42;
//! packet.view_mut()?.write(0, b"x")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # ro_skb_meta_slice_invalid_after_payload_helper
//!
//! A slice of metadata that is read ends before the packet is moved:
//!
//! ```compile_fail,E0502
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta = packet.meta().data(0, 1)?;
//! packet.adjust_tail(-4)?;
//! assert_eq!(meta[0], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta = packet.meta().data(0, 1)?;
//! assert_eq!(meta[0], 0);
//! packet.adjust_tail(-4)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # rw_skb_meta_slice_invalid_after_payload_helper
//!
//! So does one that is written:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.meta_mut()?;
//! let meta = view.data_mut(0, 1)?;
//! packet.adjust_tail(-4)?;
//! meta[0] = 42;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.meta_mut()?;
//! let meta = view.data_mut(0, 1)?;
//! meta[0] = 42;
//! packet.adjust_tail(-4)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # ro_skb_meta_slice_invalid_after_metadata_write
//!
//! A slice of metadata that is read ends before metadata is written:
//!
//! ```compile_fail,E0502
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta = packet.meta().data(0, 1)?;
//! packet.meta_mut()?.write(0, b"x")?;
//! assert_eq!(meta[0], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let meta = packet.meta().data(0, 1)?;
//! assert_eq!(meta[0], 0);
//! packet.meta_mut()?.write(0, b"x")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # rw_skb_meta_slice_invalid_after_metadata_write
//!
//! So does one that is written:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.meta_mut()?;
//! let meta = view.data_mut(0, 1)?;
//! packet.meta_mut()?.write(0, b"x")?;
//! meta[0] = 42;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.meta_mut()?;
//! let meta = view.data_mut(0, 1)?;
//! meta[0] = 42;
//! packet.meta_mut()?.write(0, b"x")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_skb_packet_meta
//!
//! Slices of a view of a view end before the packet is moved:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.meta_mut()?;
//! let mut clone = view.reborrow();
//! let meta = clone.data_mut(0, 1)?;
//! packet.adjust_tail(-4)?;
//! meta[0] = 42;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! # packet.adjust_meta(-4)?;
//! let mut view = packet.meta_mut()?;
//! let mut clone = view.reborrow();
//! let meta = clone.data_mut(0, 1)?;
//! meta[0] = 42;
//! packet.adjust_tail(-4)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # skb_meta_invalid_ctx
//!
//! Nothing but a packet has metadata:
//!
//! ```compile_fail,E0599
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let meta = View::new(&memory).meta();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let packet = dynring::Packet::read_only(View::new(&memory));
//! let meta = packet.meta();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
