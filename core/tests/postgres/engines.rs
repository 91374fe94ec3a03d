//! Several engines on one schema.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use blockqueue::{
    ClaimOptions, DeliveryResult, Message, NewSchedule, NewSubscriber, NewTopic, OpenOptions,
    OverlapPolicy, Queue, Reply, ScheduleOptions,
};

use crate::server::{address, eventually, fresh_schema, numbered, queue, with_schema};

#[test]
fn engines_that_start_at_once_on_an_empty_database_share_it() {
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let engines: Vec<Queue> = thread::scope(|scope| {
        let openers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| Queue::open(&address).unwrap())).collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    let (first, rest) = engines.split_first().unwrap();
    first.create_topic("t").wait().unwrap();
    for engine in rest {
        engine.publish("t", "x").wait().unwrap();
    }
    let stats = first.topic_stats("t").wait().unwrap();
    assert_eq!(stats.published_count, rest.len() as u64);
}

#[test]
fn a_waiting_claim_hears_of_a_publish_through_another_engine() {
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let (consumer, publisher) = (queue(&address), Queue::open(&address).unwrap());
    let options = ClaimOptions::default().with_wait(Duration::from_secs(30));
    let mut delays = Vec::new();
    for number in 0..5 {
        let claim = consumer.claim("t", "s", &options);
        eventually("a claim waits", || consumer.engine_stats().unwrap().waiting_claims == 1);
        let started = Instant::now();
        publisher.publish("t", numbered(number)).wait().unwrap();
        let claimed = claim.wait().unwrap();
        delays.push(started.elapsed());
        let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
        consumer.ack_batch(&receipts).wait().unwrap();
    }
    delays.sort();
    println!("publish to claim through another engine: {delays:?}");
    // The safety poll alone would take half a second on average.
    assert!(delays.first().is_some_and(|best| *best < Duration::from_millis(500)), "{delays:?}");
}

#[test]
fn whoever_waits_for_a_result_hears_of_a_reply_through_another_engine() {
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let (asker, replier) = (queue(&address), Queue::open(&address).unwrap());
    let id = asker.publish("t", "question").wait().unwrap().id;
    let claimed = replier.claim("t", "s", &ClaimOptions::default()).wait().unwrap();
    let result = asker.wait_result("t", "s", id, Duration::from_secs(30));
    replier
        .ack_with_result(&claimed.first().unwrap().receipt, Reply::new("answer"))
        .wait()
        .unwrap();
    let DeliveryResult::Replied(reply) = result.wait().unwrap() else { panic!("no reply") };
    assert_eq!(reply.payload, b"answer");
}

/// Hosts whose clocks are twenty minutes apart: what is due is due by the server's.
#[test]
fn engines_whose_clocks_are_minutes_off_lease_and_wait_rightly() {
    const MINUTES: i64 = 10 * 60_000;
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let open =
        |by_ms| Queue::open_with(&address, OpenOptions::default().with_wrong_clock(by_ms)).unwrap();
    let (fast, slow) = (open(MINUTES), open(-MINUTES));
    let topic = NewTopic::new("t").with_subscriber(NewSubscriber::new("s"));
    fast.create_topic(topic).wait().unwrap();
    let moment = Duration::from_millis(400);
    let wait = ClaimOptions::default().with_wait(Duration::from_secs(30));
    for (one, other) in [(&fast, &slow), (&slow, &fast)] {
        let started = Instant::now();
        let waiting = one.claim("t", "s", &wait.with_lease(moment));
        other.publish("t", Message::new("x").with_delay(moment)).wait().unwrap();
        let late = waiting.wait().unwrap().into_iter().next().unwrap();
        assert!(started.elapsed() >= moment, "delivered after {:?}", started.elapsed());
        // What the caller is told is the server's time, which is this machine's.
        let left = late.lease_expires_at.duration_since(SystemTime::now()).unwrap_or_default();
        assert!(left <= moment, "leased for {left:?} more");
        let again = other.claim("t", "s", &wait).wait().unwrap().into_iter().next().unwrap();
        assert!(started.elapsed() >= moment * 2, "leased twice after {:?}", started.elapsed());
        assert!(started.elapsed() < Duration::from_secs(20), "waited {:?}", started.elapsed());
        assert_eq!(again.attempt, 2);
        assert_eq!(one.ack(&late.receipt).wait().unwrap_err().code(), "lease_lost");
        other.ack(&again.receipt).wait().unwrap();
    }
}

#[test]
fn a_schedule_fires_once_for_all_engines_by_the_clock_of_the_server() {
    let Some(server) = address() else { return };
    let address = with_schema(&server, &fresh_schema());
    let clocks = [-600_000, 0, 600_000];
    let engines = clocks.map(|by_ms| {
        Queue::open_with(&address, OpenOptions::default().with_wrong_clock(by_ms)).unwrap()
    });
    let [first, ..] = &engines;
    first.create_topic(NewTopic::new("t").with_subscriber("s")).wait().unwrap();
    let every = ScheduleOptions::new("@every 1s", "tick").with_overlap(OverlapPolicy::Allow);
    first.create_schedule("t", NewSchedule::new("ticks", every)).wait().unwrap();
    // All of them wait, and each would fire.
    let wait = ClaimOptions::default().with_wait(Duration::from_secs(30)).with_limit(1);
    let claims = engines.each_ref().map(|engine| engine.claim("t", "s", &wait));
    let mut times: Vec<_> = claims
        .into_iter()
        .flat_map(|claim| claim.wait().unwrap())
        .map(|delivery| delivery.published_at)
        .collect();
    times.sort();
    assert_eq!(times.len(), 3);
    for pair in times.windows(2) {
        let [one, next] = pair else { continue };
        let apart = next.duration_since(*one).unwrap();
        assert!(apart >= Duration::from_millis(500), "fired twice: {times:?}");
    }
}
