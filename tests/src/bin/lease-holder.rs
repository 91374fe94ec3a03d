//! A process that claims one delivery, waits to be told, and then acks it.
//!
//! `lease-holder FILE`. Says `claimed`, reads a line, and says what came of the ack.

use std::error::Error;
use std::io;
use std::time::Duration;

use blockqueue::{ClaimOptions, Queue};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: lease-holder FILE")?;
    let queue = Queue::open(file)?;
    let options = ClaimOptions::default()
        .with_limit(1)
        .with_lease(Duration::from_millis(300))
        .with_wait(Duration::from_secs(30));
    let deliveries = queue.claim("t", "s", &options).wait()?;
    let delivery = deliveries.first().ok_or("nothing to claim")?;
    println!("claimed");
    io::stdin().read_line(&mut String::new())?;
    match queue.ack(&delivery.receipt).wait() {
        Ok(()) => println!("acked"),
        Err(error) => println!("{}", error.code()),
    }
    queue.shutdown().wait()?;
    Ok(())
}
