// The stable codes.

extension BlockQueueError.Code {
    /// An argument breaks a documented rule. Fix the call; the detail names the argument and the rule.
    public static let invalidArgument = Self(rawValue: "invalid_argument")
    /// Something is over one of the limits. Send less, or open with a larger limit.
    public static let limitExceeded = Self(rawValue: "limit_exceeded")
    /// No topic of that name exists. Create it first.
    public static let unknownTopic = Self(rawValue: "unknown_topic")
    /// The topic has no subscriber of that name, or it was deleted meanwhile. Create it first.
    public static let unknownSubscriber = Self(rawValue: "unknown_subscriber")
    /// The topic has no such message: it never had, or it is settled everywhere and trimmed.
    public static let unknownMessage = Self(rawValue: "unknown_message")
    /// A topic of that name exists already. Use it, or choose another name.
    public static let topicExists = Self(rawValue: "topic_exists")
    /// The topic has a subscriber of that name already. Use it, or choose another name.
    public static let subscriberExists = Self(rawValue: "subscriber_exists")
    /// The receipt's lease is over: drop the work, the delivery is settled or belongs to somebody else now.
    public static let leaseLost = Self(rawValue: "lease_lost")
    /// The text is not a receipt of this queue. Pass receipts on unchanged.
    public static let invalidReceipt = Self(rawValue: "invalid_receipt")
    /// The idempotency key was used within its window for a different message. Choose another key.
    public static let idempotencyConflict = Self(rawValue: "idempotency_conflict")
    /// The topic's backlog limit is reached and its policy is to refuse. Publish later, or consume.
    public static let backlogFull = Self(rawValue: "backlog_full")
    /// Too much work is waiting to be written. Try again after a pause.
    public static let busy = Self(rawValue: "busy")
    /// Another program held the file's write lock for too long. Try again; find out who holds it.
    public static let locked = Self(rawValue: "locked")
    /// The queue was shut down. Open it anew.
    public static let shutdown = Self(rawValue: "shutdown")
    /// It cannot be known whether the operation is on disk. Repeat under the same idempotency key, or look first.
    public static let outcomeUnknown = Self(rawValue: "outcome_unknown")
    /// The disk is full; nothing was written. Free space; the queue recovers by itself.
    public static let diskFull = Self(rawValue: "disk_full")
    /// The file or its directory cannot be written. Fix the permissions.
    public static let readOnly = Self(rawValue: "read_only")
    /// The file cannot be opened or created. Check the path and its permissions.
    public static let cannotOpen = Self(rawValue: "cannot_open")
    /// The file exists and is not an SQLite database. It was left untouched.
    public static let notADatabase = Self(rawValue: "not_a_database")
    /// The file is damaged. It was left untouched; restore a backup.
    public static let corrupt = Self(rawValue: "corrupt")
    /// The file was written by a newer release. Update this program.
    public static let newerSchema = Self(rawValue: "newer_schema")
    /// The operating system reported an error; nothing was written. Look at the detail, then try again.
    public static let io = Self(rawValue: "io")
    /// A bug in this library. Please report it.
    public static let `internal` = Self(rawValue: "internal")
    /// This thread has a transaction of the queue open, and would wait for itself. Use the transaction's own
    /// methods, or end it first.
    public static let inTransaction = Self(rawValue: "in_transaction")
    /// The transaction was rolled back: its deadline passed, or a statement ended it. Begin a new one.
    public static let transactionEnded = Self(rawValue: "transaction_ended")
    /// SQLite refused a statement of yours. Look at the detail; the transaction goes on.
    public static let sqlFailed = Self(rawValue: "sql_failed")
    /// The topic has no schedule of that name. Create it first.
    public static let unknownSchedule = Self(rawValue: "unknown_schedule")
    /// The topic has a schedule of that name already. Use it, or choose another name.
    public static let scheduleExists = Self(rawValue: "schedule_exists")
    /// Somebody changed it since that version. Read it again, and decide anew.
    public static let staleVersion = Self(rawValue: "stale_version")
    /// Some subscriber is not done with an earlier message of this unique key. Publish later, or leave it: the work
    /// is under way. A dead letter counts as done.
    public static let uniqueConflict = Self(rawValue: "unique_conflict")
    /// The handle came here by a fork: its threads are in the parent. Open the queue anew.
    public static let forked = Self(rawValue: "forked")
    /// Another SQLite library in this process has the file open, and on this system the two would destroy it. Close
    /// it there, or use it in another process.
    public static let foreignSqlite = Self(rawValue: "foreign_sqlite")

    /// Those that this package knows, by their numbers, from 1.
    public static let all: [Self] = [
        .invalidArgument, .limitExceeded, .unknownTopic, .unknownSubscriber, .unknownMessage, .topicExists,
        .subscriberExists, .leaseLost, .invalidReceipt, .idempotencyConflict, .backlogFull, .busy, .locked,
        .shutdown, .outcomeUnknown, .diskFull, .readOnly, .cannotOpen, .notADatabase, .corrupt, .newerSchema, .io,
        .internal, .inTransaction, .transactionEnded, .sqlFailed, .unknownSchedule, .scheduleExists, .staleVersion,
        .uniqueConflict, .forked, .foreignSqlite,
    ]
}
