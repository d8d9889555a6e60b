//! Atomics of which the checker tries every order of accesses.
//!
//! By itself, loom 0.7 remembers one access to each location, the last. A store is tried before that one only, and not
//! before what another thread loaded earlier: of "A loads; B loads and stores", it never tries "B stores; A loads". Here,
//! each access first takes a turn on something that has no memory of its own, where any two turns depend on each other.

use loom::sync::Condvar;
pub use loom::sync::atomic::Ordering;

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        #[derive(Debug, Default)]
        pub struct $name {
            inner: loom::sync::atomic::$name,
            turns: Turns,
        }

        impl $name {
            pub fn new(value: $value) -> Self {
                Self { inner: loom::sync::atomic::$name::new(value), turns: Turns::default() }
            }

            pub fn load(&self, order: Ordering) -> $value {
                self.turns.take();
                self.inner.load(order)
            }

            pub fn store(&self, value: $value, order: Ordering) {
                self.turns.take();
                self.inner.store(value, order);
            }

            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.turns.take();
                self.inner.compare_exchange(current, new, success, failure)
            }

            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.turns.take();
                self.inner.swap(value, order)
            }

            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.turns.take();
                self.inner.fetch_add(value, order)
            }

            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.turns.take();
                self.inner.fetch_sub(value, order)
            }

            pub fn fetch_xor(&self, value: $value, order: Ordering) -> $value {
                self.turns.take();
                self.inner.fetch_xor(value, order)
            }

            pub fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                self.turns.take();
                self.inner.fetch_max(value, order)
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);

/// A condition variable that nobody waits for.
#[derive(Debug)]
struct Turns(Condvar);

impl Default for Turns {
    fn default() -> Self {
        Self(Condvar::new())
    }
}

impl Turns {
    fn take(&self) {
        self.0.notify_one();
    }
}
