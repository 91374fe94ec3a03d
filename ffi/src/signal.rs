//! A descriptor that is readable while there is news.

#[cfg(target_os = "linux")]
pub(crate) use linux::Signal;
#[cfg(not(target_os = "linux"))]
pub(crate) use missing::Signal;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsRawFd as _, OwnedFd};

    use blockqueue::{Error, Result};
    use rustix::event::{EventfdFlags, eventfd};

    pub(crate) struct Signal(OwnedFd);

    impl Signal {
        pub(crate) fn new() -> Result<Option<Self>> {
            let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
            let descriptor = descriptor.map_err(|error| Error::Io { detail: error.to_string() })?;
            Ok(Some(Self(descriptor)))
        }

        pub(crate) fn descriptor(&self) -> i32 {
            self.0.as_raw_fd()
        }

        /// A write each time, so that whoever waits for edges sees each.
        pub(crate) fn raise(&self) {
            // It cannot block: the counter is far from its end.
            let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
        }

        pub(crate) fn lower(&self) {
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }
    }
}

/// Systems that have no such thing.
#[cfg(not(target_os = "linux"))]
mod missing {
    use blockqueue::Result;

    pub(crate) enum Signal {}

    impl Signal {
        #[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
        pub(crate) fn new() -> Result<Option<Self>> {
            Ok(None)
        }

        pub(crate) fn descriptor(&self) -> i32 {
            match *self {}
        }

        pub(crate) fn raise(&self) {
            match *self {}
        }

        pub(crate) fn lower(&self) {
            match *self {}
        }
    }
}
