//! The generator of `UniFFI`, of the same version as the runtime in the library: `cargo xtask generate` runs it.

fn main() {
    uniffi::uniffi_bindgen_main();
}
