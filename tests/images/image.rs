//! Images, and what is likely to be wrong with one.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use crate::overwriting::{BUSY, DISCARD};
use crate::pages::page_size;

pub(crate) const SIZE: u64 = 65536;

/// Where positions outgrow a type.
pub(crate) const WRAPS: [u64; 4] = [1 << 31, 1 << 32, 1 << 63, 0];

/// What is in a ring's pages.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) consumer_pos: u64,
    pub(crate) producer_pos: u64,
    pub(crate) overwrite_pos: u64,
    pub(crate) data: Vec<u8>,
}

impl Image {
    /// A ring in which nothing has happened but that all positions have come to `first`.
    pub(crate) fn at(first: u64) -> Self {
        let data = (0..SIZE).map(|at| (at % 251) as u8).collect();
        Self { consumer_pos: first, producer_pos: first, overwrite_pos: first, data }
    }

    /// Puts a header at `at`.
    pub(crate) fn header(&mut self, at: u64, word: u32) {
        let at = (at % SIZE) as usize & !3;
        self.data[at..at + 4].copy_from_slice(&word.to_ne_bytes());
    }

    /// Produces one more header, and as many bytes behind it as its length says.
    pub(crate) fn push(&mut self, word: u32) {
        self.header(self.producer_pos, word);
        self.producer_pos = self.producer_pos.wrapping_add(stride(word));
    }

    pub(crate) fn header_at(&self, at: u64) -> u32 {
        u32::from_ne_bytes(self.payload(at.wrapping_sub(8), 4).try_into().unwrap())
    }

    /// The `len` bytes behind the header at `at`.
    pub(crate) fn payload(&self, at: u64, len: u32) -> Vec<u8> {
        (8..8 + u64::from(len)).map(|nth| self.data[(at.wrapping_add(nth) % SIZE) as usize]).collect()
    }

    /// The two pages and the data.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 2 * page_size()];
        bytes[..8].copy_from_slice(&self.consumer_pos.to_ne_bytes());
        let producer = &mut bytes[page_size()..];
        producer[..8].copy_from_slice(&self.producer_pos.to_ne_bytes());
        producer[8..16].copy_from_slice(&self.overwrite_pos.to_ne_bytes());
        producer[16..24].copy_from_slice(&self.overwrite_pos.to_ne_bytes());
        bytes.extend(&self.data);
        bytes
    }

    /// A file with all that, and the data again.
    pub(crate) fn file(&self) -> File {
        let mut file = file();
        file.write_all(&self.bytes()).and_then(|()| file.write_all(&self.data)).unwrap();
        file
    }
}

/// A plain file, which has no name any more.
pub(crate) fn file() -> File {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("dynring-image-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

pub(crate) fn len(word: u32) -> u32 {
    word & !(BUSY | DISCARD)
}

pub(crate) fn stride(word: u32) -> u64 {
    (u64::from(len(word)) + 8).next_multiple_of(8)
}

/// A header as it may be, or may not.
fn header() -> impl Strategy<Value = u32> {
    let flags = prop_oneof![6 => Just(0), 2 => Just(DISCARD), 1 => Just(BUSY), 1 => Just(BUSY | DISCARD)];
    let len = prop_oneof![
        20 => 0u32..200,
        4 => 0u32..20_000,
        1 => Just(SIZE as u32 - 16),
        1 => Just((1 << 30) - 1),
        1 => Just(1 << 29),
        1 => 0u32..1 << 30,
    ];
    (flags, len).prop_map(|(flags, len)| flags | len)
}

/// By how much a position is wrong: mostly by nothing.
fn error() -> impl Strategy<Value = u64> {
    let near = prop_oneof![
        Just(1),
        Just(4),
        Just(8),
        Just(SIZE),
        Just(SIZE - 8),
        Just(SIZE + 8),
        Just(1 << 63),
        Just(1 << 31)
    ];
    prop_oneof![30 => Just(0), 2 => near.clone(), 2 => near.prop_map(u64::wrapping_neg), 1 => any::<u64>()]
}

/// Images that a ring may have, and many that it may not.
pub(crate) fn images() -> impl Strategy<Value = Image> {
    let before = (0..2 * SIZE / 8).prop_map(|granules| granules * 8);
    let first = (prop::sample::select(&WRAPS[..]), before).prop_map(|(wrap, before)| wrap.wrapping_sub(before));
    let headers = prop::collection::vec(header(), 0..40);
    (first, headers, [error(), error(), error()], prop::bool::weighted(0.2)).prop_map(
        |(first, headers, errors, full)| {
            let mut image = Image::at(first);
            for word in headers {
                if image.producer_pos.wrapping_sub(first) + stride(word) < SIZE || full {
                    image.push(word);
                }
            }
            image.consumer_pos = image.consumer_pos.wrapping_add(errors[0]);
            image.producer_pos = image.producer_pos.wrapping_add(errors[1]);
            image.overwrite_pos = image.overwrite_pos.wrapping_add(errors[2]);
            image
        },
    )
}
