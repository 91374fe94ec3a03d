//! What tests need of a build for tests, the feature `test-clock`. Other builds have the same functions, so that
//! one generated file fits all of them, and refuse.

use std::sync::Arc;

use crate::error::Result;

/// A clock that stands still until a test moves it. Only builds for tests have one.
#[derive(Debug, uniffi::Object)]
pub struct TestClock(build::Clock);

#[uniffi::export]
impl TestClock {
    /// A clock that shows this instant.
    #[uniffi::constructor]
    pub fn new(start_ms: i64) -> Result<Arc<Self>> {
        Ok(Arc::new(Self(build::Clock::new(start_ms)?)))
    }

    /// Moves the clock, backwards too, and wakes every queue that uses it.
    pub fn set(&self, at_ms: i64) -> Result<()> {
        self.0.set(at_ms);
        Ok(())
    }
}

impl TestClock {
    pub(crate) fn given_to(&self, options: blockqueue::OpenOptions) -> blockqueue::OpenOptions {
        self.0.given_to(options)
    }
}

/// Panics, in a build for tests: the caller gets an error, and the process lives.
#[uniffi::export]
pub async fn test_panic() -> Result<()> {
    build::panic().await?;
    Ok(())
}

#[cfg(feature = "test-clock")]
mod build {
    use blockqueue::{OpenOptions, Result, TestClock};

    use crate::number::instant;

    #[derive(Debug)]
    pub(super) struct Clock(TestClock);

    impl Clock {
        #[expect(clippy::unnecessary_wraps, reason = "other builds refuse")]
        pub(super) fn new(start_ms: i64) -> Result<Self> {
            Ok(Self(TestClock::new(instant(start_ms))))
        }

        pub(super) fn set(&self, at_ms: i64) {
            self.0.set(instant(at_ms));
        }

        pub(super) fn given_to(&self, options: OpenOptions) -> OpenOptions {
            options.with_clock(self.0.clone())
        }
    }

    #[expect(clippy::unused_async, reason = "panics while it is polled")]
    pub(super) async fn panic() -> Result<()> {
        panic!("a test asked for it");
    }
}

#[cfg(not(feature = "test-clock"))]
mod build {
    use blockqueue::{OpenOptions, Result};

    use crate::error::invalid;

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Clock {}

    impl Clock {
        pub(super) fn new(_start_ms: i64) -> Result<Self> {
            Err(invalid("this is no build for tests"))
        }

        pub(super) fn set(&self, _at_ms: i64) {
            match *self {}
        }

        pub(super) fn given_to(&self, _options: OpenOptions) -> OpenOptions {
            match *self {}
        }
    }

    pub(super) async fn panic() -> Result<()> {
        Err(invalid("this is no build for tests"))
    }
}
