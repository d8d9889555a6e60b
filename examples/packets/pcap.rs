//! Files of captured frames, in the format of libpcap, of either byte order.

use std::io::{self, Write};

use dynring::{DynPtrError, View};
use zerocopy::{big_endian, little_endian};

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const ETHERNET: u32 = 1;
const HEADER: u64 = 24;

/// The frames in a file.
#[derive(Clone, Debug)]
pub(crate) struct Frames<'a> {
    rest: View<'a>,
    is_big_endian: bool,
}

impl<'a> Frames<'a> {
    pub(crate) fn of(file: View<'a>) -> io::Result<Self> {
        let other = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("the file has no {what}"));
        let is_big_endian = match file.read_as::<big_endian::U32>(0)?.get() {
            MICROSECONDS | NANOSECONDS => true,
            magic if matches!(magic.swap_bytes(), MICROSECONDS | NANOSECONDS) => false,
            _ => return Err(other("frames captured by libpcap")),
        };
        let mut frames = Self { rest: file, is_big_endian };
        if frames.word(20)? != ETHERNET {
            return Err(other("Ethernet frames"));
        }
        frames.rest.adjust(HEADER, file.size())?;
        Ok(frames)
    }

    fn word(&self, offset: u64) -> Result<u32, DynPtrError> {
        match self.is_big_endian {
            true => self.rest.read_as::<big_endian::U32>(offset).map(big_endian::U32::get),
            false => self.rest.read_as::<little_endian::U32>(offset).map(little_endian::U32::get),
        }
    }

    /// Behind its time and two lengths: what was captured, and what there was.
    fn take(&mut self) -> Result<View<'a>, DynPtrError> {
        let end = 16 + u64::from(self.word(8)?);
        let mut frame = self.rest;
        frame.adjust(16, end)?;
        self.rest.adjust(end, self.rest.size())?;
        Ok(frame)
    }
}

/// An error is that the file ends within a frame. It is the last item.
impl<'a> Iterator for Frames<'a> {
    type Item = Result<View<'a>, DynPtrError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.size() == 0 {
            return None;
        }
        let frame = self.take();
        if frame.is_err() {
            self.rest = View::new(&[]);
        }
        Some(frame)
    }
}

/// Writes a file of frames.
pub(crate) fn write(file: &mut impl Write, frames: &[Vec<u8>]) -> io::Result<()> {
    const LONGEST: u32 = 0xffff;
    let version = u32::from_le_bytes([2, 0, 4, 0]);
    for word in [MICROSECONDS, version, 0, 0, LONGEST, ETHERNET] {
        file.write_all(&word.to_le_bytes())?;
    }
    for (seconds, frame) in (0..).zip(frames) {
        for word in [seconds, 0, frame.len() as u32, frame.len() as u32] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(frame)?;
    }
    Ok(())
}
