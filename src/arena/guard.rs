//! Values of a map that somebody holds, or has alone.

use core::fmt;
use core::ops::{Deref, DerefMut};

use crate::dynptr::{View, ViewMut};
use crate::raw::arena::{Alone, Held};

/// A value of a [`Map`](super::Map), held: it stays where and what it is until this and all its clones are dropped.
///
/// **Dropping it lets go of the value**, and frees its memory if it has been removed and nobody else holds it. It keeps map and
/// arena open, and may be sent to other threads.
#[derive(Clone)]
#[must_use = "a value that is dropped is let go of"]
pub struct MapRef {
    held: Held,
}

impl MapRef {
    pub(super) fn new(held: Held) -> Self {
        Self { held }
    }

    /// All of the value, to be read.
    #[inline]
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    /// Whether a process has died while it had the value alone, so that it may be half written. It says so until somebody has had
    /// it alone again.
    pub fn is_torn(&self) -> bool {
        self.held.is_torn()
    }
}

impl Deref for MapRef {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.held.bytes()
    }
}

impl fmt::Debug for MapRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapRef").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A value of a [`Map`](super::Map) that nobody else has: to be written.
///
/// **Dropping it lets others have the value again.** It keeps map and arena open, and may be sent to other threads.
#[must_use = "a value that is dropped is shared again"]
pub struct MapMut {
    alone: Alone,
}

impl MapMut {
    pub(super) fn new(alone: Alone) -> Self {
        Self { alone }
    }

    /// All of the value, to be read.
    #[inline]
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    /// All of the value, to be written.
    #[inline]
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut::new(self)
    }

    /// Whether a process has died while it had the value alone, so that it may be half written. Once this is dropped, it says so
    /// no more.
    pub fn is_torn(&self) -> bool {
        self.alone.is_torn()
    }
}

impl Deref for MapMut {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.alone.bytes()
    }
}

impl DerefMut for MapMut {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.alone.bytes_mut()
    }
}

impl fmt::Debug for MapMut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapMut").field("len", &self.len()).finish_non_exhaustive()
    }
}
