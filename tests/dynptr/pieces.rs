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
