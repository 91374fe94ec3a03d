//! The native library, laid out as it would be installed: headers, libraries, and a file for pkg-config.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Failure, Result, cargo, root};

/// Which library.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Build {
    /// What is released.
    Release,
    /// Quick to build, with time that tests move by hand.
    Test,
}

impl Build {
    /// Where it is laid out.
    pub(crate) fn prefix(self) -> PathBuf {
        root().join(match self {
            Self::Release => "target/ffi",
            Self::Test => "target/ffi-test",
        })
    }
}

/// Builds the library and lays it out below its prefix.
pub(crate) fn build(build: Build) -> Result {
    let package = ["build", "--package", "blockqueue-ffi"];
    let made = match build {
        Build::Release => {
            cargo(&[&package[..], &["--release"]].concat())?;
            root().join("target/release")
        }
        Build::Test => {
            cargo(&[&package[..], &["--features", "test-clock"]].concat())?;
            root().join("target/debug")
        }
    };
    let prefix = build.prefix();
    lay_out(&made, &prefix)
        .map_err(|error| Failure::new(format!("{}: {error}", prefix.display())))?;
    println!("{} has include, lib and lib/pkgconfig", prefix.display());
    Ok(())
}

fn lay_out(made: &Path, prefix: &Path) -> std::io::Result<()> {
    let (include, lib) = (prefix.join("include"), prefix.join("lib"));
    fs::create_dir_all(&include)?;
    fs::create_dir_all(lib.join("pkgconfig"))?;
    for entry in fs::read_dir(root().join("ffi/include"))? {
        let header = entry?;
        fs::copy(header.path(), include.join(header.file_name()))?;
    }
    replace(&made.join("libblockqueue.a"), &lib.join("libblockqueue.a"))?;
    if cfg!(target_os = "macos") {
        replace(&made.join("libblockqueue.dylib"), &lib.join("libblockqueue.dylib"))?;
    } else {
        // Programs are linked with the plain name, and look for that of the ABI when they run.
        replace(&made.join("libblockqueue.so"), &lib.join("libblockqueue.so.1"))?;
        replace(&lib.join("libblockqueue.so.1"), &lib.join("libblockqueue.so"))?;
    }
    let template = fs::read_to_string(root().join("ffi/blockqueue.pc.in"))?;
    let filled = template
        .replace("@prefix@", &prefix.display().to_string())
        .replace("@version@", env!("CARGO_PKG_VERSION"));
    fs::write(lib.join("pkgconfig/blockqueue.pc"), filled)
}

/// A program that has the old one open keeps it.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() {
        fs::remove_file(to)?;
    }
    fs::copy(from, to).map(drop)
}
