//! A broken world: no room, no permission, a damaged file, another program's lock, a newer release.
//!
//! Each fault has a code of its own, loses nothing that was acknowledged, and is over when its cause is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod disk_full;
mod locked;
mod read_only;
mod versions;
mod world;
