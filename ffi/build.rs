//! How the shared library is linked: its name for the loader, and that it stays once it is loaded.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // The number is that of the ABI, `BQ_ABI_VERSION`.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libblockqueue.so.1");
        // Its threads run code of it. PHP unloads libraries at the end of a request.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
