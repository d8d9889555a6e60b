//! The page that says that a file holds an arena, and where everything lies in it.
//!
//! ```text
//!  +0   u8[8]  "dynarena"
//!  +8   u32    version of the format
//!  +12  u32    bytes of a page of the machine
//!  +16  u64    features: none so far
//!  +24  u32    processes that can be attached
//!  +28  u32    pages of the data
//!  +32  u64    bytes of the file
//!  +40  u64    0
//!  +48  u64    0
//!  +56  u64    checksum of the bytes before: FNV-1a
//! ```
//!
//! All in the machine's byte order. It is written before anybody else knows of the file, and never again. What follows it:
//!
//! ```text
//!  header         u64  secret, which tokens are checked with
//!                 u64  not 0 in a forked child
//!  processes      u64  each: 0, or 1 << 32 | process id
//!  root           the map of maps, see Shape
//!  pages          u64  each, see PageWord
//!  units          u64  each, see BlockWord
//!  roomy          u32  each page: 1 + class of the slab that begins here, if it may have a free block
//!  data
//! ```
//!
//! Each begins at a multiple of 4 KiB, and the data at a multiple of the machine's page.

use super::super::descriptor::{DESCRIPTOR_BYTES, DescriptorError, VERSION, check, fnv1a, u32_at, u64_at};
use super::{PAGE_BYTES, PAGE_UNITS, Shape};

/// What an arena's file begins with.
pub const ARENA_MAGIC: [u8; 8] = *b"dynarena";

/// The most processes that can be attached to an arena at a time.
pub const MAX_PROCESSES: u32 = 1024;

/// The most pages of an arena: 256 GiB. Each of their units has a number of 32 bits.
const MAX_PAGES: u64 = (1 << 32) / PAGE_UNITS as u64;

/// Where everything lies in an arena's file, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArenaLayout {
    processes: u32,
    pages: u32,
    machine_page: u64,
}

/// What an arena's file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArenaDescriptor {
    /// Where everything lies.
    pub layout: ArenaLayout,
}

impl ArenaLayout {
    /// That of an arena with at least `bytes` bytes of data, where the machine's pages have `machine_page`. None if there can be
    /// no such arena.
    pub fn new(bytes: u64, processes: u32, machine_page: u64) -> Option<Self> {
        let bytes = bytes.max(1).checked_next_multiple_of(machine_page.max(PAGE_BYTES))?;
        let pages = bytes / PAGE_BYTES;
        let possible = pages <= MAX_PAGES && (1..=MAX_PROCESSES).contains(&processes);
        possible.then_some(Self { processes, pages: pages as u32, machine_page })
    }

    /// How many processes can be attached.
    pub const fn processes(&self) -> u32 {
        self.processes
    }

    /// Pages of the data.
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// Bytes of the data.
    pub const fn data_bytes(&self) -> u64 {
        self.pages as u64 * PAGE_BYTES
    }

    /// Where the header begins.
    pub const fn header(&self) -> u64 {
        PAGE_BYTES
    }

    /// Where the words of the processes begin.
    pub const fn process_words(&self) -> u64 {
        self.header() + PAGE_BYTES
    }

    /// Where the map of maps begins.
    pub const fn root(&self) -> u64 {
        self.process_words() + up(self.processes as u64 * 8)
    }

    /// Where the words of the pages begin.
    pub const fn page_words(&self) -> u64 {
        self.root() + up(Shape::root(self.processes).words() as u64 * 8)
    }

    /// Where the words of the units begin.
    pub const fn unit_words(&self) -> u64 {
        self.page_words() + up(self.pages as u64 * 8)
    }

    /// Where the notes on which slabs have room begin.
    pub const fn roomy(&self) -> u64 {
        self.unit_words() + self.pages as u64 * PAGE_UNITS as u64 * 8
    }

    /// Where the data begins.
    pub const fn data(&self) -> u64 {
        (self.roomy() + up(self.pages as u64 * 4)).next_multiple_of(self.machine_page)
    }

    /// Bytes of the file.
    pub const fn file_bytes(&self) -> u64 {
        (self.data() + self.data_bytes()).next_multiple_of(self.machine_page)
    }
}

/// The next multiple of a page.
const fn up(bytes: u64) -> u64 {
    bytes.next_multiple_of(PAGE_BYTES)
}

impl ArenaDescriptor {
    /// The bytes to write.
    pub fn to_bytes(self) -> [u8; DESCRIPTOR_BYTES] {
        let mut bytes = [0; DESCRIPTOR_BYTES];
        let layout = self.layout;
        bytes[..8].copy_from_slice(&ARENA_MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_ne_bytes());
        bytes[12..16].copy_from_slice(&(layout.machine_page as u32).to_ne_bytes());
        bytes[24..28].copy_from_slice(&layout.processes.to_ne_bytes());
        bytes[28..32].copy_from_slice(&layout.pages.to_ne_bytes());
        bytes[32..40].copy_from_slice(&layout.file_bytes().to_ne_bytes());
        let checksum = fnv1a(&bytes[..56]);
        bytes[56..].copy_from_slice(&checksum.to_ne_bytes());
        bytes
    }

    /// What `bytes` say, in a machine with pages of `page` bytes. Every field is checked.
    ///
    /// # Errors
    /// They say what cannot be, or what this version does not understand.
    pub fn from_bytes(bytes: &[u8; DESCRIPTOR_BYTES], page: u64) -> Result<Self, DescriptorError> {
        check(bytes, ARENA_MAGIC, 0, page)?;
        let unknown = u64_at(bytes, 40) | u64_at(bytes, 48);
        if unknown != 0 {
            return Err(DescriptorError::Features { unknown });
        }
        Ok(Self { layout: layout(bytes, page)? })
    }
}

fn layout(bytes: &[u8; DESCRIPTOR_BYTES], page: u64) -> Result<ArenaLayout, DescriptorError> {
    let processes = u32_at(bytes, 24);
    if !(1..=MAX_PROCESSES).contains(&processes) {
        return Err(DescriptorError::Processes { found: processes, max: MAX_PROCESSES });
    }
    let found = u32_at(bytes, 28);
    let layout = ArenaLayout::new(u64::from(found) * PAGE_BYTES, processes, page).filter(|it| it.pages == found);
    let layout = layout.ok_or(DescriptorError::Pages { found, max: MAX_PAGES })?;
    let (found, expected) = (u64_at(bytes, 32), layout.file_bytes());
    if found == expected { Ok(layout) } else { Err(DescriptorError::Length { found, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor() -> ArenaDescriptor {
        ArenaDescriptor { layout: ArenaLayout::new(1 << 20, 16, 4096).unwrap() }
    }

    /// The same with other bytes at `at`, and a checksum that fits.
    fn changed(at: usize, field: &[u8]) -> Result<ArenaDescriptor, DescriptorError> {
        let mut bytes = descriptor().to_bytes();
        bytes[at..at + field.len()].copy_from_slice(field);
        let checksum = fnv1a(&bytes[..56]);
        bytes[56..].copy_from_slice(&checksum.to_ne_bytes());
        ArenaDescriptor::from_bytes(&bytes, 4096)
    }

    #[test]
    fn what_is_written_is_read() {
        for (bytes, processes, page) in [(1, 1, 4096), (1 << 30, 1024, 4096), (100_000, 3, 65536)] {
            let descriptor = ArenaDescriptor { layout: ArenaLayout::new(bytes, processes, page).unwrap() };
            assert_eq!(ArenaDescriptor::from_bytes(&descriptor.to_bytes(), page), Ok(descriptor));
            assert!(descriptor.layout.data_bytes() >= bytes);
            assert_eq!(descriptor.layout.data() % page, 0);
        }
    }

    #[test]
    fn each_unit_of_the_largest_arena_has_a_number() {
        let largest = 256 << 30;
        let layout = ArenaLayout::new(largest, 1, 4096).unwrap();
        assert_eq!(layout.data_bytes(), largest);
        assert!(u32::try_from(u64::from(layout.pages()) * u64::from(PAGE_UNITS) - 1).is_ok());
        assert_eq!(ArenaLayout::new(largest + 1, 1, 4096), None);
    }

    #[test]
    fn a_field_that_cannot_be_is_refused_by_name() {
        use DescriptorError as Error;

        assert!(matches!(changed(0, b"dynring\0"), Err(Error::Magic { .. })));
        assert_eq!(changed(8, &2u32.to_ne_bytes()), Err(Error::Version { found: 2, known: 1 }));
        assert_eq!(changed(12, &65536u32.to_ne_bytes()), Err(Error::Page { found: 65536, expected: 4096 }));
        for at in [16, 40, 48] {
            assert_eq!(changed(at, &(1u64 << 9).to_ne_bytes()), Err(Error::Features { unknown: 1 << 9 }));
        }
        for found in [0, MAX_PROCESSES + 1, u32::MAX] {
            assert_eq!(changed(24, &found.to_ne_bytes()), Err(Error::Processes { found, max: MAX_PROCESSES }));
        }
        for found in [0, u32::MAX] {
            assert_eq!(changed(28, &found.to_ne_bytes()), Err(Error::Pages { found, max: MAX_PAGES }));
        }
        let length = descriptor().layout.file_bytes();
        for found in [0, length - 1, length + 4096, u64::MAX] {
            assert_eq!(changed(32, &found.to_ne_bytes()), Err(Error::Length { found, expected: length }));
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = descriptor().to_bytes();
        for bit in 0..8 * DESCRIPTOR_BYTES {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(ArenaDescriptor::from_bytes(&flipped, 4096).is_err(), "bit {bit}");
        }
    }
}
