//! A process that shares a queue file with others, and says on its standard output what it does.
//!
//! `peer FILE consume COUNT` claims and acks so many messages of subscriber `s` of topic `t`, waiting
//! for each; `peer FILE publish COUNT` publishes so many, one after another, when a line comes in.

use std::error::Error;
use std::io;
use std::time::Duration;

use blockqueue::{ClaimOptions, Queue};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [file, verb, count] = words.as_slice() else {
        return Err("usage: peer FILE consume|publish COUNT".into());
    };
    let (queue, count) = (Queue::open(file)?, count.parse()?);
    println!("ready");
    match *verb {
        "consume" => consume(&queue, count)?,
        "publish" => publish(&queue, count)?,
        _ => return Err("no such verb".into()),
    }
    queue.shutdown().wait()?;
    Ok(())
}

fn consume(queue: &Queue, count: usize) -> Result<(), Box<dyn Error>> {
    let options = ClaimOptions::default().with_limit(1).with_wait(Duration::from_mins(1));
    for _ in 0..count {
        for delivery in queue.claim("t", "s", &options).wait()? {
            queue.ack(&delivery.receipt).wait()?;
            println!("{}", String::from_utf8_lossy(&delivery.payload));
        }
    }
    Ok(())
}

fn publish(queue: &Queue, count: usize) -> Result<(), Box<dyn Error>> {
    io::stdin().read_line(&mut String::new())?;
    for number in 0..count {
        queue.publish("t", number.to_string()).wait()?;
    }
    println!("published");
    Ok(())
}
