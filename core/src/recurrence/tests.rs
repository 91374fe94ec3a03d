use super::*;

fn at(text: &str) -> Millis {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn told(at: Option<Millis>) -> String {
    at.map_or_else(String::new, |at| Timestamp::from_millisecond(at).unwrap().to_string())
}

fn recurrence(cron: &str, timezone: &str) -> Recurrence {
    let options = ScheduleOptions::new(cron, "").with_timezone(timezone);
    Recurrence::new(&options, at("2026-01-01T00:00:00Z")).unwrap()
}

/// The first occurrences after a time.
fn next(cron: &str, timezone: &str, from: &str, count: usize) -> Vec<String> {
    let recurrence = recurrence(cron, timezone);
    let first = recurrence.after(at(from));
    let all = std::iter::successors(first, |at| recurrence.after(*at));
    all.take(count).map(|at| told(Some(at))).collect()
}

#[test]
fn a_fixed_time_in_the_gap_comes_at_its_end_and_in_the_overlap_once() {
    assert_eq!(
        next("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    // Half an hour of difference, and a gap at midnight.
    assert_eq!(
        next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 1),
        ["2026-10-03T15:30:00Z"]
    );
    assert_eq!(
        next("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2),
        ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"]
    );
}

#[test]
fn a_time_just_before_the_gap_comes_once() {
    assert_eq!(
        next("0 0 * * *", "Europe/London", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"]
    );
}

#[test]
fn a_pattern_passes_over_the_gap_and_goes_through_the_overlap_twice() {
    assert_eq!(
        next("15,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 1),
        ["2026-03-30T00:15:00Z"]
    );
    assert_eq!(
        next("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
        ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"]
    );
    assert_eq!(
        next("*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 5),
        [
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-26T01:00:00Z"
        ]
    );
}

#[test]
fn a_day_that_a_zone_leaves_out_ends_nothing() {
    let days = next("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 4);
    assert_eq!(days.first().map(String::as_str), Some("2011-12-29T22:00:00Z"));
    assert_eq!(days.last().map(String::as_str), Some("2012-01-01T22:00:00Z"));
}

/// Going back over what misfires look at meets what going forward has fired.
#[test]
fn backwards_and_forwards_are_the_same_occurrences() {
    let crons = [
        "30 2 * * *",
        "0 0 * * *",
        "0 3 * * *",
        "*/30 * * * *",
        "30 * * * *",
        "30 1-3 * * *",
        "30 2,3 * * *",
        "*/20 2 * * *",
        "59 59 1 * * *",
        "7 */7 * * * *",
        "30 2 * * SUN",
        "30 1 L * *",
        "@every 7m",
    ];
    let places = [
        ("UTC", "2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z"),
        ("Europe/Berlin", "2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z"),
        ("Europe/Berlin", "2026-10-23T00:00:00Z", "2026-10-27T00:00:00Z"),
        ("America/New_York", "2026-03-06T00:00:00Z", "2026-03-10T00:00:00Z"),
        ("America/New_York", "2026-10-30T00:00:00Z", "2026-11-03T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-03T00:00:00Z", "2026-04-07T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-02T00:00:00Z", "2026-10-06T00:00:00Z"),
    ];
    for (zone, from, to) in places {
        for cron in crons {
            let recurrence = recurrence(cron, zone);
            let (from, to) = (at(from), at(to));
            let forth: Vec<_> =
                std::iter::successors(recurrence.after(from), |at| recurrence.after(*at))
                    .take_while(|at| *at <= to)
                    .collect();
            let mut back: Vec<_> =
                std::iter::successors(recurrence.latest(to), |at| recurrence.latest(at - 1))
                    .take_while(|at| *at > from)
                    .collect();
            back.reverse();
            assert_eq!(forth, back, "{cron} in {zone}");
            assert!(forth.is_sorted_by(|a, b| a < b), "{cron} in {zone}");
        }
    }
}

#[test]
fn milliseconds_do_not_matter_to_fields() {
    let every_second = recurrence("* * * * * *", "UTC");
    assert_eq!(every_second.after(1_500), Some(2_000));
    assert_eq!(every_second.after(2_000), Some(3_000));
    assert_eq!(every_second.latest(2_999), Some(2_000));
    assert_eq!(every_second.latest(2_000), Some(2_000));
}

#[test]
fn an_interval_keeps_its_phase() {
    let created = at("2026-01-01T00:00:00Z");
    let plain = recurrence("@every 90s", "UTC");
    assert_eq!(plain.after(created), Some(created + 90_000));
    assert_eq!(plain.after(created - 5), Some(created + 90_000));
    assert_eq!(plain.after(created + 1_000_007), Some(created + 1_080_000));
    assert_eq!(plain.latest(created + 1_000_007), Some(created + 990_000));
    let start = std::time::UNIX_EPOCH + std::time::Duration::from_secs(10);
    let started =
        Recurrence::new(&ScheduleOptions::new("@every 1m", "").with_start(start), created);
    let started = started.unwrap();
    assert_eq!(started.after(0), Some(10_000));
    assert_eq!(started.after(10_000), Some(70_000));
    assert_eq!(started.latest(9_999), None);
}

#[test]
fn start_and_end_are_occurrences_and_nothing_is_outside() {
    let time = |ms| std::time::UNIX_EPOCH + std::time::Duration::from_millis(ms);
    let options = ScheduleOptions::new("* * * * *", "");
    let bounded = options.with_start(time(120_000)).with_end(time(180_000));
    let bounded = Recurrence::new(&bounded, 0).unwrap();
    assert_eq!(bounded.after(0), Some(120_000));
    assert_eq!(bounded.after(120_000), Some(180_000));
    assert_eq!(bounded.after(180_000), None);
    assert_eq!(bounded.latest(119_999), None);
    assert_eq!(bounded.latest(1 << 40), Some(180_000));
}

#[test]
fn what_never_comes_is_refused() {
    for cron in ["0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
        validate(&ScheduleOptions::new(cron, "")).unwrap_err();
    }
    validate(&ScheduleOptions::new("0 0 29 2 *", "")).unwrap();
}
