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
//! | alignment of a payload | 8 bytes | records start at multiples of 8 |
//! | registered producers | 4,096; 32 unless said otherwise | [`Builder::max_producers`](crate::Builder::max_producers) |
//! | the same in a user ring | 28 with pages of 4 KiB, 508 with 64 KiB; of all processes together | slots lie in the producer page |
//! | consumers | 1, handed out once | |
//! | positions | wrap at 2⁶⁴ | compared by distance, below 2⁶³ |
//! | a slot that is not used | its word looks current again after 2⁶³ bytes | the same |
//! | laps in a tag | modulo 65,536 | 16 bits |
//! | owners in a tag | modulo 65,535; nobody gets a number that is in use | 16 bits, 0 is nobody |
//! | time-outs | whole nanoseconds; on kernel rings, milliseconds, rounded up | futex(2); epoll_wait(2) |
//! | rings in a set | as many as there are descriptors: two for each, two for the set | epoll(7) |
//! | kinds of rings in a set | those of the kernel | a ring of this crate sleeps on a futex, which epoll cannot watch |
//! | records of one ring in a turn of a set | 256 unless said otherwise | [`RingSet::set_quantum`](crate::RingSet::set_quantum) |
//! | processes | 1; those that hold the descriptor of a user ring | sleeping is on private futexes, and liveness is not proved across processes |
//! | processes that produce into a user ring | as many as there are slots | nobody sleeps on its words |
//! | processes that die with a slot of a user ring | its slots stay taken while the map lives | liveness is not proved |
//! | after fork(2) | handles must not be used in the child | they would share a slot |
//!
//! Under Miri, memory cannot be mapped twice. There, a record that would cross the end is preceded by a discarded one that
//! fills the rest, and a payload is limited to half of the size − 8 bytes.
