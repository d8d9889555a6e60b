//! The sources that this crate includes by path take their atomics from loom.

fn main() {
    println!("cargo::rustc-cfg=dynring_loom");
    println!("cargo::rerun-if-changed=build.rs");
}
