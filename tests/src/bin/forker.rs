//! A process that forks while its queue is busy. Each child finds the inherited handle refused, opens the
//! queue anew, publishes, and ends in an orderly way.
//!
//! `forker FILE COUNT`.
#![expect(unsafe_code, reason = "there is no safe fork")]

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use blockqueue::{ClaimOptions, Queue};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, count] = words.as_slice() else { return Err("usage: forker FILE COUNT".into()) };
    let (queue, count) = (Queue::open(file)?, count.parse::<u32>()?);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| work(&queue, &is_over));
        }
        let result = (0..count).try_for_each(|number| fork(&queue, file, number));
        is_over.store(true, Ordering::Relaxed);
        result
    })?;
    queue.shutdown().wait()?;
    Ok(())
}

fn work(queue: &Queue, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        queue.publish("t", "parent").wait().expect("publishes");
        queue.topic("t").wait().expect("reads");
        let claim = ClaimOptions::default().with_limit(1);
        for delivery in queue.claim("t", "s", &claim).wait().expect("claims") {
            queue.ack(&delivery.receipt).wait().expect("acks");
        }
    }
}

fn fork(queue: &Queue, file: &str, number: u32) -> Result<(), Box<dyn Error>> {
    // SAFETY: the child uses nothing of the other threads': that is what this program is about.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let is_good = in_child(queue, file, number).is_ok();
        std::process::exit(i32::from(!is_good));
    }
    let mut status = 0;
    // SAFETY: there is room for the status.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    if status == 0 { Ok(()) } else { Err(format!("child {number}: {status}").into()) }
}

fn in_child(inherited: &Queue, file: &str, number: u32) -> Result<(), Box<dyn Error>> {
    let claim = ClaimOptions::default();
    let refusals = [
        inherited.publish("t", "x").wait().err(),
        inherited.topic("t").wait().err(),
        inherited.claim("t", "s", &claim).wait().err(),
        inherited.engine_stats().err(),
        inherited.shutdown().wait().err(),
    ];
    if refusals.iter().any(|error| error.as_ref().is_none_or(|error| error.code() != "forked")) {
        return Err("an inherited handle was not refused".into());
    }
    drop(inherited.clone());
    let queue = Queue::open(file)?;
    queue.publish("children", number.to_string()).wait()?;
    queue.shutdown().wait()?;
    Ok(())
}
