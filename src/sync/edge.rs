//! Every ordering of the rings' protocol by name. Partners and proofs are in `docs::internal`.

use super::edges::edges;

edges! {
    "DYNRING_WEAKEN":
    /// Producer loads head before its first try; acquires the swaps before it.
    HeadLoad,
    /// Producer announces `start | ENTERING`; releases its own previous header.
    Announce,
    /// Successful swap of head: releases the announcement before it.
    SwapRelease,
    /// The tag, stored after the length: a tag of this lap vouches for the length.
    TagStore,
    /// Producer leaves the entering state by storing the end of its reservation: the header is in memory.
    Leave,
    /// Producer gives up after announcing: releases its own previous header.
    GiveUp,
    /// Fence after a producer has loaded `consumer_pos`: what lies below may be overwritten.
    SpaceLoad,
    /// Consumer stores `consumer_pos`: it has read everything below.
    SpaceStore,
    /// Fence after the consumer's first pass over the slots.
    FirstPass,
    /// Fence after the consumer's second pass over the slots.
    SecondPass,
    /// Consumer loads a header; acquires the payload.
    HeaderLoad,
    /// Producer stores the final header: the payload is written, and so is the header behind a shrunk record.
    Finish,
    /// Plain reader loads `producer_pos`.
    PublishedLoad,
    /// Producer raises `producer_pos`: every header below is in memory.
    Publish,
    /// Fence between leaving the entering state and computing what may be published.
    PublishFence,
    /// Fence between raising `producer_pos` and the look at whether the consumer sleeps.
    RaiseFence,
    /// Fence between a finished record and the look at whether the consumer sleeps.
    FinishFence,
    /// Fence between leaving the entering state contended and the look at whether the consumer sleeps.
    LeaveFence,
    /// Fence between "the consumer sleeps" and its last look at the ring.
    SleepFence,
    /// A registrant takes a free slot: what its last owner did to head came before.
    SlotTake,
    /// A producer frees its slot.
    SlotFree,
    /// A registrant counts its slot among those that were ever used: it has counted itself among the producers before.
    Registered,
    /// Consumer looks whether there was ever a producer, or will be: whoever came is among the producers that it counts next.
    RegisteredLoad,
    /// The last handle that could make producers goes: those that it has made came before.
    OpenerGone,
    /// Fence between leaving and the look at whether the consumer sleeps.
    GoneFence,
    /// Fence after the consumer has looked whether slots have owners: what the last owner did came before.
    OwnersLoad,
    /// Fence between a released record and the look at whether producers wait for space.
    SpaceFence,
    /// Fence between "the consumer is gone" and the look at whether producers wait for space.
    CloseFence,
    /// Fence between "a producer waits for space" and its last try.
    WaitFence,
    /// A producer counts its wait: it has said what for.
    WaitStore,
    /// Consumer looks how many waits there were: what they are for comes before.
    WaitLoad,
    /// Fence after the consumer has looked whether the owner of an unfinished record still has a slot: what it did came before.
    OwnerLoad,
    /// Fence after repair has looked at all slots: whoever has left the entering state has written its header.
    RepairSlots,
    /// Repair looks at head for the last time: what made space for those who have reserved came before.
    RepairHead,
    /// Fence between a lone producer's announcement and its look at whether it is still alone.
    AloneFence,
    /// Fence between a lone producer's leaving and its look at whether it has to publish for others.
    AloneLeftFence,
    /// Fence between "another slot is used" and the look at what the lone producer is doing.
    CompanyFence,
    /// Fence after a look at the lone producer's word: what it has done came before.
    CompanyLoad,
    /// A lone producer stores the span of its next reservation: it has left the one before.
    Span,
    /// Fence after a look at the lone producer's span, before another one at its word.
    SpanLoad,
    /// It is agreed how far the lone producer has come: what it has done came before.
    AgreedStore,
    /// Load of what has been agreed.
    AgreedLoad,
    /// Fence between an announcement and the look at whether the consumer has let the slot go.
    CallFence,
    /// Fence between "the slot is let go" and the second look at whether it is idle.
    LetGoFence,
    /// A producer calls, or takes a slot: the bit that it has turned over, or that the last owner has, comes before.
    Call,
    /// Fence after the consumer has looked how many calls there were, before it looks who has called.
    CallLoad,
    /// Fence after a reader of snapshots has loaded `producer_pos`, before it looks at the overwrite position and at headers.
    WindowLoad,
    /// Fence after a reader of snapshots has loaded a header, before it copies the payload.
    CopyLoad,
    /// Fence between a copy and the look at how far producers have come meanwhile.
    TornCheck,
}
