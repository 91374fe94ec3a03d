//! Alternating runs, medians, ratios.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often each side of a case runs.
pub const RUNS: usize = 5;

/// One row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was done.
    pub case: String,
    /// The measured side.
    pub ours: String,
    /// What it is held against.
    pub base: String,
    /// The figure that is comparable between machines.
    pub ratio: String,
    /// What the figure must reach.
    pub target: String,
    /// Whether it does.
    pub reached: bool,
}

/// Time since a moment.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Since 1970, by the clock that the processes of a machine share.
pub(crate) fn wall_nanoseconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Time that a piece of work takes.
pub fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let watch = Stopwatch::start();
    let result = work();
    (watch.elapsed(), result)
}

/// The middle of some figures.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which the given share of all lies.
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    #[expect(clippy::cast_precision_loss, reason = "few values")]
    let place = (values.len() as f64 * share) as usize;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Runs two pieces of work in turn and returns the median speed of each, and of their ratio, first over
/// second. Both must do `amount` of the same.
pub fn compare(
    amount: usize,
    mut first: impl FnMut() -> Duration,
    mut second: impl FnMut() -> Duration,
) -> (f64, f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a count of messages")]
    let speed = |took: Duration| amount as f64 / took.as_secs_f64();
    let (mut ours, mut base, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (a, b) = (speed(first()), speed(second()));
        ours.push(a);
        base.push(b);
        ratios.push(a / b);
    }
    (median(ours), median(base), median(ratios))
}

/// A speed for people.
pub fn per_second(speed: f64) -> String {
    if speed >= 10_000.0 { format!("{:.0} k/s", speed / 1_000.0) } else { format!("{speed:.0}/s") }
}
