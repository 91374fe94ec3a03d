//! What cannot be expressed over HTTP, and why: the one place that says so.

use blockqueue_conformance::Omission::{self, Field, Operation, Script};

const OWN_BATCH: &str = "the contract has batches of acks and nacks only";
const BY_ID: &str = "the contract cancels by message id, without a receipt";
const GONE: &str = "the names in a path are looked up before the receipt, and they are gone";
const ONE_PATH: &str = "a path names one subscriber, and settles for no other";
const STATUS_ONLY: &str = "an item of a batch answers its status only";

pub(crate) const OMISSIONS: &[Omission] = &[
    Operation { name: "claim_any", reason: "a path names one subscriber" },
    Operation { name: "extend_batch", reason: OWN_BATCH },
    Operation { name: "defer_batch", reason: OWN_BATCH },
    Operation { name: "cancel", reason: BY_ID },
    Operation { name: "cancel_batch", reason: BY_ID },
    Operation { name: "shutdown", reason: "a client cannot shut the server down" },
    Field { operation: "nack_batch", name: "ready_at", reason: STATUS_ONLY },
    Script { name: "deleting_a_topic_ends_everything_in_it", reason: GONE },
    Script { name: "deleting_a_subscriber_ends_its_receipts", reason: GONE },
    Script { name: "a_batch_may_settle_deliveries_of_several_topics", reason: ONE_PATH },
];
