//! A proxy between an engine and the server, with faults.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What goes wrong.
#[derive(Default)]
pub(crate) struct Faults {
    /// How long everything is under way, in each direction.
    pub delay: Duration,
    /// One answer of so many is not passed on, and its connection is cut; 0: none. What was asked is carried
    /// out.
    pub cut_one_of: AtomicU64,
    answers: AtomicU64,
}

impl Faults {
    pub(crate) fn delayed(delay: Duration) -> Arc<Self> {
        Arc::new(Self { delay, ..Self::default() })
    }

    fn cuts(&self) -> bool {
        let every = self.cut_one_of.load(Ordering::Relaxed);
        // Not every n-th: reconnecting takes about as many.
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let chance = mixed ^ (mixed >> 27);
        every > 0 && chance.is_multiple_of(every)
    }
}

/// Starts a proxy for the server of this address; the answer is the address through it.
pub(crate) fn start(address: &str, faults: &Arc<Faults>) -> String {
    let (before, place) = address.split_once('@').unwrap();
    let (server, after) = place.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let through = format!("{before}@{}/{after}", listener.local_addr().unwrap());
    let (server, faults) = (server.to_owned(), Arc::clone(faults));
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { continue };
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let asked = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (there, back) = (Arc::clone(&faults), Arc::clone(&faults));
            thread::spawn(move || pass_on(asked.0, asked.1, &there, false));
            thread::spawn(move || pass_on(server, client, &back, true));
        }
    });
    through
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, faults: &Faults, answers: bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !faults.delay.is_zero() {
            thread::sleep(faults.delay);
        }
        if answers && faults.cuts() {
            break;
        }
        if to.write_all(buffer.get(..count).unwrap_or_default()).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
