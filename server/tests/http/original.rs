//! The original contract: each call of its documentation, and each corrected fault.

use serde_json::{Value, json};

use super::server::Server;

const CART: &str = r#"{"name":"cart","subscribers":[{"name":"counter","option":{"max_attempts":5,"visibility_duration":"5m"}},{"name":"created","option":{"max_attempts":5,"visibility_duration":"5m"}}]}"#;

fn with_cart() -> Server {
    let server = Server::start();
    assert_eq!(server.call("POST", "/topics", CART), success());
    server
}

fn success() -> (u16, Value) {
    (200, json!({"message": "success"}))
}

fn not_found(what: &str) -> (u16, Value) {
    (404, json!({"message": "not found", "error": what}))
}

fn publish(server: &Server, text: &str) {
    let body = json!({ "message": text }).to_string();
    assert_eq!(server.call("POST", "/topics/cart/messages", &body), success());
}

#[test]
fn every_documented_call_works() {
    let server = with_cart();
    let counter2 =
        r#"[{"name":"counter2","option":{"max_attempts":5,"visibility_duration":"5m"}}]"#;
    assert_eq!(server.call("POST", "/topics/cart/subscribers", counter2), success());
    publish(&server, "hi message from topic cart");
    let (status, read) = server.call("GET", "/topics/cart/subscribers/counter?timeout=5s", "");
    assert_eq!(status, 200);
    assert_eq!(read["data"][0]["message"], "hi message from topic cart");
    let id = read["data"][0]["id"].as_str().unwrap();
    let (status, listed) = server.call("GET", "/topics/cart/subscribers", "");
    assert_eq!(status, 200);
    let counter = json!({"name": "counter", "unpublished_message": 0, "unacked_message": 1});
    assert_eq!(listed["data"][0], counter);
    let path = format!("/topics/cart/subscribers/counter/messages/{id}");
    assert_eq!(server.call("DELETE", &path, ""), success());
    assert_eq!(server.call("DELETE", "/topics/cart/subscribers/counter2", ""), success());
    assert_eq!(server.call("DELETE", "/topics/cart", ""), success());
    assert_eq!(server.call("DELETE", "/topics/cart", ""), not_found("topic not found"));
}

#[test]
fn a_trailing_slash_creates_topics_too() {
    let server = Server::start();
    assert_eq!(server.call("POST", "/topics/", CART), success());
    let conflict = (409, json!({"message": "Conflict", "error": "topic was exist"}));
    assert_eq!(server.call("POST", "/topics", CART), conflict);
}

#[test]
fn a_read_waits_for_a_publish_and_ends_with_an_empty_list() {
    let server = with_cart();
    let empty = (200, json!({"message": "success", "data": []}));
    assert_eq!(server.call("GET", "/topics/cart/subscribers/counter?timeout=50ms", ""), empty);
    std::thread::scope(|scope| {
        let read =
            scope.spawn(|| server.call("GET", "/topics/cart/subscribers/counter?timeout=30s", ""));
        while server.queue.engine_stats().unwrap().waiting_claims == 0 {
            std::thread::yield_now();
        }
        publish(&server, "late");
        assert_eq!(read.join().unwrap().1["data"][0]["message"], "late");
    });
}

#[test]
fn a_server_that_ends_answers_waiting_reads() {
    let server = with_cart();
    std::thread::scope(|scope| {
        let read =
            scope.spawn(|| server.call("GET", "/topics/cart/subscribers/counter?timeout=30s", ""));
        while server.queue.engine_stats().unwrap().waiting_claims == 0 {
            std::thread::yield_now();
        }
        server.end.send(true).unwrap();
        assert_eq!(read.join().unwrap(), (200, json!({"message": "success", "data": []})));
    });
    assert_eq!(server.call("GET", "/readyz", "").0, 503);
}

#[test]
fn what_is_malformed_is_400_in_one_document() {
    let server = with_cart();
    for (method, path, body) in [
        ("POST", "/topics", "{"),
        ("POST", "/topics", r#"{"name":7}"#),
        ("POST", "/topics", r#"{"name":""}"#),
        ("POST", "/topics", r#"{"name":"a/b"}"#),
        (
            "POST",
            "/topics",
            r#"{"name":"t","subscribers":[{"name":"s","option":{"max_attempts":0}}]}"#,
        ),
        (
            "POST",
            "/topics",
            r#"{"name":"t","subscribers":[{"name":"s","option":{"visibility_duration":"soon"}}]}"#,
        ),
        ("POST", "/topics/cart/messages", "hello"),
        ("POST", "/topics/cart/messages", r#"{"message":7}"#),
        ("POST", "/topics/cart/subscribers", "[]"),
        ("GET", "/topics/cart/subscribers/counter", ""),
        ("GET", "/topics/cart/subscribers/counter?timeout=-1s", ""),
        ("GET", "/topics/cart/subscribers/counter?timeout=2h", ""),
        ("GET", "/topics/cart/subscribers/counter?timeout=1s&timeout=2s", ""),
    ] {
        let (status, document) = server.call(method, path, body);
        assert_eq!(
            (status, &document["message"]),
            (400, &json!("failure")),
            "{method} {path} {body}"
        );
        assert!(document["error"].is_string(), "{document}");
    }
}

#[test]
fn what_is_not_there_is_404() {
    let server = with_cart();
    let message = r#"{"message":"x"}"#;
    let topic = not_found("topic not found");
    assert_eq!(server.call("POST", "/topics/none/messages", message), topic);
    assert_eq!(server.call("GET", "/topics/none/subscribers", ""), topic);
    assert_eq!(server.call("GET", "/topics/none/subscribers/s?timeout=1s", ""), topic);
    let subscriber = not_found("subscriber not found");
    assert_eq!(server.call("GET", "/topics/cart/subscribers/none?timeout=1s", ""), subscriber);
    assert_eq!(server.call("DELETE", "/topics/cart/subscribers/none", ""), subscriber);
    let gone = not_found("message not found");
    let path = "/topics/cart/subscribers/counter/messages/garbage";
    assert_eq!(server.call("DELETE", path, ""), gone);
}

#[test]
fn unknown_fields_are_ignored() {
    let server = with_cart();
    let body = r#"{"message":"x","colour":"blue"}"#;
    assert_eq!(server.call("POST", "/topics/cart/messages", body), success());
}

#[test]
fn a_payload_that_is_not_text_is_read_as_base64() {
    let server = with_cart();
    server.queue.publish("cart", vec![0xff_u8, 0x00]).wait().unwrap();
    let (_, read) = server.call("GET", "/topics/cart/subscribers/counter?timeout=1s", "");
    assert_eq!(read["data"][0]["message"], "/wA=");
    assert_eq!(read["data"][0]["encoding"], "base64");
}

/// Whatever refuses a request does it in the envelope.
#[test]
fn every_refusal_is_an_envelope() {
    let server = with_cart();
    let large = json!({ "message": "x".repeat(80_000) }).to_string();
    for (method, path, body, status, message) in [
        ("POST", "/topics/cart/messages", large.as_str(), 413, "failure"),
        ("POST", "/topics/%FF/messages", r#"{"message":"x"}"#, 400, "failure"),
        ("DELETE", "/topics/%FF", "", 400, "failure"),
        ("GET", "/topics/%FF/subscribers/counter?timeout=1s", "", 400, "failure"),
        ("DELETE", "/topics/cart/subscribers/counter/messages/%FF", "", 400, "failure"),
        ("PUT", "/topics", "", 405, "failure"),
        ("PUT", "/topics/cart/subscribers/counter", "", 405, "failure"),
        ("GET", "/topics/cart/none", "", 404, "not found"),
    ] {
        assert_envelope(&server.answer("", method, path, body), status, message);
    }
    let guarded = Server::start_with("publisher-publisher publish orders\n");
    assert_envelope(&guarded.answer("", "POST", "/topics", CART), 401, "failure");
    let forbidden = guarded.answer("publisher-publisher", "POST", "/topics", CART);
    assert_envelope(&forbidden, 403, "failure");
}

fn assert_envelope((status, kind, document): &(u16, String, Value), expected: u16, message: &str) {
    let told = document.as_object().unwrap_or_else(|| panic!("{kind}: {document}"));
    assert_eq!((*status, kind.as_str()), (expected, "application/json"), "{document}");
    assert_eq!((told.len(), &told["message"]), (2, &json!(message)), "{document}");
    assert!(!told["error"].as_str().unwrap().is_empty(), "{document}");
}
