//! The Swift package: a Debian with Swift in a folder outside the repository, and the tests and benchmarks in there.
//!
//! Where the machine has Swift of its own, the variable `BLOCKQUEUE_SWIFT_ROOT` set to `/` uses that.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ffi::{self, Build};
use crate::run::{Failure, Result, cargo, program, root};

const FOLDER: &str = "bindings/swift";

/// Where the system with Swift is made, and found the next time.
const SYSTEM: &str = "/var/cache/blockqueue-swift";
const VARIABLE: &str = "BLOCKQUEUE_SWIFT_ROOT";

/// What it is made of: Debian's release with Swift 6, and packages that Swift links with.
const RELEASE: &str = "trixie";
const PACKAGES: &str = "swiftlang,g++,libc6-dev,binutils,libxml2-dev,zlib1g-dev";

/// Builds the package, runs its tests, and the example of its README.
pub(crate) fn test() -> Result {
    ffi::build(Build::Test)?;
    let system = System::make()?;
    system.swift(Build::Test, &["test"])?;
    quick_start(&system)
}

/// Batches against those in Rust, and what single calls cost; with libraries as they are released.
pub(crate) fn bench() -> Result {
    ffi::build(Build::Release)?;
    cargo(&["build", "--release", "--package", "blockqueue", "--example", "batches"])?;
    let rust = root().join("target/release/examples/batches").display().to_string();
    let system = System::make()?;
    system.swift(Build::Release, &["build", "--configuration", "release", "--product", "Bench"])?;
    let library = format!("LD_LIBRARY_PATH={}", library(Build::Release));
    let bench = format!("{}/release/Bench", scratch());
    system.run(&["env", &library, &bench, &rust])
}

/// The node for programs of several languages on one file.
pub(crate) fn ring_node() -> Result<Vec<String>> {
    let system = System::make()?;
    system.swift(Build::Test, &["build", "--product", "RingNode"])?;
    let library = format!("LD_LIBRARY_PATH={}", library(Build::Test));
    let node = format!("{}/debug/RingNode", scratch());
    Ok([system.enter(), vec!["env".to_owned(), library, node]].concat())
}

/// The example prints what the README says.
fn quick_start(system: &System) -> Result {
    let readme = crate::source::read(&root().join(FOLDER).join("README.md"))?;
    let expected = readme
        .split_once("```text\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(block, _)| block)
        .ok_or_else(|| {
            Failure::new("bindings/swift/README.md does not say what its example prints")
        })?;
    let script = format!(
        "folder=$(mktemp -d) && cd $folder && LD_LIBRARY_PATH={} {}/debug/QuickStart && rm -r $folder",
        library(Build::Test),
        scratch()
    );
    let words = [system.enter(), vec!["sh".into(), "-c".into(), script]].concat();
    let (name, arguments) = words.split_first().ok_or_else(|| Failure::new("no command"))?;
    let output = Command::new(name).args(arguments).output().map_err(Failure::because)?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && printed == expected {
        return Ok(());
    }
    Err(Failure::new(format!("the quick start of bindings/swift/README.md prints: {printed}")))
}

/// A system with Swift, and the repository in it under the same path.
struct System {
    path: PathBuf,
}

impl System {
    fn make() -> Result<Self> {
        let path = std::env::var_os(VARIABLE).map_or_else(|| PathBuf::from(SYSTEM), PathBuf::from);
        let system = Self { path };
        if system.is_own() {
            return Ok(system);
        }
        // A link that leads to somewhere only in there.
        if system.path.join("usr/bin/swift").symlink_metadata().is_err() {
            system.install()?;
        }
        // Programs of other languages hand it files in the folder for temporary ones.
        let shared = [PathBuf::from("/proc"), PathBuf::from("/dev"), std::env::temp_dir(), root()];
        for folder in shared {
            system.mount(&folder)?;
        }
        Ok(system)
    }

    /// Whether it is the machine's own.
    fn is_own(&self) -> bool {
        self.path == Path::new("/")
    }

    fn install(&self) -> Result {
        if std::env::var_os("CI").is_none() && !is_root() {
            return Err(Failure::new(format!(
                "Swift's stage makes a system in {}, which only root can; or install Swift 6 and set {VARIABLE}=/",
                self.path.display()
            )));
        }
        if Command::new("debootstrap").arg("--version").output().is_err() {
            program("apt-get", &["update", "--quiet"])?;
            program("apt-get", &["install", "--yes", "--quiet", "debootstrap"])?;
        }
        let include = format!("--include={PACKAGES}");
        let to = self.path.display().to_string();
        program("debootstrap", &["--variant=minbase", &include, RELEASE, &to])
    }

    /// A folder of this machine, under the same path in there.
    fn mount(&self, folder: &Path) -> Result {
        let relative = folder.strip_prefix("/").unwrap_or(folder);
        let inside = self.path.join(relative).display().to_string();
        if Command::new("mountpoint").args(["-q", &inside]).status().is_ok_and(|it| it.success()) {
            return Ok(());
        }
        program("mkdir", &["-p", &inside])?;
        program("mount", &["--bind", &folder.display().to_string(), &inside])
    }

    /// What begins a command in there.
    fn enter(&self) -> Vec<String> {
        if self.is_own() {
            return Vec::new();
        }
        vec!["chroot".into(), self.path.display().to_string()]
    }

    fn swift(&self, build: Build, words: &[&str]) -> Result {
        let script = format!(
            "cd {} && LD_LIBRARY_PATH={library} swift {} --scratch-path {} -Xlinker -L{library}",
            root().join(FOLDER).display(),
            words.join(" "),
            scratch(),
            library = library(build),
        );
        self.run(&["sh", "-c", &script])
    }

    fn run(&self, words: &[&str]) -> Result {
        let enter = self.enter();
        let words: Vec<&str> =
            enter.iter().map(String::as_str).chain(words.iter().copied()).collect();
        let (name, arguments) = words.split_first().ok_or_else(|| Failure::new("no command"))?;
        program(name, arguments)
    }
}

/// Where the native library is.
fn library(build: Build) -> String {
    build.prefix().join("lib").display().to_string()
}

/// Where Swift builds.
fn scratch() -> String {
    root().join("target/swift").display().to_string()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
