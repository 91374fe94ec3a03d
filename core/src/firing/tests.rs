use std::time::Duration;

use super::*;

const WHO: Identity = Identity { tag: 7, schedule: 1 };
const MINUTE: Millis = 60_000;

fn options(misfire: MisfirePolicy) -> ScheduleOptions {
    ScheduleOptions::new("* * * * *", "").with_misfire(misfire)
}

fn decided(options: &ScheduleOptions, first: Millis, now: Millis) -> Firing {
    decide(options, &Recurrence::new(options, 0).unwrap(), WHO, first, now)
}

#[test]
fn what_is_in_time_is_fired_whatever_the_policy() {
    for policy in [MisfirePolicy::Skip, MisfirePolicy::Once, MisfirePolicy::All { limit: 3 }] {
        let firing = decided(&options(policy), MINUTE, MINUTE + 1);
        assert_eq!(firing, Firing { missed: None, fire: vec![MINUTE], newest: MINUTE });
    }
}

#[test]
fn what_is_later_than_its_grace_is_missed() {
    let options =
        options(MisfirePolicy::Skip).with_cron("@hourly").with_grace(Duration::from_secs(10));
    let hour = 60 * MINUTE;
    assert_eq!(decided(&options, hour, hour + 10_000).fire, [hour]);
    let late = decided(&options, hour, hour + 10_001);
    assert_eq!(late, Firing { missed: Some((hour, hour)), fire: vec![], newest: hour });
}

#[test]
fn all_is_the_newest_up_to_the_limit() {
    let firing = decided(&options(MisfirePolicy::All { limit: 2 }), MINUTE, 5 * MINUTE);
    assert_eq!(firing.fire, [4 * MINUTE, 5 * MINUTE]);
    assert_eq!(firing.missed, Some((MINUTE, 3 * MINUTE)));
    let firing = decided(&options(MisfirePolicy::All { limit: 9 }), MINUTE, 3 * MINUTE);
    assert_eq!(firing.fire, [MINUTE, 2 * MINUTE, 3 * MINUTE]);
    assert_eq!(firing.missed, None);
}

#[test]
fn jitter_is_the_same_for_everybody_and_stays_within_its_bound() {
    let options = options(MisfirePolicy::Once).with_jitter(Duration::from_secs(10));
    let delays: Vec<_> = (1..200).map(|n| due_at(&options, WHO, n * MINUTE) - n * MINUTE).collect();
    assert!(delays.iter().all(|delay| (0..=10_000).contains(delay)));
    assert!(delays.iter().any(|delay| *delay < 2_000) && delays.iter().any(|d| *d > 8_000));
    let again: Vec<_> = (1..200).map(|n| due_at(&options, WHO, n * MINUTE) - n * MINUTE).collect();
    assert_eq!(delays, again);
    let other = Identity { schedule: 2, ..WHO };
    assert!(
        (1..200).any(|n| due_at(&options, other, n * MINUTE) != due_at(&options, WHO, n * MINUTE))
    );
    // Other releases on the same file must agree.
    assert_eq!(due_at(&options, WHO, MINUTE), MINUTE + 4_871);
}

#[test]
fn an_occurrence_whose_jitter_may_not_be_over_is_left_for_later() {
    let options = options(MisfirePolicy::Once).with_jitter(Duration::from_secs(90));
    let firing = decided(&options, MINUTE, 3 * MINUTE);
    assert_eq!((firing.newest, firing.missed), (MINUTE, None));
}
