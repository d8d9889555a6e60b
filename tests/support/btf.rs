//! The least type information with which the kernel lets a program take a pointer to a function.
//!
//! ```text
//!   header   magic 0xeb9f, version 1, flags 0, header length 24, where types and names are
//!   types    1  INT         "int", 32 bits, signed
//!            2  FUNC_PROTO  int ()
//!            3  FUNC        "f", of type 2, static
//!   names    0 "", 1 "int", 5 "f"
//! ```
//!
//! Source: the kernel's `Documentation/bpf/btf.rst`.

use super::bpf::FunctionTypes;

const NAMES: &[u8] = b"\0int\0f\0";

const INT: u32 = 1;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;

/// The types, in words of 4 bytes: name, kind, size or type, and what the kind adds.
const TYPES: [u32; 10] = [1, INT << 24, 4, 1 << 24 | 32, 0, FUNC_PROTO << 24, 1, 5, FUNC << 24, 2];

/// Calls `f` with the type of functions that return an int.
pub(crate) fn with_functions<R>(f: impl FnOnce(FunctionTypes<'_>) -> R) -> R {
    let types: Vec<u8> = TYPES.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut btf = Vec::new();
    btf.extend(0xeb9f_u16.to_ne_bytes());
    btf.extend([1, 0]);
    let (types_len, names_len) = (types.len() as u32, NAMES.len() as u32);
    btf.extend([24, 0, types_len, types_len, names_len].iter().flat_map(|word| word.to_ne_bytes()));
    btf.extend(types);
    btf.extend(NAMES);
    f(FunctionTypes { btf: &btf, function: 3 })
}
