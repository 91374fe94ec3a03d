//! The HTTP front of the queue, as a library: a router over an open [`blockqueue::Queue`].
#![forbid(unsafe_code)]

pub mod address;
pub mod auth;
pub mod config;
pub mod http;
pub mod serve;
