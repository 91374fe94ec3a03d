//! The HTTP server and command line of the queue.

fn main() {}
