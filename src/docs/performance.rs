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
//! One thread reserves 8 bytes, writes them, commits, and reads the record: 223 instructions on x86-64, with calls, moves to and fro and
//! what the benchmark does itself. None of them is locked, and none is a fence.
//!
//! | step | instructions | of which |
//! |---|---|---|
//! | reserve, write, commit | 92 | is the length legal, the ring open, is there room: about 20; announce, and is nobody else there: 20; header and tag: 15; leave: 5; the record's handle, payload, final header, and does the consumer sleep: 30 |
//! | look how far the ring may be looked at | 53 | the only slot, the count of slots, is the position possible, and shall records gather: once for all that has come |
//! | next, and give back | 69 | header, length, and does it fit: about 20; the record's handle: 20; write to the lines that were read, store the position, does anybody wait for space: 25 |
//!
//! What is checked is what makes it safe to share a ring with a process that dies, or lies. Rings of values of one size, for one
//! producer, have less to look at, and are faster as long as one thread has both ends.
//!
//! With a second producer, head is swapped, which is a locked instruction, and two passes look at each slot that is watched: 413.
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
//! the producer's heels: each record is then fetched, and with it the slot, as soon as it is written. A consumer that finds some records
//! each time that it looks therefore pauses before the next look, at first for some ten nanoseconds, at the most for one to three
//! microseconds, and goes on doing so if it finds twice as much as it does without, which every 17th look finds out anew. One that has
//! looked in vain does not, and one that is its own producer soon stops: a record that comes alone is not late. How much more may
//! gather, and for how long, is left to the user, in [`wait_for`](crate::Consumer::wait_for).
//!
//! A producer that is refused for want of space and tries again at once does the same to `consumer_pos`. Whoever means to wait says so:
//! [`reserve_blocking`](crate::Producer::reserve_blocking) looks about once a microsecond before it sleeps. From one thread to another,
//! with a ring that is full all the time, that makes 0.6 of the time for records of 1 KiB, and 0.7 for 4 KiB.
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
//! | a consumer at the heels of producers pauses | see above: with 2 producers, records of 64 bytes take a third of the time, mixed ones half | `threads`: to one | no ordering depends on it |
//! | a lone producer has the lines ahead of a record of 128 to 2,048 bytes fetched | they are the consumer's, and each was waited for: see below | `threads`: 1 to one | a hint, which orders nothing |
//! | who waits for space looks about once a microsecond, then sleeps, and is woken once | the line with `consumer_pos`; a wake takes as long as a hundred records | `threads`: to one | `space.rs` |
//! | the slots of those who wait are looked at when somebody begins to wait, not for each record | it took the lines from those who go on: with 4 producers and more, records took twice as long | `threads`: 4 and more to one | `space.rs` |
//! | every way to reserve makes the reservation in place | one that came through memory in pieces and was read whole made the processor wait for all stores before: `reserve_blocking` took ten times as long | `threads`: to one | |
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
//! How much that is worth depends on how far apart the processors are. The two virtual processors of the AMD EPYC (family 26, Zen 5)
//! that was measured are moved by whoever runs the machine: for minutes on end they are close to each other, and then far apart, when
//! all that crosses takes several times as long. The time of a consumer that writes divided by that of one that only reads: from one
//! thread and from two to another (`--quick --only threads`, built with the writing and without it, medians of two runs), and from
//! one process to another (two of the runs below):
//!
//! | | 8 B | 64 B | 256 B | 512 B | 1 KiB | 4 KiB | 8-512 B |
//! |---|---|---|---|---|---|---|---|
//! | from one thread, close | 1.0 | 1.0 | 1.3 | | 1.3 | 1.0 | 1.2 |
//! | from two threads, close | 1.0 | 0.8 | 0.8 | | 0.8 | 0.8 | 0.8 |
//! | from one process, close | 0.9 | 1.0 | 1.1 | 1.0 | 0.9 | 0.8 | 1.1 |
//! | from one process, far apart | 0.2 | 0.4 | 0.5 | 0.2 | 0.6 | 0.2 | 0.4 |
//!
//! So it is done: where it does harm, it takes a third longer, and where it does not, it is up to five times as fast.
//!
//! One thread that has both ends pays for it: see "only read" below. On rings of the kernel, whose data cannot be written to, there is no
//! choice. Other processors were not there to be measured: `--only choices` says what it is worth on yours, and
//! [`TrustedRing::reading_consumer`](crate::TrustedRing::reading_consumer) does without.
//!
//! # Fetching what is written next
//!
//! The other way round, the producer asks for the lines half a kilobyte ahead of the record that it has just reserved, if that space is
//! free. The time of one that does divided by that of one that does not, from one thread to another (`--only threads`, means of
//! two or three runs each, interleaved; before lengths were limited, far apart):
//!
//! | | 256 B | 1 KiB | 8-512 B |
//! |---|---|---|---|
//! | close | 1.0 | 1.0 | 1.0 |
//! | far apart | 0.5 | 0.3 | 0.4 |
//!
//! Relative to the best of the others in the same run, close, it was 0.43 instead of 0.50 for 256 bytes, and 0.51 instead of 0.58 for
//! mixed ones. One thread that has both ends takes 1.05 of the time for 256 bytes and 1 KiB. Short records gain nothing when the processors
//! are close, and far apart took from a third to four times as long; for 4 KiB it was 1.4: so they do without.
//!
//! # What each choice is worth
//!
//! Time divided by that of dynring as it comes, in the same run (`--publish`, three runs at commits 0e220b7, 93e6482 and 0e17a83), the
//! processors close to each other or far apart. Huge pages, in rings of 8 MiB, made 0.99 to 1.01 when they were close.
//!
//! |  | accompanied | for plain readers | drain | only read | prefetched | past the cache | batch | gather | lease | lease and gather |
//! |---|---|---|---|---|---|---|---|---|---|---|
//! | one thread sends and receives, 64 B | 1.41 | 1.00 | 1.01 | 0.92 | 1.01 | 13.16 |  |  |  |  |
//! | one thread sends and receives, 1024 B | 1.11 | 1.00 | 1.00 | 0.77 | 0.97 | 14.26 |  |  |  |  |
//! | one thread sends and receives, 4096 B | 1.04 | 1.00 | 1.01 | 0.84 | 0.96 | 5.74 |  |  |  |  |
//! | 1 thread to one, close, 64 B | 1.70 | 1.16 | 0.98 | 0.97 | 0.98 | 121.78 | 0.82 | 1.00 | 0.92 | 0.90 |
//! | 1 thread to one, close, 1024 B | 0.95 | 0.94 | 0.96 | 0.99 | 0.99 | 19.71 | 0.93 | 0.93 | 0.98 | 0.97 |
//! | 1 thread to one, close, 4096 B | 0.99 | 1.00 | 0.99 | 1.13 | 0.98 | 4.19 | 1.07 | 1.01 | 1.29 | 1.30 |
//! | 1 thread to one, far apart, 64 B | 1.11 | 0.97 | 1.02 | 2.47 | 0.83 | 80.79 | 0.44 | 0.86 | 0.52 | 0.53 |
//! | 1 thread to one, far apart, 1024 B | 0.93 | 0.96 | 1.02 | 1.55 | 0.99 | 5.50 | 0.39 | 0.77 | 0.51 | 0.50 |
//! | 1 thread to one, far apart, 4096 B | 0.99 | 0.98 | 1.03 | 4.22 | 1.07 | 3.18 | 1.19 | 0.94 | 2.42 | 2.44 |
//!
//! # Tried, and left out
//!
//! - *Prefetching* what the consumer reads next: the column "prefetched". The processor's own prefetcher does as well where records
//!   follow each other, and where the consumer is at the producer's heels, it fetches what is not there yet.
//! - *Non-temporal stores* for payloads ("past the cache"): they go to memory, and the consumer has to fetch them from there.
//! - *Huge pages* are there to be asked for ([`Builder::huge_pages`](crate::Builder::huge_pages)), and off unless they are: most
//!   systems have none to give, and below 2 MiB there is no room for one.
//! - *Giving back in batches* by default: [`batch`](crate::Consumer::batch) does it. [`next`](crate::Consumer::next) and
//!   [`drain`](crate::Consumer::drain) give each record back before the next, as a producer may wait for its space, and a consumer that
//!   dies is to have read as few as possible that the next one reads again.
//! - *A locked swap instead of a full fence* where producers of a user ring publish: no difference.
//! - *A pause of fixed length* after a lost swap: with 2 and 4 producers of a user ring, 0.86 to 1.5 times the time of libbpf-rs in a mutex
//!   in the worst run, where pauses that grow have 0.35 to 0.45.
//! - *Fetching a record's lines for writing* (prefetchw) as soon as it is taken, since they are written to in the end: no faster, and
//!   at 4 KiB half as fast, for the lines behind are still being written.
//! - *Waiting for more space than is needed*, an eighth of the ring or half of it, so as to be woken less often: no difference.
//! - *A pause in [`reserve`](crate::Producer::reserve)* when it is refused: it is promised not to wait, and there are those who would
//!   rather drop a record.
//! - *Counting the bits of a mask* for the number of a lap, instead of keeping the shift: 19 instructions of 111 in a reservation, as
//!   not all x86-64 processors count bits in one.
//!
//! # What is missed
//!
//! - One thread that has both ends is slower than with the best ring for values of one size and one producer. See above.
//! - To and fro between two threads takes somewhat longer than with the best of the others, which differs from size to size: a
//!   record is found through the slot, and then its header. Between processes, it takes a fraction of the others' time.
//! - Far apart, 16 producers and more that share one core are slower than two, as are those of the other rings: 64 take eight times as
//!   long. Leases do not care. Close, there is no difference.
//! - Where one producer sends records of 64 bytes, a ring of slots for one producer can be faster when the processors are close:
//!   it runs at about one cache line for each record, and a header here makes it more than one.
