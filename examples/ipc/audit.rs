//! Whether everything adds up.

use std::error::Error;

use dynring::Stats;

use crate::messages::{Progress, Written, span_of};

/// What everybody has said.
pub struct Audit {
    /// The steady producers, number 0 and 1.
    pub written: [Written; 2],
    /// The holder, number 2.
    pub held: Written,
    /// How far the first consumer has come, and how far the last.
    pub first: Progress,
    pub last: Progress,
    pub stats: Stats,
}

impl Audit {
    /// # Errors
    /// Something does not add up.
    pub fn run(&self) -> Result<(), Box<dyn Error>> {
        let Self { written, held, first, last, stats } = self;
        let [steady0, steady1, holder, flooder] = last.next;
        let discarded: u64 = written.iter().map(|written| written.discarded).sum();
        // The holder's reservation; and the flooder's, if it had one when it died: it is the next that it would have written.
        let abandoned = span_of(holder);
        let known = last.bytes + discarded + abandoned;
        let unfinished = stats.head.wrapping_sub(known);

        println!("\nOf each producer, from its first record to its last, none is missing:");
        println!("{steady0:>12} and {steady1} of those that lived");
        println!("{holder:>12} of the one that was killed while it held a reservation");
        println!("{flooder:>12} of the one that was killed while it wrote");
        println!(
            "{:>12} by the first consumer, {} by its successor",
            first.records(),
            last.records() - first.records()
        );
        println!("{:>12} were met again by the successor, which knew them", last.again);
        println!("The history of the ring, without a gap:");
        println!("{:>12} bytes delivered", last.bytes);
        println!("{discarded:>12} bytes discarded by their producers");
        println!("{:>12} bytes that the killed had reserved, and nobody finished", abandoned.wrapping_add(unfinished));
        println!("{:>12} bytes reserved in all", stats.head);

        let checks = [
            ("a record of a steady producer is missing", written.map(|written| written.records) == [steady0, steady1]),
            ("a record of the holder is missing", held.records == holder),
            ("the flooder has not written a thing", flooder > 0),
            ("the successor had nothing to do", last.records() > first.records()),
            ("something was reserved and not consumed", stats.consumer_pos == stats.head),
            ("the history has a gap", unfinished == 0 || unfinished == span_of(flooder)),
            ("somebody is still registered", stats.producers == 0),
        ];
        match checks.iter().find(|(_, holds)| !holds) {
            None => println!("Everything adds up."),
            Some((what, _)) => return Err((*what).into()),
        }
        Ok(())
    }
}
