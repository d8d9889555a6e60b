//! Threads by number.

/// The number of a thread, which no other of the process has, ever. 0 stands for one that has none yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thread(pub u64);

#[cfg(not(dynring_loom))]
mod current {
    use core::cell::Cell;

    use super::Thread;
    use crate::sync::{AtomicU64, Ordering};

    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }

    impl Thread {
        /// This one, if it has a number.
        #[inline(always)]
        pub fn current() -> Self {
            Self(NUMBER.with(Cell::get))
        }

        /// This one, from now on with a number.
        #[cold]
        pub fn numbered() -> Self {
            static NEXT: AtomicU64 = AtomicU64::new(1);
            if Self::current().0 == 0 {
                NUMBER.set(NEXT.fetch_add(1, Ordering::Relaxed));
            }
            Self::current()
        }
    }
}
