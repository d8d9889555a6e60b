//! Filling: peers produce until the ring is full, and a program drains it, which does not count.

#![expect(unsafe_code, reason = "shares between threads what libbpf-rs does not")]

use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use dynring::kernel::UserRingBuf;
use dynring::{Producer, ReserveError};
use libbpf_rs::{MapHandle, UserRingBuffer};

use super::bare::BareProducer;
use crate::case::{At, Case, Round, Sample};
use crate::common::{Sizes, back_off, cores, fill, pin};
use crate::support::drain::UserRing;
use crate::support::id_of;
use crate::support::pages::page_size;

/// Bytes of the ring for one producer: it stays in the caches.
const RING: u32 = 256 << 10;

/// Bytes of the ring for several, so that they are at it for a while before it is full.
const LARGE_RING: u32 = 8 << 20;

/// Bytes that are reserved at once where that is an option.
const LEASE: usize = 16 << 10;

const LENS: [usize; 4] = [8, 16, 32, 64];

pub fn cases() -> Vec<Case> {
    let alone = LENS.into_iter().map(alone);
    let together = [2, 4, 8].into_iter().flat_map(|threads| [8, 64].map(|len| together(len, threads)));
    alone.chain(together).collect()
}

fn at(len: usize, threads: usize) -> At {
    At::sizes(Sizes::Fixed(len)).producers(threads)
}

fn alone(len: usize) -> Case {
    Case::new("fill", at(len, 1), format!("fill, {len} B, 1 producer"), "ns a record")
        .peer("dynring reserve", move || round(len, 1, dynring_reserve))
        .peer("libbpf-rs", move || round(len, 1, libbpf_rs))
        .peer("bare loop", move || round(len, 1, bare))
        .peer("dynring lease", move || round(len, 1, dynring_lease))
        .baseline("libbpf-rs")
        .goal("dynring reserve", 0.60, &["libbpf-rs"])
        .goal("dynring lease", 0.60, &["libbpf-rs"])
}

fn together(len: usize, threads: usize) -> Case {
    Case::new("fill", at(len, threads), format!("fill, {len} B, {threads} producers"), "ns a record")
        .peer("dynring reserve", move || round(len, threads, dynring_reserve))
        .peer("libbpf-rs in a mutex", move || round(len, threads, libbpf_rs_locked))
        .peer("libbpf-rs in a brief mutex", move || round(len, threads, libbpf_rs_locked_briefly))
        .peer("dynring lease", move || round(len, threads, dynring_lease))
        .baseline("libbpf-rs in a mutex")
        .goal("dynring reserve", 0.50, &["libbpf-rs in a mutex", "libbpf-rs in a brief mutex"])
        .goal("dynring lease", 0.50, &["libbpf-rs in a mutex", "libbpf-rs in a brief mutex"])
}

/// Produces as many records of as many bytes as it is told.
type Send = Box<dyn FnMut(u64, usize) -> Result<()> + std::marker::Send>;

/// Fills the ring from `threads` threads at once, and drains it, as often as it takes.
fn round(len: usize, threads: usize, open: fn(&UserRing, usize) -> Result<Vec<Send>>) -> Result<Round> {
    let bytes = if threads == 1 { RING } else { LARGE_RING };
    let ring = UserRing::new(bytes)?;
    let mut senders = open(&ring, threads)?;
    let each = u64::from(bytes) / (len as u64 + 8) / threads as u64 * 9 / 10;
    Ok(Box::new(move |records| {
        let (mut sent, mut time) = (0, Duration::ZERO);
        while sent < records.max(1) {
            time += at_once(&mut senders, |send| send(each, len))?;
            let mut drained = 0;
            while let count @ 1.. = ring.count()? {
                drained += count as u64;
            }
            ensure!(drained == each * threads as u64, "{drained} of {threads} times {each}");
            sent += drained;
        }
        Ok(Sample::each(sent, time))
    }))
}

/// Calls `work` with each of `workers` on a thread of its own, all at once. The time from the first start to the last end.
fn at_once(workers: &mut [Send], work: impl Fn(&mut Send) -> Result<()> + Sync) -> Result<Duration> {
    let (all, there) = (workers.len(), AtomicUsize::new(0));
    let time = |nth: usize, worker: &mut Send| -> Result<(Instant, Instant)> {
        pin(nth % cores());
        there.fetch_add(1, Ordering::Relaxed);
        while there.load(Ordering::Relaxed) < all {
            back_off(all > cores());
        }
        let begun = Instant::now();
        work(worker)?;
        Ok((begun, Instant::now()))
    };
    if let [alone] = workers {
        let (begun, ended) = time(0, alone)?;
        return Ok(ended - begun);
    }
    let times: Result<Vec<_>> = thread::scope(|scope| {
        let time = &time;
        let spawned = workers.iter_mut().enumerate().map(|(nth, worker)| scope.spawn(move || time(nth, worker)));
        let spawned: Vec<_> = spawned.collect();
        spawned.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let (begun, ended): (Vec<_>, Vec<_>) = times?.into_iter().unzip();
    let ends = begun.into_iter().min().zip(ended.into_iter().max());
    Ok(ends.map_or(Duration::ZERO, |(first, last)| last - first))
}

/// One sender for each thread, each with a producer of its own.
fn producers(ring: &UserRing, threads: usize, send: fn(&Producer, u64, usize) -> Result<()>) -> Result<Vec<Send>> {
    let ring = UserRingBuf::from_fd(ring)?;
    let sender = |_| {
        let producer = ring.producer()?;
        Ok(Box::new(move |records, len| send(&producer, records, len)) as Send)
    };
    (0..threads).map(sender).collect()
}

fn dynring_reserve(ring: &UserRing, threads: usize) -> Result<Vec<Send>> {
    producers(ring, threads, |producer, records, len| {
        for nth in 1..=records {
            let mut sample = producer.reserve(len)?;
            fill(&mut sample, nth);
            sample.commit();
        }
        Ok(())
    })
}

fn dynring_lease(ring: &UserRing, threads: usize) -> Result<Vec<Send>> {
    producers(ring, threads, |producer, records, len| {
        let mut nth = 1;
        while nth <= records {
            let bytes = LEASE.min((records - nth + 1) as usize * (len + 8));
            let mut lease = producer.lease(bytes)?;
            while nth <= records {
                match lease.reserve(len) {
                    Ok(mut sample) => {
                        fill(&mut sample, nth);
                        sample.commit();
                        nth += 1;
                    }
                    Err(ReserveError::Full) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    })
}

/// With plain stores alone, which only one producer can.
fn bare(ring: &UserRing, _: usize) -> Result<Vec<Send>> {
    let mut producer = BareProducer::open(ring.as_fd(), page_size(), RING as usize)?;
    let send = move |records, len| {
        for nth in 1..=records {
            ensure!(producer.send(len, |payload| fill(payload, nth)), "the ring is full");
        }
        Ok(())
    };
    Ok(vec![Box::new(send)])
}

/// The ring of libbpf, for several threads.
struct Shared {
    ring: UserRingBuffer,
    reserving: Mutex<()>,
}

// SAFETY: libbpf asks of producers that no two reserve at the same time, whatever the threads; to reserve, all take `reserving`.
unsafe impl std::marker::Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn open(ring: &UserRing) -> Result<Self> {
        let map = MapHandle::from_map_id(id_of(ring.as_fd())?)?;
        Ok(Self { ring: UserRingBuffer::new(&map)?, reserving: Mutex::new(()) })
    }

    /// Reserves without a lock. There must be one thread.
    #[inline(always)]
    fn send(&self, nth: u64, len: usize) -> Result<()> {
        let mut sample = self.ring.reserve(len)?;
        fill(&mut sample, nth);
        Ok(self.ring.submit(sample)?)
    }
}

fn shared(ring: &UserRing, threads: usize, send: fn(&Shared, u64, usize) -> Result<()>) -> Result<Vec<Send>> {
    let shared = Arc::new(Shared::open(ring)?);
    let sender = |_| {
        let shared = Arc::clone(&shared);
        Box::new(move |records, len| send(&shared, records, len)) as Send
    };
    Ok((0..threads).map(sender).collect())
}

fn libbpf_rs(ring: &UserRing, threads: usize) -> Result<Vec<Send>> {
    ensure!(threads == 1, "libbpf has one producer");
    shared(ring, threads, |shared, records, len| (1..=records).try_for_each(|nth| shared.send(nth, len)))
}

/// As safe code can do it: a sample borrows the ring, and so the lock.
fn libbpf_rs_locked(ring: &UserRing, threads: usize) -> Result<Vec<Send>> {
    shared(ring, threads, |shared, records, len| {
        (1..=records).try_for_each(|nth| {
            let _reserving = shared.reserving.lock().unwrap_or_else(PoisonError::into_inner);
            shared.send(nth, len)
        })
    })
}

/// No longer than libbpf asks for.
fn libbpf_rs_locked_briefly(ring: &UserRing, threads: usize) -> Result<Vec<Send>> {
    shared(ring, threads, |shared, records, len| {
        (1..=records).try_for_each(|nth| {
            let reserving = shared.reserving.lock().unwrap_or_else(PoisonError::into_inner);
            let mut sample = shared.ring.reserve(len)?;
            drop(reserving);
            fill(&mut sample, nth);
            Ok(shared.ring.submit(sample)?)
        })
    })
}
