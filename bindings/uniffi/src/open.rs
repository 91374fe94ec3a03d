//! How to open a queue.

use blockqueue::Result;

use crate::number::maybe_count;

/// How safe an answered write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, uniffi::Enum)]
pub enum Durability {
    /// On disk before the answer. The default.
    #[default]
    Full,
    /// Survives a crash of the process; a power cut may take the newest commits.
    Balanced,
}

/// How to open a queue.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct OpenOptions {
    /// How safe an answered write is. Default: on disk before the answer.
    #[uniffi(default)]
    pub durability: Option<Durability>,
    /// Largest payload of one message, in bytes. Default 1 MiB, at most 64 MiB.
    #[uniffi(default)]
    pub payload_bytes_max: Option<i64>,
    /// Refuse to create a file that does not exist. Default: create it.
    #[uniffi(default)]
    pub must_exist: bool,
}

impl OpenOptions {
    pub(crate) fn into_core(self) -> Result<blockqueue::OpenOptions> {
        let mut options = blockqueue::OpenOptions::default().with_must_exist(self.must_exist);
        options.durability = match self.durability.unwrap_or_default() {
            Durability::Full => blockqueue::Durability::Full,
            Durability::Balanced => blockqueue::Durability::Balanced,
        };
        options.payload_bytes_max = maybe_count("payload_bytes_max", self.payload_bytes_max)?;
        Ok(options)
    }
}
