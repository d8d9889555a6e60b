//! Mutants: for each edge of the protocol, a model that fails once the edge is weakened.

use dynring_loom::sync::Edge;

use crate::weakened::unnoticed;

/// A model that must fail without `edge`.
fn noticed_by(edge: Edge) -> &'static str {
    match edge {
        Edge::HeadLoad => "entering::a_record_that_is_swapped_in_and_has_no_header_yet_hides_what_is_behind_it",
        Edge::Announce => "entering::a_lone_producers_announcement_vouches_for_its_previous_header",
        Edge::SwapRelease => "entering::a_record_that_is_swapped_in_and_has_no_header_yet_hides_what_is_behind_it",
        Edge::TagStore => "observer::a_tag_of_this_lap_vouches_for_the_length",
        Edge::Leave => "reserve::one_producer_is_read_whole_and_in_order",
        Edge::GiveUp => "give_up::who_gives_up_hides_nothing_and_vouches_for_its_previous_header",
        Edge::SpaceLoad => "reuse::a_record_is_not_overwritten_before_it_was_read",
        Edge::SpaceStore => "reuse::a_record_is_not_overwritten_before_it_was_read",
        Edge::FirstPass => "entering::a_producer_that_has_just_registered_is_not_overlooked",
        Edge::SecondPass => "entering::a_second_announcement_vouches_for_the_header_of_the_first_record",
        Edge::HeaderLoad => "reserve::one_producer_is_read_whole_and_in_order",
        Edge::Finish => "reserve::one_producer_is_read_whole_and_in_order",
        Edge::PublishedLoad => "plain::one_producer_is_read_whole_and_in_order",
        Edge::Publish => "plain::what_is_published_has_its_header_whoever_publishes_it",
        Edge::PublishFence => "plain::of_two_producers_that_enter_together_the_last_to_leave_publishes_for_both",
        Edge::RaiseFence => "plain::who_publishes_a_committed_record_wakes_the_consumer",
        Edge::FinishFence => "sleep::a_commit_wakes_the_consumer",
        Edge::LeaveFence => "sleep::who_hid_a_committed_record_wakes_the_consumer",
        Edge::SleepFence => "sleep::a_commit_wakes_the_consumer",
        Edge::SlotTake => "slots::the_next_owner_vouches_for_the_last_ones_headers",
        Edge::SlotFree => "slots::the_next_owner_vouches_for_the_last_ones_headers",
        Edge::Registered | Edge::RegisteredLoad => {
            "disconnect::a_producer_that_registers_for_the_first_time_is_not_taken_for_the_last_that_left"
        }
        Edge::OpenerGone => "disconnect::once_the_last_opener_has_gone_all_that_its_producers_sent_is_there",
        Edge::GoneFence => "disconnect::a_sleeper_learns_that_the_last_producer_has_left",
        Edge::OwnersLoad => "disconnect::once_the_last_producer_has_left_all_it_sent_is_there",
        Edge::SpaceFence => "space::a_producer_that_waits_for_space_gets_it",
        Edge::CloseFence => "space::a_producer_that_waits_for_space_learns_that_the_consumer_is_gone",
        Edge::OwnerLoad => "repair::a_record_that_is_finished_by_one_who_leaves_is_not_abandoned",
        Edge::RepairSlots => "repair::who_lives_goes_on_during_a_repair",
        Edge::RepairHead => "repair::a_start_that_the_ring_has_gone_past_is_lost",
        Edge::WaitStore | Edge::WaitLoad => "space::a_wait_that_is_counted_has_said_what_for",
        Edge::WaitFence => "space::a_producer_that_waits_for_space_gets_it",
        Edge::AloneFence | Edge::CompanyFence => "alone::who_comes_takes_nothing_from_the_one_who_was_alone",
        Edge::AloneLeftFence => "alone::plain_readers_are_shown_everything_when_somebody_comes",
        Edge::CompanyLoad | Edge::Span | Edge::SpanLoad => {
            "alone::who_comes_takes_the_span_of_one_reservation_for_no_other"
        }
        Edge::AgreedStore | Edge::AgreedLoad => "alone::who_learns_what_was_agreed_learns_why",
        Edge::CallFence | Edge::LetGoFence => "watched::who_is_let_go_while_it_sends_is_read",
        Edge::Call | Edge::CallLoad => "watched::those_who_call_hide_what_is_behind_them",
        Edge::WindowLoad | Edge::CopyLoad => {
            "snapshot::a_record_that_is_being_written_is_not_in_it_and_one_that_is_committed_is_whole"
        }
        Edge::TornCheck => "snapshot::what_is_overwritten_while_it_is_copied_is_not_in_it",
    }
}

#[test]
fn each_edge_is_needed_by_a_model() {
    assert_eq!(unnoticed(Edge::ALL, Edge::VARIABLE, noticed_by), [], "nobody notices that these are weak");
}

#[test]
fn each_edge_is_documented_with_its_model() {
    let doc = include_str!("../../../src/docs/internal.rs");
    for &edge in Edge::ALL {
        let row = doc.lines().find(|line| line.starts_with("//! | E") && line.contains(&format!("`{edge:?}`")));
        let row = row.unwrap_or_else(|| panic!("{edge:?} is not in the table of edges"));
        let letter = row.trim_end_matches(" |").rsplit(' ').next().unwrap();
        let model = format!("//! - {letter}: `{}`", noticed_by(edge));
        assert!(doc.lines().any(|line| line == model), "{edge:?}: no line says {model}");
    }
}
