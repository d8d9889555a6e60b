//! What is sent in the place of memory.

use super::ClaimError;
use crate::wire::arena::TOKEN_BYTES;

/// A few bytes that stand for memory of an arena, until somebody [claims](super::Arena::claim) it.
///
/// They are plain bytes: they may be copied, written to a record, and sent. However many copies there are, one of them can be
/// claimed. It knows its block by a number that the block never has again (modulo 2⁴³), and has a checksum; that is no protection
/// against somebody who shares the arena, who is trusted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Token([u8; TOKEN_BYTES]);

impl Token {
    /// Bytes of a token.
    pub const BYTES: usize = TOKEN_BYTES;

    pub(super) fn new(bytes: [u8; TOKEN_BYTES]) -> Self {
        Self(bytes)
    }

    /// The token that was sent as `bytes`.
    ///
    /// # Errors
    /// There are more or fewer bytes than a token has. Whether they are one shows when it is claimed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ClaimError> {
        bytes.try_into().map(Self).map_err(|_| ClaimError::Length { found: bytes.len() })
    }

    /// The bytes to send.
    pub fn as_bytes(&self) -> &[u8; TOKEN_BYTES] {
        &self.0
    }
}
