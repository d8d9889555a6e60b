//! Somebody who writes anything anywhere, all the time.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dynring::{CopyingConsumer, CopyingProducer, Ring, SharedRing};

use crate::alone::{TestResult, alone, alone_for};
use crate::forge::{Attacked, ENTERING, EndOf, Random, SIZE, SLOTS, at};
use crate::support::pages::page_size;

/// How long the live attack lasts, in seconds. Ten minutes are a full run.
const SECONDS: &str = "DYNRING_ATTACK_SECONDS";

/// An operation that takes longer than this, on a machine that does other things too, counts as one that never ends.
const ENDLESS: Duration = Duration::from_secs(30);

/// A word of the file: most are those that decide.
fn anywhere(attacked: &Attacked, random: &mut Random) -> usize {
    match random.below(6) {
        0 => attacked.consumer_page_at(random.below(34) * 8),
        1 => attacked.producer_page_at(random.below(49) * 8),
        2 | 3 => attacked.slot_at(random.below(SLOTS), random.below(5) * 8),
        4 => attacked.data_at(random.below(SIZE / 8) * 8),
        _ => random.below(8) * 8,
    }
}

/// Makes the positions say that there are `bytes` bytes to read at `start`, so that an attack gets past the first check.
fn make_plausible(attacked: &Attacked, start: u64, bytes: u64) {
    attacked.store(attacked.consumer_page_at(at::CONSUMER_POS), start);
    attacked.store_two(attacked.consumer_page_at(at::SLEEPING_AND_CLOSED), 0, 0);
    for head in [at::PRODUCER_POS, at::HEAD] {
        attacked.store(attacked.producer_page_at(head), start.wrapping_add(bytes));
    }
    for slot in 0..SLOTS {
        attacked.store(attacked.slot_at(slot, at::WORD), start.wrapping_add(bytes));
    }
}

/// One thing, chosen at random, that a consumer does. What comes of it is its own affair.
fn consume(consumer: &mut CopyingConsumer, record: &mut Vec<u8>, random: &mut Random) {
    match random.below(8) {
        0 => drop(consumer.wait(Some(Duration::from_micros(random.below(200) as u64)))),
        1 => drop(consumer.stalled()),
        2 => drop(consumer.recover()),
        3 => drop((consumer.available(), consumer.discarded(), consumer.abandoned())),
        _ => {
            let found = consumer.next_into(record);
            assert!(found != Ok(true) || record.len() <= SIZE - 8, "{} bytes", record.len());
        }
    }
}

/// One thing, chosen at random, that a producer does.
fn produce(producer: &CopyingProducer, random: &mut Random) {
    let len = random.below(700);
    let payload = [0x5a; 700];
    match random.below(5) {
        0 => drop(producer.output(&payload[..len])),
        1 => drop(producer.reserve_blocking(len, Some(Duration::from_micros(50)))),
        2 => drop(producer.reserve(len)),
        3 => std::mem::forget(producer.reserve(len)),
        _ => {
            let Ok(mut record) = producer.reserve(len) else { return };
            let written = record.write(len / 2, &payload[..len - len / 2]);
            assert_eq!((written, record.len()), (Ok(()), len));
            record.commit();
        }
    }
}

/// One thing, chosen at random, that somebody who is attached does.
fn look(ring: &SharedRing, random: &mut Random) {
    match random.below(4) {
        0 => drop(ring.repair()),
        1 => drop(ring.stats()),
        2 => drop(ring.has_consumer()),
        _ => drop(ring.producer().map(|producer| producer.output(b"newcomer"))),
    }
}

/// A file of which nothing is right but the descriptor, if it is not by chance.
fn random_image(attacked: &Attacked, random: &mut Random) {
    for at in (0..34 * 8).step_by(8) {
        attacked.store(attacked.consumer_page_at(at), random.forged());
    }
    for at in (0..49 * 8).step_by(8) {
        attacked.store(attacked.producer_page_at(at), random.forged());
    }
    for slot in 0..SLOTS {
        (0..5).for_each(|word| attacked.store(attacked.slot_at(slot, word * 8), random.forged()));
    }
    for at in (0..SIZE).step_by(8) {
        attacked.store(attacked.data_at(at), random.forged());
    }
    if random.below(4) > 0 {
        let (start, bytes) = (random.forged() & !7, random.below(SIZE + 1) as u64 & !7);
        make_plausible(attacked, start, bytes);
    }
    if random.below(2) > 0 {
        // A dead producer, within sight.
        let slot = random.below(SLOTS);
        let start = attacked.load(attacked.consumer_page_at(at::CONSUMER_POS)).wrapping_add(8 * random.below(8) as u64);
        attacked.store(attacked.slot_at(slot, at::WORD), start | ENTERING);
    }
}

#[test]
fn whatever_a_file_holds_whoever_attaches_gets_an_answer() -> TestResult {
    alone("attackers::whatever_a_file_holds_whoever_attaches_gets_an_answer", || {
        for seed in 0..5_000 {
            let mut random = Random::new(seed);
            for attacked in Attacked::both() {
                random_image(&attacked, &mut random);
                drive(&attacked, &mut random)?;
            }
        }
        Ok(())
    })
}

/// A few things, done to a ring by somebody who has just attached.
fn drive(attacked: &Attacked, random: &mut Random) -> TestResult {
    let ring = SharedRing::from_fd(&attacked.ring)?;
    let (mut record, mut producers) = (Vec::new(), Vec::new());
    let mut consumer = ring.consumer().ok();
    producers.extend(ring.producer());
    for _ in 0..12 {
        match (random.below(4), &mut consumer, producers.first()) {
            (0 | 1, Some(consumer), _) => consume(consumer, &mut record, random),
            (2, _, Some(producer)) => produce(producer, random),
            _ => look(&ring, random),
        }
    }
    assert!(record.capacity() <= 2 * SIZE);
    Ok(())
}

/// Traffic through a ring that nobody attacks, until `until`.
fn innocent_traffic(until: Instant) -> Result<u64, Box<dyn Error + Send + Sync>> {
    let ring = Ring::builder(SIZE).build_shared()?;
    let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    let (mut number, mut record) = (0u64, Vec::new());
    while Instant::now() < until {
        producer.output(&number.to_ne_bytes())?;
        assert!(consumer.next_into(&mut record)?);
        assert_eq!(record, number.to_ne_bytes());
        number += 1;
    }
    Ok(number)
}

/// Writes one word after the other until `done`.
fn attack(attacked: &Attacked, seed: u64, done: &AtomicBool) {
    let mut random = Random::new(seed);
    while !done.load(Ordering::Relaxed) {
        let at = anywhere(attacked, &mut random);
        match random.below(8) {
            0 => attacked.store(at, random.forged()),
            1 => make_plausible(attacked, random.forged() & !7, random.below(SIZE + 1) as u64 & !7),
            2 => {
                // Both at once, by one step, so that nothing looks wrong.
                let consumer_pos = attacked.load(attacked.consumer_page_at(at::CONSUMER_POS));
                make_plausible(attacked, consumer_pos.wrapping_add(8) & !7, 64);
            }
            _ => attacked.store(at, attacked.load(at) ^ 1 << random.below(64)),
        }
        for _ in 0..random.below(200) {
            std::hint::spin_loop();
        }
    }
}

/// Attaches, again and again, until `until`, and does what one does. Counts what it has done.
fn withstand(attacked: &Attacked, seed: u64, until: Instant, steps: &AtomicU64) {
    let mut random = Random::new(seed);
    let mut record = Vec::new();
    while Instant::now() < until {
        // The descriptor is attacked, too: whoever is attached has done with it.
        let ring = SharedRing::from_fd(&attacked.ring).unwrap_or_else(|_| attacked.ring.clone());
        let (mut consumer, producer) = (ring.consumer().ok(), ring.producer().ok());
        for _ in 0..100 {
            if let Some(consumer) = &mut consumer {
                consume(consumer, &mut record, &mut random);
            }
            if let Some(producer) = &producer {
                produce(producer, &mut random);
            }
            if random.below(20) == 0 {
                look(&ring, &mut random);
            }
            steps.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_live_attacker_gets_errors_and_stalls_and_nothing_else() -> TestResult {
    let seconds = std::env::var(SECONDS).ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(3);
    alone_for(seconds, "attackers::a_live_attacker_gets_errors_and_stalls_and_nothing_else", || {
        let until = Instant::now() + Duration::from_secs(seconds);
        let attacked = Attacked::both();
        let (done, steps) = (AtomicBool::new(false), [const { AtomicU64::new(0) }; 2]);
        thread::scope(|scope| {
            for (seed, (attacked, steps)) in attacked.iter().zip(&steps).enumerate() {
                let (seed, done) = (seed as u64, &done);
                scope.spawn(move || attack(attacked, seed, done));
                scope.spawn(move || withstand(attacked, seed + 100, until, steps));
            }
            let _end = EndOf(&done);
            let innocent = scope.spawn(move || innocent_traffic(until));
            while Instant::now() < until {
                let before = steps.each_ref().map(|steps| steps.load(Ordering::Relaxed));
                let looked = Instant::now();
                let goes_on = || steps.iter().zip(before).all(|(now, before)| now.load(Ordering::Relaxed) > before);
                while !goes_on() && Instant::now() < until {
                    assert!(looked.elapsed() < ENDLESS, "an operation that does not end");
                    thread::sleep(Duration::from_millis(1));
                }
            }
            assert_ne!(innocent.join().unwrap().unwrap(), 0);
        });
        eprintln!("{steps:?} steps");
        Ok(())
    })
}

/// Head and `consumer_pos` run away together: every swap fails, and nothing looks wrong.
#[test]
fn positions_that_run_away_do_not_take_a_producer_along() -> TestResult {
    alone("attackers::positions_that_run_away_do_not_take_a_producer_along", || {
        for attacked in Attacked::both() {
            let producer = attacked.ring.producer()?;
            let (done, begun) = (AtomicBool::new(false), Instant::now());
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut now = 0u64;
                    while !done.load(Ordering::Relaxed) {
                        now = now.wrapping_add(8);
                        attacked.store(attacked.consumer_page_at(at::CONSUMER_POS), now);
                        for head in [at::PRODUCER_POS, at::HEAD] {
                            attacked.store(attacked.producer_page_at(head), now);
                        }
                    }
                });
                let _end = EndOf(&done);
                for _ in 0..1000 {
                    let _ = producer.output(b"record");
                }
            });
            assert!(begun.elapsed() < ENDLESS);
        }
        Ok(())
    })
}

#[test]
fn a_live_attack_reaches_every_part_of_the_file() {
    let attacked = Attacked::new();
    let mut random = Random::new(0);
    let mut pages: Vec<usize> = (0..10_000).map(|_| anywhere(&attacked, &mut random) / page_size()).collect();
    pages.sort_unstable();
    pages.dedup();
    assert_eq!(pages.len(), attacked.bytes() / page_size());
}
