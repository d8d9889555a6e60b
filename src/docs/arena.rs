//! How arenas work, and why nothing is lost when a process dies.
//!
//! For whoever wants to change it. The words are described in [`wire::arena`](crate::wire::arena), the code is in `src/raw/arena`, the
//! models are in `loom_tests`.
//!
//! # Two tables
//!
//! An arena's data is cut into pages of 4 KiB, and those into units of 64 bytes. A word for each page says what it is used for, a
//! word for each unit whose block begins there. The words are apart from the data: what is handed out holds nothing that the
//! arena relies on, and a word is never anything else. They cost 8 bytes for each 64 that can be handed out, and 12 for each page.
//!
//! *Small* blocks, of up to 8 KiB, have one of 24 sizes. A *slab* of 1, 4 or 8 pages is cut into blocks of one size, of which it has
//! at least 4. *Large* blocks are runs of whole pages; so are small ones where there are pages left, but not enough for a slab.
//!
//! To take a block is, in general, one compare-and-swap of its word, from FREE to OWNED by whoever takes it, with the next generation. To give it
//! back is one store: nobody else changes the word of a block that is owned. **The word is the free list.** There is no list that
//! could be left in disorder, and no count that could be wrong: what is in use is read off the words.
//!
//! Where to look is only a matter of notes. Each process notes, for itself, which blocks of each size were given back last, and
//! where it took one last; a note for each page says whether the slab that begins there may have a free block. Whoever finds
//! nothing by the notes looks everywhere, closes slabs of which nobody has a block, and takes a larger block, before it says that
//! there is no memory. Notes may be wrong or lost; they are looked up and never believed.
//!
//! # Spares
//!
//! Most blocks are given back by the thread that takes the next, and a locked instruction costs more than all the rest. So a small
//! block that is given back may become a *spare* of its process: SPARE in its word, by a plain store, and noted in a list in memory of
//! the process. No other process takes it. One thread has the list to itself, by the number of the thread; it takes a spare by a plain
//! store, too, from SPARE to OWNED with the next generation. All other threads do as if there were no spares.
//!
//! Who has the list says that it is at it (`busy = 1`), looks whether the list is still its own, and says at last that it is done.
//! Whoever finds no memory in the same process, or asks for the largest block that can be had, takes the list away for a moment: says
//! that it is taken, has all threads run a barrier ([`membarrier(2)`]), and looks whether the one is at it. Either that one sees that
//! the list is not its own any more, or this one sees that it is at it, and goes without, as nobody waits. Then it makes all spares FREE.
//! The barrier is what who has the list needs none for. Where the kernel has no such barrier, there are no spares. A signal handler that
//! interrupts who is at the list finds that, and does without.
//!
//! In the same way the list goes from one thread to another: to one that gives blocks back when it has seen it happen 1,024 times that
//! one was given back past the list, then 2,048 times, and so on. Each thread that has it says in a place of its own that it is at it, of
//! which there are 16: one that has looked and is stopped before it says so may say so much later, in a place that means nothing by then.
//!
//! Other processes cannot take the list away. So spares are few: **the slabs in which they lie are at most a 32nd of the arena, those of
//! all processes that can be attached together**, and there are at most 62 of each size and process. An arena's handle counts as a
//! process here. In an arena with less than a page for each
//! process in that part (128 KiB for a private one, 2 MiB for 16 processes) there are none. Spares are not in use, and no error is due to
//! the spares of one's own process, but if another of its threads is at them in the same moment.
//!
//! [`membarrier(2)`]: https://man7.org/linux/man-pages/man2/membarrier.2.html
//!
//! # What a process may be doing when it dies
//!
//! Each process has a *place*, whose number it writes into the words that are its own, and shows by a lock on a byte of the file
//! that it lives, as producers of rings do. Who recovers takes that lock, which proves the death, and goes on in the dead one's
//! name. At most one recovers at a time (another lock). If it dies, too, the next one finds what it left as if the first had left
//! it, and begins with that: a removed map that is in a dead one's hand is not for others of the dead, who may have it open.
//!
//! | what the words say | what was going on | what recovery does |
//! |---|---|---|
//! | page IN HAND (p, n) | p was putting pages together, or taking them apart; some of the n belong to it | frees those that say BODY of this one, then it |
//! | page FITTING (p, class) | p was putting a slab in service, or out of it; some blocks are OUT | puts it in service: OUT becomes FREE |
//! | block OWNED (p) | p has it, or was about to be given it, or to give it back | gives it back |
//! | block SPARE (p) | p has set it apart, or was about to take it, or to give it back to all | makes it FREE |
//! | block SENT (p) | its token is on its way | gives it back, unless somebody claims it in the same moment |
//! | cell WRITING, PROPOSED, REFUSED (p) | p was putting an entry in | frees its block if that is KEPT already, then the cell |
//! | cell EXCLUSIVE (p) | p has the entry alone | MEMBER, torn |
//! | cell REMOVED | p may have been the last who held it | frees its block if nobody holds it |
//! | cell REAPING (p) | p was freeing its block | goes on; or REMOVED, if somebody holds it |
//! | holds of p | p holds entries, or was about to | 0 |
//! | place of p | | free, last of all |
//!
//! Pages are taken in hand in ascending order: first the one that names its owner and how many there are to be, then those behind
//! it, which name the first. So pages that belong to nobody who is named do not exist. A slab is put in service, or out, while its
//! first page names who does it; who puts it in service has its first block at once, so two who need different sizes of the last
//! page do not take it from each other for ever. Blocks of it that are FREE may be taken meanwhile; who closes it takes each block OUT, and if one
//! is not FREE, takes all of it back.
//!
//! # Maps
//!
//! A map is a block whose memory is words: cells, and a count for each cell and each process. The map of all maps, by their names, is
//! the same kind of thing in a place of its own. Its entries are maps; who has one open holds its entry.
//!
//! A key's home is its hash modulo the number of cells; an entry is in the first cell from there that was free, and a word says how
//! far from home any has ever been. So cells can be free again at any time, and nothing marks where others have been.
//!
//! **To insert** is to take a cell, write the entry, make the block KEPT, and *propose*. Then comes a turn: one count that all
//! proposers of a map increase. Of two with the same key, the later in turn sees the earlier's proposal. It refuses it, by a
//! compare-and-swap, or finds that it is an entry already. A proposal that nobody has refused becomes a MEMBER by another. So there
//! is at most one entry of a key. Who was refused tries anew; who stands still in the middle of it is refused, and waited for by
//! nobody.
//!
//! **To hold** is to increase one's own count for the cell, and to look whether the entry is still there, by an access that also
//! changes the cell's word (it adds 0). All such accesses to one word form a chain: either the holder comes after who removes it, and
//! sees that, or before, and then who removes it sees the count. A stored sum of all holds could not be recomputed when one of the
//! holders dies between the count and its note of it; with a count for each process, the dead one's are simply 0.
//!
//! **To let go** is to decrease the count, and then to *settle*: look at the cell by such an access, and if it is REMOVED and no count
//! is left, swap it to REAPING, and free the block. The last one in the chain sees all counts at 0.
//!
//! **To have alone** is to swap the cell to EXCLUSIVE, and then to look at the counts; if there are any, it is swapped back.
//!
//! # Tokens
//!
//! A block that is SENT is the sender's until it is claimed: if the sender dies, or drops its last handle, it is given back, and who
//! claims it later finds another generation. The alternative, that it is nobody's, would lose it whenever a sender dies between
//! making the token and delivering it. What is to outlive its sender belongs in a map. A claim begins the next generation, so a
//! block that is sent on has another token.
//!
//! # Edges
//!
//! Each row is one half of a synchronises-with edge, and the model that fails when it is weakened to `Relaxed`
//! (`loom_tests/tests/models/arena.rs`; `arena_mutants.rs` sees that it does).
//!
//! | edge | access | pairs with | model |
//! |---|---|---|---|
//! | `BlockTake` | FREE to OWNED, acquire | `BlockGive`, `BlockFit` | `a_block_is_had_by_one_at_a_time` |
//! | `BlockGive` | OWNED or SPARE to FREE, release | `BlockTake`, `BlockOut` | `a_block_is_had_by_one_at_a_time` |
//! | `BlockOut` | FREE to OUT, acquire | `BlockGive` | `a_slab_that_is_cut_anew_is_nobodys_meanwhile` |
//! | `BlockFit` | OUT to FREE, release | `BlockTake` | `what_a_page_was_before_is_over_when_its_blocks_are_taken` |
//! | `PageTake` | FREE to IN HAND or BODY, acquire | `PageGive` | `pages_are_had_by_one_at_a_time` |
//! | `PageGive` | to FREE, release | `PageTake` | `pages_are_had_by_one_at_a_time` |
//! | `BlockSend` | OWNED to SENT, release | `BlockClaim` | `a_token_is_claimed_once_and_what_was_sent_is_there` |
//! | `BlockClaim` | SENT to OWNED, acquire | `BlockSend` | `a_token_is_claimed_once_and_what_was_sent_is_there` |
//! | `SpareFence` | fence between `busy = 1` and the look at `bias` | `RevokeFence` | `a_spare_is_had_by_who_has_the_spares_or_by_who_takes_them_away` |
//! | `RevokeFence` | fence between REVOKED and the look at `busy` | `SpareFence` | `a_spare_is_had_by_who_has_the_spares_or_by_who_takes_them_away` |
//! | `SpareLeave` | `busy = 0`, release | `SpareLook` | `a_spare_is_had_by_who_has_the_spares_or_by_who_takes_them_away` |
//! | `SpareLook` | the look at `busy`, acquire | `SpareLeave` | `a_spare_is_had_by_who_has_the_spares_or_by_who_takes_them_away` |
//! | `BiasStore` | REVOKED to who has the spares, release | `BiasLoad` | `a_spare_is_had_by_who_has_the_spares_or_by_who_takes_them_away` |
//! | `BiasLoad` | the look at `bias`, and to REVOKED, acquire | `BiasStore` | `a_spare_is_had_by_who_has_the_spares_or_by_who_takes_them_away` |
//! | `Turn` | proposers' count, both | itself | `of_two_who_insert_a_key_one_does` |
//! | `Member` | PROPOSED to MEMBER, release | `CellLoad`, `HoldCheck` | `an_entry_that_is_found_is_there_whole` |
//! | `CellLoad` | a reader's first look, acquire | `Member` | `an_entry_is_not_taken_for_the_one_before_it` |
//! | `HoldCheck` | a holder's second look, and that of who lets go, both | itself, `CellTurn` | `a_value_that_is_held_is_not_freed` |
//! | `HoldGive` | a hold is let go of, release | `HoldLoad` | `who_has_a_value_alone_is_alone` |
//! | `HoldLoad` | counts are looked at, acquire | `HoldGive` | `who_has_a_value_alone_is_alone` |
//! | `CellTurn` | MEMBER to EXCLUSIVE or REMOVED, acquire | `HoldCheck` | `who_has_a_value_alone_is_alone` |
//! | `Share` | EXCLUSIVE to MEMBER, release | `HoldCheck` | `who_has_a_value_alone_is_alone` |
//!
//! Some accesses are stronger than any model shows to be necessary, and say so where they are: words of a cell are stored with release
//! and loaded with acquire, so that a key is never read half; a free cell and a free place are taken with acquire, as what would go
//! wrong is a load that comes before an earlier one's store, which loom does not try.
//!
//! # Limits
//!
//! | what | limit | why |
//! |---|---|---|
//! | size of an arena | 4 KiB to 256 GiB | 32 bits of units |
//! | processes attached to one | 1,024; 16 unless said otherwise | a place and a lock each; a count in each cell |
//! | waste in a block | 63 bytes, or a fifth; a third of what has pages of its own | sizes in steps |
//! | waste in a block when memory runs short | as much as the least block has that is left, to 8 KiB | better than none |
//! | waste behind a slab's last block | an eighth of it | the same |
//! | memory that slabs keep from larger sizes | the whole slab, 4, 16 or 32 KiB, for as long as one of its blocks is in use: of 64-byte blocks, one in 64 can keep all memory | slabs with a block in use are not taken apart, and blocks are not moved |
//! | spares, which other processes cannot have | slabs of a 32nd of the arena, of all processes together; 62 blocks of a size and process | nobody can be asked for them who does not run |
//! | threads of a process that have its spares after one another | 16 | a place for each, which is not used again |
//! | words | an eighth of what can be handed out, and 12 bytes a page | state and owner of each unit |
//! | maps | 64, with names to 32 bytes | the map of maps |
//! | entries of a map | what was said when it was made, to 2²⁴ | a map does not grow |
//! | keys | 4,096 bytes | they lie in the cells |
//! | generations | modulo 2⁴³ of a block, 2⁴⁷ of a cell: a token is claimed for another if it is kept while its block is handed out 2⁴³ times, which takes a day at 10 ns each | 64 bits |
//! | "no memory", "exclusive" | may be so for a moment only, while others take pages apart or see whether they can have a value alone | nobody waits |
//! | two who insert one key at once | may refuse each other, and both try anew; others go on | nobody knows who is stopped |
//! | looking for pages | as long as the arena has pages | the words are the free list |
//! | freeing what the dead have | when somebody runs out of memory or places, or calls [`recover`](crate::SharedArena::recover) | nothing is timed |
//! | while somebody frees what the dead have | who else runs out of memory or places looks again for 50 ms at most; if he who frees it is stopped, it is not there until he goes on or dies | at most one recovers at a time |
