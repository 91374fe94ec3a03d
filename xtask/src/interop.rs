//! The stage in which programs of several languages share one queue, in a file and on a server: `tests/interop/README.md`.

use crate::postgres::{Server, Sync};
use crate::run::{Result, cargo, cargo_with, root};
use crate::{c, ffi, go, kotlin, php, python, swift};

/// A language, and how to build its node; the answer is the command that runs it.
struct Node(&'static str, fn() -> Result<Vec<String>>);

const NODES: &[Node] = &[
    Node("c", c::ring_node),
    Node("go", go::ring_node),
    Node("kotlin", kotlin::ring_node),
    Node("php", php::ring_node),
    Node("python", python::ring_node),
    Node("rust", rust),
    Node("swift", swift::ring_node),
];

/// The package of the tests, which has the node of Rust.
const PACKAGE: &[&str] = &["--package", "blockqueue-tests", "--features", "interop"];

/// Builds every node, and runs the tests.
pub(crate) fn test() -> Result {
    ffi::build(ffi::Build::Test)?;
    let mut commands = Vec::new();
    for Node(name, build) in NODES {
        let words = build()?.into_iter().map(|word| format!("{word:?}")).collect::<Vec<_>>();
        commands.push(format!("{name:?}: [{}]", words.join(", ")));
    }
    let nodes = format!("{{{}}}", commands.join(", "));
    let test = [&["test"], PACKAGE, &["--test", "interop"]].concat();
    let server = Server::start(Sync::Off)?;
    let address = server.address();
    let variables =
        [("BLOCKQUEUE_RING_NODES", nodes.as_str()), ("BLOCKQUEUE_TEST_POSTGRES", &address)];
    cargo_with(&test, &variables)
}

fn rust() -> Result<Vec<String>> {
    cargo(&[&["build"], PACKAGE, &["--bin", "ring-node"]].concat())?;
    Ok(vec![root().join("target/debug/ring-node").display().to_string()])
}
