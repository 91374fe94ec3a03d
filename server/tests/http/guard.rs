//! Tokens: who gets in, and who does not.

use super::server::Server;

const TOKENS: &str = "\
publisher-publisher publish orders*
consumer-consumer consume orders
admin-admin-admin-admin admin
";

#[test]
fn each_token_does_what_it_may_and_no_more() {
    let server = Server::start_with(TOKENS);
    let admin = "admin-admin-admin-admin";
    let topic = r#"{"name":"orders","subscribers":[{"name":"email"}]}"#;
    let publish = ("POST", "/v1/topics/orders/messages", r#"{"message":"x"}"#);
    let claim = ("POST", "/v1/topics/orders/subscribers/email/claim?timeout=0s", "");
    let read = ("GET", "/topics/orders/subscribers/email?timeout=1ms", "");
    let delete = ("DELETE", "/v1/topics/orders", "");
    assert_eq!(server.call_as(admin, "POST", "/v1/topics", topic).0, 201);
    for (token, (method, path, body), status) in [
        ("publisher-publisher", publish, 202),
        ("publisher-publisher", claim, 403),
        ("publisher-publisher", delete, 403),
        ("consumer-consumer", publish, 403),
        ("consumer-consumer", claim, 200),
        ("consumer-consumer", read, 200),
        ("wrong-wrong-wrong-wrong", publish, 401),
        ("", read, 401),
        ("publisher-publisher", ("POST", "/v1/topics/mail/messages", r#"{"message":"x"}"#), 403),
        ("consumer-consumer", ("GET", "/metrics", ""), 200),
        ("", ("GET", "/metrics", ""), 401),
        ("", ("GET", "/livez", ""), 200),
        (admin, delete, 204),
    ] {
        assert_eq!(server.call_as(token, method, path, body).0, status, "{token} {method} {path}");
    }
}

#[test]
fn a_refusal_says_what_is_missing_in_a_problem_document() {
    let server = Server::start_with(TOKENS);
    let (status, document) = server.call("GET", "/v1/topics", "");
    assert_eq!((status, &document["code"]), (401, &"unauthorized".into()));
    let (status, document) = server.call_as("consumer-consumer", "GET", "/v1/topics", "");
    assert_eq!((status, &document["code"]), (403, &"forbidden".into()));
}
