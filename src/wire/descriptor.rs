//! The page that says what a file holds.
//!
//! ```text
//!  +0   u8[8]  "dynring\0"
//!  +8   u32    version of the format
//!  +12  u32    bytes of a page
//!  +16  u64    features: what one has to know to take part
//!  +24  u32    slots
//!  +28  u32    0
//!  +32  u64    bytes of the data
//!  +40  u64    offset of the consumer page, where the kernel window begins
//!  +48  u64    bytes of the file
//!  +56  u64    checksum of the bytes before: FNV-1a
//! ```
//!
//! All in the machine's byte order. It is written before anybody else knows of the file, and never again.

use super::{Layout, RingSize};

/// Bytes of the descriptor, at offset 0 of the file.
pub const DESCRIPTOR_BYTES: usize = 64;

/// The version of the format that this crate writes and reads.
pub const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"dynring\0";

/// What one has to know to take part in a ring.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Features(u64);

impl Features {
    /// Producers maintain `producer_pos` for readers that know only the kernel's protocol.
    pub const PLAIN_READERS: Self = Self(1 << 0);
    /// Processes share the ring: who sleeps does so on shared futexes, and producers hold locks.
    pub const SHARED: Self = Self(1 << 1);

    const KNOWN: u64 = Self::PLAIN_READERS.0 | Self::SHARED.0;

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a ring's file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// Where everything lies.
    pub layout: Layout,
    /// How many slots there are.
    pub slots: u32,
    /// What one has to know.
    pub features: Features,
}

/// A descriptor that is of no use here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DescriptorError {
    /// The file does not hold what was looked for, a ring or an arena of this crate, or not yet.
    Magic {
        /// The bytes in the place of the magic.
        found: [u8; 8],
        /// Those that belong there.
        expected: [u8; 8],
    },
    /// Another version of the format.
    Version {
        /// The file's.
        found: u32,
        /// This crate's.
        known: u32,
    },
    /// The bytes have changed since they were written.
    Checksum {
        /// In the file.
        found: u64,
        /// Of the bytes before it.
        computed: u64,
    },
    /// Features that this version does not know.
    Features {
        /// The ones that are not known, a bit each.
        unknown: u64,
    },
    /// Made on a machine with pages of another size.
    Page {
        /// Bytes of a page there.
        found: u32,
        /// Bytes of a page here.
        expected: u64,
    },
    /// No ring has as many slots.
    Slots {
        /// How many it says.
        found: u32,
        /// The most; the least is 1.
        max: u32,
    },
    /// No arena is for as many processes.
    Processes {
        /// How many it says.
        found: u32,
        /// The most; the least is 1.
        max: u32,
    },
    /// No arena has as many pages of data.
    Pages {
        /// How many it says.
        found: u32,
        /// The most; the least is 1, and they are whole pages of the machine.
        max: u64,
    },
    /// No ring has data of this size.
    Size {
        /// Bytes that it says.
        found: u64,
    },
    /// Nothing can lie there.
    Window {
        /// Where the kernel window is said to begin.
        found: u64,
        /// The least.
        min: u64,
    },
    /// The file cannot be that long.
    Length {
        /// Bytes that it says.
        found: u64,
        /// Bytes that everything takes.
        expected: u64,
    },
}

/// The most slots that a ring can have.
pub const MAX_SLOTS: u32 = 4096;

impl Descriptor {
    /// The bytes to write.
    pub fn to_bytes(self) -> [u8; DESCRIPTOR_BYTES] {
        let mut bytes = [0; DESCRIPTOR_BYTES];
        let Self { layout, slots, features } = self;
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_ne_bytes());
        bytes[12..16].copy_from_slice(&(layout.page() as u32).to_ne_bytes());
        bytes[16..24].copy_from_slice(&features.0.to_ne_bytes());
        bytes[24..28].copy_from_slice(&slots.to_ne_bytes());
        bytes[32..40].copy_from_slice(&layout.size().bytes().to_ne_bytes());
        bytes[40..48].copy_from_slice(&layout.consumer_page().to_ne_bytes());
        bytes[48..56].copy_from_slice(&layout.file_bytes().to_ne_bytes());
        let checksum = fnv1a(&bytes[..56]);
        bytes[56..].copy_from_slice(&checksum.to_ne_bytes());
        bytes
    }

    /// What `bytes` say, in a machine with pages of `page` bytes. Every field is checked.
    ///
    /// # Errors
    /// They say what cannot be, or what this version does not understand.
    pub fn from_bytes(bytes: &[u8; DESCRIPTOR_BYTES], page: u64) -> Result<Self, DescriptorError> {
        check(bytes, MAGIC, Features::KNOWN, page)?;
        let slots = u32_at(bytes, 24);
        if slots == 0 || slots > MAX_SLOTS {
            return Err(DescriptorError::Slots { found: slots, max: MAX_SLOTS });
        }
        let layout = layout(bytes, slots, page)?;
        Ok(Self { layout, slots, features: Features(u64_at(bytes, 16)) })
    }
}

fn layout(bytes: &[u8; DESCRIPTOR_BYTES], slots: u32, page: u64) -> Result<Layout, DescriptorError> {
    let found = u64_at(bytes, 32);
    let size = RingSize::new(found).ok().filter(|size| size.bytes() >= page);
    let size = size.ok_or(DescriptorError::Size { found })?;
    let least = Layout::new(size, slots, page, page);
    let (window, min) = (u64_at(bytes, 40), least.consumer_page());
    // No alignment of the data is larger than a huge page, and none of these is larger than 1 GiB.
    if window % page != 0 || window < min || window - min > 1 << 30 {
        return Err(DescriptorError::Window { found: window, min });
    }
    let layout = least.with_window(window);
    let (found, expected) = (u64_at(bytes, 48), layout.file_bytes());
    if found == expected { Ok(layout) } else { Err(DescriptorError::Length { found, expected }) }
}

/// Checks what every descriptor has, in whichever file: version, checksum, the features that are known, and that the machine has pages of
/// `page` bytes.
pub(super) fn check(
    bytes: &[u8; DESCRIPTOR_BYTES],
    magic: [u8; 8],
    features: u64,
    page: u64,
) -> Result<(), DescriptorError> {
    let found = array(bytes, 0);
    if found != magic {
        return Err(DescriptorError::Magic { found, expected: magic });
    }
    let version = u32_at(bytes, 8);
    if version != VERSION {
        return Err(DescriptorError::Version { found: version, known: VERSION });
    }
    let (found, computed) = (u64_at(bytes, 56), fnv1a(&bytes[..56]));
    if found != computed {
        return Err(DescriptorError::Checksum { found, computed });
    }
    let unknown = u64_at(bytes, 16) & !features;
    if unknown != 0 {
        return Err(DescriptorError::Features { unknown });
    }
    let found = u32_at(bytes, 12);
    if u64::from(found) != page {
        return Err(DescriptorError::Page { found, expected: page });
    }
    Ok(())
}

pub(super) fn array<const N: usize>(bytes: &[u8; DESCRIPTOR_BYTES], at: usize) -> [u8; N] {
    core::array::from_fn(|nth| bytes[at + nth])
}

pub(super) fn u32_at(bytes: &[u8; DESCRIPTOR_BYTES], at: usize) -> u32 {
    u32::from_ne_bytes(array(bytes, at))
}

pub(super) fn u64_at(bytes: &[u8; DESCRIPTOR_BYTES], at: usize) -> u64 {
    u64::from_ne_bytes(array(bytes, at))
}

/// Fowler, Noll, Vo: 64 bits, variant 1a.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

impl core::fmt::Display for DescriptorError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Magic { found, expected } => write!(
                f,
                "not what was looked for: the file begins with {}, not with {}",
                found.escape_ascii(),
                expected.escape_ascii()
            ),
            Self::Version { found, known } => {
                write!(f, "the file is of version {found} of the format, and this is version {known}")
            }
            Self::Checksum { found, computed } => {
                write!(f, "the descriptor is damaged: its checksum is {computed:#x}, and {found:#x} was written")
            }
            Self::Features { unknown } => {
                write!(f, "the file has features that this version does not know: {unknown:#x}")
            }
            Self::Page { found, expected } => {
                write!(f, "the file was made for pages of {found} bytes, and here they have {expected}")
            }
            Self::Processes { found, max } => {
                write!(f, "the arena claims to be for {found} processes; 1 to {max} are allowed")
            }
            Self::Pages { found, max } => {
                write!(f, "the arena claims {found} pages of data; 1 to {max}, whole pages of the machine, are allowed")
            }
            Self::Slots { found, max } => write!(f, "the ring claims {found} slots; 1 to {max} are allowed"),
            Self::Size { found } => {
                write!(f, "the ring claims {found} bytes of data; a power of two of whole pages is allowed")
            }
            Self::Window { found, min } => {
                write!(f, "the ring claims a window at {found}; whole pages from {min} on are allowed")
            }
            Self::Length { found, expected } => {
                write!(f, "the descriptor claims a file of {found} bytes; what it describes takes {expected}")
            }
        }
    }
}

impl std::error::Error for DescriptorError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor() -> Descriptor {
        let layout = Layout::new(RingSize::new(65536).unwrap(), 33, 4096, 4096);
        Descriptor { layout, slots: 33, features: Features::SHARED }
    }

    /// The same with other bytes at `at`, and a checksum that fits.
    fn changed(at: usize, field: &[u8]) -> Result<Descriptor, DescriptorError> {
        let mut bytes = descriptor().to_bytes();
        bytes[at..at + field.len()].copy_from_slice(field);
        let checksum = fnv1a(&bytes[..56]);
        bytes[56..].copy_from_slice(&checksum.to_ne_bytes());
        Descriptor::from_bytes(&bytes, 4096)
    }

    #[test]
    fn what_is_written_is_read() {
        for align in [4096, 2 << 20] {
            let layout = Layout::new(RingSize::new(4 << 20).unwrap(), 1, 4096, align);
            let descriptor = Descriptor { layout, slots: 1, features: Features::SHARED.and(Features::PLAIN_READERS) };
            assert_eq!(Descriptor::from_bytes(&descriptor.to_bytes(), 4096), Ok(descriptor));
        }
    }

    #[test]
    fn a_field_that_cannot_be_is_refused_by_name() {
        use DescriptorError as Error;

        assert!(matches!(changed(0, b"Dynring"), Err(Error::Magic { .. })));
        assert_eq!(changed(8, &2u32.to_ne_bytes()), Err(Error::Version { found: 2, known: 1 }));
        assert_eq!(changed(12, &65536u32.to_ne_bytes()), Err(Error::Page { found: 65536, expected: 4096 }));
        assert_eq!(changed(16, &(1u64 << 9 | 3).to_ne_bytes()), Err(Error::Features { unknown: 1 << 9 }));
        for found in [0, MAX_SLOTS + 1, u32::MAX] {
            assert_eq!(changed(24, &found.to_ne_bytes()), Err(Error::Slots { found, max: MAX_SLOTS }));
        }
        for found in [0, 1, 2048, 65537, u64::MAX, 1 << 41] {
            assert_eq!(changed(32, &found.to_ne_bytes()), Err(Error::Size { found }));
        }
        for found in [0, 4096, 12289, u64::MAX, !4095] {
            assert!(
                matches!(changed(40, &found.to_ne_bytes()), Err(Error::Window { found: said, .. }) if said == found)
            );
        }
        let length = descriptor().layout.file_bytes();
        for found in [0, length - 1, length + 4096, u64::MAX] {
            assert_eq!(changed(48, &found.to_ne_bytes()), Err(Error::Length { found, expected: length }));
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = descriptor().to_bytes();
        for bit in 0..8 * DESCRIPTOR_BYTES {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Descriptor::from_bytes(&flipped, 4096).is_err(), "bit {bit}");
        }
    }
}
