//! A process that shares a queue file with others, and says on its standard output what it does.
//!
//! `peer FILE consume COUNT` claims and acks so many messages of subscriber `s` of topic `t`, waiting
//! for each; `peer FILE publish COUNT` publishes so many, one after another, when a line comes in;
//! `peer FILE handle COUNT LOG` claims and acks until so many are acked by all, and appends to a file what it
//! begins, ends, and fails on purpose; `peer FILE reply COUNT` answers so many messages with what they say;
//! `peer FILE unique COUNT` publishes one of the same unique key for each of so many lines that come in, and
//! says what it was told; `peer FILE redrive COUNT` gives messages up and redrives them to topic `to`, until so
//! many are there.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::time::Duration;

use blockqueue::{ClaimOptions, DeadLetters, Message, NackOptions, Queue, Redrive, Reply};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [file, verb, count, log @ ..] = words.as_slice() else {
        return Err(
            "usage: peer FILE consume|publish|handle|reply|unique|redrive COUNT [LOG]".into()
        );
    };
    let (queue, count) = (Queue::open(file)?, count.parse()?);
    println!("ready");
    match (*verb, log) {
        ("consume", []) => consume(&queue, count)?,
        ("publish", []) => publish(&queue, count)?,
        ("handle", [log]) => handle(&queue, count, log)?,
        ("reply", []) => reply(&queue, count)?,
        ("unique", []) => unique(&queue, count)?,
        ("redrive", []) => redrive(&queue, count)?,
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

/// Each line is one write, so that the order of lines is that of events of all processes.
fn handle(queue: &Queue, count: usize, log: &str) -> Result<(), Box<dyn Error>> {
    let mut log = OpenOptions::new().append(true).open(log)?;
    let mut say = |word: &str, what: &str| {
        log.write_all(format!("{word} {} {what}\n", std::process::id()).as_bytes())
    };
    let wait = Duration::from_millis(500);
    let lease = Duration::from_secs(5);
    let options = ClaimOptions::default().with_limit(2).with_wait(wait).with_lease(lease);
    while queue.subscriber_stats("t", "s").wait()?.acked_count < count as u64 {
        let deliveries = queue.claim("t", "s", &options).wait()?;
        for delivery in &deliveries {
            say("begin", &String::from_utf8_lossy(&delivery.payload))?;
        }
        for (place, delivery) in deliveries.iter().enumerate() {
            let what = String::from_utf8_lossy(&delivery.payload);
            if delivery.attempt == 1 && place == 1 {
                say("fail", &what)?;
                let options = NackOptions::default().with_delay(Duration::ZERO);
                queue.nack(&delivery.receipt, &options).wait()?;
            } else {
                say("end", &what)?;
                queue.ack(&delivery.receipt).wait()?;
            }
        }
    }
    Ok(())
}

fn reply(queue: &Queue, count: usize) -> Result<(), Box<dyn Error>> {
    let options = ClaimOptions::default()
        .with_limit(1)
        .with_wait(Duration::from_mins(1))
        .with_lease(Duration::from_secs(2));
    for _ in 0..count {
        for delivery in queue.claim("t", "s", &options).wait()? {
            let reply = Reply::new(delivery.payload);
            match queue.ack_with_result(&delivery.receipt, reply).wait() {
                // Somebody else answers it.
                Ok(()) | Err(blockqueue::Error::LeaseLost { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn unique(queue: &Queue, count: usize) -> Result<(), Box<dyn Error>> {
    for _ in 0..count {
        io::stdin().read_line(&mut String::new())?;
        match queue.publish("t", Message::new("work").with_unique_key("k")).wait() {
            Ok(_) => println!("published"),
            Err(error) => println!("{}", error.code()),
        }
    }
    Ok(())
}

fn redrive(queue: &Queue, count: usize) -> Result<(), Box<dyn Error>> {
    let options = ClaimOptions::default()
        .with_limit(5)
        .with_wait(Duration::from_millis(100))
        .with_lease(Duration::from_secs(1));
    let give_up = NackOptions::default().with_give_up(true);
    let redrive = Redrive::from(DeadLetters::Oldest(3)).with_to("to");
    while queue.subscriber_stats("to", "s").wait()?.pending_count < count as u64 {
        for delivery in queue.claim("t", "s", &options).wait()? {
            match queue.nack(&delivery.receipt, &give_up).wait() {
                Ok(_) | Err(blockqueue::Error::LeaseLost { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        queue.redrive("t", "s", redrive.clone()).wait()?;
    }
    Ok(())
}
