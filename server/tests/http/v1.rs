//! The full contract: round trips, refusals, and the document that describes it.

use serde_json::{Value, json};

use super::server::Server;

const MAIL: &str = "/v1/topics/orders/subscribers/email";

fn with_orders() -> Server {
    let server = Server::start();
    let topic = json!({"name": "orders", "subscribers": [
        {"name": "email", "option": {"max_attempts": 2, "retry_policy": {"initial_delay": "0s"}}},
    ]});
    let (status, created) = server.call("POST", "/v1/topics", &topic.to_string());
    assert_eq!((status, &created["data"]["name"]), (201, &json!("orders")));
    server
}

fn publish(server: &Server, message: &Value) -> String {
    let path = "/v1/topics/orders/messages?wait_for=commit";
    let (status, answer) = server.call("POST", path, &message.to_string());
    assert_eq!(status, 200, "{answer}");
    answer["data"]["message_id"].as_str().unwrap_or_default().to_owned()
}

fn claim(server: &Server) -> Value {
    let (status, answer) = server.call("POST", &format!("{MAIL}/claim?timeout=0s"), "");
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

#[test]
fn a_message_goes_from_publish_to_ack() {
    let server = with_orders();
    let id = publish(&server, &json!({"message": "paid", "headers": {"a": "b"}, "priority": 3}));
    let claimed = claim(&server);
    let delivery = &claimed[0];
    assert_eq!(delivery["message"], "paid");
    assert_eq!(delivery["headers"], json!({"a": "b"}));
    assert_eq!((&delivery["id"], &delivery["delivery_count"]), (&json!(id), &json!(1)));
    let body = json!({"receipt_token": delivery["receipt_token"]}).to_string();
    let acked = server.call("POST", &format!("{MAIL}/messages/{id}/ack"), &body);
    assert_eq!(acked, (200, json!({"data": {"status": "processed"}})));
    let (_, looked) = server.call("GET", &format!("/v1/topics/orders/messages/{id}"), "");
    assert_eq!(looked["data"]["deliveries"][0]["status"], "processed");
}

#[test]
fn failures_lead_to_a_dead_letter_that_can_be_replayed() {
    let server = with_orders();
    let id = publish(&server, &json!({"message": "x"}));
    for expected in ["pending", "dead_letter"] {
        let token = claim(&server)[0]["receipt_token"].clone();
        let body = json!({"receipt_token": token, "error": "boom"}).to_string();
        let (_, nacked) = server.call("POST", &format!("{MAIL}/messages/{id}/nack"), &body);
        assert_eq!(nacked["data"]["status"], expected);
    }
    let (_, dead) = server.call("GET", &format!("{MAIL}/dlq"), "");
    assert_eq!(dead["data"]["messages"][0]["error"], "boom");
    let (_, errors) = server.call("GET", &format!("{MAIL}/messages/{id}/errors"), "");
    assert_eq!(errors["data"]["errors"].as_array().map(Vec::len), Some(2));
    let (_, replayed) = server.call("POST", &format!("{MAIL}/dlq/replay"), r#"{"all":true}"#);
    assert_eq!(replayed["data"]["count"], 1);
    assert_eq!(claim(&server)[0]["id"], json!(id));
}

#[test]
fn a_batch_answers_for_each_item() {
    let server = with_orders();
    let batch = json!([{"message": "a"}, {"payload_base64": "/wA="}]).to_string();
    let (status, published) = server.call("POST", "/v1/topics/orders/messages/batch", &batch);
    assert_eq!((status, published["data"].as_array().map(Vec::len)), (202, Some(2)));
    let claimed = claim(&server);
    assert_eq!(claimed[1]["encoding"], "base64");
    let items: Vec<_> = [0, 1, 0]
        .map(|n| json!({"message_id": claimed[n]["id"], "receipt_token": claimed[n]["receipt_token"]}))
        .into();
    let body = json!(items).to_string();
    let (_, acked) = server.call("POST", &format!("{MAIL}/messages/batch/ack"), &body);
    let statuses: Vec<_> = acked["data"].as_array().into_iter().flatten().collect();
    assert_eq!(statuses.len(), 3);
    assert!(statuses.iter().all(|item| item["status"] == "processed"), "{acked}");
}

#[test]
fn a_bad_item_of_a_batch_does_not_touch_the_others() {
    let server = with_orders();
    let batch = json!([{"message": "a"}, {"message": "b"}]).to_string();
    server.call("POST", "/v1/topics/orders/messages/batch", &batch);
    let claimed = claim(&server);
    let item = |n: usize| json!({"message_id": claimed[n]["id"], "receipt_token": claimed[n]["receipt_token"]});
    let garbage = json!({"message_id": claimed[0]["id"], "receipt_token": "x"});
    let of_another =
        json!({"message_id": claimed[1]["id"], "receipt_token": claimed[0]["receipt_token"]});
    let mut never = item(1);
    never["retry_delay"] = json!("never");
    for (verb, items, expected) in [
        ("nack", [&garbage, &never], ["invalid_receipt", "invalid_argument"]),
        ("ack", [&of_another, &item(0)], ["invalid_argument", "processed"]),
        ("nack", [&item(1), &garbage], ["pending", "invalid_receipt"]),
    ] {
        let path = format!("{MAIL}/messages/batch/{verb}");
        let (status, answer) = server.call("POST", &path, &json!(items).to_string());
        assert_eq!(status, 200, "{answer}");
        let told = [0, 1].map(|n| {
            let item = &answer["data"][n];
            item.get("status").or_else(|| item.get("error")).cloned().unwrap_or_default()
        });
        assert_eq!(told, expected, "{answer}");
    }
}

#[test]
fn numbers_tell_where_logs_end_and_where_subscribers_stand() {
    let server = with_orders();
    publish(&server, &json!({"message": "a"}));
    publish(&server, &json!({"message": "b", "priority": 5}));
    let token = claim(&server)[0]["receipt_token"].clone();
    assert!(token.is_string());
    let (_, stats) = server.call("GET", "/v1/topics/orders/stats", "");
    let end =
        |priority: i16| json!({"priority": priority, "last_sequence": 1, "trimmed_sequence": 0});
    assert_eq!(stats["data"]["logs"], json!([end(5), end(0)]));
    let cursor = |priority: i16| json!({"priority": priority, "sequence": 1, "last_sequence": 1});
    let cursors = json!([cursor(5), cursor(0)]);
    assert_eq!(stats["data"]["subscribers"][0]["cursors"], cursors);
    let (_, one) = server.call("GET", MAIL, "");
    assert_eq!(one["data"]["cursors"], cursors);
}

#[test]
fn what_does_not_fit_is_a_problem_document_with_a_code() {
    let server = with_orders();
    for (method, path, body, status, expected) in [
        ("POST", "/v1/topics", "{", 400, "invalid_argument"),
        ("POST", "/v1/topics", r#"{"name":"t","colour":"blue"}"#, 400, "invalid_argument"),
        ("POST", "/v1/topics", r#"{"name":"t"} x"#, 400, "invalid_argument"),
        ("POST", "/v1/topics", r#"{"name":"orders"}"#, 409, "topic_exists"),
        ("GET", "/v1/topics/none", "", 404, "unknown_topic"),
        ("GET", "/v1/topics/%FF", "", 400, "invalid_argument"),
        ("POST", "/v1/topics/orders/subscribers/%FF/claim", "", 400, "invalid_argument"),
        ("GET", "/v1/topics?limit=0", "", 400, "invalid_argument"),
        ("GET", "/v1/topics?colour=blue", "", 400, "invalid_argument"),
        ("POST", "/v1/topics/orders/messages", "{}", 400, "invalid_argument"),
        (
            "POST",
            "/v1/topics/orders/messages",
            r#"{"message":"x","delay":"1s","schedule_at":"2030-01-01T00:00:00Z"}"#,
            400,
            "invalid_argument",
        ),
        ("GET", "/v1/topics/orders/messages/x", "", 400, "invalid_argument"),
        ("POST", "/v1/topics/orders/subscribers/none/claim", "", 404, "unknown_subscriber"),
        (
            "POST",
            "/v1/topics/orders/subscribers/email/claim?timeout=2m",
            "",
            400,
            "invalid_argument",
        ),
        ("GET", "/nowhere", "", 404, "not_found"),
        ("PUT", "/v1/topics", "", 405, "method_not_allowed"),
    ] {
        let (found, kind, document) = server.answer("", method, path, body);
        let answer = (found, document);
        assert_eq!(code(&answer), (status, expected), "{method} {path} {body}: {}", answer.1);
        assert_eq!(kind, "application/problem+json");
        assert!(answer.1["detail"].is_string() && answer.1["title"].is_string());
    }
}

#[test]
fn a_receipt_that_is_not_live_is_a_conflict_and_garbage_is_malformed() {
    let server = with_orders();
    let id = publish(&server, &json!({"message": "x"}));
    let token = claim(&server)[0]["receipt_token"].clone();
    let body = json!({"receipt_token": token}).to_string();
    server.call("DELETE", "/v1/topics/orders/subscribers/email", "");
    server.call("POST", "/v1/topics/orders/subscribers", r#"[{"name":"email"}]"#);
    let ack = format!("{MAIL}/messages/{id}/ack");
    assert_eq!(code(&server.call("POST", &ack, &body)), (409, "lease_lost"));
    let garbage = server.call("POST", &ack, r#"{"receipt_token":"x"}"#);
    assert_eq!(code(&garbage), (400, "invalid_receipt"));
}

#[test]
fn every_route_of_the_document_is_there() {
    let document = serde_json::to_value(blockqueue_server::http::openapi()).unwrap();
    let server = Server::start();
    assert_eq!(server.call("GET", "/openapi.json", "").1, document);
    // A path of the document is a route: what it answers is not that there is none.
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 25, "{}", paths.len());
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let answer = server.call(&method.to_uppercase(), path, "");
            assert_ne!(code(&answer).1, "not_found", "{method} {path}");
            assert_ne!(code(&answer).1, "method_not_allowed", "{method} {path}");
        }
    }
}
