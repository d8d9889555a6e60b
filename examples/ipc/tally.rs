//! What consumers have reported.

use core::fmt;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use crate::{BEFORE_THE_OPEN_ONE, RECORDS};

/// The producers' roles, by number.
pub(crate) const PRODUCERS: [&str; 4] = ["steady-1", "steady-2", "open", "fast"];

/// Which record it was.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    pub(crate) producer: u64,
    pub(crate) sequence: u64,
}

impl Report {
    pub(crate) const BYTES: usize = 16;

    /// Reports in one write, which a socket takes in one piece.
    pub(crate) const BATCH: usize = 64;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        (u128::from(self.producer) << 64 | u128::from(self.sequence)).to_le_bytes()
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let both = u128::from_le_bytes(bytes);
        Self { producer: (both >> 64) as u64, sequence: both as u64 }
    }
}

/// How many records of each producer have come, and what should not have happened.
#[derive(Default)]
pub(crate) struct Tally {
    delivered: [u64; PRODUCERS.len()],
    again: u64,
    gaps: u64,
}

impl Tally {
    /// Counts until the last consumer has gone.
    pub(crate) fn of(mut reports: UnixStream) -> io::Result<Self> {
        let mut tally = Self::default();
        let mut bytes = [0; Report::BYTES];
        loop {
            match reports.read_exact(&mut bytes) {
                Ok(()) => tally.count(Report::from_bytes(bytes)),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(tally),
                Err(error) => return Err(error),
            }
        }
    }

    fn count(&mut self, report: Report) {
        let Some(next) = self.delivered.get_mut(report.producer as usize) else {
            self.gaps += 1;
            return;
        };
        match report.sequence {
            sequence if sequence == *next => *next += 1,
            sequence if sequence < *next => self.again += 1,
            _ => self.gaps += 1,
        }
    }

    /// Everything that was committed has come, in order; and no more came twice than one batch that nobody had let go of.
    pub(crate) fn check(&self) -> Result<(), String> {
        let [first, second, open, _] = self.delivered;
        let whole = [first, second, open] == [RECORDS, RECORDS, BEFORE_THE_OPEN_ONE];
        if whole && self.gaps == 0 && self.again <= Report::BATCH as u64 {
            Ok(())
        } else {
            Err(format!(
                "{self}\nThat is not what was sent: {RECORDS}, {RECORDS}, {BEFORE_THE_OPEN_ONE}, and any number."
            ))
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, records) in PRODUCERS.iter().zip(self.delivered) {
            writeln!(f, "{records:>10} records of {name}")?;
        }
        writeln!(f, "{:>10} of them were delivered again after a consumer's death", self.again)?;
        write!(f, "{:>10} gaps", self.gaps)
    }
}
