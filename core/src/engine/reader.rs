//! The reader thread: answers queries from a connection of its own, so that they never wait for the
//! writer.

use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::Answered;
use crate::error::{Error, Result};
use crate::op::{Outcome, Query};
use crate::store::Read;

type ReplyTo = oneshot::Sender<Result<Answered>>;
type Question = (Query, ReplyTo);

pub(super) struct Reader(Sender<Question>);

impl Reader {
    /// Its thread, which has the connection, ends when the reader is dropped and nobody reads aside any more.
    pub(super) fn start(mut connection: Box<dyn Read>) -> Result<(Self, JoinHandle<()>)> {
        let (questions, inbox) = mpsc::channel::<Question>();
        let thread = thread::Builder::new()
            .name("blockqueue-reader".into())
            .spawn(move || {
                let mut aside = Vec::new();
                while let Ok((query, reply)) = inbox.recv() {
                    // A caller that went away needs no answer, and reading for it would delay others.
                    if reply.is_closed() {
                        continue;
                    }
                    match query {
                        Query::Backup(_) => {
                            aside.retain(|thread: &JoinHandle<()>| !thread.is_finished());
                            aside.extend(read_aside(&*connection, query, reply));
                        }
                        _ => answer(&mut *connection, &query, reply),
                    }
                }
                // Whoever is told that the queue is shut down finds its file closed.
                for thread in aside {
                    let _ = thread.join();
                }
            })
            .map_err(|error| Error::Io { detail: error.to_string() })?;
        Ok((Self(questions), thread))
    }

    pub(super) fn start_query(&self, query: Query) -> oneshot::Receiver<Result<Answered>> {
        let (reply, answer) = oneshot::channel();
        // A reader that has ended drops the reply, which the caller sees as a shutdown.
        let _ = self.0.send((query, reply));
        answer
    }
}

fn answer(connection: &mut dyn Read, query: &Query, reply: ReplyTo) {
    let answer = connection.read(query).map(Outcome::Answer);
    let _ = reply.send(answer.map(Answered::new));
}

/// On a thread and a connection of its own: whoever asks for something else does not wait for it.
fn read_aside(connection: &dyn Read, query: Query, reply: ReplyTo) -> Option<JoinHandle<()>> {
    match connection.another() {
        Ok(mut another) => {
            // Without a thread the reply is dropped, which the caller sees as a shutdown.
            let thread = thread::Builder::new().name("blockqueue-backup".into());
            thread.spawn(move || answer(&mut *another, &query, reply)).ok()
        }
        Err(error) => {
            let _ = reply.send(Err(error));
            None
        }
    }
}
