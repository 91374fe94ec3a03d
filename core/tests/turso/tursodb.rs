//! Turso's own server, `tursodb --sync-server`: the stage `stores` has it, if npm does.
//!
//! It serves one connection at a time, so that nobody waits for news here.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use blockqueue::{ClaimOptions, Message, Queue};

use crate::engines::{eventually, queue};

/// Ends with the test.
struct Tursodb(Child);

impl Drop for Tursodb {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_queue_lives_on_tursos_own_server() {
    let Ok(program) = std::env::var("BLOCKQUEUE_TEST_TURSODB") else {
        eprintln!("SKIPPED: BLOCKQUEUE_TEST_TURSODB names no tursodb");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let place = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Command::new(program)
        .arg("--sync-server")
        .arg(place.to_string())
        .arg(folder.path().join("turso.db"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Tursodb(server.unwrap());
    eventually("the server listens", || TcpStream::connect(place).is_ok());
    let address = format!("libsql://{place}?tls=0&close=0");
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
