//! The memory of a ring, byte by byte.
//!
//! All words are in the machine's byte order, naturally aligned, and accessed atomically. Positions are byte counts since the
//! ring began, modulo 2⁶⁴; the offset of a position in the data is the position modulo the ring's size, a power of two.
//!
//! # The file
//!
//! ```text
//!  offset        0            1 page         window                 window + 2 pages
//!                +------------+--------------+----------+----------+----------------------+
//!  file          | descriptor |    slots     | consumer | producer |         data         |
//!                +------------+--------------+----------+----------+----------------------+
//! ```
//!
//! A memfd, sealed against changes of its length. A ring of one process ([`Builder::build`](crate::Builder::build)), but for one
//! with [`kernel_protocol`](crate::Builder::kernel_protocol), is also sealed against being written to other than by its own mapping.
//! A ring with a name ([`Builder::build_at`](crate::Builder::build_at)) is a file of a tmpfs, which cannot be sealed.
//!
//! With huge pages, there is a hole before the window. Mapping the consumer page, the producer page, the data and the data
//! again, in a row, gives what mmap(2) of a `BPF_MAP_TYPE_RINGBUF` gives.
//!
//! # The descriptor: never written again
//!
//! | offset | type | field | |
//! |---|---|---|---|
//! | 0 | u8\[8\] | magic | `"dynring\0"` |
//! | 8 | u32 | version | of this format: 1. Another one is refused |
//! | 12 | u32 | page | bytes of a page |
//! | 16 | u64 | features | bit 0: `producer_pos` is maintained for plain readers. Bit 1: processes share the ring. One that is not known is refused |
//! | 24 | u32 | slots | how many there are, 1 to 4096 |
//! | 28 | u32 | | 0 |
//! | 32 | u64 | size | bytes of the data, a power of two |
//! | 40 | u64 | window | offset of the consumer page |
//! | 48 | u64 | length | bytes of the file: window + 2 pages + size |
//! | 56 | u64 | checksum | FNV-1a, 64 bits, of bytes 0 to 55 |
//!
//! # The locks of rings that processes share
//!
//! Open file description locks (fcntl(2), `F_OFD_SETLK`) of single bytes, by descriptions that are never mapped. They are not
//! about what lies at those offsets.
//!
//! | byte | who locks it |
//! |---|---|
//! | 0 | the consumer |
//! | 1 | whoever repairs |
//! | 2 | everybody who is attached, shared; exclusively, who removes the file |
//! | 4096 + n | the owner of slot n, from before it writes `owner` until after it has written 0 there. Whoever finds an owner there and gets the lock has proof that it is dead, and keeps the lock for as long as it relies on that |
//!
//! A program that takes part takes these locks, sleeps on `wake_seq` and `space_seq` as shared futexes (without
//! `FUTEX_PRIVATE_FLAG`), runs a full fence between what it finishes and the look at who sleeps, and has a full fence and
//! `MEMBARRIER_CMD_GLOBAL_EXPEDITED` between saying that it sleeps and its last look. The order of all other accesses is in
//! [`internal`](super::internal).
//!
//! # The consumer page: written by the consumer
//!
//! | offset | type | word | |
//! |---|---|---|---|
//! | 0 | u64 | `consumer_pos` | everything below may be reused; the kernel's word |
//! | 128 | u32 | `sleeping` | 1 while the consumer sleeps on `wake_seq`, 2 while an event loop listens for its bell, or is about to |
//! | 132 | u32 | `closed` | 1 once the consumer is gone for good |
//! | 136 | u32 | `taken` | 1 once a consumer has been handed out; rings of one process only |
//! | 140 | u32 | `space_seq` | futex of producers that wait for space |
//! | 256 | u64 | `discarded` | records skipped because they were discarded |
//! | 264 | u64 | `abandoned` | records skipped because nobody was left to finish them |
//! | 272 | u64 | `high_water` | the most bytes that the consumer has found unread |
//! | 280 | 3 × u64 | `skipped` | a position with bit 0 set, and how many were discarded and abandoned before it; or 0 |
//! | 304 | 3 × u64 | | another one. The later of those that are not after `consumer_pos` is right, whenever the consumer dies |
//! | 384 | u64\[64\] | `let_go` | a bit for each slot, from bit 0 of the first word on |
//!
//! # The producer page: written by producers
//!
//! | offset | type | word | |
//! |---|---|---|---|
//! | 0 | u64 | `producer_pos` | the kernel's word; see below |
//! | 8 | u64 | `pending_pos` | the kernel's; 0 in rings of this crate |
//! | 16 | u64 | `overwrite_pos` | the kernel's; 0 in rings of this crate |
//! | 128 | u64 | `head` | the reserve cursor of rings with [`kernel_protocol`](crate::Builder::kernel_protocol) |
//! | 256 | u32 | `slots_used` | slots from 0 on that were ever used |
//! | 260 | u32 | `registrations` | registrations so far |
//! | 264 | u32 | `openers` | handles that can register producers |
//! | 268 | u32 | `waiting` | producers that wait for space, at least |
//! | 272 | u32 | `layout` | version of these words and of the slots: 1 |
//! | 276 | u32 | `calls` | how often producers have called or registered |
//! | 280 | u64 | `alone_until` | 0 while the owner of slot 0 may reserve without moving the reserve cursor; else until where it has, with bit 0 set |
//! | 288 | u32 | `waits` | how often producers have begun to wait for space: counted once `wanted` says for what |
//! | 384 | u32 | `wake_seq` | futex of the consumer |
//! | 512 | u64\[64\] | `called` | a bit for each slot, from bit 0 of the first word on; not in user rings |
//!
//! While `alone_until` is 0, the reserve cursor stays behind, and slot 0 says how far the one producer has come. Whoever takes another
//! slot counts it in `slots_used`, runs a full fence and `MEMBARRIER_CMD_GLOBAL_EXPEDITED`, and then sets `alone_until` and the
//! cursor as [`internal`](super::internal) says. A producer that takes slot 0 and is no match for that sets `alone_until` at once.
//!
//! A consumer may look no more at a slot whose bits in `let_go` and `called` differ. Before it relies on that, it runs a full
//! fence and `MEMBARRIER_CMD_GLOBAL_EXPEDITED`, and looks once more. A producer that has announced a start and finds that its bits
//! differ turns its bit in `called` over and increments `calls`, before it moves the reserve cursor. It looks after a full fence,
//! unless its process answers that barrier. Not so in rings with the kernel's protocol.
//!
//! In rings with the kernel's protocol, everything below `producer_pos` has its header, and may be looked at. In others,
//! `producer_pos` is the reserve cursor, and headers below it may be missing: only who reads the slots knows how far to look.
//!
//! # Rings of the kernel
//!
//! In a `BPF_MAP_TYPE_RINGBUF`, the kernel keeps `producer_pos`, newer kernels `pending_pos`: everything below was committed or
//! discarded when a program reserved last. The consumer writes `consumer_pos`, and nothing else.
//!
//! With `BPF_F_RB_OVERWRITE`, everything below `overwrite_pos` may have been overwritten, and `consumer_pos` holds nobody up: it
//! may be any distance behind. `overwrite_pos` is always the start of a record, at most size − 8 bytes behind `producer_pos`.
//!
//! # User rings of the kernel
//!
//! In a `BPF_MAP_TYPE_USER_RINGBUF`, the kernel uses the first 8 bytes of the producer page, and newer kernels set 16 more
//! aside. The rest is zero when the map is made, and whoever maps the map shares it: there, producers keep the words above,
//! and behind them, from 512 on to the end of the page, the slots.
//!
//! ```text
//!  offset in the page   0              24     128    256        384        512                  4096
//!                       +--------------+------+------+----------+----------+---------+---------+
//!                       | the kernel's | free | head | registry | wake_seq | slot 0  |   ...27 |
//!                       +--------------+------+------+----------+----------+---------+---------+
//! ```
//!
//! `layout` is 0 until a producer of this crate opens the ring. `head` is at or ahead of `producer_pos` from then on; if it is
//! behind, another kind of producer has used the ring since, and who opens it next moves `head` there. The words of the
//! consumer page other than `consumer_pos` are 0: nobody writes them.
//!
//! # A slot: 128 bytes, written by its producer
//!
//! | offset | type | word | |
//! |---|---|---|---|
//! | 0 | u64 | `word` | [`SlotWord`](crate::wire::SlotWord): where the producer reserves, or has reserved last |
//! | 8 | u64 | `span` | while entering: bytes being reserved |
//! | 16 | u64 | `wanted` | while waiting for space: the `consumer_pos` that would do, with bit 0 set |
//! | 24 | u64 | `refused` | reservations refused because the ring was full |
//! | 32 | u32 | `owner` | registration number; 0 if the slot is free |
//! | 36 | u32 | `process` | process id of the producer, as it sees itself |
//!
//! # A record
//!
//! Starts at a multiple of 8 and takes `round_up(8 + length, 8)` bytes. If it reaches over the end of the data, it goes on at
//! the start, which the second mapping makes contiguous.
//!
//! | offset | type | word | |
//! |---|---|---|---|
//! | 0 | u32 | [`Header`](crate::wire::Header) | payload length, `BUSY` (bit 31), `DISCARD` (bit 30) |
//! | 4 | u32 | [`Tag`](crate::wire::Tag) | owner and lap; in rings that the kernel fills `pg_off`. Once consumed, of no meaning |
//! | 8 | | payload | |
