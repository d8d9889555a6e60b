//! Snapshots of a ring whose producers overwrite what has not been read.
//!
//! Allowed: a snapshot holds consecutive records, each of them whole, or none. What is missing before them was overwritten, and
//! is counted. Nothing unfinished is in it.

use dynring_loom::model::check;
use dynring_loom::overwriting::{Record, Window, take};
use dynring_loom::raw::{SnapshotEnd, Snapshots};
use dynring_loom::wire::{Header, Position, stride};
use loom::thread;

const BEFORE_WRAP: u64 = 0u64.wrapping_sub(24);

/// Takes snapshots while `produce` goes on, and one after it; they hold what was `sent`, in order, but for what was lost.
fn snapshots_of(window: &Window, produce: impl FnOnce() -> Vec<Record> + Send + 'static, snapshots: usize) {
    let mut reader = Snapshots::new(window.clone());
    let producer = thread::spawn(produce);
    let mut taken: Vec<_> = (0..snapshots).filter_map(|_| take(&mut reader)).collect();
    let mut sent = producer.join().unwrap();
    let first = sent[0].0;
    sent.sort_by_key(|record| record.0.wrapping_sub(first));
    taken.push(take(&mut reader).expect("nobody overtakes any more"));
    assert_eq!(taken.last().map(|last| last.2), Some(SnapshotEnd::CaughtUp));

    let mut at = Position::new(sent[0].0);
    for (records, lost, _) in taken {
        at = at.advance(lost);
        for record in records {
            assert!(sent.contains(&record) && record.0 == at.get(), "{record:?} at {at} of {sent:?}");
            at = at.advance(stride(record.1));
        }
    }
    assert_eq!(at, Position::new(sent[sent.len() - 1].0).advance(stride(sent[sent.len() - 1].1)));
}

#[test]
fn a_record_that_is_being_written_is_not_in_it_and_one_that_is_committed_is_whole() {
    check(3, || {
        let window = Window::new(32, BEFORE_WRAP);
        let kernel = window.kernel();
        snapshots_of(&window, move || vec![kernel.send(8), kernel.send(0)], 1);
    });
}

#[test]
fn what_is_overwritten_while_it_is_copied_is_not_in_it() {
    check(3, || {
        let window = Window::new(32, 0);
        let kernel = window.kernel();
        let old = kernel.send(16);
        snapshots_of(&window, move || vec![old, kernel.send(16)], 1);
    });
}

#[test]
fn a_ring_of_many_records_is_overwritten_one_by_one() {
    check(2, || {
        let window = Window::new(32, BEFORE_WRAP);
        let kernel = window.kernel();
        let old = [kernel.send(0), kernel.send(8)];
        snapshots_of(&window, move || [old[0], old[1], kernel.send(0), kernel.send(8)].into(), 1);
    });
}

#[test]
fn it_begins_later_if_only_its_beginning_is_overwritten_meanwhile() {
    check(2, || {
        let window = Window::new(64, BEFORE_WRAP);
        let kernel = window.kernel();
        let old = [4, 8, 4].map(|len| kernel.send(len));
        snapshots_of(&window, move || [old[0], old[1], old[2], kernel.send(8), kernel.send(4)].into(), 1);
    });
}

#[test]
fn two_producers_overwrite_it_together() {
    check(2, || {
        let window = Window::new(32, BEFORE_WRAP);
        let (kernel, other) = {
            let kernel = window.kernel();
            (kernel.clone(), kernel)
        };
        let old = kernel.send(8);
        snapshots_of(
            &window,
            move || {
                let sender = thread::spawn(move || other.send(0));
                let mut sent = vec![old, kernel.send(8)];
                sent.push(sender.join().unwrap());
                sent
            },
            1,
        );
    });
}

#[test]
fn an_unfinished_record_ends_it_and_is_in_the_next_one() {
    check(3, || {
        let window = Window::new(64, 0);
        let kernel = window.kernel();
        let first = kernel.reserve(8).unwrap();
        let second = kernel.send(0);
        snapshots_of(
            &window,
            move || {
                kernel.write(first);
                kernel.finish(first, Header::committed(8));
                vec![first, second]
            },
            2,
        );
    });
}

#[test]
fn an_unfinished_record_is_not_overwritten() {
    let window_of = |size| Window::new(size, 0);
    check(1, move || {
        let kernel = window_of(32).kernel();
        kernel.send(0);
        kernel.reserve(8).unwrap();
        assert_eq!(kernel.reserve(8), None);
        assert_eq!(kernel.reserve(0).map(|record| record.0), Some(24));
    });
}
