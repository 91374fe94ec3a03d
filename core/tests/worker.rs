//! Workers, by what could go wrong with them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use blockqueue::{
    ClaimOptions, DeliveryResult, DeliveryState, HandlerError, Message, NewSubscriber, NewTopic,
    Page, Queue, RateLimit, Reply, RetryPolicy, SubscriberOptions, SubscriberStats, Worker,
    WorkerGroup,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn queue_with(messages: usize) -> Queue {
    let queue = Queue::open(":memory:").unwrap();
    let retry = RetryPolicy::default().with_initial(Duration::ZERO).with_jitter(0.0);
    let options = SubscriberOptions::default().with_max_attempts(3).with_retry(retry);
    let subscriber = NewSubscriber::new("s").with_options(options);
    queue.create_topic(NewTopic::new("t").with_subscriber(subscriber)).wait().unwrap();
    for number in 0..messages {
        queue.publish("t", number.to_string()).wait().unwrap();
    }
    queue
}

fn stats(queue: &Queue) -> SubscriberStats {
    queue.subscriber_stats("t", "s").wait().unwrap()
}

fn until(condition: impl Fn() -> bool) {
    let (_alive, never) = mpsc::channel::<()>();
    for _ in 0..2_000 {
        if condition() {
            return;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    panic!("waited for too long");
}

#[test]
fn everything_is_handled_once_by_several_threads_and_workers() {
    let queue = queue_with(500);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut group = WorkerGroup::new();
    for _ in 0..2 {
        let seen = Arc::clone(&seen);
        let worker = Worker::new(&queue, "t", "s").with_concurrency(4).with_batch(16);
        let handle = worker.start(move |delivery| {
            seen.lock().unwrap().push(delivery.message_id);
            Ok(())
        });
        group.add(handle.unwrap());
    }
    until(|| stats(&queue).acked_count == 500);
    let reports = group.shutdown(PATIENCE).unwrap();
    assert_eq!(reports.iter().map(|report| report.acked).sum::<u64>(), 500);
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 500);
}

#[test]
fn a_panic_is_a_failure_and_the_thread_goes_on() {
    let queue = queue_with(2);
    let worker = Worker::new(&queue, "t", "s")
        .start(|delivery| {
            assert!(delivery.payload != b"0" || delivery.attempt > 1, "not at once");
            Ok(())
        })
        .unwrap();
    until(|| stats(&queue).acked_count == 2);
    let report = worker.shutdown(PATIENCE).unwrap();
    assert_eq!((report.acked, report.failed), (2, 1));
}

#[test]
fn giving_up_makes_a_dead_letter_with_the_reason() {
    let queue = queue_with(1);
    let worker = Worker::new(&queue, "t", "s")
        .start(|_| Err(HandlerError::give_up("no such order")))
        .unwrap();
    until(|| stats(&queue).dead_count == 1);
    worker.shutdown(PATIENCE).unwrap();
    let dead = queue.dead_letters("t", "s", Page::default()).wait().unwrap();
    assert_eq!(dead.items.first().unwrap().error.as_deref(), Some("no such order"));
}

#[test]
fn a_handler_chooses_when_to_be_called_again() {
    let queue = queue_with(1);
    let worker = Worker::new(&queue, "t", "s")
        .start(|_| Err(HandlerError::retry_after("later", Duration::from_hours(1))))
        .unwrap();
    until(|| stats(&queue).retrying_count == 1);
    worker.shutdown(PATIENCE).unwrap();
    assert_eq!(stats(&queue).ready_count, 0);
}

#[test]
fn an_error_in_the_handler_is_tried_again_until_attempts_are_out() {
    let queue = queue_with(1);
    let worker = Worker::new(&queue, "t", "s")
        .start(|delivery| {
            std::str::from_utf8(&delivery.payload)?.parse::<char>().map(|_| ())?;
            Err(std::io::Error::other("boom").into())
        })
        .unwrap();
    until(|| stats(&queue).dead_count == 1);
    assert_eq!(worker.shutdown(PATIENCE).unwrap().failed, 3);
}

#[test]
fn leases_are_extended_for_as_long_as_a_handler_runs() {
    let queue = queue_with(2);
    let (begun, begins) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let ends = Mutex::new(ends);
    let worker = Worker::new(&queue, "t", "s").with_batch(2).with_lease(Duration::from_millis(60));
    let worker = worker
        .start(move |_| {
            begun.send(()).unwrap();
            ends.lock().unwrap().recv().unwrap();
            Ok(())
        })
        .unwrap();
    begins.recv_timeout(PATIENCE).unwrap();
    // Several leases long: both are still held, the one that runs and the one that waits.
    let first = queue.peek("t", "s", Page::default()).wait().unwrap().items;
    let expiry = first.iter().filter_map(|item| item.status.ready_at).max().unwrap();
    until(|| {
        let items = queue.peek("t", "s", Page::default()).wait().unwrap().items;
        items.iter().all(|item| {
            item.status.state == DeliveryState::Leased
                && item.status.ready_at.unwrap() > expiry + Duration::from_millis(200)
        })
    });
    end.send(()).unwrap();
    end.send(()).unwrap();
    until(|| stats(&queue).acked_count == 2);
    assert_eq!(stats(&queue).expired_count, 0);
    worker.shutdown(PATIENCE).unwrap();
}

#[test]
fn shutdown_finishes_what_runs_and_gives_back_what_does_not() {
    let queue = queue_with(3);
    let (begun, begins) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let ends = Mutex::new(ends);
    let worker = Worker::new(&queue, "t", "s").with_batch(3);
    let worker = worker
        .start(move |_| {
            begun.send(()).unwrap();
            ends.lock().unwrap().recv().unwrap();
            Ok(())
        })
        .unwrap();
    begins.recv_timeout(PATIENCE).unwrap();
    worker.stop();
    until(|| stats(&queue).ready_count == 2);
    end.send(()).unwrap();
    let report = worker.shutdown(PATIENCE).unwrap();
    assert_eq!((report.acked, report.unfinished), (1, 0));
    let claimed = queue.claim("t", "s", &blockqueue::ClaimOptions::default()).wait().unwrap();
    assert!(claimed.iter().all(|delivery| delivery.attempt == 1), "given back is not an attempt");
}

#[test]
fn a_handler_that_does_not_return_does_not_hold_up_the_end() {
    let queue = queue_with(1);
    let (begun, begins) = mpsc::channel();
    let (_never, ends) = mpsc::channel::<()>();
    let ends = Mutex::new(ends);
    let worker = Worker::new(&queue, "t", "s");
    let worker = worker
        .start(move |_| {
            begun.send(()).unwrap();
            let _ = ends.lock().unwrap().recv();
            Ok(())
        })
        .unwrap();
    begins.recv_timeout(PATIENCE).unwrap();
    assert_eq!(worker.shutdown(Duration::from_millis(20)).unwrap().unfinished, 1);
}

#[test]
fn what_a_worker_has_not_begun_is_as_if_it_had_not_been_claimed() {
    let rate = RateLimit::new(4, Duration::from_hours(1));
    let queue = queue_for(SubscriberOptions::default().with_rate(rate));
    for number in 0..4 {
        queue.publish("t", number.to_string()).wait().unwrap();
    }
    let (begun, begins) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let worker = Worker::new(&queue, "t", "s").with_batch(3).start(move |_| {
        begun.send(()).unwrap();
        let _ = goes_on.lock().unwrap().recv();
        Ok(())
    });
    let worker = worker.unwrap();
    begins.recv_timeout(PATIENCE).unwrap();
    worker.stop();
    drop(go_on);
    worker.shutdown(PATIENCE).unwrap();
    let claimed = queue.claim("t", "s", &ClaimOptions::default().with_limit(10_usize)).wait();
    let claimed: Vec<_> =
        claimed.unwrap().into_iter().map(|each| (each.payload, each.attempt)).collect();
    // In their old order, and none of the rate is spent on them.
    assert_eq!(claimed, [(b"1".to_vec(), 1), (b"2".to_vec(), 1), (b"3".to_vec(), 1)]);
}

#[test]
fn a_handler_may_reply() {
    let queue = queue_with(0);
    let worker = Worker::new(&queue, "t", "s");
    let worker = worker
        .start_replying(|delivery| match delivery.payload.as_slice() {
            b"quiet" => Ok(None),
            b"large" => Ok(Some(Reply::new(vec![0; 2 << 20]))),
            question => Ok(Some(Reply::new([question, b"!"].concat()))),
        })
        .unwrap();
    let ask = |question: &str| {
        let id = queue.publish("t", question).wait().unwrap().id;
        queue.wait_result("t", "s", id, PATIENCE).wait().unwrap()
    };
    assert!(matches!(ask("hi"), DeliveryResult::Replied(reply) if reply.payload == b"hi!"));
    assert_eq!(ask("quiet"), DeliveryResult::Settled);
    assert_eq!(ask("large"), DeliveryResult::DeadLettered);
    let report = worker.shutdown(PATIENCE).unwrap();
    assert_eq!((report.acked, report.failed), (2, 3));
}

#[test]
fn an_idle_worker_ends_at_once_and_gives_nothing_away() {
    let queue = queue_with(0);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let worker = Worker::new(&queue, "t", "s")
        .start(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .unwrap();
    until(|| queue.engine_stats().unwrap().waiting_claims == 1);
    worker.shutdown(PATIENCE).unwrap();
    queue.publish("t", Message::new("late")).wait().unwrap();
    until(|| stats(&queue).ready_count == 1);
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[test]
fn a_subscriber_that_is_not_there_is_an_error_at_the_start_or_ends_the_worker() {
    let queue = queue_with(0);
    let nothing = Worker::new(&queue, "t", "none").start(|_| Ok(()));
    assert_eq!(nothing.unwrap_err().code(), "unknown_subscriber");
    let worker = Worker::new(&queue, "t", "s").start(|_| Ok(())).unwrap();
    until(|| queue.engine_stats().unwrap().waiting_claims == 1);
    queue.delete_subscriber("t", "s").wait().unwrap();
    assert_eq!(worker.join().unwrap_err().code(), "unknown_subscriber");
}

#[test]
fn a_queue_that_is_shut_down_ends_its_workers() {
    let queue = queue_with(0);
    let worker = Worker::new(&queue, "t", "s").start(|_| Ok(())).unwrap();
    until(|| queue.engine_stats().unwrap().waiting_claims == 1);
    queue.shutdown().wait().unwrap();
    assert_eq!(worker.join().unwrap_err().code(), "shutdown");
}

// --- what a subscriber asks for -----------------------------------------------------------------------

fn queue_for(options: SubscriberOptions) -> Queue {
    let queue = Queue::open(":memory:").unwrap();
    let retry = RetryPolicy::default().with_initial(Duration::ZERO).with_jitter(0.0);
    let subscriber = NewSubscriber::new("s").with_options(options.with_retry(retry));
    queue.create_topic(NewTopic::new("t").with_subscriber(subscriber)).wait().unwrap();
    queue
}

#[test]
fn messages_of_a_key_are_handled_one_at_a_time_and_in_order() {
    const KEYS: usize = 5;
    const EACH: usize = 40;
    let queue = queue_for(SubscriberOptions::default().with_ordered(true));
    let message = |n: usize| Message::new(n.to_string()).with_ordering_key((n % KEYS).to_string());
    queue.publish_batch("t", (0..KEYS * EACH).map(message).collect()).wait().unwrap();
    let busy = Arc::new([const { AtomicUsize::new(0) }; KEYS]);
    let handled = Arc::new(Mutex::new(Vec::new()));
    let mut group = WorkerGroup::new();
    for _ in 0..2 {
        let (busy, handled) = (Arc::clone(&busy), Arc::clone(&handled));
        let worker = Worker::new(&queue, "t", "s").with_concurrency(4).with_batch(16);
        let handle = worker.start(move |delivery| {
            let number: usize = std::str::from_utf8(&delivery.payload)?.parse()?;
            let key = &busy[number % KEYS];
            assert_eq!(key.fetch_add(1, Ordering::SeqCst), 0, "two of a key at a time");
            std::thread::yield_now();
            key.fetch_sub(1, Ordering::SeqCst);
            if number.is_multiple_of(7) && delivery.attempt == 1 {
                return Err(HandlerError::retry("not at once"));
            }
            handled.lock().unwrap().push(number);
            Ok(())
        });
        group.add(handle.unwrap());
    }
    until(|| stats(&queue).acked_count == (KEYS * EACH) as u64);
    group.shutdown(PATIENCE).unwrap();
    let handled = handled.lock().unwrap();
    for key in 0..KEYS {
        let of_key = handled.iter().filter(|number| **number % KEYS == key);
        assert!(of_key.is_sorted(), "key {key}: {handled:?}");
    }
    assert_eq!(stats(&queue).dead_count, 0);
}

#[test]
fn no_more_handlers_run_than_the_subscriber_allows() {
    let queue = queue_for(SubscriberOptions::default().with_leased_max(2_u32));
    queue.publish_batch("t", vec![Message::new("x"); 100]).wait().unwrap();
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let mut group = WorkerGroup::new();
    for _ in 0..2 {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        let worker = Worker::new(&queue, "t", "s").with_concurrency(4);
        let handle = worker.start(move |_| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        });
        group.add(handle.unwrap());
    }
    until(|| stats(&queue).acked_count == 100);
    group.shutdown(PATIENCE).unwrap();
    assert!(most.load(Ordering::SeqCst) <= 2);
}
