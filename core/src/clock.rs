//! The only place that reads a clock.
//!
//! Wall time decides leases, delays and retention, because it survives a restart; waits inside one
//! process use monotonic time, because they need not.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) type Millis = i64;

/// Where the queue's wall time comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The machine's.
    #[default]
    System,
    /// A server's, as far as it is known here.
    #[cfg(feature = "turso")]
    Server(ServerTime),
    /// A test's.
    #[cfg(feature = "test-clock")]
    Test(TestClock),
    /// The machine's, wrong by so much.
    #[cfg(feature = "test-clock")]
    Wrong(Millis),
}

impl Clock {
    pub(crate) fn now(&self) -> Millis {
        match self {
            Self::System => to_millis(system_now()),
            #[cfg(feature = "turso")]
            Self::Server(time) => to_millis(system_now()) + time.ahead_ms(),
            #[cfg(feature = "test-clock")]
            Self::Test(clock) => clock.now_ms(),
            #[cfg(feature = "test-clock")]
            Self::Wrong(by) => to_millis(system_now()) + by,
        }
    }

    /// The same, set by a server; a test's clock is everybody's.
    #[cfg(feature = "turso")]
    pub(crate) fn of_server(&self, time: &ServerTime) -> Self {
        match self {
            #[cfg(feature = "test-clock")]
            Self::Test(clock) => Self::Test(clock.clone()),
            _ => Self::Server(time.clone()),
        }
    }

    /// How long to sleep until `at`. A test clock stands still, so a sleeper waits to be woken instead.
    #[cfg_attr(
        not(feature = "test-clock"),
        expect(clippy::unnecessary_wraps, reason = "only a test's clock may not know")
    )]
    pub(crate) fn until(&self, at: Millis) -> Option<Duration> {
        #[cfg(feature = "test-clock")]
        if let Self::Test(clock) = self {
            return (clock.now_ms() >= at).then_some(Duration::ZERO);
        }
        Some(Duration::from_millis(u64::try_from(at.saturating_sub(self.now())).unwrap_or(0)))
    }
}

/// How far a server's clock is ahead of this machine's. Clones share it.
#[cfg(feature = "turso")]
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerTime(std::sync::Arc<std::sync::atomic::AtomicI64>);

#[cfg(feature = "turso")]
impl ServerTime {
    fn ahead_ms(&self) -> Millis {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// The server showed `shown` at some time in the last `took`. What agrees with that is left as it is, so that
    /// a network that is slow now and then does not move the clock.
    pub(crate) fn was_shown(&self, shown: Millis, took: Duration) {
        let newest = shown - to_millis(system_now());
        let oldest = newest + duration_millis(took);
        let ahead = self.ahead_ms();
        if ahead < newest || ahead > oldest {
            let middle = newest + (oldest - newest) / 2;
            self.0.store(middle, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

#[cfg(feature = "turso")]
impl PartialEq for ServerTime {
    fn eq(&self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(feature = "turso")]
impl Eq for ServerTime {}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn system_now() -> SystemTime {
    SystemTime::now()
}

/// Monotonic time, for waits and for measuring.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// Saturates outside of the years that milliseconds in 48 bits can tell (1970 to about 10889).
pub(crate) fn to_millis(at: SystemTime) -> Millis {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    duration_millis(since).min((1 << 48) - 1)
}

pub(crate) fn from_millis(at: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or(0))
}

/// Whole milliseconds, rounded up, so that a sub-millisecond duration never becomes zero.
pub(crate) fn duration_millis(duration: Duration) -> Millis {
    let whole = duration.as_nanos().div_ceil(1_000_000);
    Millis::try_from(whole).unwrap_or(Millis::MAX / 4).min(Millis::MAX / 4)
}

#[cfg(feature = "test-clock")]
pub use test_clock::TestClock;

#[cfg(feature = "test-clock")]
mod test_clock {
    use std::fmt;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::{Duration, SystemTime};

    use super::{Millis, duration_millis, to_millis};

    type Waker = Box<dyn Fn() -> bool + Send>;

    /// A clock that stands still until a test moves it. Clones share the same time.
    #[derive(Clone)]
    pub struct TestClock(Arc<Shared>);

    struct Shared {
        now_ms: AtomicI64,
        wakers: Mutex<Vec<Waker>>,
    }

    impl TestClock {
        /// A clock that shows `start`.
        pub fn new(start: SystemTime) -> Self {
            let now_ms = AtomicI64::new(to_millis(start));
            Self(Arc::new(Shared { now_ms, wakers: Mutex::default() }))
        }

        /// Moves the clock forward and wakes every queue that uses it.
        pub fn advance(&self, by: Duration) {
            self.0.now_ms.fetch_add(duration_millis(by), Ordering::SeqCst);
            self.wake();
        }

        /// Sets the clock, backwards too, and wakes every queue that uses it.
        pub fn set(&self, to: SystemTime) {
            self.0.now_ms.store(to_millis(to), Ordering::SeqCst);
            self.wake();
        }

        /// What the clock shows.
        pub fn now(&self) -> SystemTime {
            super::from_millis(self.now_ms())
        }

        pub(crate) fn now_ms(&self) -> Millis {
            self.0.now_ms.load(Ordering::SeqCst)
        }

        /// Calls `waker` at each move, until it answers `false`.
        pub(crate) fn on_move(&self, waker: Waker) {
            self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner).push(waker);
        }

        fn wake(&self) {
            self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner).retain(|waker| waker());
        }
    }

    impl PartialEq for TestClock {
        fn eq(&self, other: &Self) -> bool {
            Arc::ptr_eq(&self.0, &other.0)
        }
    }

    impl Eq for TestClock {}

    impl fmt::Debug for TestClock {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "TestClock({} ms)", self.now_ms())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_millisecond_duration_is_not_rounded_to_zero() {
        assert_eq!(duration_millis(Duration::from_nanos(1)), 1);
        assert_eq!(duration_millis(Duration::ZERO), 0);
        assert_eq!(duration_millis(Duration::from_micros(1_001)), 2);
    }

    #[test]
    fn instants_outside_of_the_range_saturate() {
        assert_eq!(to_millis(UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert!(duration_millis(Duration::MAX) > 0);
    }
}
