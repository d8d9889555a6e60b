//! What lies behind the head of memory that is in pieces.

/// The fragments of memory that is in pieces, in order.
///
/// Arrays, vectors and slices of byte slices are; so is whatever knows where the buffers of a device lie. The lengths must
/// not change while a view is there. If they do, operations on the view fail or find fewer bytes; nothing worse happens.
///
/// # Examples
/// ```
/// use dynring::View;
///
/// let (head, fragments) = (b"head ", [b"and ".as_slice(), b"fragments"]);
/// let view = View::with_fragments(head, &fragments);
/// let mut bytes = [0; 8];
/// view.read(3, &mut bytes)?;
/// assert_eq!(&bytes, b"d and fr");
/// # Ok::<(), dynring::DynPtrError>(())
/// ```
pub trait Fragments: Send + Sync {
    /// The fragment with that number, which starts at 0; nothing behind the last one.
    fn get(&self, index: usize) -> Option<&[u8]>;
}

/// [`Fragments`] that can be written.
pub trait FragmentsMut: Fragments {
    /// The fragment with that number, which starts at 0; nothing behind the last one.
    fn get_mut(&mut self, index: usize) -> Option<&mut [u8]>;

    /// The same, to be read. This is `self`, where a value has a known size.
    fn as_fragments(&self) -> &dyn Fragments;
}

macro_rules! fragments {
    ($(impl<$T:ident $(, const $N:ident: usize)?> for $fragments:ty;)*) => { $(
        impl<$T: AsRef<[u8]> + Send + Sync $(, const $N: usize)?> Fragments for $fragments {
            #[inline]
            fn get(&self, index: usize) -> Option<&[u8]> {
                <[$T]>::get(self, index).map(AsRef::as_ref)
            }
        }
    )* };
}

macro_rules! fragments_mut {
    ($(impl<$T:ident $(, const $N:ident: usize)?> for $fragments:ty;)*) => { $(
        impl<$T: AsRef<[u8]> + AsMut<[u8]> + Send + Sync $(, const $N: usize)?> FragmentsMut for $fragments {
            #[inline]
            fn get_mut(&mut self, index: usize) -> Option<&mut [u8]> {
                <[$T]>::get_mut(self, index).map(AsMut::as_mut)
            }

            #[inline]
            fn as_fragments(&self) -> &dyn Fragments {
                self
            }
        }
    )* };
}

fragments! {
    impl<T, const N: usize> for [T; N];
    impl<T> for Vec<T>;
    impl<T> for &[T];
    impl<T> for &mut [T];
}

fragments_mut! {
    impl<T, const N: usize> for [T; N];
    impl<T> for Vec<T>;
    impl<T> for &mut [T];
}

/// The bytes of all of them together.
pub(super) fn len_of(fragments: &dyn Fragments) -> usize {
    (0..).map_while(|index| fragments.get(index)).fold(0, |sum: usize, fragment| sum.saturating_add(fragment.len()))
}
