//! What is promised about rings that processes share when processes die or stand still, and how it is shown.
//!
//! The tests are in `tests/kill`: real processes, which SIGKILL ends for real. In most of them, a process is run one instruction
//! at a time under ptrace(2) and killed after `k` of them, for each `k` from none to all that an operation takes; a system call
//! is one. `loom_tests` tries the same in models, with all interleavings.
//!
//! | who | promise | test |
//! |---|---|---|
//! | a producer is killed at any instruction | Committed records are delivered, once, in order. Its unfinished ones are lost, and never delivered in part. Others go on; its slot is free again once the death is proved. | `producer`, `contended`, `random` |
//! | the same, and the consumer sleeps | It wakes up, at the latest 100 milliseconds after. | `wake` |
//! | a consumer is killed at any instruction | Producers find the ring full, and do not hang. The next one goes on at `consumer_pos`: what the dead one was handed and had not given back is handed out again. | `consumer` |
//! | who repairs is killed at any instruction | The next repair finishes it. | `repair` |
//! | who makes, finds or removes a ring is killed at any instruction | The ring is there whole or not at all, and nobody seems to be attached to it. | `attach` |
//! | all are killed | Whoever attaches next finds what was committed and not given back. | `everybody` |
//! | a producer is stopped | Its record is waited for, however long it takes, and [`stalled`](crate::Consumer::stalled) says whose it is. | `stopped` |
//! | a process forks | In the child, producers are refused, consumers find nothing, and no new ones are made; the parent notices nothing. It is dead when it is dead, even if its child lives. | `forked` |
//!
//! # What was counted
//!
//! ```text
//! DYNRING_KILL=all cargo test --release --test kill
//! ```
//!
//! does all of the following, and takes more than an hour, most of it for `arena`; without the variable, a part of it is done. No failure in `n`
//! independent trials says with a confidence of 95 % that fewer than `3 / n` of such events fail. Where each `k` was tried, there
//! is nothing to bound for that binary, compiler and processor: these were all the places there are.
//!
//! On two virtual processors of an AMD EPYC (family 26), which other work was using as well; Linux 6.18.44, x86-64, rustc 1.95.0;
//! "plain" is with [`kernel_protocol`](crate::Builder::kernel_protocol). There was no failure in any of these:
//!
//! | test | what | n |
//! |---|---|---|
//! | `producer` | killed after each `k`: reserve and commit, reserve and discard, `output`, `commit_len`, a lease, a batch | 1,894; plain 2,518 |
//! | `contended` | killed after `k` instructions, somebody else reserving, and up to 7 numbers of instructions more | 1,358; plain 2,128 |
//! | `contended` | two killed that have seen the same head, after each pair of `k` | 12,482; plain 15,138 |
//! | `contended` | each `k` of waiting for space, at 668bd7a | 2,047; plain 2,075 |
//! | `arena` | each `k` (1,000 of the longest) of 19 operations on an arena and its maps, at 668bd7a | 20,118 |
//! | `arena` | after 10 `k` each of 17 of these, a recovery killed at 20 `k` | 3,400 |
//! | `wake` | each `k` of `output` that wakes a sleeper | 224; plain 367 |
//! | `consumer` | each `k` of next and drop, a batch of 3, going to sleep, recovery after two deaths (1,000 of 4,058 `k`; plain each); a batch and a drain among discarded records | 5,783; plain 8,729 |
//! | `repair` | each `k` of a repair, of 4 deaths in a reservation | 10,996; plain 10,925 |
//! | `attach` | 1,000 `k` each of attaching as producer and as consumer, `build_at`, `open`, `remove_stale` | 5,299 |
//! | `random` | kills at random moments, of 4 producers, seed 0x2545f4914f6cdd1d: below 3 · 10⁻⁴ each | 10,000; plain 10,000 |
//! | `everybody` | times that 3 producers and the consumer were killed together, seed 0x9e3779b97f4a7c15: below 3 · 10⁻³ | 1,000 |
//! | `stopped` | SIGSTOP after `k` instructions, 126 of them while entering, 945 with an unfinished record: below 1.6 · 10⁻³ | 1,937 |
//! | `stopped` | SIGSTOP with a reserved record: below 3 · 10⁻³ | 1,000 |
//! | `forked` | forks whose child tries everything: below 3 · 10⁻³ each | 1,000; plain 1,000 |
//! | `forked` | parents killed, their child going on after fork, fork and exec, posix_spawn: below 3 · 10⁻² each | 3 × 100 |
//!
//! All of this is one run, of commit 9f1f976, but for what names another. Since then, consumers look no more at producers that do
//! nothing; of these, `producer` kills one after each instruction, too: 2,047 deaths at 1a4a910, without a failure. And they pause
//! at the heels of producers, and wake those who wait once.
//!
//! In `consumer`, no more was handed out twice than the dead consumer held: 1 record of 1, and 3 of a batch of 3; and
//! what was skipped is counted once.
//!
//! In `random`, 44,940,327 records were delivered, each with the number that was due and all its bytes as they had been written;
//! 14,196,784 discarded and 1,035 abandoned ones lay between them, whose headers filled all the rest of 10,245,732,352 bytes.
//! Descriptors stayed 11; resident memory grew by 34 pages in three quarters of a run, which is what the test notes of each kill.
//!
//! The time from a kill until the consumer had passed all that was reserved before it:
//!
//! | | kills | p50 | p99 | most |
//! |---|---|---|---|---|
//! | all | 10,000 | 0.6 ms | 11.3 ms | 52 ms |
//! | of these, with an unfinished record | 786 | 10.3 ms | 17.5 ms | 52 ms |
//! | plain, all | 10,000 | 1.4 ms | 17.3 ms | 77 ms |
//! | plain, with an unfinished record | 1,562 | 10.7 ms | 18.1 ms | 23 ms |
//!
//! A consumer that is held up looks after the dead every 10 milliseconds; the rest is what the processors had to do meanwhile.
//!
//! # What these tests have found
//! - A repair that was killed between freeing a slot and publishing left a committed record hidden from plain readers until
//!   somebody reserved again.
//! - The 65,536th registration had the number of a producer that still lived, and its unfinished records were taken for the
//!   other's: never passed while that lived. (Found by counting, when these tests were written.)
//! - In a forked child, the consumer of a ring for plain readers said that the ring was corrupt.
//! - An early run of `repair` failed without plain readers as well, and what it said was lost. It has not come again in five full
//!   runs since, of 74,793 deaths; so it is not known to be understood.
//!
//! # What they do not show
//! - Other processors than x86-64, on which the same program has other instructions, and weaker orderings: for these there are
//!   the models.
//! - Deaths of the machine. A ring lives in memory, and goes with it.
//! - A process that has just been made by vfork(2) or posix_spawn(3) has its parent's descriptors until it has called execve(2): a
//!   parent that dies in that moment is found dead after it.
//! - Until the next consumer comes, the counts of discarded and abandoned records in [`Stats`](crate::Stats) may be too high by what
//!   a dead one had skipped and not given back.
//! - A producer that dies between two instructions, just as it begins or ceases to wait for space, may stay counted among those who
//!   wait (`waiting`, in the [format](super::format)), for good. The consumer then loads one word more each time that it gives
//!   space back; nobody is woken in vain, but once by each consumer that comes or closes the ring.
//! - Producers trust each other. One that writes what it must not to the words of those who wait for space can make another wait
//!   until its timeout, the next wake of anybody, or the next consumer.
