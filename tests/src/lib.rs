//! Tests that no single crate can prove.
