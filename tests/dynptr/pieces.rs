//! Memory in pieces.

use dynring::{View, ViewMut};

/// A head and fragments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Pieces {
    pub(crate) head: Vec<u8>,
    pub(crate) fragments: Vec<Vec<u8>>,
}

impl Pieces {
    /// `bytes`, cut at `cuts`, which count from where the cut before is, as far as they go.
    pub(crate) fn cut(bytes: &[u8], cuts: &[usize]) -> Self {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        for cut in cuts {
            let (piece, behind) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = behind;
        }
        pieces.push(rest.to_vec());
        Self { head: pieces.remove(0), fragments: pieces }
    }

    pub(crate) fn view(&self) -> View<'_> {
        View::with_fragments(&self.head, &self.fragments)
    }

    pub(crate) fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut::with_fragments(&mut self.head, &mut self.fragments)
    }

    /// The bytes in one piece.
    pub(crate) fn joined(&self) -> Vec<u8> {
        [&self.head[..], &self.fragments.concat()].concat()
    }
}

/// The bytes of a view, in one piece.
pub(crate) fn bytes(view: View<'_>) -> Vec<u8> {
    let mut bytes = vec![0; view.size() as usize];
    view.read(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn fragments_are_whatever_knows_where_they_are() {
    let mut memory = *b"fragments of a umem";
    let (one, other) = memory.split_at_mut(9);
    let mut slices = [one, other];
    let mut borrowed = &mut slices[..];
    let mut head = *b"head ";
    let mut view = ViewMut::with_fragments(&mut head, &mut borrowed);
    view.write(3, b"ds, ").unwrap();
    assert_eq!(bytes(view.into()), b"heads, agments of a umem");

    let shared = [b"one".as_slice(), b"", b"two"];
    let read_only = View::with_fragments(b"", &shared);
    assert_eq!(bytes(read_only), b"onetwo");
    assert_eq!(bytes(View::with_fragments(b"", &&shared[1..])), b"two");
    assert_eq!(read_only.chunks().count(), 2);
    assert_eq!(format!("{read_only:?}"), "View { size: 6, head: 0, .. }");
}

#[test]
fn views_and_packets_can_be_sent_to_another_thread() {
    fn is_sent<T: Send>() {}
    fn is_shared<T: Sync>() {}
    is_sent::<View<'_>>();
    is_shared::<View<'_>>();
    is_sent::<ViewMut<'_>>();
    is_sent::<dynring::Packet<'_>>();
    is_sent::<dynring::SliceMut<'_>>();
}
