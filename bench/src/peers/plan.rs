//! What is measured: the cases that the drivers know, and the figures that each gives.

/// A kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// More is better.
    PerSecond,
    /// Less is better.
    Micros,
    /// Of one core; less is better, and too small to be compared.
    Percent,
    /// Less is better.
    Mebibytes,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Figure {
    /// What the drivers call it.
    pub(crate) key: &'static str,
    /// What it is, in the table.
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    /// The chart that it is part of.
    pub(crate) chart: &'static str,
}

/// One run of a driver.
#[derive(Debug)]
pub(crate) struct Case {
    /// What the drivers call it.
    pub(crate) word: &'static str,
    /// How long it may take; those that count go on as long.
    pub(crate) seconds: f64,
    /// Whether it is run in every round. What takes long, and hardly varies, runs once.
    pub(crate) every_round: bool,
    pub(crate) figures: &'static [Figure],
}

/// How many messages should wait in the case `claim-filled`.
pub(crate) const BACKLOG: f64 = 1_000_000.0;
/// How long filling may take.
pub(crate) const FILL_SECONDS: f64 = 20.0;
/// The case before which the queue is filled.
pub(crate) const FILLED: &str = "claim-filled";

const fn per_second(title: &'static str, chart: &'static str) -> Figure {
    Figure { key: "value", title, unit: Unit::PerSecond, chart }
}

const fn micros(key: &'static str, title: &'static str) -> Figure {
    Figure { key, title, unit: Unit::Micros, chart: "latency" }
}

const fn counted(word: &'static str, seconds: f64, figures: &'static [Figure]) -> Case {
    Case { word, seconds, every_round: true, figures }
}

/// In the order of the table.
pub(crate) const CASES: &[Case] = &[
    counted("publish:1", 1.0, &[per_second("single publishes, 1 caller", "publish")]),
    counted("publish:64", 1.0, &[per_second("single publishes, 64 callers", "publish")]),
    counted("publish:256", 1.0, &[per_second("single publishes, 256 callers", "publish")]),
    counted("publish-batch", 1.0, &[per_second("batches of 1,000, 1 caller", "publish")]),
    counted("end-to-end:1", 1.5, &[per_second("end to end, 1 subscriber", "end-to-end")]),
    counted("end-to-end:10", 1.5, &[per_second("end to end, 10 subscribers", "end-to-end")]),
    counted("end-to-end:100", 1.5, &[per_second("end to end, 100 subscribers", "end-to-end")]),
    counted("claim-empty", 1.5, &[micros("value", "claim one, nothing else waiting")]),
    Case {
        word: FILLED,
        seconds: 3.0,
        every_round: false,
        figures: &[micros("value", "claim one, 1,000,000 waiting")],
    },
    counted(
        "wake",
        2.0,
        &[
            micros("p50", "publish → a waiting consumer has it, p50"),
            micros("p99", "publish → a waiting consumer has it, p99"),
        ],
    ),
    Case {
        word: "idle",
        seconds: 3.0,
        every_round: false,
        figures: &[
            Figure {
                key: "cpu",
                title: "idle with 10 waiting consumers: processor",
                unit: Unit::Percent,
                chart: "idle",
            },
            Figure {
                key: "memory",
                title: "idle with 10 waiting consumers: memory",
                unit: Unit::Mebibytes,
                chart: "idle",
            },
        ],
    },
];

/// Charts in their order, and what each shows.
pub(crate) const CHARTS: &[(&str, &str)] = &[
    ("publish", "Durable publishes of 100 B, per second (longer is better)"),
    ("end-to-end", "Deliveries published, claimed and acknowledged, per second (longer is better)"),
    ("latency", "Time to claim and to wake, in µs (shorter is better)"),
    ("idle", "Idle with 10 waiting consumers (shorter is better)"),
];

impl Unit {
    /// How far ahead ours is: above 1 if it is. None where the figures are too small to be divided.
    pub(crate) fn ahead(self, ours: f64, theirs: f64) -> Option<f64> {
        let ratio = match self {
            Self::PerSecond => ours / theirs,
            Self::Micros | Self::Mebibytes => theirs / ours,
            Self::Percent => return None,
        };
        ratio.is_finite().then_some(ratio)
    }

    /// A figure for people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{}/s", thousands(value)),
            Self::Micros => format!("{} µs", thousands(value)),
            Self::Percent => format!("{value:.1} %"),
            Self::Mebibytes => format!("{value:.0} MiB"),
        }
    }
}

/// A whole number with a comma before each three digits, three digits of which count.
fn thousands(value: f64) -> String {
    let step = if value >= 100_000.0 {
        1_000.0
    } else if value >= 10_000.0 {
        100.0
    } else if value >= 1_000.0 {
        10.0
    } else {
        1.0
    };
    let digits = format!("{:.0}", (value / step).round() * step);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_show_what_counts() {
        assert_eq!(Unit::PerSecond.show(1_234_567.0), "1,235,000/s");
        assert_eq!(Unit::PerSecond.show(66_149.0), "66,100/s");
        assert_eq!(Unit::Micros.show(999.6), "1,000 µs");
        assert_eq!(Unit::Micros.show(96.0), "96 µs");
    }

    #[test]
    fn ahead_means_above_one_whatever_the_unit() {
        assert_eq!(Unit::PerSecond.ahead(20.0, 10.0), Some(2.0));
        assert_eq!(Unit::Micros.ahead(10.0, 20.0), Some(2.0));
        assert_eq!(Unit::Percent.ahead(0.0, 1.0), None);
        assert_eq!(Unit::PerSecond.ahead(20.0, 0.0), None);
    }
}
