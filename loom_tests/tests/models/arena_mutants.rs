//! Mutants of the arena: for each of its edges, a model that fails once the edge is weakened.

use dynring_loom::raw::arena::Edge;

use crate::weakened::unnoticed;

/// A model that must fail without `edge`.
fn noticed_by(edge: Edge) -> &'static str {
    match edge {
        Edge::BlockTake | Edge::BlockGive => "arena::a_block_is_had_by_one_at_a_time",
        Edge::BlockOut => "arena::a_slab_that_is_cut_anew_is_nobodys_meanwhile",
        Edge::BlockFit => "arena::what_a_page_was_before_is_over_when_its_blocks_are_taken",
        Edge::PageTake | Edge::PageGive => "arena::pages_are_had_by_one_at_a_time",
        Edge::BlockSend | Edge::BlockClaim => "arena::a_token_is_claimed_once_and_what_was_sent_is_there",
        Edge::SpareFence
        | Edge::RevokeFence
        | Edge::SpareLeave
        | Edge::SpareLook
        | Edge::BiasStore
        | Edge::BiasLoad => "arena::a_spare_is_had_by_who_has_the_spares_or_by_who_takes_them_away",
        Edge::Turn => "arena::of_two_who_insert_a_key_one_does",
        Edge::Member => "arena::an_entry_that_is_found_is_there_whole",
        Edge::CellLoad => "arena::an_entry_is_not_taken_for_the_one_before_it",
        Edge::HoldCheck => "arena::a_value_that_is_held_is_not_freed",
        Edge::HoldGive | Edge::HoldLoad | Edge::CellTurn | Edge::Share => "arena::who_has_a_value_alone_is_alone",
    }
}

#[test]
fn each_edge_is_needed_by_a_model() {
    assert_eq!(unnoticed(Edge::ALL, Edge::VARIABLE, noticed_by), [], "nobody notices that these are weak");
}

#[test]
fn each_edge_is_documented_with_its_model() {
    let doc = include_str!("../../../src/docs/arena.rs");
    for &edge in Edge::ALL {
        let row = doc.lines().find(|line| line.starts_with(&format!("//! | `{edge:?}` |")));
        let row = row.unwrap_or_else(|| panic!("{edge:?} is not in the table of edges"));
        let model = noticed_by(edge).trim_start_matches("arena::");
        assert!(row.contains(&format!("`{model}`")), "{edge:?}: {row} does not say {model}");
    }
}
