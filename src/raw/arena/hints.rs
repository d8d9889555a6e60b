//! Where a process looks first. Nothing rests on it: what is found there is looked at before it is taken.

#[cfg(not(dynring_loom))]
pub use real::Hints;

#[cfg(dynring_loom)]
pub use none::Hints;

/// Notes of one process, in memory of its own.
#[cfg(not(dynring_loom))]
mod real {
    use crate::sync::{AtomicU32, Ordering};

    /// How many blocks of a class are noted that were given back.
    const DEPTH: usize = 62;

    /// What one process has noted.
    #[derive(Debug)]
    pub struct Hints {
        classes: Box<[OfClass]>,
        /// No page below is likely to be free.
        free_page: AtomicU32,
    }

    #[derive(Debug)]
    #[repr(align(128))]
    struct OfClass {
        /// How many are noted.
        count: AtomicU32,
        /// The unit behind the block that was taken last.
        next: AtomicU32,
        units: [AtomicU32; DEPTH],
    }

    impl Hints {
        /// None yet.
        pub fn new(classes: usize) -> Self {
            let none = || OfClass {
                count: AtomicU32::new(0),
                next: AtomicU32::new(u32::MAX),
                units: std::array::from_fn(|_| AtomicU32::new(0)),
            };
            Self { classes: (0..classes).map(|_| none()).collect(), free_page: AtomicU32::new(0) }
        }

        /// A block that was given back. Two threads at once may be told the same.
        #[inline(always)]
        pub fn pop(&self, class: u8) -> Option<u32> {
            let noted = self.classes.get(usize::from(class))?;
            let count = noted.count.load(Ordering::Relaxed).checked_sub(1)?;
            noted.count.store(count, Ordering::Relaxed);
            Some(noted.units.get(count as usize)?.load(Ordering::Relaxed))
        }

        /// A block was given back.
        #[inline(always)]
        pub fn push(&self, class: u8, unit: u32) {
            let Some(noted) = self.classes.get(usize::from(class)) else { return };
            let count = noted.count.load(Ordering::Relaxed);
            if let Some(place) = noted.units.get(count as usize) {
                place.store(unit, Ordering::Relaxed);
                noted.count.store(count + 1, Ordering::Relaxed);
            }
        }

        /// The unit behind the block that was taken last.
        #[inline]
        pub fn next(&self, class: u8) -> u32 {
            self.classes.get(usize::from(class)).map_or(u32::MAX, |noted| noted.next.load(Ordering::Relaxed))
        }

        /// A block was taken, behind which `unit` is.
        #[inline]
        pub fn set_next(&self, class: u8, unit: u32) {
            if let Some(noted) = self.classes.get(usize::from(class)) {
                noted.next.store(unit, Ordering::Relaxed);
            }
        }

        /// Where to look for free pages.
        pub fn free_page(&self) -> u32 {
            self.free_page.load(Ordering::Relaxed)
        }

        /// Where to look from now on.
        pub fn set_free_page(&self, page: u32) {
            self.free_page.store(page, Ordering::Relaxed);
        }
    }
}

/// The models try what happens whatever was noted.
#[cfg(dynring_loom)]
mod none {
    /// Nothing.
    #[derive(Debug, Default)]
    pub struct Hints;

    impl Hints {
        pub fn new(_: usize) -> Self {
            Self
        }

        pub fn pop(&self, _: u8) -> Option<u32> {
            None
        }

        pub fn push(&self, _: u8, _: u32) {}

        pub fn next(&self, _: u8) -> u32 {
            u32::MAX
        }

        pub fn set_next(&self, _: u8, _: u32) {}

        pub fn free_page(&self) -> u32 {
            0
        }

        pub fn set_free_page(&self, _: u32) {}
    }
}
