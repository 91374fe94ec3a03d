//! The stage in which programs of several languages share one file: `tests/interop/README.md`.

use crate::run::{Result, cargo_with};
use crate::{c, ffi, go, php, swift};

/// A language, and how to build its node; the answer is the command that runs it.
struct Node(&'static str, fn() -> Result<Vec<String>>);

const NODES: &[Node] = &[
    Node("c", c::ring_node),
    Node("go", go::ring_node),
    Node("php", php::ring_node),
    Node("swift", swift::ring_node),
];

/// Builds every node, and runs the tests.
pub(crate) fn test() -> Result {
    ffi::build(ffi::Build::Test)?;
    let mut commands = Vec::new();
    for Node(name, build) in NODES {
        let words = build()?.into_iter().map(|word| format!("{word:?}")).collect::<Vec<_>>();
        commands.push(format!("{name:?}: [{}]", words.join(", ")));
    }
    let nodes = format!("{{{}}}", commands.join(", "));
    let test = ["test", "--package", "blockqueue-tests", "--features", "interop", "--test"];
    cargo_with(&[&test[..], &["interop"]].concat(), &[("BLOCKQUEUE_RING_NODES", &nodes)])
}
