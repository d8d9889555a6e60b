//! Payload that is rewritten while it is read: whole words of what was there, and one length.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::alone::{TestResult, alone};
use crate::forge::{Attacked, EndOf, SIZE, at};

const ONE: u64 = 0xaaaa_aaaa_aaaa_aaaa;
const OTHER: u64 = 0x5555_5555_5555_5555;
const PAYLOAD: usize = 3000;
const ROUNDS: usize = 3000;

#[test]
fn a_copy_of_what_is_rewritten_meanwhile_is_made_of_whole_words() -> TestResult {
    alone("copies::a_copy_of_what_is_rewritten_meanwhile_is_made_of_whole_words", || {
        let attacked = Attacked::new();
        let (producer, mut consumer) = (attacked.ring.producer()?, attacked.ring.consumer()?);
        let (done, mut mixed) = (AtomicBool::new(false), 0);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for word in [ONE, OTHER] {
                        // Not the headers, which are at the start of each lap's one record.
                        (8..8 + PAYLOAD).step_by(8).for_each(|offset| attacked.store(attacked.data_at(offset), word));
                    }
                }
            });
            let (_end, mut copy) = (EndOf(&done), Vec::new());
            // Until it was caught in the act, and at least so often.
            for round in 0.. {
                if round >= ROUNDS && mixed > 0 || round >= 1000 * ROUNDS {
                    break;
                }
                producer.output(&[0xaa; PAYLOAD]).unwrap();
                assert!(consumer.next_into(&mut copy).unwrap());
                assert_eq!(copy.len(), PAYLOAD);
                let before = copy.clone();
                let words = copy.chunks(4).map(|word| word[0]);
                assert!(copy.chunks(4).all(|word| word == [0xaa; 4] || word == [0x55; 4]), "a torn word");
                mixed += usize::from(words.clone().any(|byte| byte == 0xaa) && words.clone().any(|byte| byte == 0x55));
                assert_eq!(copy, before, "a copy stays what it is");
                // The rest of the lap, so that the next record begins where this one did.
                drop(producer.reserve(SIZE - 16 - (PAYLOAD + 8)).unwrap());
                assert!(!consumer.next_into(&mut copy).unwrap());
                drop(producer.reserve(0).unwrap());
                assert!(!consumer.next_into(&mut copy).unwrap());
            }
        });
        assert_ne!(mixed, 0, "nothing was rewritten while it was copied");
        Ok(())
    })
}

#[test]
fn a_length_that_changes_meanwhile_is_one_of_those_that_were_there() -> TestResult {
    alone("copies::a_length_that_changes_meanwhile_is_one_of_those_that_were_there", || {
        const LENGTHS: [u32; 2] = [16, 2000];
        let attacked = Attacked::new();
        let producer = attacked.ring.producer()?;
        producer.output(&[7; 3000])?;
        attacked.store_header(0, LENGTHS[0]);
        let (done, mut seen) = (AtomicBool::new(false), [0usize; 2]);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    LENGTHS.iter().for_each(|length| attacked.store_header(0, *length));
                }
            });
            let (_end, mut copy) = (EndOf(&done), Vec::new());
            for round in 0.. {
                if round >= ROUNDS && seen.iter().all(|seen| *seen > 0) || round >= 100 * ROUNDS {
                    break;
                }
                // Anew from the start.
                attacked.store(attacked.consumer_page_at(at::CONSUMER_POS), 0);
                let mut consumer = attacked.ring.consumer().unwrap();
                assert!(consumer.next_into(&mut copy).unwrap());
                let length = LENGTHS.iter().position(|length| *length as usize == copy.len());
                seen[length.expect("one of the two")] += 1;
                assert!(copy.iter().all(|byte| *byte == 7));
                // And it is that length by which the consumer has gone on.
                let consumer_pos = attacked.load(attacked.consumer_page_at(at::CONSUMER_POS));
                assert_eq!(consumer_pos, copy.len() as u64 + 8);
            }
        });
        assert!(seen.iter().all(|seen| *seen > 0), "{seen:?}");
        Ok(())
    })
}
