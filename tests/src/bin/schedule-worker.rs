//! A process that has a queue open until it is killed, and publishes noise if it is told to. It writes a line
//! when the queue is open.
//!
//! `schedule-worker FILE idle|busy`.

use std::error::Error;
use std::thread;

use blockqueue::Queue;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, mood] = words.as_slice() else {
        return Err("usage: schedule-worker FILE idle|busy".into());
    };
    let queue = Queue::open(file)?;
    println!("open");
    loop {
        if mood == "busy" {
            queue.publish("noise", "noise").wait()?;
        } else {
            thread::park();
        }
    }
}
