//! Somebody who writes anything anywhere, all the time.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dynring::{CopyingConsumer, CopyingProducer, Readiness, Repair, ReserveError, Ring, SharedRing};

use crate::alone::{TestResult, alone, alone_for};
use crate::forge::{Attacked, ENTERING, EndOf, Random, SIZE, SLOTS, at};
use crate::support::pages::page_size;

/// How long the live attack lasts, in seconds. Ten minutes are a full run.
const SECONDS: &str = "DYNRING_ATTACK_SECONDS";

/// How many files of each kind to make up. Ten thousand are a full run.
const IMAGES: &str = "DYNRING_ATTACK_IMAGES";

/// What the environment says.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// An operation that takes longer than this, on a machine that does other things too, counts as one that never ends.
const ENDLESS: Duration = Duration::from_secs(30);

/// A word of the file: most are those that decide.
fn anywhere(attacked: &Attacked, random: &mut Random) -> usize {
    match random.below(7) {
        0 => attacked.consumer_page_at(random.below(34) * 8),
        1 => attacked.producer_page_at(random.below(49) * 8),
        2 | 3 => attacked.slot_at(random.below(SLOTS), random.below(5) * 8),
        4 => attacked.data_at(random.below(SIZE / 8) * 8),
        5 => [attacked.consumer_page_at(at::LET_GO), attacked.producer_page_at(at::CALLED)][random.below(2)],
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

/// How often what came of it.
type Tally = BTreeMap<&'static str, u64>;

/// One thing, chosen at random, that a consumer does, and what comes of it.
fn consume(consumer: &mut CopyingConsumer, record: &mut Vec<u8>, random: &mut Random) -> &'static str {
    match random.below(8) {
        0 => match consumer.wait(Some(Duration::from_micros(random.below(200) as u64))) {
            Ok(Readiness::Ready) => "a wait for a record",
            Ok(_) => "a wait in vain",
            Err(_) => "a wait refused",
        },
        1 => consumer.stalled().map_or("no stall", |_| "a stall"),
        2 => match consumer.recover() {
            Ok(true) => "something recovered",
            Ok(false) => "nothing recovered",
            Err(_) => "a recovery refused",
        },
        3 => {
            let _ = (consumer.available(), consumer.discarded(), consumer.abandoned());
            "figures"
        }
        _ => match consumer.next_into(record) {
            Ok(true) => {
                assert!(record.len() <= SIZE - 8, "{} bytes", record.len());
                "a record"
            }
            Ok(false) => "no record",
            Err(_) => "a record refused",
        },
    }
}

/// One thing, chosen at random, that a producer does, and what comes of it.
fn produce(producer: &CopyingProducer, random: &mut Random) -> &'static str {
    let (len, payload) = (random.below(700), [0x5a; 700]);
    let reserved = match random.below(5) {
        0 => producer.output(&payload[..len]),
        1 => producer.reserve_blocking(len, Some(Duration::from_micros(50))).map(drop),
        2 => producer.reserve(len).map(drop),
        3 => producer.reserve(len).map(std::mem::forget),
        _ => producer.reserve(len).map(|mut record| {
            let written = record.write(len / 2, &payload[..len - len / 2]);
            assert_eq!((written, record.len()), (Ok(()), len));
            record.commit();
        }),
    };
    match reserved {
        Ok(()) => "a reservation",
        Err(ReserveError::Full) => "a ring that is full",
        Err(ReserveError::Closed) => "a ring that is closed",
        Err(ReserveError::Contended) => "a ring that runs away",
        Err(_) => "a reservation refused",
    }
}

/// One thing, chosen at random, that somebody who is attached does, and what comes of it.
fn look(ring: &SharedRing, random: &mut Random) -> &'static str {
    match random.below(4) {
        0 => match ring.repair() {
            Ok(Repair { freed: 1.., .. }) => "a repair",
            Ok(_) => "nothing to repair",
            Err(_) => "a repair refused",
        },
        1 => ring.stats().map_or("no figures", |_| "figures"),
        2 => ring.has_consumer().map_or("no answer", |_| "an answer"),
        _ => ring.producer().map_or("no newcomer", |producer| produce(&producer, random)),
    }
}

/// That all kinds of things came of the attack, and not only the same error again and again.
fn says_everything(tally: &Tally) {
    let wanted = [
        "a wait for a record",
        "a wait in vain",
        "a wait refused",
        "a stall",
        "something recovered",
        "a recovery refused",
        "a record",
        "no record",
        "a record refused",
        "a reservation",
        "a ring that is full",
        "a ring that is closed",
        "a reservation refused",
        "a repair",
        "a repair refused",
    ];
    let missing: Vec<_> = wanted.iter().filter(|what| !tally.contains_key(*what)).collect();
    assert!(missing.is_empty(), "{missing:?} of {tally:?}");
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
        let mut tally = Tally::new();
        for seed in 0..number(IMAGES, 1500) {
            let mut random = Random::new(seed);
            for attacked in Attacked::both() {
                random_image(&attacked, &mut random);
                drive(&attacked, &mut random, &mut tally)?;
            }
        }
        says_everything(&tally);
        Ok(())
    })
}

/// A few things, done to a ring by somebody who has just attached.
fn drive(attacked: &Attacked, random: &mut Random, tally: &mut Tally) -> TestResult {
    let ring = SharedRing::from_fd(&attacked.ring)?;
    let (mut record, mut producers) = (Vec::new(), Vec::new());
    let mut consumer = ring.consumer().ok();
    producers.extend(ring.producer());
    for _ in 0..12 {
        let result = match (random.below(4), &mut consumer, producers.first()) {
            (0 | 1, Some(consumer), _) => consume(consumer, &mut record, random),
            (2, _, Some(producer)) => produce(producer, random),
            _ => look(&ring, random),
        };
        *tally.entry(result).or_default() += 1;
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
        // Now and then there is time to get somewhere.
        for _ in 0..1 << random.below(16) {
            std::hint::spin_loop();
        }
    }
}

/// Attaches, again and again, until `until`, and does what one does. Counts what it has done, and what came of it.
fn withstand(attacked: &Attacked, seed: u64, until: Instant, steps: &AtomicU64) -> Tally {
    let mut random = Random::new(seed);
    let (mut record, mut tally) = (Vec::new(), Tally::new());
    while Instant::now() < until {
        // The descriptor is attacked, too: whoever is attached has done with it.
        let ring = SharedRing::from_fd(&attacked.ring).unwrap_or_else(|_| attacked.ring.clone());
        let (mut consumer, producer) = (ring.consumer().ok(), ring.producer().ok());
        // An error stays: then it is time to attach anew.
        for _ in 0..12 {
            let consumed = consumer.as_mut().map(|consumer| consume(consumer, &mut record, &mut random));
            let produced = producer.as_ref().map(|producer| produce(producer, &mut random));
            let looked = (random.below(20) == 0).then(|| look(&ring, &mut random));
            for result in [consumed, produced, looked].into_iter().flatten() {
                *tally.entry(result).or_default() += 1;
            }
            steps.fetch_add(1, Ordering::Relaxed);
        }
    }
    tally
}

#[test]
fn a_live_attacker_gets_errors_and_stalls_and_nothing_else() -> TestResult {
    let seconds = number(SECONDS, 3);
    alone_for(seconds, "attackers::a_live_attacker_gets_errors_and_stalls_and_nothing_else", || {
        let until = Instant::now() + Duration::from_secs(seconds);
        let attacked = Attacked::both();
        let (done, steps) = (AtomicBool::new(false), [const { AtomicU64::new(0) }; 2]);
        thread::scope(|scope| {
            let mut victims = Vec::new();
            for (seed, (attacked, steps)) in attacked.iter().zip(&steps).enumerate() {
                let (seed, done) = (seed as u64, &done);
                scope.spawn(move || attack(attacked, seed, done));
                victims.push(scope.spawn(move || withstand(attacked, seed + 100, until, steps)));
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
            for victim in victims {
                eprintln!("withstood: {:?}", victim.join().unwrap());
            }
        });
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
