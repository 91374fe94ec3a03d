//! The stage of the PHP package: PHP and its tools from Debian's packages, the library, the style, and the tests.

use std::path::Path;
use std::process::Command;

use crate::ffi::{self, Build};
use crate::run::{Failure, Result, program, program_in, root};

const FOLDER: &str = "bindings/php";

/// What the tests need, by the package that has it: programs, and files of other libraries for PHP.
const NEEDED: &[(&str, &[&str])] = &[
    ("php-cli", &["/usr/bin/php"]),
    ("php-fpm", &["/usr/sbin/php-fpm8.2", "/usr/sbin/php-fpm8.4", "/usr/sbin/php-fpm"]),
    ("libfcgi-bin", &["/usr/bin/cgi-fcgi"]),
    ("composer", &["/usr/bin/composer"]),
    ("phpunit", &["/usr/bin/phpunit"]),
    ("php-codesniffer", &["/usr/bin/phpcs"]),
    ("php-psr-log", &["/usr/share/php/Psr/Log/autoload.php"]),
    ("php-symfony-messenger", &["/usr/share/php/Symfony/Component/Messenger/autoload.php"]),
    (
        "php-symfony-event-dispatcher",
        &["/usr/share/php/Symfony/Component/EventDispatcher/autoload.php"],
    ),
];

/// All of it.
pub(crate) fn test() -> Result {
    install()?;
    ffi::build(Build::Test)?;
    prepare()?;
    program_in(FOLDER, "phpcs", &[], &[])?;
    let library = library(Build::Test);
    let header = Build::Test.prefix().join("include/blockqueue_test.h").display().to_string();
    let variables =
        [("BLOCKQUEUE_LIBRARY", library.as_str()), ("BLOCKQUEUE_TEST_HEADER", header.as_str())];
    program_in(FOLDER, "phpunit", &[], &variables)
}

/// Sets up what the benchmarks ask: the library that is released. The answer is the program, which finds the library
/// by the variable that names it.
pub(crate) fn bench() -> Result<String> {
    install()?;
    ffi::build(Build::Release)?;
    prepare()?;
    Ok(root().join(FOLDER).join("tests/bench.php").display().to_string())
}

/// The node for programs of several languages on one file.
pub(crate) fn ring_node() -> Result<Vec<String>> {
    install()?;
    prepare()?;
    let library = format!("BLOCKQUEUE_LIBRARY={}", library(Build::Test));
    let node = root().join(FOLDER).join("tests/ring-node.php").display().to_string();
    Ok(["env".to_owned(), library, "php".to_owned(), node].into())
}

/// Where the library is.
pub(crate) fn library(build: Build) -> String {
    build.prefix().join("lib/libblockqueue.so").display().to_string()
}

/// The autoloader: the package needs no other.
fn prepare() -> Result {
    let quiet = [("COMPOSER_ALLOW_SUPERUSER", "1"), ("COMPOSER_DISABLE_NETWORK", "1")];
    program_in(FOLDER, "composer", &["dump-autoload", "--quiet", "--dev"], &quiet)
}

fn install() -> Result {
    let is_there = |paths: &[&str]| paths.iter().any(|path| Path::new(path).exists());
    let missing: Vec<_> =
        NEEDED.iter().filter(|(_, paths)| !is_there(paths)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_debian = Command::new("apt-get").arg("--version").output().is_ok();
    if !is_debian {
        return Err(Failure::new(format!("install {}, and try again", missing.join(", "))));
    }
    program("apt-get", &["update", "--quiet"])?;
    let words = ["install", "--yes", "--quiet", "--no-install-recommends"];
    program("apt-get", &[&words[..], &missing].concat())
}
