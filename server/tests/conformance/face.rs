//! Carries out the operations of the scripts over HTTP.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use blockqueue_conformance::{Face, Feature, Omission, Operation, Refusal};
use serde_json::{Value, json};

use crate::answers;
use crate::omissions::OMISSIONS;
use crate::requests::{self, Held};
use crate::server::Server;

pub(crate) struct HttpFace {
    server: Server,
    /// The delivery that each receipt was given for: it is named in the paths of settlements.
    held: Mutex<HashMap<String, Held>>,
}

impl HttpFace {
    pub(crate) fn start() -> Self {
        Self { server: Server::start(), held: Mutex::default() }
    }

    fn remember(&self, topic: &str, subscriber: &str, deliveries: &Value) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for delivery in deliveries.as_array().into_iter().flatten() {
            let text = |name: &str| delivery[name].as_str().unwrap_or_default().to_owned();
            let (topic, subscriber) = (topic.to_owned(), subscriber.to_owned());
            let message_id = text("message_id");
            held.insert(text("receipt"), Held { topic, subscriber, message_id });
        }
    }

    /// Where a receipt belongs; a receipt that nobody was given belongs nowhere.
    fn held(&self, receipt: &str) -> Held {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(receipt).cloned().unwrap_or_else(Held::nowhere)
    }
}

impl Face for HttpFace {
    fn perform(&self, operation: &Operation) -> Result<Value, Refusal> {
        let request = requests::request(operation, &|receipt| self.held(receipt));
        let (status, document) =
            self.server.call(request.method, &request.path, request.body.as_ref());
        if !(200..300).contains(&status) {
            return Err(refusal(status, &document));
        }
        let answer = answers::answer(operation, document.get("data").unwrap_or(&Value::Null));
        if let Operation::Claim { topic, subscriber, .. } = operation {
            self.remember(topic, subscriber, &answer);
        }
        Ok(answer)
    }

    fn set_clock(&self, at_ms: i64) {
        let body = json!({ "set_ms": at_ms });
        let (status, document) = self.server.call("POST", "/test/clock", Some(&body));
        assert!((200..300).contains(&status), "{status} {document}");
    }

    fn has(&self, feature: Feature) -> bool {
        match feature {
            Feature::Reopen => false,
            Feature::NegativeDurations | Feature::ZeroInText => true,
        }
    }

    fn omissions(&self) -> &[Omission] {
        OMISSIONS
    }

    fn close(&self) {
        self.server.close();
    }
}

fn refusal(status: u16, problem: &Value) -> Refusal {
    let code = problem["code"].as_str().map_or_else(|| format!("http_{status}"), str::to_owned);
    Refusal::new(code, problem["detail"].as_str().unwrap_or_default())
}
