//! The type information of the kernel that runs here: numbers of functions, sizes of structures.
//!
//! Source: the kernel's `Documentation/bpf/btf.rst`.

use std::collections::HashMap;
use std::ffi::CStr;
use std::io;

use dynring::{DynPtrError, View};

// Kinds of types.
const INT: u32 = 1;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATASEC: u32 = 15;
const DECL_TAG: u32 = 17;
const ENUM64: u32 = 19;

/// Functions and structures by name.
#[derive(Debug, Default)]
pub(crate) struct Types {
    functions: HashMap<String, u32>,
    structures: HashMap<String, u32>,
}

impl Types {
    /// Those of the running kernel.
    pub(crate) fn of_kernel() -> io::Result<Self> {
        let btf = std::fs::read("/sys/kernel/btf/vmlinux")?;
        Ok(Self::parse(View::new(&btf))?)
    }

    /// The number of a function, by which programs call it.
    pub(crate) fn function(&self, name: &str) -> io::Result<u32> {
        self.functions.get(name).copied().ok_or_else(|| unknown(name))
    }

    /// The size of a structure in bytes.
    pub(crate) fn size_of(&self, name: &str) -> io::Result<u32> {
        self.structures.get(name).copied().ok_or_else(|| unknown(name))
    }

    fn parse(btf: View<'_>) -> Result<Self, DynPtrError> {
        let word = |at| btf.read_as::<u32>(at).map(u64::from);
        let (header, types_at, types_len, names_at, names_len) = (word(4)?, word(8)?, word(12)?, word(16)?, word(20)?);
        let (mut types, mut names) = (btf, btf);
        types.adjust(header + types_at, header + types_at + types_len)?;
        names.adjust(header + names_at, header + names_at + names_len)?;
        let names = names.data(0, names.size())?;

        let mut found = Self::default();
        for number in 1.. {
            if types.size() == 0 {
                break;
            }
            let [name, info, size] = types.read_as::<[u32; 3]>(0)?;
            let kind = info >> 24 & 0x1f;
            types.adjust(12 + more(kind, info & 0xffff), types.size())?;
            let name = || names.get(name as usize..).and_then(|name| CStr::from_bytes_until_nul(name).ok());
            let name = || name().map(|name| name.to_string_lossy().into_owned());
            match kind {
                FUNC => found.functions.extend(name().map(|name| (name, number))),
                STRUCT => found.structures.extend(name().map(|name| (name, size))),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Bytes behind the first 12 of a type of that kind, with that many members.
fn more(kind: u32, members: u32) -> u64 {
    match kind {
        INT | VAR | DECL_TAG => 4,
        ARRAY => 12,
        STRUCT | UNION | DATASEC | ENUM64 => 12 * u64::from(members),
        ENUM | FUNC_PROTO => 8 * u64::from(members),
        _ => 0,
    }
}

fn unknown(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("the kernel has no {name}"))
}
