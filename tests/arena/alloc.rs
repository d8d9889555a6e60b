//! Memory that is taken and given back.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dynring::{AllocError, Arena, ArenaBuildError, ArenaBuilder, ArenaPtr};

use crate::TestResult;

#[test]
fn memory_has_the_length_that_was_asked_for_and_is_freed_when_dropped() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    for len in [0, 1, 63, 64, 65, 511, 512, 513, 4095, 4096, 8191, 8192, 8193, 40_000, 1 << 17] {
        let mut value = arena.alloc(len)?;
        assert_eq!((value.len(), value.offset() % 64), (len, 0));
        assert_eq!(value.as_ptr() as usize % 64, 0, "{len}");
        value.fill(0xa5);
        let used = arena.in_use();
        assert!(used >= len.max(1) as u64, "{used} bytes in use for {len}");
        assert!(used - len as u64 <= 64.max(used / 3), "{used} bytes in use for {len}");
        drop(value);
        assert_eq!(arena.in_use(), 0, "{len}");
    }
    Ok(())
}

#[test]
fn zeroed_memory_is_zero_whatever_was_there() -> TestResult {
    let arena = Arena::builder(1 << 16).build()?;
    for len in [100, 5000, 20_000] {
        let mut dirty = arena.alloc(len)?;
        dirty.fill(0xff);
        drop(dirty);
        assert!(arena.alloc_zeroed(len)?.iter().all(|byte| *byte == 0), "{len}");
    }
    Ok(())
}

#[test]
fn it_reads_and_writes_as_other_dynamic_pointers_do() -> TestResult {
    let arena = Arena::builder(1 << 16).build()?;
    let mut value = arena.alloc_zeroed(10)?;
    value.write(8, b"ab")?;
    assert!(value.write(9, b"ab").is_err());
    let mut two = [0; 2];
    value.read(8, &mut two)?;
    assert_eq!(&two, b"ab");
    value.view_mut().memset(0, 3, b'x')?;
    assert_eq!(value.view().data(0, 4)?, b"xxx\0");
    assert_eq!((value.view().size(), value.view_mut().is_rdonly()), (10, false));
    write!(value, "{}", 12345)?;
    assert_eq!((value.written(), &value[..6]), (5, b"12345\0".as_slice()));
    assert!(write!(value, "123456").is_err(), "it is full");
    assert_eq!(&*value, b"1234512345");
    Ok(())
}

#[test]
fn it_is_freed_when_a_panic_unwinds() -> TestResult {
    let arena = Arena::builder(1 << 16).build()?;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _value = arena.alloc(100).unwrap();
        panic!("while it has memory");
    }));
    assert!(panicked.is_err());
    assert_eq!(arena.in_use(), 0);
    Ok(())
}

#[test]
fn all_memory_can_be_had_in_blocks_of_any_size() -> TestResult {
    let arena = Arena::builder(1 << 16).build()?;
    for len in [64, 128, 448, 512, 1024, 1700, 2048, 4096, 8192, 16_384, 1 << 16] {
        let mut values = Vec::new();
        let error = loop {
            match arena.alloc(len) {
                Ok(value) => values.push(value),
                Err(error) => break error,
            }
        };
        let had = (values.len() * len) as u64;
        assert!(had >= arena.capacity() - arena.capacity() / 4, "{had} bytes in blocks of {len}");
        assert!(matches!(error, AllocError::OutOfMemory { asked, largest }
            if asked == len as u64 && largest < asked && largest == arena.largest_free()));
        drop(values);
        assert_eq!((arena.in_use(), arena.largest_free()), (0, arena.capacity()), "after blocks of {len}");
    }
    Ok(())
}

#[test]
fn what_is_said_to_be_free_can_be_had() -> TestResult {
    let arena = Arena::builder(1 << 16).build()?;
    let mut values: Vec<ArenaPtr<'_>> = Vec::new();
    let mut round = 0;
    while let Ok(value) = arena.alloc(100 + 700 * (round % 9)) {
        values.push(value);
        round += 1;
    }
    for keep in [3, 2, 5] {
        let mut nth = 0;
        values.retain(|_| {
            nth += 1;
            nth % keep != 0
        });
        let largest = arena.largest_free();
        let value = arena.alloc(largest as usize)?;
        assert!(arena.alloc(largest as usize + 1).is_err() || arena.largest_free() > largest);
        drop(value);
    }
    Ok(())
}

#[test]
fn an_owned_pointer_outlives_every_handle() -> TestResult {
    let arena = Arena::builder(1 << 16).build()?;
    let mut value = arena.alloc_owned(3)?;
    drop(arena);
    let thread = std::thread::spawn(move || {
        value.copy_from_slice(b"abc");
        value
    });
    assert_eq!(&*thread.join().unwrap(), b"abc");
    Ok(())
}

#[test]
fn what_cannot_be_built_says_why() {
    assert!(matches!(Arena::builder(usize::MAX).build(), Err(ArenaBuildError::Size { .. })));
    let arena = Arena::builder(1).build().unwrap();
    assert!(arena.capacity() >= 4096);
    #[cfg(not(miri))]
    for found in [0, ArenaBuilder::MAX_PROCESSES + 1] {
        let built = Arena::builder(4096).max_processes(found).build_shared();
        assert!(matches!(built, Err(ArenaBuildError::Processes { found: said, .. }) if said == found));
    }
    let _ = ArenaBuilder::MAX_PROCESSES;
}
