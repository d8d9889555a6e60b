//! Memory that is sent.

use dynring::{Arena, ClaimError, MapSize, Token};

use crate::TestResult;

#[test]
fn a_token_is_claimed_once() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    for len in [0, 64, 100, 100_000] {
        let mut value = arena.alloc(len)?;
        value.fill(9);
        let token = value.into_token();
        assert!(arena.in_use() >= len as u64, "on its way");
        let value = arena.claim(Token::from_bytes(token.as_bytes())?)?;
        assert!(value.len() == len && value.iter().all(|byte| *byte == 9));
        assert_eq!(arena.claim(token).unwrap_err(), ClaimError::Stale, "twice");
        drop(value);
        assert_eq!(arena.claim(token).unwrap_err(), ClaimError::Stale, "freed");
        let again = arena.alloc(len)?.into_token();
        assert_eq!(arena.claim(token).unwrap_err(), ClaimError::Stale, "of the same block");
        drop(arena.claim(again)?);
    }
    assert_eq!(arena.in_use(), 0);
    Ok(())
}

#[test]
fn bytes_that_are_no_token_of_the_arena_are_refused() -> TestResult {
    let [one, two] = [Arena::builder(1 << 16).build()?, Arena::builder(1 << 16).build()?];
    let token = one.alloc(100)?.into_token();
    let _same_place = two.alloc(100)?.into_token();
    assert_eq!(two.claim(token).unwrap_err(), ClaimError::Forged);
    for bit in 0..8 * Token::BYTES {
        let mut bytes = *token.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(one.claim(Token::from_bytes(&bytes)?).unwrap_err(), ClaimError::Forged, "bit {bit}");
    }
    for found in [0, 31, 33] {
        assert_eq!(Token::from_bytes(&[0; 33][..found]).unwrap_err(), ClaimError::Length { found });
    }
    drop(one.claim(token)?);
    Ok(())
}

#[test]
fn what_was_put_into_a_map_cannot_be_claimed() -> TestResult {
    let arena = Arena::builder(1 << 18).build()?;
    let map = arena.create_map::<u8>("map", MapSize { entries: 1, key_bytes: 1 })?;
    let token = arena.alloc(10)?.into_token();
    let value = arena.claim(token)?;
    map.insert(&1, value).map_err(|error| error.why)?;
    assert_eq!(arena.claim(token).unwrap_err(), ClaimError::Stale);
    Ok(())
}
