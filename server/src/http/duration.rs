//! Durations as people and Go write them: `5s`, `1m30s`, `1.5h`.

use std::time::Duration;

use jiff::SignedDuration;

/// `None` if the text is not a duration, or a negative one.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let signed: SignedDuration = text.trim().parse().ok()?;
    Duration::try_from(signed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_are_understood() {
        let millis = |text| parse(text).map(|duration| duration.as_millis());
        for (text, expected) in [
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        for text in ["", "5", "-5s", "s", "5 parsecs", "1m30", "💥"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
