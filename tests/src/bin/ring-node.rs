//! Hands messages from one topic to another, together with programs of other languages on the same file:
//! `tests/interop/README.md` says how.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use blockqueue::{ClaimOptions, Delivery, Message, OpenOptions, Queue};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, from, subscriber, to, count] = words.as_slice() else {
        return Err("usage: ring-node FILE TOPIC_IN SUBSCRIBER TOPIC_OUT COUNT".into());
    };
    let queue = Queue::open_with(Path::new(file), OpenOptions::default().with_must_exist(true))?;
    println!("ready");
    let mut left: usize = count.parse()?;
    while left > 0 {
        let options =
            ClaimOptions::default().with_limit(left.min(10)).with_wait(Duration::from_mins(1));
        for delivery in queue.claim(from, subscriber, &options).wait()? {
            let receipt = delivery.receipt;
            queue.publish(to, onward(delivery)).wait()?;
            match queue.ack(&receipt).wait() {
                Ok(()) => left -= 1,
                // Somebody else hands it on.
                Err(blockqueue::Error::LeaseLost { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(queue.shutdown().wait()?)
}

fn onward(delivery: Delivery) -> Message {
    let mut message = Message::new(delivery.payload);
    message.content_type = delivery.content_type;
    message.headers = delivery.headers;
    message.idempotency_key.clone_from(&delivery.correlation_id);
    message.correlation_id = delivery.correlation_id;
    message
}
