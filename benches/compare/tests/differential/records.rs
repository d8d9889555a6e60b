//! Rings that programs have filled alike are read alike.

use std::os::fd::AsFd;
use std::thread;

use anyhow::{Result, ensure};

use crate::plan::{Expected, Filled, MAX_LEN, Outcome, Random, Step};
use crate::readers::{PositionPages, Positions, READERS, Reader, Seen};
use crate::support::bpf::{Outcome as Ran, Records, Ring};
use crate::support::pages::page_size;
use crate::support::stall::Stall;
use crate::support::{require, require_kernel};

/// A ring with its reader.
struct Side {
    ring: Filled,
    pages: PositionPages,
    reader: Box<dyn Reader>,
    seen: Seen,
}

/// What a turn has led to.
#[derive(PartialEq, Eq, Debug)]
struct Turn {
    outcome: Outcome,
    /// After programs have written.
    written: Positions,
    count: u64,
    /// After the reader has read.
    read: Positions,
}

impl Side {
    fn turn(&mut self, plan: &[Step], at_most: Option<u64>) -> Result<Turn> {
        let outcome = self.ring.run(plan)?;
        let written = self.positions()?;
        self.seen.clear();
        let count = self.reader.read(at_most, &mut self.seen)?;
        Ok(Turn { outcome, written, count, read: self.positions()? })
    }

    fn positions(&self) -> Result<Positions> {
        let positions = self.pages.read();
        let said = self.reader.positions().unwrap_or(positions);
        ensure!(said == positions, "{}: {said:?}, but the pages say {positions:?}", self.reader.name());
        Ok(positions)
    }
}

/// Has as many records written to rings of `bytes` bytes, one for each reader, and read by all in step.
fn compare(bytes: u32, records: u64) -> Result<u64> {
    let mut sides = Vec::new();
    for open in READERS {
        let ring = Filled::new(bytes)?;
        let (pages, reader) = (PositionPages::of(ring.as_fd())?, open(ring.as_fd())?);
        sides.push(Side { ring, pages, reader, seen: Seen::default() });
    }
    let mut random = Random::new(bytes.into());
    let (mut expected, mut waiting, mut done) = (Expected::new(), Seen::default(), 0);
    while done < records {
        let plan = random.plan((bytes - 16).min(MAX_LEN));
        // Now and then some records are left for later.
        let at_most = (random.up_to(3) == 0).then(|| random.up_to(8));
        let mut first = None;
        for side in &mut sides {
            let turn = side.turn(&plan, at_most)?;
            let name = side.reader.name();
            match &first {
                None => {
                    expected.follow(&plan, turn.outcome.written, |payload| waiting.add(payload));
                    first = Some(turn);
                }
                Some(first) => ensure!(turn == *first, "{name}: {turn:?}, others: {first:?}; {plan:?}"),
            }
            let count = side.seen.lens.len();
            let bytes = side.seen.bytes.len();
            ensure!(side.seen.lens == waiting.lens[..count], "{name}: other lengths; {plan:?}");
            ensure!(side.seen.bytes == waiting.bytes[..bytes], "{name}: other bytes; {plan:?}");
        }
        let turn = first.expect("there are readers");
        let bytes: usize = waiting.lens.drain(..turn.count as usize).sum();
        waiting.bytes.drain(..bytes);
        ensure!(at_most.is_some() || waiting.lens.is_empty(), "{} records are left; {plan:?}", waiting.lens.len());
        done += turn.outcome.written as u64;
    }
    Ok(done)
}

#[test]
fn everybody_reads_the_same_records_and_moves_the_same_positions() -> Result<()> {
    let page = page_size() as u32;
    if require_kernel(page).is_none() {
        return Ok(());
    }
    let (records, mut done) = (crate::records()?, 0);
    for pages in [1, 4, 16] {
        done += compare(pages * page, records.div_ceil(3))?;
    }
    println!("{done} records were written to {} rings each and read alike", READERS.len());
    Ok(())
}

#[test]
fn everybody_goes_on_where_another_has_stopped() -> Result<()> {
    let page = page_size() as u32;
    if require_kernel(page).is_none() {
        return Ok(());
    }
    let mut ring = Filled::new(page)?;
    let pages = PositionPages::of(ring.as_fd())?;
    let (mut random, mut expected) = (Random::new(1), Expected::new());
    let (mut waiting, mut seen) = (Seen::default(), Seen::default());
    for open in READERS.iter().cycle().take(2000) {
        let plan = random.plan(page - 16);
        let Outcome { written, .. } = ring.run(&plan)?;
        expected.follow(&plan, written, |payload| waiting.add(payload));
        let mut reader = open(ring.as_fd())?;
        seen.clear();
        // Half of it, so that the next reader finds something.
        let half = waiting.lens.len() as u64 / 2;
        ensure!(reader.read(Some(half), &mut seen)? == half, "{}: not {half} records", reader.name());
        let bytes: usize = waiting.lens.drain(..half as usize).sum();
        ensure!(seen.bytes == waiting.bytes[..bytes], "{}: other bytes", reader.name());
        waiting.bytes.drain(..bytes);
        let said = reader.positions().unwrap_or(pages.read());
        ensure!(said == pages.read(), "{}: {said:?} of {:?}", reader.name(), pages.read());
    }
    Ok(())
}

#[test]
fn a_record_that_is_still_being_written_holds_everybody_back() -> Result<()> {
    let page = page_size() as u32;
    let (Some(_), Some(_)) = (require_kernel(page), require("userfaultfd", Stall::new())) else { return Ok(()) };
    for open in READERS {
        let (ring, stall) = (Ring::new(page)?, Stall::new()?);
        let (stalling, pages) = (ring.stalling()?, PositionPages::of(ring.as_fd())?);
        let (mut reader, mut seen) = (open(ring.as_fd())?, Seen::default());
        thread::scope(|scope| -> Result<()> {
            let program = scope.spawn(|| stalling.run(stall.address()));
            let stalled = stall.until_stalled()?;
            ring.output(&Records::one(2, &[0; 8]))?;
            assert_eq!((reader.read(None, &mut seen)?, pages.read()), (0, Positions { consumer: 0, producer: 32 }));
            stalled.release(1)?;
            assert_eq!(program.join().expect("the program's thread")?, Ran { written: 1, result: 0 });
            Ok(())
        })?;
        assert_eq!(reader.read(None, &mut seen)?, 2, "{}", reader.name());
        assert_eq!(seen.bytes, [1_u64, 2].map(u64::to_ne_bytes).concat());
        assert_eq!(pages.read(), Positions { consumer: 32, producer: 32 });
    }
    Ok(())
}
