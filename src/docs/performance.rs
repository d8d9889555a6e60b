//! Where the time goes, what was done about it, and what was tried and left out.
//!
//! Times on different machines, and on one machine on different days, do not compare. What is said here is either a count of
//! instructions, which is the same each time, or a ratio of medians of interleaved rounds in one run. Whoever wants to know about their
//! own machine runs the same:
//!
//! | what | how |
//! |---|---|
//! | instructions of the hot paths, which CI compares with `benches/instructions.txt` | `.ci/instructions` |
//! | dynring beside its peers, and beside what the machine can do | `cd benches/compare && cargo run --release -- --quick` |
//! | what each choice is worth | the same with `--only choices` |
//! | a checked access through a [`DynPtr`](crate::DynPtr) beside a plain one | `cargo bench --bench dynptr` |
//! | memory from an [`Arena`](crate::Arena) beside malloc(3) | `cargo bench --bench arena` |
//!
//! # Where the instructions go
//!
//! One thread reserves 8 bytes, writes them, commits, and reads the record: 214 instructions on x86-64, with calls, moves to and fro and
//! what the benchmark does itself. None of them is locked, and none is a fence.
//!
//! | step | instructions | of which |
//! |---|---|---|
//! | reserve, write, commit | 92 | is the length legal, the ring open, is there room: about 20; announce, and is nobody else there: 20; header and tag: 15; leave: 5; the record's handle, payload, final header, and does the consumer sleep: 30 |
//! | look how far the ring may be looked at | 44 | the only slot, the count of slots, and is the position possible: once for all that has come |
//! | next, and give back | 68 | header, length, and does it fit: about 20; the record's handle: 20; write to the lines that were read, store the position, does anybody wait for space: 25 |
//!
//! What is checked is what makes it safe to share a ring with a process that dies, or lies. Rings of values of one size, for one
//! producer, have less to look at, and are faster as long as one thread has both ends.
//!
//! With a second producer, head is swapped, which is a locked instruction, and two passes look at each slot that is watched: 408.
//!
//! # Where the time goes
//!
//! In one thread, nothing waits for anything: several instructions are done in a cycle, and so fewer of them are less time. Between
//! cores, what counts is how often a cache line changes hands, and instructions hardly do. A record takes along
//!
//! - its own lines, from the producer to the consumer, and back on the next lap;
//! - the producer's slot, which the consumer looks at when it has come to the end of what it knows of;
//! - `consumer_pos`, which the producer looks at when it has come to the end of the space that it knows of;
//! - head, from producer to producer, if there are several.
//!
//! All but the first are looked at once for many records, if many are there. So the slowest a ring can be is with a consumer that is at
//! the producer's heels: each record is then fetched, and with it the slot, as soon as it is written. It is also when nobody waits long
//! for anything: gathering trades latency for throughput, and so is left to the user, in [`wait_for`](crate::Consumer::wait_for).
//!
//! # What is done
//!
//! | what | why | shown by | allowed by |
//! |---|---|---|---|
//! | a lone producer does not swap head | of three locked instructions for a sample in a user ring, none is left | `choices`: accompanied; `kernel`: fill | `alone.rs` |
//! | no fence after a commit: who goes to sleep has all others run a barrier | a full fence takes as long as all the rest of a commit | `sleeper` | `sleep.rs`, `listen.rs` |
//! | whoever loses the swap of head gives up its announcement and pauses | two that take turns at head spend their time on handing it over | `threads`: 2 and 4 to one | `give_up.rs` |
//! | the consumer writes to the lines that it has read | see below | `choices`: only read; `ipc`: reading consumer | `repair.rs` |
//! | positions are remembered, and looked at anew when they do not do | each look fetches a line that somebody else writes | all | `space.rs`, `reserve.rs` |
//! | slots of 128 bytes, words of the two sides on pages of their own | a line that two write to changes hands each time; processors fetch lines in pairs | | |
//! | idle producers are let go | both passes looked at all slots: with 1,024, a record took 50 times as long | `idle` | `watched.rs` |
//! | leases, batches, shrinking commits | many records for one reservation | `choices`: lease | `split.rs` |
//! | an arena's blocks are set apart for one thread that gave them back | two atomic accesses less; malloc(3) does likewise | `benches/arena.rs` | `arena.rs` |
//!
//! # Why the consumer writes to what it has read
//!
//! A line that the producer has written and the consumer has read is in both caches. When the producer comes round again, it has to ask
//! for the line, and wait until the consumer's copy is gone: for each line of each record. If the consumer has written to the line in the
//! meantime, it is in one cache only, and is handed over in one step. So [`Record`](crate::Record) and
//! [`drain`](crate::Consumer::drain) write one word of each line that was read, what was there already, before they give it back.
//!
//! Between two processes on an AMD EPYC (family 26, Zen 5), two virtual processors, otherwise quiet, the time of a consumer that writes
//! divided by that of one that only reads, at commit a96f985 (`--quick --only ipc`):
//!
//! | 8 B | 64 B | 256 B | 512 B | 1 KiB | 4 KiB | 8-512 B |
//! |---|---|---|---|---|---|---|
//! | 1.31 | 0.25 | 0.25 | 0.18 | 0.32 | 0.56 | 0.35 |
//!
//! One thread that has both ends pays for it: see "only read" below. On rings of the kernel, whose data cannot be written to, there is no
//! choice. Other processors were not there to be measured: `--only choices` says what it is worth on yours, and
//! [`TrustedRing::reading_consumer`](crate::TrustedRing::reading_consumer) does without.
//!
//! # What each choice is worth
//!
//! Time divided by that of dynring as it comes, in the same run:
//!
//! CHOICES
//!
//! # Tried, and left out
//!
//! - *Prefetching* what the consumer reads next: the column "prefetched". The processor's own prefetcher does as well where records
//!   follow each other, and where the consumer is at the producer's heels, it fetches what is not there yet.
//! - *Non-temporal stores* for payloads ("past the cache"): they go to memory, and the consumer has to fetch them from there.
//! - *Huge pages* are there to be asked for ([`Builder::huge_pages`](crate::Builder::huge_pages)), and off unless they are: most
//!   systems have none to give, and below 2 MiB there is no room for one.
//! - *Giving back in batches* by default: [`drain`](crate::Consumer::drain) and [`batch`](crate::Consumer::batch) do it. A record of
//!   [`next`](crate::Consumer::next) is given back when it is dropped, as a producer may wait for its space.
//! - *A locked swap instead of a full fence* where producers of a user ring publish: no difference.
//! - *A pause of fixed length* after a lost swap: with 2 and 4 producers of a user ring, 0.86 to 1.5 times the time of libbpf-rs in a mutex
//!   in the worst run, where pauses that grow have 0.35 to 0.45.
//! - *Counting the bits of a mask* for the number of a lap, instead of keeping the shift: 19 instructions of 111 in a reservation, as
//!   not all x86-64 processors count bits in one.
//!
//! # What is missed
//!
//! - One thread that has both ends is slower than with the best ring for fixed sizes and one producer. See above.
//! - With the defaults, the consumer is at the producer's heels, and a lone producer's records of 64 bytes and more cost several times
//!   what they do with gathering.
