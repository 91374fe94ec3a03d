//! What cannot be expressed over HTTP, and why: the one place that says so.

use blockqueue_conformance::Omission::{self, Field, Operation, Script};

const OWN_BATCH: &str = "the contract has batches of acks and nacks only";
const RECEIPT: &str = "the contract cancels by message id";
const STATS: &str = "statistics are metrics and the list of subscribers";
const SHUTDOWN: &str = "a client cannot shut the server down";

pub(crate) const OMISSIONS: &[Omission] = &[
    Operation { name: "claim_any", reason: "a claim names one subscriber in its path" },
    Operation { name: "extend_batch", reason: OWN_BATCH },
    Operation { name: "defer_batch", reason: OWN_BATCH },
    Operation { name: "cancel_batch", reason: RECEIPT },
    Operation { name: "cancel", reason: RECEIPT },
    Operation { name: "topic_stats", reason: STATS },
    Operation { name: "subscriber_stats", reason: STATS },
    Operation { name: "shutdown", reason: SHUTDOWN },
    Field { operation: "nack", name: "ready_at", reason: "a nack answers its status only" },
    Field { operation: "nack_batch", name: "ready_at", reason: "a nack answers its status only" },
    Script {
        name: "a_receipt_that_nobody_was_given_is_lost",
        reason: "a path names the delivery that a receipt belongs to",
    },
];
