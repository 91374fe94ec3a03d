//! Clients that begin a request and do not finish it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::server::Server;

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let server = Server::start();
    for (path, told) in [
        ("/v1/topics", "\"code\":\"request_timeout\""),
        ("/topics", "{\"message\":\"failure\",\"error\":"),
    ] {
        let mut client = TcpStream::connect(server.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 100\r\n\r\n"
        );
        client.write_all(head.as_bytes()).unwrap();
        client.write_all(b"{\"name\":").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains(told), "{answer}");
    }
    assert_eq!(server.call("GET", "/v1/topics", "").0, 200, "others are served");
}
