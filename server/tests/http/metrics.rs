//! The queue in numbers, as Prometheus reads them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::server::Server;

#[test]
fn the_queue_and_the_server_are_told_in_numbers() {
    let server = Server::start();
    let topic = r#"{"name":"orders","subscribers":[{"name":"email"}]}"#;
    server.call("POST", "/v1/topics", topic);
    server.call("POST", "/v1/topics/orders/messages", r#"{"message":"paid"}"#);
    server.call("POST", "/v1/topics/orders/subscribers/email/claim?timeout=0s", "");
    let daily = r#"{"name":"report","cron":"@daily","message":"now"}"#;
    assert_eq!(server.call("POST", "/v1/topics/orders/schedules", daily).0, 201);
    for path in ["/metrics", "/prometheus/metrics"] {
        let (status, text) = server.call("GET", path, "");
        assert_eq!(status, 200);
        let text = text.as_str().unwrap();
        let email = r#"{topic="orders",subscriber="email"}"#;
        for line in [
            format!("blockqueue_pending{email} 0"),
            format!("blockqueue_leased{email} 1"),
            format!("blockqueue_claimed_total{email} 1"),
            r#"blockqueue_published_total{topic="orders"} 1"#.to_owned(),
            "blockqueue_waiting_claims 0".to_owned(),
            r#"blockqueue_schedule_paused{topic="orders",schedule="report"} 0.0"#.to_owned(),
            r#"blockqueue_schedule_waiting{topic="orders",schedule="report"} 0.0"#.to_owned(),
            r#"blockqueue_http_requests_total{route="/v1/topics/{topic}/messages",method="POST",status="202"} 1"#
                .to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
        }
        assert!(
            text.contains("blockqueue_schedule_due_timestamp_seconds{topic=\"orders\""),
            "{text}"
        );
        assert!(text.contains("blockqueue_commit_duration_seconds_bucket{le=\"+Inf\"}"), "{text}");
    }
}

#[test]
fn a_method_that_somebody_made_up_makes_no_series() {
    let server = Server::start();
    for method in ["BREW", "BREW2", "PUT"] {
        let mut client = TcpStream::connect(server.address).unwrap();
        let request =
            format!("{method} /v1/topics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    }
    let (_, text) = server.call("GET", "/metrics", "");
    let text = text.as_str().unwrap();
    for (method, count) in [("other", 2), ("PUT", 1)] {
        let series = format!(
            "blockqueue_http_requests_total{{route=\"/v1/topics\",method=\"{method}\",status=\"405\"}} {count}"
        );
        assert!(text.lines().any(|line| line == series), "{series}\nis not in\n{text}");
    }
    assert!(!text.contains("BREW"), "{text}");
}
