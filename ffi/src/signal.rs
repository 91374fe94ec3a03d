//! A descriptor that is readable while there is news.

use std::os::fd::{AsRawFd as _, OwnedFd};

use blockqueue::Result;

pub(crate) struct Signal(OwnedFd);

impl Signal {
    /// `None` on systems that have no such thing.
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> Result<Option<Self>> {
        use rustix::event::{EventfdFlags, eventfd};
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        descriptor
            .map(|descriptor| Some(Self(descriptor)))
            .map_err(|error| blockqueue::Error::Io { detail: error.to_string() })
    }

    /// `None` on systems that have no such thing.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> Result<Option<Self>> {
        Ok(None)
    }

    pub(crate) fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }

    pub(crate) fn raise(&self) {
        // It cannot block: the counter is far from its end.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(crate) fn lower(&self) {
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}
