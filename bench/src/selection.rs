//! The cases of subscribers that choose: ordering keys and filters.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use blockqueue::{ClaimOptions, Message, NewSubscriber, NewTopic, Queue, SubscriberOptions};

use crate::cases::{Failure, PAYLOAD, Rows, at_most, fill, fresh};
use crate::measure::{Row, compare, quantile, time};

fn create(directory: &Path, options: SubscriberOptions) -> Result<Queue, Failure> {
    let queue = Queue::open(fresh(directory))?;
    let new = NewTopic::new("t").with_subscriber(NewSubscriber::new("s0").with_options(options));
    queue.create_topic(new).wait()?;
    Ok(queue)
}

/// Messages `from` and on, whose keys come round again after `keys` messages.
fn keyed(from: usize, count: usize, keys: usize) -> Vec<Message> {
    let key = |n: usize| format!("key-{}", n % keys);
    (from..from + count).map(|n| Message::new(PAYLOAD).with_ordering_key(key(n))).collect()
}

pub(crate) fn ordered(directory: &Path) -> Rows {
    const ROUNDS: usize = 100;
    let options = ClaimOptions::default().with_limit(100);
    let run = |queue: &Queue, next: &mut usize, keys: usize| {
        let mut took = Duration::ZERO;
        for _ in 0..ROUNDS {
            let (each, claimed) = time(|| queue.claim("t", "s0", &options).wait().expect("claims"));
            took += each;
            assert_eq!(claimed.len(), 100);
            let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
            queue.ack_batch(&receipts).wait().expect("acks");
            queue.publish_batch("t", keyed(*next, 100, keys)).wait().expect("publishes");
            *next += 100;
        }
        took
    };
    let start = |waiting: usize, keys: usize| -> Result<(Queue, usize, usize), Failure> {
        let queue = create(directory, SubscriberOptions::default().with_ordered(true))?;
        for batch in 0..waiting / 1_000 {
            queue.publish_batch("t", keyed(batch * 1_000, 1_000, keys)).wait()?;
        }
        Ok((queue, waiting, keys))
    };
    let (deep, mut deep_next, many) = start(1_000_000, 100_000)?;
    let (shallow, mut shallow_next, few) = start(1_000, 1_000)?;
    let result = compare(
        ROUNDS * 100,
        || run(&deep, &mut deep_next, many),
        || run(&shallow, &mut shallow_next, few),
    );
    let case =
        "ordered: claim 100 with 1,000,000 waiting of 100,000 keys / with 1,000 of 1,000 keys";
    Ok(vec![at_most(case, result, 1.20)])
}

pub(crate) fn skip(directory: &Path) -> Rows {
    const COUNT: usize = 1_000_000;
    let wanted = r#"{"header": "kind", "exists": true}"#.parse()?;
    let queue = create(directory, SubscriberOptions::default().with_filter(wanted))?;
    fill(&queue, COUNT)?;
    queue.publish("t", Message::new(PAYLOAD).with_header("kind", "x")).wait()?;
    let is_over = AtomicBool::new(false);
    let (took, longest) = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut publishes = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let (each, published) = time(|| queue.publish("t", Message::new(PAYLOAD)).wait());
                published.expect("publishes");
                publishes.push(each.as_secs_f64());
            }
            quantile(publishes, 1.0)
        });
        let options = ClaimOptions::default().with_limit(1);
        let (took, claimed) = time(|| queue.claim("t", "s0", &options).wait().expect("claims"));
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(claimed.len(), 1);
        (took, other.join().expect("ends"))
    });
    Ok(vec![Row {
        case: format!(
            "a claim skips 1,000,000 messages in {:.1} s: the longest publish meanwhile",
            took.as_secs_f64()
        ),
        ours: format!("{:.1} ms", longest * 1e3),
        base: "–".to_owned(),
        ratio: "–".to_owned(),
        target: "≤ 10 ms".to_owned(),
        reached: longest <= 0.010,
    }])
}
