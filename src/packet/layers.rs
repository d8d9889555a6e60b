//! One header after the other.

use core::fmt;

use crate::dynptr::{DynPtrError, View};

/// What is known of a layer once its header has been looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layer<K> {
    /// How long the header is, in bytes.
    pub header: u64,
    /// How long header and payload are together, in bytes. What is behind is padding.
    pub end: u64,
    /// What the payload starts with, if that is another layer.
    pub payload: Option<K>,
}

/// Goes through the layers of a packet, from the outermost on: yields the kind of each, and a view of its header.
///
/// It asks a closure how long a header is, given its kind and all of the layer, and what comes next; and
/// [adjusts](View::adjust) to the payload. It ends with the first layer that has no other one in it, or with an error. Each
/// layer takes its header away from what is left, so that this does not go on for ever, unless headers are empty.
///
/// # Examples
/// ```
/// use dynring::{DynPtrError, Layer, Layers, View};
///
/// // A length, and whether there is another one inside.
/// let packet = View::new(&[5, 1, 3, 0, 42, 0xff]);
/// let mut layers = Layers::new(packet, (), |(), layer| -> Result<_, DynPtrError> {
///     let [len, more] = layer.read_as::<[u8; 2]>(0)?;
///     Ok(Layer { header: 2, end: len.into(), payload: (more == 1).then_some(()) })
/// });
/// assert_eq!(layers.by_ref().count(), 2);
/// assert_eq!(layers.rest().data(0, 1)?, [42]);
/// assert_eq!(layers.rest().size(), 1);
/// # Ok::<(), DynPtrError>(())
/// ```
#[derive(Clone)]
pub struct Layers<'a, K, F> {
    rest: View<'a>,
    next: Option<K>,
    look: F,
}

impl<'a, K, F, E> Layers<'a, K, F>
where
    F: FnMut(&K, View<'a>) -> Result<Layer<K>, E>,
    E: From<DynPtrError>,
{
    /// The layers of `packet`, which starts with one of the kind `first`. `look` looks at headers.
    pub fn new(packet: View<'a>, first: K, look: F) -> Self {
        Self { rest: packet, next: Some(first), look }
    }

    /// What has not been gone through: in the end, the innermost payload.
    pub fn rest(&self) -> View<'a> {
        self.rest
    }

    fn enter(&mut self, kind: &K) -> Result<View<'a>, E> {
        let mut header = self.rest;
        let Layer { header: len, end, payload } = (self.look)(kind, header)?;
        self.rest.adjust(len, end)?;
        header.adjust(0, len)?;
        self.next = payload;
        Ok(header)
    }
}

/// An error is that of the closure, or that the layer reaches outside what is left. It is the last item.
impl<'a, K, F, E> Iterator for Layers<'a, K, F>
where
    F: FnMut(&K, View<'a>) -> Result<Layer<K>, E>,
    E: From<DynPtrError>,
{
    type Item = Result<(K, View<'a>), E>;

    fn next(&mut self) -> Option<Self::Item> {
        let kind = self.next.take()?;
        let header = self.enter(&kind);
        Some(header.map(|header| (kind, header)))
    }
}

impl<K: fmt::Debug, F> fmt::Debug for Layers<'_, K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers").field("rest", &self.rest).field("next", &self.next).finish_non_exhaustive()
    }
}
