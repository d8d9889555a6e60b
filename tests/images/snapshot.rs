//! The reader of snapshots reads what is there, and says what cannot be.

use dynring::Corrupt;
use dynring::kernel::{OverwriteRingBuf, SnapshotEnd, SnapshotError, image};
use proptest::prelude::*;

use crate::image::{Image, SIZE, WRAPS, images, len, stride};
use crate::overwriting::{BUSY, DISCARD};

fn open(image: &Image) -> OverwriteRingBuf {
    image::overwritten(image.file(), SIZE).unwrap()
}

#[derive(PartialEq, Eq, Debug)]
enum Outcome {
    Snapshot { records: Vec<(u64, Vec<u8>)>, lost: u64, end: u64, ended: &'static str },
    Corrupt(&'static str, u64),
}

fn after(a: u64, b: u64) -> bool {
    a.wrapping_sub(b) as i64 > 0
}

/// The rules, spelled out once more.
fn expected(image: &Image) -> Outcome {
    let &Image { consumer_pos: consumer, producer_pos: producer, overwrite_pos: overwrite, .. } = image;
    if after(overwrite, producer) {
        return Outcome::Corrupt("overwrite", overwrite);
    } else if producer % 8 != 0 {
        return Outcome::Corrupt("producer", producer);
    } else if overwrite % 8 != 0 || producer.wrapping_sub(overwrite) > SIZE - 8 {
        return Outcome::Corrupt("overwrite", overwrite);
    }
    let start = if after(overwrite, consumer) { overwrite } else { consumer };
    if consumer % 8 != 0 || producer.wrapping_sub(start) > SIZE - 8 {
        return Outcome::Corrupt("consumer", consumer);
    }
    let (mut at, mut records, mut ended) = (start, vec![], "caught up");
    while at != producer {
        let word = image.header_at(at);
        if word & BUSY != 0 {
            ended = "unfinished";
            break;
        } else if stride(word) > producer.wrapping_sub(at) {
            if at == start {
                return Outcome::Corrupt("length", at);
            }
            ended = "corrupt";
            break;
        } else if word & DISCARD == 0 {
            records.push((at, image.payload(at, len(word))));
        }
        at = at.wrapping_add(stride(word));
    }
    Outcome::Snapshot { records, lost: start.wrapping_sub(consumer), end: at, ended }
}

fn found(ring: &mut OverwriteRingBuf) -> Outcome {
    match ring.snapshot() {
        Ok(snapshot) => Outcome::Snapshot {
            records: snapshot.records().map(|record| (record.position(), record.to_vec())).collect(),
            lost: snapshot.lost(),
            end: snapshot.end(),
            ended: match snapshot.ended() {
                SnapshotEnd::CaughtUp => "caught up",
                SnapshotEnd::Unfinished => "unfinished",
                SnapshotEnd::Corrupt(_) => "corrupt",
                other => panic!("{other:?}"),
            },
        },
        Err(SnapshotError::Corrupt(corrupt)) => match corrupt {
            Corrupt::ConsumerPos { found, .. } => Outcome::Corrupt("consumer", found.get()),
            Corrupt::ProducerPos { found, .. } => Outcome::Corrupt("producer", found.get()),
            Corrupt::OverwritePos { found, .. } => Outcome::Corrupt("overwrite", found.get()),
            Corrupt::Length { at, .. } => Outcome::Corrupt("length", at.get()),
            other => panic!("{other}"),
        },
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_image_is_copied_by_the_rules(image in images()) {
        let mut ring = open(&image);
        let (first, expected) = (found(&mut ring), expected(&image));
        prop_assert_eq!(&first, &expected);
        let goes_on = !matches!(first, Outcome::Corrupt(..) | Outcome::Snapshot { ended: "corrupt", .. });
        match ring.snapshot() {
            Ok(snapshot) => {
                prop_assert!(goes_on);
                let end = snapshot.end();
                snapshot.consume();
                prop_assert_eq!(ring.consumer_pos(), end);
                prop_assert_eq!(ring.snapshot().unwrap().start(), end);
            }
            Err(error) => prop_assert!(!goes_on, "{}", error),
        }
    }
}

#[test]
fn positions_and_what_is_available_are_those_of_the_pages() {
    for wrap in WRAPS {
        let mut image = Image::at(wrap.wrapping_sub(128));
        for word in [20, 8 | DISCARD, 100] {
            image.push(word);
        }
        image.consumer_pos = image.consumer_pos.wrapping_sub(3 * SIZE);
        let mut ring = open(&image);
        assert_eq!(ring.size().bytes(), SIZE);
        assert_eq!(ring.available(), 32 + 16 + 112);
        assert_eq!((ring.consumer_pos(), ring.producer_pos()), (image.consumer_pos, image.producer_pos));
        assert_eq!((ring.pending_pos(), ring.overwrite_pos()), (image.overwrite_pos, image.overwrite_pos));
        let snapshot = ring.snapshot().unwrap();
        assert_eq!(
            (snapshot.lost(), snapshot.start(), snapshot.end()),
            (3 * SIZE, image.overwrite_pos, image.producer_pos)
        );
        assert_eq!(snapshot.into_iter().map(|record| record.len()).collect::<Vec<_>>(), [20, 100]);
        drop(snapshot);
        assert_eq!((ring.lost(), ring.consumer_pos()), (0, image.consumer_pos), "nothing was consumed");
        ring.snapshot().unwrap().consume();
        assert_eq!((ring.lost(), ring.consumer_pos(), ring.available()), (3 * SIZE, image.producer_pos, 0));
        let empty = ring.snapshot().unwrap();
        assert_eq!((empty.lost(), empty.ended(), empty.records().count()), (0, SnapshotEnd::CaughtUp, 0));
    }
}

#[test]
fn a_consumer_that_is_ahead_of_what_was_overwritten_gets_the_rest() {
    for wrap in WRAPS {
        let mut image = Image::at(wrap.wrapping_sub(24));
        image.push(8);
        image.consumer_pos = image.producer_pos;
        image.push(40);
        let mut ring = open(&image);
        let snapshot = ring.snapshot().unwrap();
        assert_eq!((snapshot.lost(), snapshot.start()), (0, image.consumer_pos));
        assert!(snapshot.records().map(|record| record.bytes()).eq([image.payload(image.consumer_pos, 40)]));
    }
}

#[test]
fn a_consumer_that_is_put_back_again_and_again_does_not_make_the_sum_overflow() {
    use std::os::unix::fs::FileExt;

    let mut image = Image::at(64);
    image.push(8);
    let file = image.file();
    let mut ring = image::overwritten(&file, SIZE).unwrap();
    let far = 64u64.wrapping_sub((1 << 63) - 8);
    for _ in 0..3 {
        file.write_all_at(&far.to_ne_bytes(), 0).unwrap();
        let snapshot = ring.snapshot().unwrap();
        assert_eq!((snapshot.lost(), snapshot.records().count()), ((1 << 63) - 8, 1));
        snapshot.consume();
    }
    assert_eq!(ring.lost(), u64::MAX);
}

#[test]
fn errors_say_what_was_found_and_what_is_allowed() {
    let mut image = Image::at(1 << 20);
    image.overwrite_pos += 4;
    image.producer_pos += 16;
    let error = open(&image).snapshot().map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "corrupt ring: overwrite position 0x100004; a multiple of 8 from 0x100010 to less than 65536 bytes before is allowed"
    );
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::InvalidData);
    let overtaken = SnapshotError::Overtaken { tries: 16 };
    assert!(overtaken.to_string().contains("16 times"), "{overtaken}");
    assert_eq!(std::io::Error::from(overtaken).kind(), std::io::ErrorKind::WouldBlock);
}
