//! Every limit, and where it comes from.
//!
//! | what | limit | why |
//! |---|---|---|
//! | size of a ring | a power of two of whole pages, to 1 TiB | [`RingSize`](crate::wire::RingSize) |
//! | size of a kernel ring | 2 GiB | `max_entries` is a u32 |
//! | reserved and not yet consumed | size − 8 bytes | the kernel's rule: a full ring and an empty one differ |
//! | the same in a user ring | size bytes: it may be exactly full | the kernel's rule there |
//! | payload of a record | size − 16 bytes, at most 1 GiB − 8 | the rule above, a header; 30 bits of length |
//! | a lease, a batch of reservations | size − 8 bytes with their headers, at most 1 GiB | reserved as one record, and then cut up |
//! | payload of a sample in a user ring | size − 8 bytes, below 16 MiB | the kernel hands it out as a dynptr, and never gets past a longer one |
//! | samples in one drain of a user ring | 131,072, discarded ones included | `BPF_MAX_USER_RINGBUF_SAMPLES`; the rest is for the next drain |
//! | memory behind a [`View`](crate::View) | none but that of memory; in the kernel, below 16 MiB | the kernel keeps a size in 24 bits |
//! | what is always left of a [`Packet`](crate::Packet) | 14 bytes, in its first piece | the kernel's rule: an Ethernet header |
//! | metadata of a packet | a multiple of 4, to 252 bytes | the kernel's rule |
//! | alignment of a payload | 8 bytes | records start at multiples of 8 |
//! | registered producers | 4,096; 32 unless said otherwise | [`Builder::max_producers`](crate::Builder::max_producers) |
//! | reserving without a swap, several times as fast | the ring's first producer, until there is another; never again after that | [`internal`](super::internal#a-producer-that-is-alone) |
//! | the same in a user ring | 28 with pages of 4 KiB, 508 with 64 KiB; of all processes together | slots lie in the producer page |
//! | consumers | 1, handed out once, in a ring of one process | |
//! | a pause of a consumer that finds records each time that it looks | 64 spins: 1 to 3 µs on most processors; none after it has looked in vain | [`performance`](super::performance#where-the-time-goes) |
//! | positions | wrap at 2⁶⁴ | compared by distance, below 2⁶³ |
//! | slots of producers that do nothing | looked at until that has cost as much as a barrier, and where membarrier(2) is refused always | [`internal`](super::internal#producers-that-do-nothing) |
//! | a slot that is not used | its word looks current again after 2⁶³ bytes | the same |
//! | laps in a tag | modulo 65,536 | 16 bits |
//! | owners in a tag | modulo 65,535; nobody gets a number that is in use | 16 bits, 0 is nobody |
//! | a snapshot of a ring whose producers overwrite | begun 16 times at most, then refused | producers may be faster each time |
//! | memory for snapshots | as much as the ring has data, for each that is open | they are copied |
//! | certainty that a snapshot is whole | on processors that keep stores in order: x86-64 | [the kernel has no fence there](super::internal#snapshots-of-rings-whose-producers-overwrite) |
//! | time-outs | whole nanoseconds; on kernel rings, milliseconds, rounded up | futex(2); epoll_wait(2) |
//! | descriptors of a ring | one, and one for [`Consumer::poll_fd`](crate::Consumer::poll_fd) | a memfd, an eventfd |
//! | the same for a consumer of a ring of the kernel | two | the map, an epoll instance |
//! | the same for a consumer in a task | one more, and [`Consumer::poll_fd`](crate::Consumer::poll_fd)'s; one more in a shared ring | it is watched by a descriptor of its own; a timer |
//! | records in a turn of a task | 128 in one call of `drain`, and as many as the task's budget has steps | so that other tasks of the thread have theirs |
//! | rings in a set | as many as there are descriptors: two for each, two for the set | epoll(7) |
//! | kinds of rings in a set | those of the kernel | a set waits for the kernel's bell; [`RingMerge`](crate::RingMerge) takes both kinds |
//! | records of one ring in a turn of a set | 256 unless said otherwise | [`RingSet::set_quantum`](crate::RingSet::set_quantum) |
//! | consumers of a shared ring | 1 at a time, among all processes | a lock that the system releases |
//! | processes of a shared ring | as many as there are descriptors | each takes 3 for the ring, 1 for the consumer and 1 for each producer; 2 for [`Consumer::poll_fd`](crate::Consumer::poll_fd), and 1 to wake who waits on it |
//! | a name for a shared ring | a path on a tmpfs | [`Builder::build_at`](crate::Builder::build_at) |
//! | the length of a ring with a name | can be changed by whoever may write the file, which kills those who have mapped it | files of a tmpfs cannot be sealed, memfds can |
//! | the memory of a ring that processes share | can be taken back by whoever may write the file (fallocate(2) with `FALLOC_FL_PUNCH_HOLE`): the others find zeros, in new memory. Where there is none, in a tmpfs that is full or a control group at its limit, the system kills whoever looks | the seal that forbids it forbids to write. A file with holes is not attached to |
//! | passing what a dead producer has left behind | 10 ms after the consumer has come to it, in [`wait`](crate::Consumer::wait) and in tasks | how often the consumer looks; a timer decides *when* to look, never what is found |
//! | several producers that die while they reserve at one place | told apart, unless none of their ends was ever reached: `Corrupt::Undecided` | [`internal`](super::internal), step 5 |
//! | an old payload in the place of a dead producer's header | is taken for one if owner, lap and length all fit | [`internal`](super::internal), step 4 |
//! | kinds of rings in a merge | all; with one of this crate, it looks every millisecond | the same |
//! | records delivered by a merge in one go | 1,024 unless said otherwise | [`RingMerge::set_quantum`](crate::RingMerge::set_quantum) |
//! | how long a record waits in a merge | the window, and up to an eighth longer; on kernel rings, milliseconds, rounded up | what was seen is noted eight times in a window |
//! | memory of a merge | 10 marks and a key for each ring | records wait in their rings, which need room for what comes in a window |
//! | processes that produce into a user ring | as many as there are slots | nobody sleeps on its words |
//! | processes that die with a slot of a user ring | its slots stay taken while the map lives | liveness is not proved |
//! | arenas, their maps and blocks | [a table of its own](super::arena#limits) | |
//! | after fork(2) | handles are of no use in the child: producers are refused, consumers find nothing, and no new ones are made | they would share a slot; attach anew |
//! | after clone(2) without fork's handlers, vfork(2) | handles must not be touched in the child | it has its parent's memory |
//!
//! Under Miri, memory cannot be mapped twice. There, a record that would cross the end is preceded by a discarded one that
//! fills the rest, and a payload is limited to half of the size − 8 bytes.
