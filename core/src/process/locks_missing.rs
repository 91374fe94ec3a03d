//! Locks where there are none that belong to an open file description: SQLite keeps its own.

use std::fs::File;
use std::io;
use std::path::Path;

pub(crate) fn install() {}

pub(crate) fn are_private(_: &Path) -> bool {
    false
}

/// A file for locks on single bytes; there are none here.
#[derive(Debug)]
pub(crate) enum LockFile {}

impl LockFile {
    pub(crate) fn new(_: File) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn file(&self) -> &File {
        match *self {}
    }

    pub(crate) fn lock(&self, _: u8) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn try_lock(&self, _: u8) -> io::Result<bool> {
        match *self {}
    }

    pub(crate) fn share(&self, _: u8) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn unlock(&self, _: u8) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn is_held_by_others(&self, _: u8) -> io::Result<bool> {
        match *self {}
    }
}
