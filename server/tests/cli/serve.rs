//! How the server treats its connections, and how it ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use tempfile::TempDir;

use super::support::{Ended, PATIENCE, Server, program};

/// A server of a queue in a folder of its own.
fn serve(args: &[&str]) -> (TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let mut serve = program();
    serve.args(["serve", "--listen", "127.0.0.1:0"]).args(args).current_dir(dir.path());
    let server = Server::start(&mut serve);
    (dir, server)
}

/// A connection on which this was sent.
fn send(server: &Server, text: &str) -> TcpStream {
    let mut client = TcpStream::connect(&server.address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(text.as_bytes()).unwrap();
    client
}

/// What comes until the server closes the connection.
fn rest(mut client: TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    text
}

fn get(server: &Server, path: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    rest(send(server, &head))
}

#[test]
fn who_sends_no_request_in_time_is_left() {
    let (_dir, server) = serve(&["--read-timeout-seconds", "1"]);
    let half = "GET /livez HTTP/1.1\r\nhost: x\r\n";
    let whole = format!("{half}\r\n");
    // The first letter of HTTP/2, which is not spoken here, is that of POST, too.
    let clients = ["", "P", half, &whole].map(|text| send(&server, text));
    let [silent, hesitant, slow, idle] = clients.map(rest);
    assert_eq!([silent, hesitant, slow], ["", "", ""]);
    assert!(idle.starts_with("HTTP/1.1 200 "), "{idle}");
}

#[test]
fn told_to_end_it_finishes_what_is_under_way_and_ends_well() {
    let (dir, mut server) = serve(&[]);
    let url = format!("http://{}", server.address);
    let create = program().args(["topic", "create", "t", "-s", "s", "--url", &url]).output();
    assert_eq!(Ended::of(create.unwrap()).status, Some(0));
    let claim = "POST /v1/topics/t/subscribers/s/claim?timeout=60s HTTP/1.1\r\nhost: x\r\n\r\n";
    let waiting = send(&server, claim);
    let body = r#"{"message":"late"}"#;
    let length = body.len();
    let publish = format!(
        "POST /v1/topics/t/messages HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    );
    let mut publishing = send(&server, &publish);
    // It is asked for when the request has got to its handler.
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    publishing.read_exact(&mut go_on).unwrap();
    while !get(&server, "/metrics").contains("blockqueue_waiting_claims 1\n") {
        std::thread::yield_now();
    }

    server.terminate();
    server.says("ending");
    publishing.write_all(body.as_bytes()).unwrap();
    let (published, claimed) = (rest(publishing), rest(waiting));
    assert!(published.starts_with("HTTP/1.1 202 "), "{published}");
    assert!(
        claimed.starts_with("HTTP/1.1 200 ") && claimed.ends_with("{\"data\":[]}"),
        "{claimed}"
    );
    assert!(server.ended().success());
    let peek = program().args(["peek", "t", "s", "--json"]).current_dir(dir.path()).output();
    let peeked = Ended::of(peek.unwrap());
    assert!(peeked.out.contains("\"late\""), "{peeked:?}");
}

#[test]
fn without_metrics_there_are_none() {
    let (_dir, server) = serve(&["--metrics", "false"]);
    assert!(get(&server, "/metrics").starts_with("HTTP/1.1 404 "));
    assert!(get(&server, "/livez").starts_with("HTTP/1.1 200 "));
}
