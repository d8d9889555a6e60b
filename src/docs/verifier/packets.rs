//! Packets are not moved under a slice.
//!
//! Moving a packet, and writing it, takes it exclusively: views and slices of it end before.
//!
//! # skb_invalid_slice_write
//!
//! What is borrowed to be read is not written:
//!
//! ```compile_fail,E0594
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice(0, 14, &mut buffer)?;
//! header[12] = 1;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice(0, 14, &mut buffer)?;
//! assert_eq!(header[12], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # invalid_slice_rdwr_rdonly
//!
//! A view to be read borrows nothing to be written:
//!
//! ```compile_fail,E0599
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice_mut(0, 14, &mut buffer)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let mut view = packet.view_mut()?;
//! let header = view.slice_mut(0, 14, &mut buffer)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # skb_invalid_data_slice1
//!
//! A slice that is read ends before the packet is changed:
//!
//! ```compile_fail,E0502
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice(0, 14, &mut buffer)?;
//! packet.adjust_tail(-4)?;
//! assert_eq!(header[12], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice(0, 14, &mut buffer)?;
//! assert_eq!(header[12], 0);
//! packet.adjust_tail(-4)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # skb_invalid_data_slice2
//!
//! So does one that is written:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let mut view = packet.view_mut()?;
//! let mut header = view.slice_mut(0, 14, &mut buffer)?;
//! packet.adjust_tail(-4)?;
//! header[12] = 1;
//! drop(header);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let mut view = packet.view_mut()?;
//! let mut header = view.slice_mut(0, 14, &mut buffer)?;
//! header[12] = 1;
//! drop(header);
//! packet.adjust_tail(-4)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # skb_invalid_data_slice3
//!
//! A slice that is read ends before the packet is written:
//!
//! ```compile_fail,E0502
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice(0, 14, &mut buffer)?;
//! packet.view_mut()?.write(0, b"hello there, world!!")?;
//! assert_eq!(header[12], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice(0, 14, &mut buffer)?;
//! assert_eq!(header[12], 0);
//! packet.view_mut()?.write(0, b"hello there, world!!")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # skb_invalid_data_slice4
//!
//! So does one that is written:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let mut view = packet.view_mut()?;
//! let mut header = view.slice_mut(0, 14, &mut buffer)?;
//! view.write(0, b"hello there, world!!")?;
//! header[12] = 1;
//! drop(header);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let mut view = packet.view_mut()?;
//! let mut header = view.slice_mut(0, 14, &mut buffer)?;
//! header[12] = 1;
//! drop(header);
//! view.write(0, b"hello there, world!!")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # xdp_invalid_data_slice1
//!
//! A slice that is read ends before the packet starts elsewhere:
//!
//! ```compile_fail,E0502
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice(0, 14, &mut buffer)?;
//! packet.adjust_head(-14)?;
//! assert_eq!(header[12], 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let header = packet.view().slice(0, 14, &mut buffer)?;
//! assert_eq!(header[12], 0);
//! packet.adjust_head(-14)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # xdp_invalid_data_slice2
//!
//! So does one that is written:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let mut view = packet.view_mut()?;
//! let mut header = view.slice_mut(0, 14, &mut buffer)?;
//! packet.adjust_head(-14)?;
//! header[12] = 9;
//! drop(header);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut buffer = [0; 14];
//! let mut view = packet.view_mut()?;
//! let mut header = view.slice_mut(0, 14, &mut buffer)?;
//! header[12] = 9;
//! drop(header);
//! packet.adjust_head(-14)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_skb_packet_data
//!
//! Slices of a view of a view end before, too:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut view = packet.view_mut()?;
//! let mut clone = view.reborrow();
//! let data = clone.data_mut(0, 4)?;
//! packet.adjust_tail(-4)?;
//! data.fill(123);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut view = packet.view_mut()?;
//! let mut clone = view.reborrow();
//! let data = clone.data_mut(0, 4)?;
//! data.fill(123);
//! packet.adjust_tail(-4)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # clone_xdp_packet_data
//!
//! And if the packet starts elsewhere:
//!
//! ```compile_fail,E0499
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut view = packet.view_mut()?;
//! let mut clone = view.reborrow();
//! let data = clone.data_mut(0, 4)?;
//! packet.adjust_head(-14)?;
//! data.fill(123);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # let mut frame = [0; 128];
//! # let mut packet = dynring::Packet::with_room(dynring::ViewMut::new(&mut frame), 32, 128)?;
//! let mut view = packet.view_mut()?;
//! let mut clone = view.reborrow();
//! let data = clone.data_mut(0, 4)?;
//! data.fill(123);
//! packet.adjust_head(-14)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # skb_invalid_ctx
//!
//! A packet is not made of something else than memory:
//!
//! ```compile_fail,E0308
//! # use dynring::{Packet, View};
//! let context = 0u64;
//! let packet = Packet::read_only(context);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{Packet, View};
//! let context = 0u64.to_ne_bytes();
//! let packet = Packet::read_only(View::new(&context));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # skb_invalid_ctx_fentry
//!
//! Nor is it made of a pointer that nobody vouches for:
//!
//! ```compile_fail,E0308
//! # use dynring::{Packet, View};
//! let frame = [0; 64];
//! let packet = Packet::read_only(View::new(frame.as_ptr()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{Packet, View};
//! let frame = [0; 64];
//! let packet = Packet::read_only(View::new(&frame));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # skb_invalid_ctx_fexit
//!
//! To be written, too:
//!
//! ```compile_fail,E0308
//! # use dynring::{Packet, ViewMut};
//! let mut frame = [0; 64];
//! let packet = Packet::new(ViewMut::new(frame.as_mut_ptr()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{Packet, ViewMut};
//! let mut frame = [0; 64];
//! let packet = Packet::new(ViewMut::new(&mut frame));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # xdp_invalid_ctx
//!
//! What is only read is no memory of a packet that is moved:
//!
//! ```compile_fail,E0308
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let packet = dynring::Packet::with_room(View::new(&memory), 32, 64)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! ```
//! # use dynring::{View, ViewMut};
//! # let mut memory = [0; 64];
//! let packet = dynring::Packet::with_room(ViewMut::new(&mut memory), 32, 64)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
