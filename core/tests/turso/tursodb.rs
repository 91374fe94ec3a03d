//! Turso's own server, `tursodb --sync-server`: the stage `stores` has it, if npm does.
//!
//! It serves one connection at a time, so that nobody waits for news here.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use blockqueue::{ClaimOptions, CopyOptions, Message, Queue, copy};

use crate::engines::{eventually, queue};

/// Ends with the test.
struct Tursodb(Child);

impl Drop for Tursodb {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a new database in the folder, and its address.
fn serve(folder: &Path) -> Option<(Tursodb, String)> {
    let Ok(program) = std::env::var("BLOCKQUEUE_TEST_TURSODB") else {
        eprintln!("SKIPPED: BLOCKQUEUE_TEST_TURSODB names no tursodb");
        return None;
    };
    let place = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Command::new(program)
        .arg("--sync-server")
        .arg(place.to_string())
        .arg(folder.join("turso.db"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let server = Tursodb(server.unwrap());
    eventually("the server listens", || TcpStream::connect(place).is_ok());
    Some((server, format!("libsql://{place}?tls=0&close=0")))
}

#[test]
fn a_queue_lives_on_tursos_own_server() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_server, address)) = serve(folder.path()) else { return };
    let first = queue(&address);
    let batch = (0..20).map(|number| Message::new(vec![b'x'; number * 10_000])).collect();
    first.publish_batch("t", batch).wait().unwrap();
    first.shutdown().wait().unwrap();
    let second = Queue::open(&address).unwrap();
    let claimed = second.claim("t", "s", &ClaimOptions::default().with_limit(50)).wait().unwrap();
    let sizes: Vec<_> = claimed.iter().map(|delivery| delivery.payload.len()).collect();
    assert_eq!(sizes, (0..20).map(|number| number * 10_000).collect::<Vec<_>>());
    let receipts: Vec<_> = claimed.iter().map(|delivery| delivery.receipt).collect();
    second.ack_batch(&receipts).wait().unwrap();
    let stats = second.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.acked_count, stats.leased_count, stats.pending_count), (20, 0, 0));
    assert_eq!(second.diagnose().wait().unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_queue_moves_to_tursos_own_server_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_server, address)) = serve(folder.path()) else { return };
    let (from, back) = (folder.path().join("from.db"), folder.path().join("back.db"));
    let file = queue(from.to_str().unwrap());
    let batch = (0..150).map(|_| Message::new(vec![b'x'; 20_000])).collect();
    file.publish_batch("t", batch).wait().unwrap();
    let claimed = file.claim("t", "s", &ClaimOptions::default().with_limit(50)).wait().unwrap();
    file.shutdown().wait().unwrap();
    let report = copy(&from, &address, &CopyOptions::default()).unwrap();
    let there = Queue::open(&address).unwrap();
    there.ack(&claimed[0].receipt).wait().unwrap();
    let stats = there.subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.acked_count, stats.leased_count, stats.ready_count), (1, 49, 100));
    there.shutdown().wait().unwrap();
    assert_ne!(copy(&address, &back, &CopyOptions::default()).unwrap(), report);
    let stats = Queue::open(&back).unwrap().subscriber_stats("t", "s").wait().unwrap();
    assert_eq!((stats.acked_count, stats.leased_count, stats.ready_count), (1, 49, 100));
}
