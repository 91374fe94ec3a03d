//! Which library this is, and whether it is the one that the program was built for.

use std::ffi::c_char;

use crate::arguments::invalid;
use crate::error::bq_error;
use crate::guard::guard;
use crate::status::bq_status;

/// Versions of the ABI.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub enum bq_abi {
    /// The version that this header describes. It grows only when something in it changes or goes; functions
    /// and fields that come do not change it.
    BQ_ABI_VERSION = 1,
}

/// The release of the library, such as "0.1.0". The text lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn bq_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The version of the ABI that the library has.
#[unsafe(no_mangle)]
pub extern "C" fn bq_abi_version() -> u32 {
    bq_abi::BQ_ABI_VERSION as u32
}

/// Fails with `invalid_argument` unless the library has this version of the ABI. Call it once, with
/// BQ_ABI_VERSION, in programs that load the library at run time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bq_abi_check(version: u32, error: *mut *mut bq_error) -> bq_status {
    guard(error, || {
        if version == bq_abi_version() {
            return Ok(());
        }
        let own = bq_abi_version();
        Err(invalid(format!(
            "the program wants version {version} of the ABI, the library has {own}"
        )))
    })
}
