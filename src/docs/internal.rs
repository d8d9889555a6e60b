//! How the ring works, and why it is right.
//!
//! For whoever wants to change it. The code is in `src/raw`, the names of all orderings in `src/sync/edge.rs`, and the
//! models, which try every interleaving of small scenarios, in `loom_tests`. No ordering is in the code without a row
//! in [the table of edges](#edges), and none is in the table without a model that fails when it is weakened.
//!
//! # The problem
//!
//! Producers share one cursor, *head*. To reserve is to move it by a compare-and-swap, after which a header is written
//! to where it was:
//!
//! ```text
//!            consumer_pos                        head            head + 16
//!                 v                               v                  v
//!   ...  free     | header payload | header payload | ?????? ??????? |  free ...
//!                                                     ^
//!                                                     swapped, header not written yet
//! ```
//!
//! Between the swap and the header, the header's place holds the bytes of an old record, and old payload can look like
//! any header at all. The consumer must not look there. The kernel keeps it away with a spinlock, DPDK by having
//! producers wait for each other, Aeron by zeroing all that was consumed. The first two let one stalled producer stop
//! all others; the third has the consumer write every byte.
//!
//! Here, a producer says where it is going **before** it swaps.
//!
//! # The words
//!
//! *Head* is only ever moved forward, by swaps. Positions are byte counts that wrap at 2⁶⁴ and are compared by
//! distance.
//!
//! *Slot word*: one for each producer, written by nobody else.
//!
//! ```text
//!                        announce s                      swap succeeds,
//!        +---------+   (E2, release)   +---------------+ header written    +---------+
//!        |  left   | ----------------> | s | ENTERING  | ----------------> |  left   |
//!        |  at e   |                   +---------------+  (E6, release)    | at s+sz |
//!        +---------+                           |                           +---------+
//!             ^                                | swap fails:
//!             |                                | give up (E7, release)
//!             +--------------------------------+ left at s
//! ```
//!
//! A word never goes back, not even when its slot changes hands. Whatever it says, it *vouches* for what came before:
//! below the position in it, everything has been swapped, and the producer's own records have their headers.
//!
//! *Header*: the first word is length, BUSY and DISCARD, the second the tag, that is owner and lap.
//!
//! ```text
//!   stale bytes --swap, header--> BUSY --commit--> length        --consumed--> stale bytes
//!                                      --discard-> length|DISCARD --skipped---> stale bytes
//! ```
//!
//! *`consumer_pos`*: below it, the consumer does not look any more. *`sleeping`*, *`closed`*, *`space_seq`* are the
//! consumer's, *`wake_seq`*, *`waiting`* and the registry the producers'.
//!
//! # Reserving and looking
//!
//! ```text
//!   reserve                                            limit(floor)
//!     s = head                         E1                L = furthest position in any slot       pass 1
//!     loop                                               fence                                   E10
//!       full unless there is space     E8                read anew how many slots there are
//!       slot = s | ENTERING            E2                for each slot that says s | ENTERING    pass 2
//!       head: s -> s + sz              E3                  with floor <= s < L:  L = s
//!         or slot = s, spin, again     E7                fence                                   E11
//!     header = length | BUSY, tag      E5
//!     slot = s + sz                    E6
//! ```
//!
//! **Claim.** If everything below `floor` has its header in the caller's sight, so has everything below the limit.
//!
//! *Proof.* Say that pass 1 found its furthest position M in the word of producer P. Consider any record that starts at
//! r, between the floor and M, and its producer Q.
//!
//! 1. Swaps form a chain: each reads the value that the one before wrote. Head takes each value once, so the start that
//!    Q announced was loaded from the very store that its swap then read. That load was an acquire (E1), and all
//!    swaps are releases (E3). Hence each swap happens before the next producer's announcement, and what was sequenced
//!    before a swap, above all its announcement, happens before all later swaps.
//! 2. P's word says M because P loaded M from head (announced, or gave up there), or because P's swap wrote M. Either
//!    way, all swaps below M happen before the store of that word, which is a release (E2, E6, E7), and therefore
//!    before pass 2 (E10). So does Q's announcement of r; and so does the moment when Q's slot was counted, so that
//!    pass 2 covers it.
//! 3. Pass 2 thus reads from Q's slot the announcement of r or something later. If it is the announcement, then the
//!    limit is at most r. If it is later, then it was stored after the header of r was, with release, by Q or by
//!    whoever took over its slot (E22, E23), and the fence after pass 2 (E11) brings the header into sight. ∎
//!
//! With one slot ever used, or [watched](#producers-that-do-nothing), P is Q: the word that pass 1 read was stored after the headers of all P's records below M,
//! and pass 2 is left out. An announcement below the floor is stale: its swap has failed, or its header is in sight
//! already. The consumer's floor is its last limit; that of a producer that publishes is `producer_pos`.
//!
//! What would go wrong with one pass: it reads Q's slot before Q announces, then P's after P has reserved behind Q.
//!
//! # A producer that is alone
//!
//! A swap costs more than all the rest of a reservation. While only the first slot was ever used, its owner, the *lone
//! producer*, does without: nobody else moves head, so it does not have to either. Head stays behind meanwhile, and the
//! lone producer's word alone says how far it has come, which is all that the consumer reads.
//!
//! ```text
//!   the lone producer reserves                         another one comes
//!     slot.span = sz                   E41               take slot n > 0, slots_used = n + 1
//!     slot = s | ENTERING              E2                StoreLoad                            E39
//!     StoreLoad                        E37               (word, span) = those of slot 0       E40 - E42
//!     if slots_used is 1:                                end = s + sz if it is entering at s, else the word
//!       header = length | BUSY, tag    E5                alone_until: 0 -> end                E43
//!       slot = s + sz                  E6                  or end = alone_until               E4
//!     else agree, as who comes                           head: -> end, unless it is further   E3
//!       end = s + sz: as above                           reserve like everybody
//!       else reserve like everybody
//! ```
//!
//! The newcomer's StoreLoad is a fence and a barrier that all threads run (`membarrier(2)`), so that the lone producer's is none
//! but for the compiler. Where the system has no such barrier, the first producer is never alone: it agrees when it registers.
//!
//! **Claim.** All agree on one `end`, below which everything was reserved by the lone producer, and above which it has
//! reserved nothing without a swap.
//!
//! *Proof.* They agree, as `alone_until` is only ever swapped from 0, and never 0 again. Let s be the first start that the lone
//! producer announces and then finds that it is not alone. Each value that is proposed is s or s + sz: of the two StoreLoads
//! (E37, E39), one comes first. If it is the newcomer's, then the lone producer sees the count. So whatever it announces and
//! takes for its own, it announces before any newcomer looks; and a newcomer sees that, or what follows: entering at the
//! reservation before s, which ends at s; having left that one at s; or entering at s. Spans belong to their words: a newcomer
//! acquires the word before it reads the span (E40), so the span is not an older one, and a newer span is stored with
//! release (E41) after the word of the old one was left, so that the newcomer (E42) finds another word when it looks again.
//! If `end` is s, then the lone producer has reserved nothing at s yet, and swaps for it. If it is s + sz, then nobody else
//! gets what lies before that. ∎
//!
//! The claim about limits holds as before. Below `end`, it is the lone producer's word that counts: whoever comes has seen what it
//! announced (E40), or has learned of `end` from who has (E43, E4), before it announces anything itself; so the second pass
//! of whoever sees a newcomer's word sees that announcement, or something later.
//!
//! Whoever comes may die anywhere. If it has counted its slot, the lone producer sees that and agrees with itself. If it has agreed
//! and not moved head, then the next one to come does, or the lone producer, before it swaps. If the lone producer dies while
//! entering, then its repair agrees first, and goes on as with everybody. Whoever takes the first slot after it, while no other was
//! used, is alone as well.
//!
//! *Plain readers.* The lone producer stores the end of its reservation in `producer_pos` before it leaves (E15). Others
//! publish no further than an announced start, so they do not get ahead of that store. They leave it to the lone producer to
//! publish for them; so once it has left, it looks again whether it is alone (E38), and if not, publishes as everybody does. What
//! somebody else has published before is in sight of whoever registers (E8), and thus of whoever sees the lone producer's
//! store.
//!
//! # Producers that do nothing
//!
//! Each look would cost two loads for each slot ever used, most of which belong to producers that do nothing at all. So the
//! consumer of a native ring looks at those slots only that it *watches*. It lets idle ones *go*, and they *call* before they
//! reserve again. Each slot has a bit in `called`, which only its owner turns over, and one in `let_go`, which only the consumer
//! writes; it may have been let go while the two differ. New pages are zero: all slots are watched.
//!
//! ```text
//!   reserve, between E2 and E3                         let go of the idle, now and then
//!     slot = s | ENTERING                E2              heed calls
//!     StoreLoad                          E44             idle = watched slots that have left, at or below the last mark
//!     if let_go differs from called:                     mark = limit
//!       called: turn over                                let_go = not called, for the idle
//!       calls += 1                       E46             StoreLoad                                   E45
//!     head: s -> s + sz                  E3              for each of the idle that has left, at or below the limit:
//!                                                          it is watched no more
//!   take a slot
//!     calls += 1                         E46           heed calls, before pass 1, and anew before pass 2
//!                                                        n = slots_used, m = calls
//!                                                        if either is another than it was:
//!                                                          fence                                     E47
//!                                                          all whose two bits are the same are watched
//! ```
//!
//! The second StoreLoad is a fence and a barrier that all threads run, and the first is none but for the compiler, as with lone
//! producers. Who cannot rely on that barrier, and shares the ring with processes that do, runs a fence there. In rings whose
//! fences are no cheaper for anybody, and in those for plain readers, whose producers look at each other, nobody is let go. Nor is
//! it worth it while few slots are watched.
//!
//! **Claim.** Of a record between the floor and what pass 1 has found, pass 2 watches the slot, unless the header is in sight. So
//! step 3 of the proof holds.
//!
//! *Proof.* Say that Q announced r, its swap happens before pass 2, and its slot is not watched there. Then the consumer had let
//! it go: the bits differed, as far as it knew, there was a StoreLoad, and a second look at the slot, at which Q had left, no
//! further than the limit then.
//!
//! 1. *Bits.* The consumer makes the bits differ only where it finds them the same, and Q makes them the same only where it finds
//!    that they differ; so they take turns. What Q knows of its own bit it knows for certain: it has turned it over itself, or
//!    its predecessor in the slot has (E22, E23). And it never reads an older bit of the consumer's than the one that it, or its
//!    predecessor, has called for.
//! 2. *Q has called since the consumer changed its bit last, and no later than for r.* That call happens before the swap at r, and
//!    so before pass 2 (E10), where calls are heeded with that one counted, and the consumer knows that the bits are the same
//!    (E46, E47). So it has watched the slot since that was counted first. Had it let the slot go after that, it would have
//!    changed its bit.
//! 3. *Q has not*, so at r it read the bit from before that change. Of the two StoreLoads (E44, E45), Q's is then the first, and
//!    the second look finds the announcement of r, or what came later in the slot. It is not the announcement, since Q had left.
//!    If it is later, then it says r + sz or more: beyond r, which is at or beyond the floor, which is at or beyond the limit
//!    then. But Q had left at or below that. ∎
//!
//! If only one slot is watched before pass 2, then it is the one in which pass 1 has found its position, and pass 2 is left out, as
//! with one slot ever used.
//!
//! *Nothing is overlooked for good.* Whoever has come further than the limit when it is looked at the second time goes on being
//! watched. Who goes on later calls. A consumer's last look before it sleeps sees the call, as it sees the slot word: both come before
//! the producer's StoreLoad.
//!
//! *Lone producers* call nobody, not even at the reservation during which somebody else comes. So the first slot is let go only
//! once the consumer has seen that it is agreed how far its owner has come (E4). Whatever that one has reserved without a swap, it
//! had announced by then; so that is what the second look finds, or something later.
//!
//! *Who dies* with its bit turned over and its call not counted has not swapped. Whoever takes the slot next sees the bit, and would
//! not call. Therefore a newcomer counts as a call, after it has taken its slot: whoever counts that finds the bit. A consumer
//! that dies between its store of the bits and its second look has let producers go that may be entering. So its successor watches
//! all slots to begin with, whatever their bits say; those whose bits differ it may let go with no more than a StoreLoad and a
//! second look.
//!
//! # Space
//!
//! A reservation must end at most `size - 8` bytes behind `consumer_pos`, which is the kernel's rule. A producer
//! remembers the `consumer_pos` that it last saw, and looks again only when that does not do. It acquires
//! (E8) what the consumer stored with release (E9) after reading: records are read before they are overwritten.
//!
//! Head is loaded before `consumer_pos`, so the consumer may have overtaken the start by then. The swap would fail, but
//! "behind `consumer_pos` by a little" and "ahead by nearly 2⁶⁴" look alike, so the start is loaded anew. Having
//! acquired `consumer_pos`, the producer has acquired all that the consumer had: swaps at least as far as
//! `consumer_pos`. If head is still behind it then, the word is not a consumer's, and the ring is corrupt.
//! So it is if either word is off the grid of 8 bytes. The producer then forgets the `consumer_pos` that it remembered:
//! it looks again each time, and finds that the ring is corrupt.
//!
//! Before it gives back, the consumer writes to one word of each line that it has read, so that the line is its own
//! when a producer wants it. The word is the tag of a record that has been read; by the same edge, E8 and E9, it is
//! written before a new tag may be. What is written is what is there: until the space is given back, and for ever if the
//! consumer dies before, a repair may go by that tag (see [below](#producers-that-die), step 4).
//!
//! A producer whose swap fails stores its start without the flag (E7). It still vouches for its own earlier headers, hence
//! release; and if it did not, then the consumer would stop at it for good. Then it spins for a microsecond or more before it
//! begins again, and hides nothing meanwhile. Two that take turns at head spend their time on handing cache lines over; let
//! one go on alone for a while, and both come further.
//!
//! # Finishing, leases, batches, shrinking
//!
//! Commit and discard are one release store of the header's first word (E13), which the consumer acquires (E12): the
//! payload is whole. It does not matter which thread does it.
//!
//! A record may be cut in two by whoever holds it: write a header for the rest *behind* it, then finish the front one.
//! The consumer sees the front as finished only if it sees the header of the rest, by the same edge. A lease is a big
//! record from which records are cut off one by one, and whose rest stays BUSY; a shrinking commit cuts once, and its
//! rest is a discarded record. A batch writes all headers before it leaves the entering state.
//!
//! The tag is stored after the length, with release (E5): who acquires a tag of this lap finds the length of this lap.
//!
//! # Plain readers
//!
//! They know `producer_pos` and the headers. In rings for them, head is a word of its own, and whoever leaves the
//! entering state, with a reservation or without, computes the limit and raises `producer_pos` to it.
//!
//! *Nothing is left behind.* Of the producers that were entering together, take the one whose fence (E16) is last in
//! the order of all such fences. All others have left before their own fences; so its passes see no announcement of
//! theirs, and the furthest end is head. It raises `producer_pos` to head, or finds that somebody else has. None waited
//! for another.
//!
//! *Everything below has its header.* The limit brings all headers below it into the publisher's sight, and raising is
//! a release (E15), an acquire in the reader (E14). Raising by compare-and-swap carries on the release sequences of
//! those who raised before, and is given up if `producer_pos` is further already. The fence alone would cover the
//! publisher's own header, but not those that it came to see after the fence.
//!
//! *Somebody else's ring.* The kernel makes its user rings zeroed, and another kind of producer, which knows no head, may
//! have used one before. So whoever opens one raises head to `producer_pos` (`resume`): a compare-and-swap (E3) from what it
//! found there, unless that is `producer_pos` or further. Nobody has to be the first, and nobody waits for whoever was
//! about to be. Could it move head under a producer's feet? What such producers publish, one of them has swapped head to
//! before, so head is behind `producer_pos` only while none has reserved since. Head takes each value once: the swap
//! succeeds on the very value that was found behind, or fails. Slots stay as they are, since whatever their words say is
//! at or below `producer_pos`, the floor from then on. (Models: `resume.rs`.)
//!
//! # Sleeping and waking
//!
//! ```text
//!   consumer                                 producer
//!     give back what was read                  store X: a header, a slot word, producer_pos, "gone"
//!     seq = wake_seq                           StoreLoad  E17 - E20
//!     sleeping = 1                             if sleeping: increment wake_seq, wake
//!     StoreLoad  E21
//!     look once more: X
//!     nothing, and nothing skipped: sleep while wake_seq == seq
//!     sleeping = 0
//! ```
//!
//! Of two such fences, one comes first. *If the producer's*, then the consumer's last look sees X. *If the consumer's*,
//! then the producer sees `sleeping`, and also `consumer_pos`, and wakes. Without either fence, each may miss the
//! other.
//!
//! A waker that wakes *before* the consumer sleeps has incremented `wake_seq`, and the system does not let the consumer
//! sleep. Could the consumer have read `seq` after that increment? The increment follows the producer's fence, and
//! `seq` is read before the consumer's; so the producer's fence would be the first, and the last look sees X.
//!
//! What X is, and why the wake is enough:
//!
//! - **A header** (E18). The record is not always the one that the consumer waits for, and to wake it for others would
//!   be a waste: the adaptive rule wakes only if `consumer_pos` is the record's. This is enough, since the consumer
//!   waits for the record at `consumer_pos`: it has given back all that it read *before* it set `sleeping`, and if its
//!   last look has skipped discarded records, then it does not sleep but begins again (`Consumer::owes_space`).
//!   Otherwise, the commit of the record behind the skipped one would wake nobody.
//! - **A slot word that hid a record** (E19). A start that was announced and not swapped may be the very place of
//!   somebody else's record; the consumer stops there, although the record is committed. Whoever leaves the entering
//!   state after a failed swap therefore wakes any sleeper. An announcement that is followed by its swap hides only
//!   what is behind its own record, for which the consumer waits anyway; so the uncontended path has no fence.
//! - **`producer_pos`** (E17), likewise: what is published may be somebody else's, and committed already.
//! - **The last producer is gone** (E20).
//!
//! *An event loop* may wait in the consumer's place. The waker then rings a bell instead, a descriptor that is
//! readable from then on until it is silenced. `sleeping` says which:
//!
//! ```text
//!    +---------------+  about_to_listen  +----------+  about_to_sleep  +-------------+
//!    |  2: listens   | <---------------- |          | ---------------> |  1: sleeps  |
//!    | ring the bell |                   | 0: awake |                  |  increment  |
//!    |               | ----------------> |          | <--------------- |  wake_seq   |
//!    +---------------+       woken       +----------+      woken       +-------------+
//! ```
//!
//! It is the same argument, with the bell in the place of `wake_seq`: silence the bell, `sleeping = 2`, StoreLoad, look once
//! more, wait until the bell is rung. A ring that comes before the wait is heard by it, unless it was silenced; but then its X
//! was there before the last look. An edge-triggered event loop does not silence the bell, but forgets what it has heard of
//! it, which is the same if it does so at the same place. (A bell that processes share is a socket, which may be full, and is
//! silenced then, too. Whatever fills it afterwards is an event.)
//!
//! - A producer that has seen a sleeper looks a second time, at how it sleeps. Any sleep but the one that it then reads of is
//!   over, or has its fence behind the producer's, so that its own last look sees X.
//! - The bell is hung up beside the memory when it is asked for the first time, while producers go on. It is hung up before
//!   `sleeping` says 2; so the producer that has to ring it, whose fence is the later one, sees the bell as it sees `sleeping`.
//! - The consumer may be awake while `sleeping` says 2: an event loop need not come back at once, and a future may be dropped
//!   while it waits. Then the bell is rung in vain. It is at most one record at a time that the consumer waits for.
//! - A ring of the kernel is a bell itself: its map wakes those who wait on it. It has no word that says who sleeps; the kernel
//!   goes by `consumer_pos`, which it loads after the full barrier that a commit is. So the consumer forgets what it has heard,
//!   gives back, runs its fence (E21), looks, and waits.
//! - A task of an asynchronous runtime waits for what the runtime hears, edge-triggered. It forgets that, and leaves its waker,
//!   *before* the last look; whatever is heard afterwards wakes it.
//!
//! (Models: `listen.rs`.)
//!
//! Producers that wait for space are the mirror image: they note what `consumer_pos` would do, count themselves among
//! the waiting, fence (E24), try once more, and sleep while `space_seq` is what it was. The consumer stores
//! `consumer_pos`, fences (E25), and looks whether anybody waits for what it has given back with this store. If its fence is
//! first, then the last try sees the space; if not, then it sees who waits for what. When it leaves for good, it stores
//! `closed`, fences (E26), and looks whether anybody waits at all.
//!
//! - A wake for what was given back before would be one too many, and there would be one for each record until the producer is
//!   up. It needs none: whoever gave that back has woken it, or had its fence first.
//! - So a producer sleeps only if its last try was refused for want of what it has noted. If others took that meanwhile, it
//!   wants more, which nobody knows of yet.
//! - The consumer does not look at the slots again, which would take their lines away from those who go on, before it has given
//!   back what is wanted first, or somebody else has begun to wait. Each wait is counted in `waits` once the slot says what for
//!   (E48); so what is not in sight yet when the consumer looks at the slots is counted after it (E49).
//! - A consumer that dies between its store and its look has woken nobody. The next one wakes all when it begins.
//!
//! (Models: `space.rs`.)
//!
//! The kernel's user rings have neither word: their consumer page cannot be written, and the kernel looks at nothing. Who
//! waits for space there sleeps on the map, which the kernel wakes after each drain: it takes the lock of those who sleep
//! on the map whether there are any or not. If it takes the lock before the sleeper hangs itself up, then what was drained is
//! in sight of the last try; if after, then the sleeper's epoll instance remembers the wake.
//!
//! The fences of those who do not sleep may be mere compiler fences if those who do have all threads run a barrier
//! (`membarrier(2)`): then "one of two fences comes first" holds with the barrier in the place of theirs.
//!
//! # Coming and going
//!
//! A slot is taken by a compare-and-swap of its owner from 0 (E22), which acquires what its last owner did (E23). Only
//! thus is the word still one that never goes back, and whose announcements vouch for the last owner's headers.
//!
//! Taking a slot, a producer first writes its number there, then counts its slot as used, with release (E27). A consumer
//! that asks whether all have gone reads in the other order: was there ever one, or is nobody left who could make one?
//! Then (E28), has any slot an owner? So a first producer that comes in between is seen, and not mistaken for the last that
//! has gone. The last handle that could make one goes with release (E29): slots that were used before are seen.
//!
//! A producer that leaves does so with release (E23), and the consumer that finds no owner acquires that (E30): if it
//! then looks and finds nothing, there is nothing.
//!
//! # Producers that die
//!
//! In rings that processes share, each producer holds a lock that the system releases when its process is gone, however it
//! went; it is taken before the slot, and let go of after. Who gets the lock of a slot that has an owner has *proof* that the
//! owner is dead, and sees all that it did. Nothing is decided by time: a producer that is stopped keeps its lock.
//!
//! *Records that nobody will finish.* The tag of a record says who has reserved it, and below the limit, the tag is in sight.
//! If no slot has that owner, then it has given its slot back, with release (E23), which the consumer acquires (E31): by
//! then it had finished the record, or it never will. If a slot does, the lock decides. Either way, the consumer looks at the
//! header once more, and passes the record if that is still BUSY. It writes nothing: whoever consumes next decides alike.
//!
//! *Producers that were entering.* Whether one that announced s has reserved there is found out as follows; a repair is done
//! by one at a time, which sees the announcements of all who are dead.
//!
//! 1. If head is s, nobody has reserved at s. Else somebody has, once and for all, as head takes each value once.
//! 2. If somebody who lives announces s, it is too early to tell. If not, then whoever has reserved at s and lives has left
//!    the entering state since, and its header is in sight (E6, E32).
//! 3. If `consumer_pos` is past s, then the dead have lost: the consumer would not have passed the announcement of who has
//!    reserved there. That what was read of the header was of this lap is certain by then, too: who reserves there on the next
//!    lap has seen a `consumer_pos` past s before its swap, and the last look at head acquires all swaps (E33).
//! 4. A header of this lap at s names who has reserved. (An old payload may look like one: owner, lap and length would all have
//!    to fit. It would have to lie at the very place where a producer died.)
//! 5. If there is none, one of the dead has: the one whose end head has been at. Head has been wherever somebody announces,
//!    has left, or has written a header of this lap. Ends that lie before that of the winner lie within its reservation,
//!    where head has never been; so the first that fits, from the shortest on, is the winner's.
//! 6. A discarded record goes over what it has reserved, under its own name. Only then do the slots say what has come out.
//!
//! A repair that dies has written either nothing at s, or a header that step 4 finds. (Models: `repair.rs`, in which producers
//! die before each look at the ring that a reservation takes, and so do repairs.)
//!
//! # Snapshots of rings whose producers overwrite
//!
//! In a kernel ring with `BPF_F_RB_OVERWRITE`, a reservation waits for no consumer: it moves a third position,
//! `overwrite_pos`, over the oldest records until it has room, and never over one that is unfinished. The reader copies,
//! and then makes sure that nobody has overwritten what it was copying.
//!
//! ```text
//!   reserve, under a lock (the kernel)                 snapshot
//!     overwrite_pos = over the oldest, until             prod = producer_pos
//!                     end - overwrite_pos < size          fence                                   E34
//!     header(producer_pos) = length | BUSY  release      at = start = consumer_pos or overwrite_pos, the later
//!     producer_pos = end                    release      until at == prod, or header(at) is BUSY:
//!     a release fence                                      load header(at), fence                 E35
//!   write the payload                                      copy the payload, at = next
//!   header = length                         release      fence                                    E36
//!                                                        whole if producer_pos - start < size
//! ```
//!
//! **Claim.** If the last line holds, then each copied record is one that was committed, and no byte of it is of another one.
//!
//! *Proof.*
//!
//! 1. *Headers.* Everything below `prod` had its header when `producer_pos` was stored, and is in sight (E34). So is the
//!    `overwrite_pos` that was stored before, or a later one. The reader starts at the start of a record, and goes from
//!    header to header.
//! 2. *Payloads.* A header that says that its record is committed brings the payload into sight (E35). The copy alone would
//!    not, whatever it comes upon first: its loads are in no order.
//! 3. *Nothing newer.* Say that the copy has a word of a record N that lies a lap further on. Either it is from N's payload.
//!    Then N's producer had stored `producer_pos` as the end of N before, with the fence in between, and the reader finds
//!    that end or a later one (E36): more than `size` ahead of `start`. Or it is N's header, which is written under the
//!    lock: then `producer_pos` was the start of N already, and the reader finds that or a later one: `size` ahead of the
//!    place of the word. A distance below `size` rules out both. ∎
//!
//! A snapshot starts where the next reservation overwrites. Under load, its beginning is nearly always gone before it is
//! copied, so all or nothing would be nothing. Hence the check is made chunk by chunk, and
//!
//! - what was whole at one check stays: if the next chunk is not whole, then the snapshot ends before it;
//! - if the first chunk is not, then `overwrite_pos` is loaded anew. By the argument of step 3, with `overwrite_pos` in the
//!   place of `producer_pos`, of which each reservation stores first the one and then the other, everything from there on
//!   was whole when it was copied. Yet was it found? If the walk from header to header has come past that very place, then
//!   it has found what is behind it by headers that were whole. If not, it went astray, and begins anew.
//!
//! So much for producers as they are in the models. The kernel has no fence where it publishes, and leaves headers to its
//! lock. Where processors let a store overtake a release store before it, a payload may be in sight before `producer_pos`
//! is, and step 3 lacks a premise. x86-64 keeps stores in order.
//!
//! # What is not promised
//!
//! - Two positions must be less than 2⁶³ bytes apart. A slot that has been idle while 2⁶³ bytes went through the ring
//!   (29 years at 10 GB/s) looks as if it was ahead, if it is watched.
//! - Who observes a slot from outside sees, with an announcement of s, the span of s *or of a later reservation* of the
//!   same producer: the later span is stored before the word that it belongs to. In a ring whose data is mapped twice,
//!   all tries of one reservation have the same span. A producer that is known to be dead stores nothing any more.
//! - A producer that is stopped between its announcement and the end of its entering hides what is behind it from the
//!   consumer, as does a record that is not finished. Other producers go on.
//!
//! # Edges
//!
//! Names are those of `sync::Edge`; the models are listed below. "rel" and "acq" are orderings of one access, "fence"
//! an acquire fence after relaxed loads (all that Rust allows on memory that is mapped read-only), "sc" a sequentially
//! consistent fence, one of a pair.
//!
//! | edge | kind | where | partner | without it | model |
//! |---|---|---|---|---|---|
//! | E1 `HeadLoad` | acq | `claim`, `claim_slowly`, `overtaken` | E3 | vouches for swaps that are not in sight | a |
//! | E2 `Announce` | rel | `attempt` | E10, E11 | overwrites the word that vouched for the last header | b |
//! | E3 `SwapRelease` | rel | `attempt` | E1 | the announcement may be seen after the swap | a |
//! | E4 `AgreedLoad` | acq, fence | `agree`, `agreed`, `is_seen_to_have_ended` | E43 | as E43 | ad |
//! | E5 `TagStore` | rel | `write_header` | observers | a new tag beside an old length | c |
//! | E6 `Leave` | rel | `attempt` | E10, E11 | left, and the header is not in sight | d |
//! | E7 `GiveUp` | rel | `give_up` | E10, E11 | as E2 | e |
//! | E8 `SpaceLoad` | fence | `released`, whoever looks how full the ring is | E9 | writes to what is still being read | f |
//! | E9 `SpaceStore` | rel | `Consumer::publish`, `Snapshots::consume`; in program order, for who comes after a death, `Tally::note` | E8 | as E8 | f |
//! | E10 `FirstPass` | fence | `limit` | E2, E6, E7 | pass 2 misses announcements | g |
//! | E11 `SecondPass` | fence | `limit` | E2, E6, E7 | left, and the header is not in sight | h |
//! | E12 `HeaderLoad` | fence | `Consumer::header` | E13 | the payload is not in sight | d |
//! | E13 `Finish` | rel | `finish` | E12 | as E12 | d |
//! | E14 `PublishedLoad` | fence | `refresh` | E15 | published, and the header is not in sight | i |
//! | E15 `Publish` | rel | `publish` | E14 | the same, for headers of others | j |
//! | E16 `PublishFence` | sc | `publish` | itself | two leave, each believes that the other will publish | k |
//! | E17 `RaiseFence` | sc | `publish` | E21 | sleeps while there is a record that was published for others | l |
//! | E18 `FinishFence` | sc | `finish` | E21 | sleeps while there is a record | m |
//! | E19 `LeaveFence` | sc | `left` | E21 | sleeps while there is a record that was hidden | n |
//! | E20 `GoneFence` | sc | `unregister`, `close`, `repair` | E21 | sleeps while nobody is left | o |
//! | E21 `SleepFence` | sc | between `about_to_sleep` and the last look | E17 - E20 | as E17 to E20 | m |
//! | E22 `SlotTake` | acq | `register` | E23 | vouches for headers that are not in sight | p |
//! | E23 `SlotFree` | rel | `unregister`, `free` | E22, E30, E31 | as E22 | p |
//! | E24 `WaitFence` | sc | between `about_to_wait` and the last try | E25, E26 | sleeps while there is space | q |
//! | E25 `SpaceFence` | sc | `Consumer::publish`, `new` | E24 | as E24 | q |
//! | E26 `CloseFence` | sc | `Consumer::close` | E24 | sleeps while the consumer is gone | r |
//! | E27 `Registered` | rel | `register` | E28 | the first to come is taken for the last to go | s |
//! | E28 `RegisteredLoad` | fence | `disconnected` | E27, E29 | as E27 | s |
//! | E29 `OpenerGone` | rel | `close` | E28 | all have gone, and a slot is overlooked | t |
//! | E30 `OwnersLoad` | fence | `disconnected` | E23 | all have gone, and a record is overlooked | u |
//! | E31 `OwnerLoad` | fence | `owner_of` | E23 | a finished record is taken for one that nobody will finish | v |
//! | E32 `RepairSlots` | fence | `is_tried_by_the_living`, `was_head` | E6 | a winner's header is not in sight | w |
//! | E33 `RepairHead` | acq | `settle` | E3 | writes into a record of the next lap | x |
//! | E34 `WindowLoad` | fence | `View::of` | the kernel's store of `producer_pos` | copies what is no record yet | y |
//! | E35 `CopyLoad` | fence | `load_header` | the kernel's commit | copies a payload from before it was written | y |
//! | E36 `TornCheck` | fence | `is_whole` | a fence behind the kernel's store of `producer_pos` | takes half of another record for whole | z |
//! | E37 `AloneFence` | sc | `attempt_alone` | E39 | two reserve the same | aa |
//! | E38 `AloneLeftFence` | sc | `left_alone` | E39 | nobody publishes what was hidden | ab |
//! | E39 `CompanyFence` | sc | `register` | E37, E38 | as E37 | aa |
//! | E40 `CompanyLoad` | fence | `reserved_alone` | E41, E2, E6 | the span of an earlier reservation is taken for that of this one | ac |
//! | E41 `Span` | rel | `attempt_alone` | E42 | the span of a later reservation is | ac |
//! | E42 `SpanLoad` | fence | `reserved_alone` | E41 | as E41 | ac |
//! | E43 `AgreedStore` | rel | `agree` | E4 | the second pass misses the lone producer's announcement | ad |
//! | E44 `CallFence` | sc | `be_watched` | E45 | is let go, and does not call | ae |
//! | E45 `LetGoFence` | sc | `Watched::let_go_of_the_idle` | E44 | as E44 | ae |
//! | E46 `Call` | rel | `count_call` | E47 | a call is counted, and the caller is not watched | af |
//! | E47 `CallLoad` | fence | `Watched::watch_callers` | E46 | as E46 | af |
//! | E48 `WaitStore` | rel | `about_to_wait` | E49 | a wait is counted, and nobody knows what for | ag |
//! | E49 `WaitLoad` | acq | `wake_waiting` | E48 | as E48 | ag |
//!
//! The swap of head does not acquire when it succeeds: see step 1 of the proof.
//!
//! Models, by file and name in `loom_tests/tests/models`; `mutants.rs` weakens each edge and runs its model:
//!
//! - a: `entering::a_record_that_is_swapped_in_and_has_no_header_yet_hides_what_is_behind_it`
//! - b: `entering::a_lone_producers_announcement_vouches_for_its_previous_header`
//! - c: `observer::a_tag_of_this_lap_vouches_for_the_length`
//! - d: `reserve::one_producer_is_read_whole_and_in_order`
//! - e: `give_up::who_gives_up_hides_nothing_and_vouches_for_its_previous_header`
//! - f: `reuse::a_record_is_not_overwritten_before_it_was_read`
//! - g: `entering::a_producer_that_has_just_registered_is_not_overlooked`
//! - h: `entering::a_second_announcement_vouches_for_the_header_of_the_first_record`
//! - i: `plain::one_producer_is_read_whole_and_in_order`
//! - j: `plain::what_is_published_has_its_header_whoever_publishes_it`
//! - k: `plain::of_two_producers_that_enter_together_the_last_to_leave_publishes_for_both`
//! - l: `plain::who_publishes_a_committed_record_wakes_the_consumer`
//! - m: `sleep::a_commit_wakes_the_consumer`
//! - n: `sleep::who_hid_a_committed_record_wakes_the_consumer`
//! - o: `disconnect::a_sleeper_learns_that_the_last_producer_has_left`
//! - p: `slots::the_next_owner_vouches_for_the_last_ones_headers`
//! - q: `space::a_producer_that_waits_for_space_gets_it`
//! - r: `space::a_producer_that_waits_for_space_learns_that_the_consumer_is_gone`
//! - s: `disconnect::a_producer_that_registers_for_the_first_time_is_not_taken_for_the_last_that_left`
//! - t: `disconnect::once_the_last_opener_has_gone_all_that_its_producers_sent_is_there`
//! - u: `disconnect::once_the_last_producer_has_left_all_it_sent_is_there`
//! - v: `repair::a_record_that_is_finished_by_one_who_leaves_is_not_abandoned`
//! - w: `repair::who_lives_goes_on_during_a_repair`
//! - x: `repair::a_start_that_the_ring_has_gone_past_is_lost`
//! - y: `snapshot::a_record_that_is_being_written_is_not_in_it_and_one_that_is_committed_is_whole`
//! - z: `snapshot::what_is_overwritten_while_it_is_copied_is_not_in_it`
//! - aa: `alone::who_comes_takes_nothing_from_the_one_who_was_alone`
//! - ab: `alone::plain_readers_are_shown_everything_when_somebody_comes`
//! - ac: `alone::who_comes_takes_the_span_of_one_reservation_for_no_other`
//! - ad: `alone::who_learns_what_was_agreed_learns_why`
//! - ae: `watched::who_is_let_go_while_it_sends_is_read`
//! - af: `watched::those_who_call_hide_what_is_behind_them`
//! - ag: `space::a_wait_that_is_counted_has_said_what_for`
//!
//! # What the models do not show
//!
//! Two or three threads, rings of four or eight granules, one to three involuntary switches. loom does not know load
//! buffering, nor `membarrier`, and has two sequentially consistent fences synchronise, which C++ does not promise; so
//! models in which nobody sleeps do without these. By itself, it also passes over some orders of accesses;
//! `loom_tests/src/atomic.rs` says which, and sees to it that they are tried.
