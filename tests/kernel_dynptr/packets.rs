//! Packets, in one piece and in fragments, that are read, written and moved.

use std::io;

use dynring::{DynPtrError, Packet, Ring, View, ViewMut};

use crate::generate::{Generator, PLAIN};
use crate::ops::{BORROWED, COPIED, DENIED, INVALID, NULL, Op, TOO_BIG, Tally};
use crate::ours::{Batch, Ours};
use crate::program::{OPS, World};
use crate::support::pages::page_size;
use crate::support::random::Random;
use crate::support::require;
use crate::support::vmlinux::Types;

const RING: usize = 8192;
const MEMORY: usize = 5000;
const PAYLOAD: usize = 3000;

/// Operations altogether.
const ALL: usize = 50_000;

/// How the kernel lays out packets that programs are tested with.
#[derive(Clone, Copy, Debug)]
struct Layout {
    headroom: usize,
    /// Bytes of a packet that lie in one piece before the first fragment.
    linear: usize,
    fragment: usize,
}

impl Layout {
    /// A page is for the headroom, where the kernel keeps a structure, the head, and another structure. Fragments are pages.
    fn of(types: &Types) -> io::Result<Self> {
        const XDP_PACKET_HEADROOM: usize = 256;
        const CACHE_LINE: usize = 64;
        let frame = types.size_of("xdp_frame")? as usize;
        let shared = (types.size_of("skb_shared_info")? as usize).next_multiple_of(CACHE_LINE);
        let fragment = page_size();
        Ok(Self { headroom: XDP_PACKET_HEADROOM - frame, linear: fragment - XDP_PACKET_HEADROOM - shared, fragment })
    }

    /// Memory that holds the packet, and zeros where there is room.
    fn hold(self, packet: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let (linear, rest) = packet.split_at(packet.len().min(self.linear));
        let mut head = vec![0; self.headroom];
        head.extend(linear);
        head.resize(self.headroom + self.linear, 0);
        let fragments = rest.chunks(self.fragment).map(|fragment| {
            let mut fragment = fragment.to_vec();
            fragment.resize(self.fragment, 0);
            fragment
        });
        (head, fragments.collect())
    }
}

fn world(memory: &[u8], payload: &[u8]) -> io::Result<(World, Layout)> {
    let types = Types::of_kernel()?;
    Ok((World::new(RING, memory, payload, &types)?, Layout::of(&types)?))
}

#[test]
fn packets_that_are_read_written_and_moved_become_the_same() {
    let mut random = Random::new(1);
    let (memory, payload) = (random.bytes(MEMORY), random.bytes(PAYLOAD));
    let Some((world, layout)) = require("kernel", world(&memory, &payload)) else { return };
    let ring = Ring::builder(RING).build().unwrap();
    let (producer, mut memory, mut tally, mut done) = (ring.producer().unwrap(), memory, Tally::default(), 0);

    while done < ALL {
        let packet = packet(&mut random, layout);
        let (mut head, mut fragments) = layout.hold(&packet);
        let mut ours = Ours::new(&memory, &payload, &producer);
        ours.packet = Some(in_memory(layout, packet.len(), &mut head, &mut fragments));
        let mut generator = Generator { random: &mut random, memory: MEMORY as u64, payload: PAYLOAD as u64 };
        let batch = batch(&mut generator, &mut ours);

        let (found, found_packet) = world.run(&batch.ops, &packet).unwrap();
        batch.assert_same(&found, &mut tally);
        let packet = ours.packet.take().unwrap();
        assert_eq!(found_packet, [bytes(packet.meta()), bytes(packet.view())].concat());
        memory = ours.memory;
        assert_eq!(world.memory.get().unwrap(), memory);
        done += batch.ops.len();
    }
    for name in ["Read", "Write", "Copy", "Memset"] {
        tally.assert(name, &[0, TOO_BIG]);
    }
    for name in ["Slice", "SliceMut"] {
        tally.assert(name, &[NULL, BORROWED, COPIED]);
    }
    tally.assert("AdjustHead", &[0, INVALID]);
    tally.assert("AdjustTail", &[0, INVALID]);
    tally.assert("AdjustMeta", &[0, INVALID, DENIED]);
}

/// A packet of a size that is interesting, or of any.
fn packet(random: &mut Random, layout: Layout) -> Vec<u8> {
    let size = match random.below(5) {
        0 => 14 + random.below(50) as usize,
        1 => layout.linear - 3 + random.below(7) as usize,
        2 => layout.linear + layout.fragment - 3 + random.below(7) as usize,
        _ => 14 + random.below(3 * layout.fragment as u64) as usize,
    };
    random.bytes(size)
}

fn in_memory<'m>(layout: Layout, len: usize, head: &'m mut [u8], fragments: &'m mut Vec<Vec<u8>>) -> Packet<'m> {
    let start = layout.headroom as u64;
    Packet::with_room(ViewMut::with_fragments(head, fragments), start, start + len as u64).unwrap()
}

fn batch(generator: &mut Generator<'_>, ours: &mut Ours<'_>) -> Batch {
    let mut batch = Batch::default();
    for nth in 0..OPS {
        let op = match generator.random.below(16) {
            _ if nth < 4 => Some(from_packet(generator)),
            0 | 1 => Some(from_packet(generator)),
            2 => Some(generator.memory()),
            3 => Some(adjust(generator, ours.packet.as_ref().expect("a packet"))),
            _ => generator.op(ours),
        };
        op.into_iter().for_each(|op| batch.run(ours, op));
    }
    ours.forget();
    batch
}

fn from_packet(generator: &mut Generator<'_>) -> Op {
    let slot = PLAIN.start + generator.random.below(PLAIN.len() as u64) as usize;
    Op::FromPacket { slot, flags: generator.flags() }
}

/// Moves the packet or its metadata: a little, or up to where it cannot be moved any further, or beyond.
fn adjust(generator: &mut Generator<'_>, packet: &Packet<'_>) -> Op {
    const LEAST: i32 = 14;
    let random = &mut *generator.random;
    let (size, head) = (packet.size() as i32, packet.view().chunks().next().map_or(0, <[u8]>::len) as i32);
    let (headroom, tailroom) = (packet.headroom() as i32, packet.tailroom() as i32);
    let most = random.one_of(&[9, 60, 300, 6000, 1 << 20]);
    let delta = random.below(2 * most + 1) as i32 - most as i32;
    let near = random.below(3) as i32 - 1;
    match random.below(12) {
        0 => Op::AdjustHead { delta: near - headroom },
        1 => Op::AdjustHead { delta: near + head - LEAST },
        2 => Op::AdjustTail { delta: near + LEAST - size },
        3 | 4 => Op::AdjustTail { delta: near + tailroom },
        5 => Op::AdjustMeta { delta: near + packet.meta().size() as i32 },
        6 => Op::AdjustMeta { delta: near - headroom },
        7 | 8 => Op::AdjustHead { delta },
        9 | 10 => Op::AdjustTail { delta },
        _ => Op::AdjustMeta { delta: delta / 9 * 4 },
    }
}

fn bytes(view: View<'_>) -> Vec<u8> {
    view.chunks().collect::<Vec<_>>().concat()
}

#[test]
fn a_read_only_packet_is_read_and_refuses_the_rest() {
    let packet = [3; 64];
    let Some((world, _)) = require("kernel", world(&[1; 64], &[2; 64])) else { return };
    let (slot, plain) = (0, 1);
    let writes = [
        Op::Write { slot, offset: 0, at: 0, len: 2 },
        Op::Write { slot, offset: 60, at: 0, len: 9 },
        Op::Memset { slot, offset: 0, len: 64, byte: 0 },
        Op::Memset { slot, offset: 0, len: 65, byte: 0 },
        Op::Copy { dst: slot, offset: 0, src: plain, src_offset: 0, len: 4 },
    ];
    let mut ops = vec![
        Op::FromPacket { slot, flags: 0 },
        Op::FromMem { slot: plain, at: 0, len: 64, flags: 0 },
        Op::IsRdonly { slot },
        Op::IsRdonly { slot: plain },
        Op::Data { slot, offset: 0, len: 4, byte: 0 },
        Op::Slice { slot, offset: 0, len: 4, buffer: false },
        Op::Read { slot, offset: 2, len: 2 },
        Op::Read { slot, offset: 63, len: 2 },
    ];
    ops.extend(writes);
    let found = world.run_read_only(&ops, &packet).unwrap();

    let mut ours = Packet::read_only(View::new(&packet));
    let refused = -i64::from(DynPtrError::ReadOnly.errno());
    assert_eq!(ours.view_mut().unwrap_err(), DynPtrError::ReadOnly);
    let results: Vec<_> = found.iter().map(|outcome| outcome.result).collect();
    assert_eq!(results[2..4], [ours.view().is_rdonly().into(), ViewMut::new(&mut []).is_rdonly().into()]);
    assert_eq!(results[5], BORROWED);
    assert_eq!(found[6].bytes, ours.view().data(2, 2).unwrap());
    assert_eq!(results[7], -i64::from(ours.view().data(63, 2).unwrap_err().errno()));
    assert_eq!(results[8..], [refused; 5]);
}
