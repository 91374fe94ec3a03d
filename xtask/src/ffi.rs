//! The native library, laid out as it would be installed: headers, libraries, and a file for pkg-config.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Failure, Result, cargo, program, root};

/// What a shared library for Linux is linked with: its name for the loader, whose number is that of the ABI,
/// `BQ_ABI_VERSION`; the versions of its symbols; and that it stays once it is loaded, because its threads run code
/// of it and PHP unloads libraries at the end of a request.
const LINK: &str = "-shared -Wl,-soname,libblockqueue.so.1 -Wl,-z,nodelete -Wl,--gc-sections";
/// What Rust's own library needs of the system.
const NEEDS: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

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
    if !cfg!(target_os = "macos") {
        link(&prefix.join("lib"))?;
    }
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
    }
    let template = fs::read_to_string(root().join("ffi/blockqueue.pc.in"))?;
    let filled = template
        .replace("@prefix@", &prefix.display().to_string())
        .replace("@version@", env!("CARGO_PKG_VERSION"));
    fs::write(lib.join("pkgconfig/blockqueue.pc"), filled)
}

/// Links the shared library from the static one: the one that Cargo links has no versions of symbols, and none can be
/// given to it, because the compiler passes a list of symbols of its own.
fn link(lib: &Path) -> Result {
    let (new, whole) = (lib.join("libblockqueue.so.new"), lib.join("libblockqueue.a"));
    let [new_name, whole] = [&new, &whole].map(|path| path.display().to_string());
    let map = format!("-Wl,--version-script={}", root().join("ffi/blockqueue.map").display());
    let archive = ["-Wl,--whole-archive", &whole, "-Wl,--no-whole-archive"];
    let mut words: Vec<&str> = LINK.split(' ').collect();
    words.extend([&map, "-o", &new_name]);
    words.extend(archive.into_iter().chain(NEEDS.split(' ')));
    program("cc", &words)?;
    // Programs are linked with the plain name, and look for that of the ABI when they run.
    let name = lib.join("libblockqueue.so");
    fs::rename(&new, lib.join("libblockqueue.so.1"))
        .and_then(|()| replace(&lib.join("libblockqueue.so.1"), &name))
        .map_err(|error| Failure::new(format!("{}: {error}", name.display())))
}

/// A program that has the old one open keeps it.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() {
        fs::remove_file(to)?;
    }
    fs::copy(from, to).map(drop)
}
