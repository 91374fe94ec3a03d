//! A proxy between an engine and the server, with faults.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What goes wrong.
#[derive(Default)]
pub(crate) struct Faults {
    /// How long everything is under way, in each direction.
    pub delay: Duration,
    /// One request of so many meets a fault; 0: none. To connect is no request.
    pub one_of: AtomicU64,
    /// Loses the answer to the next publish, and lets nobody in after that.
    pub loses_next: AtomicBool,
    /// Lets nobody in.
    pub refuses: AtomicBool,
    /// How many requests there were, and how many met a fault.
    pub requests: AtomicU64,
    pub failed: AtomicU64,
    /// How often something was sent to the server after it had answered.
    pub turns: AtomicU64,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Answered,
    /// The connection is cut before the server sees it.
    Reset,
    /// The server carries it out, and the connection is cut before the answer.
    Lost,
    /// The same in the middle of the answer.
    Halved,
    /// The server gets it late.
    Slow,
}

/// What the two directions of a connection tell each other.
#[derive(Default)]
struct Way {
    fate: Mutex<Fate>,
    is_answered: AtomicBool,
}

impl Faults {
    pub(crate) fn delayed(delay: Duration) -> Arc<Self> {
        Arc::new(Self { delay, ..Self::default() })
    }

    fn fate(&self, request: &[u8]) -> Fate {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let is_publish = has(request, b"\"op\":\"publish\"");
        if is_publish && self.loses_next.swap(false, Ordering::Relaxed) {
            self.refuses.store(true, Ordering::Relaxed);
            return Fate::Lost;
        }
        let every = self.one_of.load(Ordering::Relaxed);
        // Not every n-th: trying again would take about as many.
        let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let chance = mixed ^ (mixed >> 27);
        if every == 0 || !chance.is_multiple_of(every) {
            return Fate::Answered;
        }
        self.failed.fetch_add(1, Ordering::Relaxed);
        match (chance / every) % 4 {
            0 => Fate::Reset,
            1 => Fate::Lost,
            2 => Fate::Halved,
            _ => Fate::Slow,
        }
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
            if faults.refuses.load(Ordering::Relaxed) {
                continue;
            }
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { continue };
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let asked = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (there, back) = (Arc::clone(&faults), Arc::clone(&faults));
            let way = Arc::new(Way::default());
            let same = Arc::clone(&way);
            thread::spawn(move || pass_on(asked.0, asked.1, |bytes| ask(bytes, &there, &same)));
            thread::spawn(move || pass_on(server, client, |bytes| answer(bytes, &back, &way)));
        }
    });
    through
}

/// Until one side ends, or `how_much` says that no more than so many bytes are passed on.
fn pass_on(mut from: TcpStream, mut to: TcpStream, how_much: impl Fn(&[u8]) -> usize) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        let passed = how_much(bytes);
        if to.write_all(bytes.get(..passed).unwrap_or_default()).is_err() || passed < count {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn ask(bytes: &[u8], faults: &Faults, way: &Way) -> usize {
    if way.is_answered.swap(false, Ordering::Relaxed) {
        faults.turns.fetch_add(1, Ordering::Relaxed);
    }
    thread::sleep(faults.delay);
    if is_request(bytes) {
        let fate = faults.fate(bytes);
        *way.fate.lock().unwrap() = fate;
        match fate {
            Fate::Reset => return 0,
            Fate::Slow => thread::sleep(Duration::from_millis(30)),
            _ => {}
        }
    }
    bytes.len()
}

fn answer(bytes: &[u8], faults: &Faults, way: &Way) -> usize {
    thread::sleep(faults.delay);
    way.is_answered.store(true, Ordering::Relaxed);
    match *way.fate.lock().unwrap() {
        Fate::Lost => 0,
        Fate::Halved => bytes.len() / 2,
        _ => bytes.len(),
    }
}

/// A group or a query, and not a part of the making of a connection.
fn is_request(bytes: &[u8]) -> bool {
    [b"\"op\":".as_slice(), b"\"sources\":", b"\"query\":"].iter().any(|part| has(bytes, part))
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
