//! A consumer that copies, and looks at the ring from outside too.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use dynring::kernel::RingBuf;
use dynring::{Consumer, Corrupt, Readiness};

use crate::support::Watch;
use crate::support::pages::{Pages, READ, page_size};

#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) consumer: Consumer,
    map: OwnedFd,
    watch: Watch,
}

impl Reader {
    pub(crate) fn open(map: impl AsFd) -> io::Result<Self> {
        let ring = RingBuf::from_fd(&map)?;
        let (map, watch) = (ring.as_fd().try_clone_to_owned()?, Watch::edges_of(ring.as_fd())?);
        Ok(Self { consumer: ring.into_consumer()?, map, watch })
    }

    /// The next record, given back.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Corrupt> {
        Ok(self.consumer.next()?.map(|record| record.to_vec()))
    }

    /// Everything there is, given back.
    pub(crate) fn drain(&mut self) -> Result<Vec<Vec<u8>>, Corrupt> {
        std::iter::from_fn(|| self.next().transpose()).collect()
    }

    /// The numbers over the first 8 bytes of everything there is, given back.
    pub(crate) fn numbers(&mut self) -> Result<Vec<u64>, Corrupt> {
        let number = |record: Vec<u8>| record.first_chunk().map_or(u64::MAX, |word| u64::from_ne_bytes(*word));
        Ok(self.drain()?.into_iter().map(number).collect())
    }

    /// What the pages say: `consumer_pos` and `producer_pos`.
    pub(crate) fn positions(&self) -> io::Result<(u64, u64)> {
        let word = |page: usize| -> io::Result<u64> {
            let pages = Pages::map(self.map.as_fd(), READ, page * page_size(), page_size())?;
            Ok(pages.word(0).load(Ordering::Relaxed))
        };
        Ok((word(0)?, word(1)?))
    }

    /// Waits for a record. Whether there is one.
    pub(crate) fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        Ok(self.consumer.wait(Some(timeout))? == Readiness::Ready)
    }

    /// Whether the kernel wakes those who wait on the map: once for each time, also if it was before.
    pub(crate) fn rings(&self, within: Duration) -> io::Result<bool> {
        self.watch.rings(within)
    }
}
