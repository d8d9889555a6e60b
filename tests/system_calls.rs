//! Producing and consuming make no system call when nobody sleeps.
//!
//! Each case runs in a process of its own, whose threads give up all system calls but the one that ends the process: the
//! kernel kills it (`SIGSYS`) at the first other one.

#![cfg(not(miri))] // Miri knows no seccomp.
#![expect(unsafe_code, reason = "filters for system calls")]

use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use dynring::{Consumer, Producer, Ring};

const RECORDS: u64 = 100_000;
const CASE: &str = "DYNRING_TEST_CHILD";

/// What the process exits with if all went well.
const DONE: i32 = 42;

/// From here on, this thread can do nothing but compute, and end the process.
fn give_up_system_calls() {
    const fn filter(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
        libc::sock_filter { code: code as u16, jt, jf, k }
    }
    let mut program = [
        // The number of the call is the first word.
        filter(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        filter(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, libc::SYS_exit_group as u32),
        filter(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
        filter(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: no preconditions.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(result, 0);
    // SAFETY: the pointer is to a program of that length.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// Ends the process at once, without anything that a panic or a return would call.
fn exit(status: i32) -> ! {
    // SAFETY: no preconditions.
    unsafe { libc::_exit(status) }
}

/// Runs the test `name` once more, in a process of its own, in which it does `case` instead and does not return.
fn in_a_child(name: &str, case: impl FnOnce()) -> ExitStatus {
    if std::env::var_os(CASE).is_some() {
        case();
        exit(0);
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture"]).env(CASE, "1").output().unwrap().status
}

fn ring(kernel_protocol: bool) -> (Ring, Producer, Consumer) {
    let ring = Ring::builder(1 << 16).kernel_protocol(kernel_protocol).build().unwrap();
    let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    (ring, producer, consumer)
}

/// Sends record `number`, in turn in each of the ways there are. Whether there was space.
fn send(producer: &Producer, number: u64) -> bool {
    let payload = number.to_ne_bytes();
    match number % 4 {
        0 => producer.output(&payload).is_ok(),
        1 => producer.lease(100).is_ok_and(|mut lease| lease.output(&payload).is_ok()),
        2 => producer.reserve(50).is_ok_and(|mut record| {
            record[..8].copy_from_slice(&payload);
            record.commit_len(8).is_ok()
        }),
        _ => producer.reserve_blocking(8, None).is_ok_and(|mut record| {
            record.copy_from_slice(&payload);
            record.commit();
            true
        }),
    }
}

/// Whether the records that are there are the ones from `next` on.
fn receive(consumer: &mut Consumer, next: &mut u64) -> bool {
    let mut right = true;
    let drained = consumer.drain(|record| {
        right &= *record == next.to_ne_bytes();
        *next += 1;
        ControlFlow::Continue(())
    });
    right && drained.is_ok()
}

#[test]
fn one_thread_makes_no_system_call() {
    let status = in_a_child("one_thread_makes_no_system_call", || {
        let rings = [ring(false), ring(true)];
        give_up_system_calls();
        for (_ring, producer, mut consumer) in rings {
            let mut next = 0;
            for number in 0..RECORDS {
                if !send(&producer, number) || !receive(&mut consumer, &mut next) {
                    exit(1);
                }
            }
            if next != RECORDS {
                exit(2);
            }
            // Their drops unmap memory.
            std::mem::forget((_ring, producer, consumer));
        }
        exit(DONE);
    });
    assert_eq!(status.code(), Some(DONE), "{status}");
}

#[test]
fn a_shared_ring_takes_no_system_call_per_record() {
    let status = in_a_child("a_shared_ring_takes_no_system_call_per_record", || {
        let rings = [false, true].map(|kernel_protocol| {
            let ring = Ring::builder(1 << 16).kernel_protocol(kernel_protocol).build_shared().unwrap();
            let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
            (ring, producer, consumer)
        });
        let mut record = Vec::with_capacity(100);
        give_up_system_calls();
        for (_ring, producer, mut consumer) in rings {
            for number in 0..RECORDS {
                let piecewise = producer.reserve_blocking(50, None).map(|mut record| {
                    let written = record.write(3, &[1; 47]).is_ok();
                    record.commit();
                    written
                });
                let sent = producer.output(&number.to_ne_bytes()).is_ok() && piecewise == Ok(true);
                let received =
                    consumer.next_into(&mut record) == Ok(true) && consumer.next_into(&mut record) == Ok(true);
                if !sent || !received || record != number.to_ne_bytes() {
                    exit(1);
                }
            }
            // Their drops unmap memory.
            std::mem::forget((_ring, producer, consumer));
        }
        exit(DONE);
    });
    assert_eq!(status.code(), Some(DONE), "{status}");
}

#[test]
fn a_producer_and_a_busy_consumer_make_no_system_call() {
    let status = in_a_child("a_producer_and_a_busy_consumer_make_no_system_call", || {
        let (_ring, producer, mut consumer) = ring(false);
        let received = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                give_up_system_calls();
                let mut next = 0;
                while next < RECORDS {
                    if !receive(&mut consumer, &mut next) {
                        exit(1);
                    }
                    received.store(next, Ordering::Release);
                }
                exit(DONE);
            });
            let received = &received;
            scope.spawn(move || {
                give_up_system_calls();
                for number in 0..RECORDS {
                    // So few in flight that the ring is never full, and nobody waits for space.
                    while number - received.load(Ordering::Acquire) > 100 {
                        std::hint::spin_loop();
                    }
                    if !send(&producer, number) {
                        exit(2);
                    }
                }
                loop {
                    std::hint::spin_loop();
                }
            });
        });
    });
    assert_eq!(status.code(), Some(DONE), "{status}");
}

#[test]
fn a_system_call_is_noticed() {
    let status = in_a_child("a_system_call_is_noticed", || {
        give_up_system_calls();
        // SAFETY: no preconditions.
        unsafe { libc::getppid() };
        exit(DONE);
    });
    assert_eq!(status.signal(), Some(libc::SIGSYS), "{status}");
}

#[test]
fn waking_a_sleeper_is_a_system_call_that_is_noticed() {
    let status = in_a_child("waking_a_sleeper_is_a_system_call_that_is_noticed", || {
        let (_ring, producer, mut consumer) = ring(false);
        thread::scope(|scope| {
            scope.spawn(move || consumer.wait(None));
            // However long it takes until the consumer sleeps.
            scope.spawn(move || {
                give_up_system_calls();
                loop {
                    let _ = producer.reserve(8).map(|record| record.discard_with(dynring::Wakeup::Force));
                }
            });
        });
    });
    assert_eq!(status.signal(), Some(libc::SIGSYS), "{status}");
}
