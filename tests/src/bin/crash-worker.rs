//! A process that publishes and consumes until it is killed, and keeps a journal of it. On a file it does so in
//! each of the three ways there are: by the queue, by a transaction of the queue, and by SQL on its own connection.
//!
//! `crash-worker QUEUE JOURNAL NAME SEED`.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blockqueue::rusqlite::{Connection, TransactionBehavior};
use blockqueue::{
    ClaimOptions, Delivery, Message, NackOptions, Queue, Receipt, TransactionOptions, ack_in,
    publish_in,
};
use blockqueue_tests::chance::Chance;
use blockqueue_tests::journal::{Entry, Journal};

const LEASE: Duration = Duration::from_millis(300);

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, journal, name, seed] = words.as_slice() else {
        return Err("usage: crash-worker QUEUE JOURNAL NAME SEED".into());
    };
    let mut worker = Worker {
        queue: Queue::open(address)?,
        own: if address.contains("://") { None } else { Some(own_connection(address)?) },
        journal: Journal::append(Path::new(journal))?,
        chance: Chance::new(seed.parse()?),
        name: name.clone(),
        count: 0,
    };
    loop {
        if worker.chance.below(3) == 0 {
            worker.publish()?;
        } else {
            worker.consume()?;
        }
    }
}

struct Worker {
    queue: Queue,
    /// The application's own, for the SQL contract; none on a server.
    own: Option<Connection>,
    journal: Journal,
    chance: Chance,
    name: String,
    count: u64,
}

impl Worker {
    fn publish(&mut self) -> Result<(), Box<dyn Error>> {
        let count = if self.chance.below(2) == 0 { 1 } else { 1 + self.chance.below(50) };
        let payloads: Vec<String> = (0..count)
            .map(|_| {
                self.count += 1;
                format!("{}-{}", self.name, self.count)
            })
            .collect();
        let publishing: Vec<_> = payloads.iter().cloned().map(Entry::Publishing).collect();
        self.journal.write(&publishing)?;
        let messages = payloads.iter().map(|payload| {
            let message = Message::new(payload.as_str());
            match self.chance.below(8) {
                0 => message.with_delay(Duration::from_millis(self.chance.below(100))),
                1 => message.with_priority(1),
                _ => message,
            }
        });
        let messages: Vec<_> = messages.collect();
        match (self.chance.below(3), &mut self.own) {
            (0, _) | (_, None) => drop(self.queue.publish_batch("t", messages).wait()?),
            (1, Some(own)) => publish_by_sql(own, messages)?,
            _ => {
                let transaction = self.queue.transaction(TransactionOptions::default()).wait()?;
                transaction.publish_batch("t", messages).wait()?;
                transaction.commit().wait()?;
            }
        }
        let published: Vec<_> = payloads.into_iter().map(Entry::Published).collect();
        self.journal.write(&published)?;
        Ok(())
    }

    /// As far as their leases are not lost.
    fn ack_in_transaction(&self, receipts: &[Receipt]) -> Result<Vec<bool>, Box<dyn Error>> {
        let transaction = self.queue.transaction(TransactionOptions::default()).wait()?;
        let acked = receipts.iter().map(|receipt| transaction.ack(receipt).wait().is_ok());
        let acked = acked.collect();
        transaction.commit().wait()?;
        Ok(acked)
    }

    fn consume(&mut self) -> Result<(), Box<dyn Error>> {
        let subscriber = if self.chance.below(2) == 0 { "a" } else { "b" };
        let limit = 1 + usize::try_from(self.chance.below(60))?;
        let options = ClaimOptions::default()
            .with_limit(limit)
            .with_lease(LEASE)
            .with_wait(Duration::from_millis(self.chance.below(20)));
        let deliveries = self.queue.claim("t", subscriber, &options).wait()?;
        let claimed: Vec<_> = deliveries
            .iter()
            .map(|delivery| {
                let to = millis(delivery.lease_expires_at);
                let from = to.saturating_sub(u64::try_from(LEASE.as_millis()).unwrap_or(0));
                Entry::Claimed(subscriber.to_owned(), payload(delivery), from, to)
            })
            .collect();
        self.journal.write(&claimed)?;
        let verb = match self.chance.below(6) {
            0 => "nack",
            1 => "defer",
            // Kept until its lease expires.
            2 if self.chance.below(4) == 0 => return Ok(()),
            _ => "ack",
        };
        self.settle(subscriber, &deliveries, verb)
    }

    fn settle(
        &mut self,
        subscriber: &str,
        deliveries: &[Delivery],
        verb: &str,
    ) -> Result<(), Box<dyn Error>> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let who = || subscriber.to_owned();
        let now = now();
        let settling = deliveries
            .iter()
            .map(|delivery| Entry::Settling(who(), payload(delivery), verb.to_owned(), now));
        self.journal.write(&settling.collect::<Vec<_>>())?;
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt).collect();
        let done: Vec<bool> = match verb {
            "ack" => match (self.chance.below(3), &mut self.own) {
                (0, _) | (_, None) => ok(self.queue.ack_batch(&receipts).wait()?),
                (1, Some(own)) => ack_by_sql(own, &receipts)?,
                _ => self.ack_in_transaction(&receipts)?,
            },
            "nack" => {
                let options = NackOptions::default().with_delay(Duration::from_millis(5));
                let nacks: Vec<_> =
                    receipts.iter().map(|receipt| (*receipt, options.clone())).collect();
                ok(self.queue.nack_batch(&nacks).wait()?)
            }
            _ => {
                let deferrals: Vec<_> =
                    receipts.iter().map(|receipt| (*receipt, Duration::from_millis(5))).collect();
                ok(self.queue.defer_batch(&deferrals).wait()?)
            }
        };
        let settled = deliveries
            .iter()
            .zip(done)
            .filter(|(_, done)| *done)
            .map(|(delivery, _)| Entry::Settled(who(), payload(delivery), verb.to_owned()));
        self.journal.write(&settled.collect::<Vec<_>>())?;
        Ok(())
    }
}

fn publish_by_sql(own: &mut Connection, messages: Vec<Message>) -> Result<(), Box<dyn Error>> {
    let transaction = own.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for message in messages {
        publish_in(&transaction, "t", message)?;
    }
    transaction.commit()?;
    Ok(())
}

/// All of them, or none if a lease is lost.
fn ack_by_sql(own: &mut Connection, receipts: &[Receipt]) -> Result<Vec<bool>, Box<dyn Error>> {
    let transaction = own.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for receipt in receipts {
        if ack_in(&transaction, receipt).is_err() {
            return Ok(vec![false; receipts.len()]);
        }
    }
    transaction.commit()?;
    Ok(vec![true; receipts.len()])
}

fn own_connection(file: &str) -> Result<Connection, Box<dyn Error>> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(20))?;
    Ok(connection)
}

fn ok<T>(results: Vec<blockqueue::Result<T>>) -> Vec<bool> {
    results.into_iter().map(|result| result.is_ok()).collect()
}

fn payload(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.payload).into_owned()
}

#[expect(clippy::disallowed_methods, reason = "the same clock as the file's leases")]
fn now() -> u64 {
    millis(SystemTime::now())
}

fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
