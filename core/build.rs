//! Compiles the one function that cannot be Rust, where SQLite's locks are replaced.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(ofd_locks)");
    println!("cargo::rerun-if-changed=src/process/locks/fcntl.c");
    let is = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value == wanted);
    // In 32 bits `fcntl` comes in two kinds, for small and for large files.
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_POINTER_WIDTH", "64") {
        println!("cargo::rustc-cfg=ofd_locks");
        cc::Build::new().file("src/process/locks/fcntl.c").compile("blockqueue_fcntl");
    }
}
