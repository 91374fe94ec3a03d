// Topics, subscribers and the engine in numbers.

internal import BlockQueueNative
import Foundation

/// A topic in numbers. Costs the same whatever the backlog.
public struct TopicStats: Sendable, Hashable {
    /// The topic's name.
    public let topic: String
    /// Claims wait as on an empty topic.
    public let paused: Bool
    /// Messages ever accepted.
    public let publishedCount: Int
    /// Messages that wait for their time.
    public let delayedCount: Int
    /// Messages between the trim frontier and the end: what the topic holds, give or take a few.
    public let retainedCount: Int
    /// Their bytes of payload and headers.
    public let retainedBytes: Int
    /// The logs, highest priority first.
    public let logs: [LogStats]
    /// The subscribers, by name.
    public let subscribers: [SubscriberStats]

    init(_ native: BlockQueueNative.TopicStats) {
        topic = native.topic
        paused = native.paused
        publishedCount = Int(native.publishedCount)
        delayedCount = Int(native.delayedCount)
        retainedCount = Int(native.retainedCount)
        retainedBytes = Int(native.retainedBytes)
        logs = native.logs.map { LogStats($0) }
        subscribers = native.subscribers.map { SubscriberStats($0) }
    }
}

/// One log of a topic in numbers.
public struct LogStats: Sendable, Hashable {
    /// The priority of its messages.
    public let priority: Int
    /// The sequence number of its newest message.
    public let lastSequence: Int
    /// Messages at or below this sequence number were trimmed, or are held back by a delivery.
    public let trimmedSequence: Int

    init(_ native: BlockQueueNative.LogStats) {
        priority = Int(native.priority)
        lastSequence = Int(native.lastSequence)
        trimmedSequence = Int(native.trimmedSequence)
    }
}

/// A subscriber in numbers. Costs the same whatever the backlog.
public struct SubscriberStats: Sendable, Hashable {
    /// The topic's name.
    public let topic: String
    /// The subscriber's name.
    public let subscriber: String
    /// Claims wait as on an empty topic.
    public let paused: Bool
    /// Messages not claimed yet; an upper bound unless `exact`.
    public let pendingCount: Int
    /// Their bytes of payload and headers; an upper bound unless `exact`.
    public let pendingBytes: Int
    /// Deliveries that could be claimed now: pending and due retries.
    public let readyCount: Int
    /// Leased deliveries, expired ones included until somebody takes them over.
    public let leasedCount: Int
    /// Deliveries that wait for their next attempt, or are ready for it.
    public let retryingCount: Int
    /// Deliveries that wait behind another of their ordering key.
    public let parkedCount: Int
    /// Dead letters.
    public let deadCount: Int
    /// Whether `pending_count` and `pending_bytes` are exact.
    public let exact: Bool
    /// Age of the oldest pending message.
    public let oldestAge: Duration?
    /// The cursor in each log: the newest sequence number claimed, highest priority first.
    public let cursors: [CursorStats]
    /// Deliveries ever claimed, counted once per attempt.
    public let claimedCount: Int
    /// Deliveries ever acked.
    public let ackedCount: Int
    /// Attempts ever nacked.
    public let nackedCount: Int
    /// Leases ever expired.
    public let expiredCount: Int
    /// Messages that expired before they were settled.
    public let ttlExpiredCount: Int
    /// Messages ever skipped by the filter.
    public let filteredCount: Int
    /// Messages ever skipped by the backlog limit.
    public let droppedCount: Int

    init(_ native: BlockQueueNative.SubscriberStats) {
        topic = native.topic
        subscriber = native.subscriber
        paused = native.paused
        pendingCount = Int(native.pendingCount)
        pendingBytes = Int(native.pendingBytes)
        readyCount = Int(native.readyCount)
        leasedCount = Int(native.leasedCount)
        retryingCount = Int(native.retryingCount)
        parkedCount = Int(native.parkedCount)
        deadCount = Int(native.deadCount)
        exact = native.exact
        oldestAge = native.oldestAgeMs.map { .milliseconds($0) }
        cursors = native.cursors.map { CursorStats($0) }
        claimedCount = Int(native.claimedCount)
        ackedCount = Int(native.ackedCount)
        nackedCount = Int(native.nackedCount)
        expiredCount = Int(native.expiredCount)
        ttlExpiredCount = Int(native.ttlExpiredCount)
        filteredCount = Int(native.filteredCount)
        droppedCount = Int(native.droppedCount)
    }
}

/// Where a subscriber stands in one log.
public struct CursorStats: Sendable, Hashable {
    /// The priority of the log.
    public let priority: Int
    /// The newest sequence number that was claimed or skipped.
    public let sequence: Int
    /// The sequence number of the log's newest message.
    public let lastSequence: Int

    init(_ native: BlockQueueNative.CursorStats) {
        priority = Int(native.priority)
        sequence = Int(native.sequence)
        lastSequence = Int(native.lastSequence)
    }
}

/// What the engine of this process has done since it was opened.
public struct EngineStats: Sendable, Hashable {
    /// Write groups committed.
    public let commits: Int
    /// Operations in them.
    public let operations: Int
    /// Groups that failed as a whole.
    public let failedCommits: Int
    /// Commits by size: how many groups had at most 1, 4, 16, 64, 256, 1,024, 4,096 operations.
    public let commitsBySize: [Int]
    /// Commits by duration: how many took at most 1, 4, 16, 64, 256, 1,024 ms, or longer.
    public let commitsByDuration: [Int]
    /// Time spent in write groups, altogether.
    public let commitTime: Duration
    /// Claims that wait for something to claim.
    public let waitingClaims: Int
    /// Size of the database file, in bytes.
    public let fileBytes: Int
    /// Size of the write-ahead log, in bytes.
    public let walBytes: Int

    init(_ native: BlockQueueNative.EngineStats) {
        commits = Int(native.commits)
        operations = Int(native.operations)
        failedCommits = Int(native.failedCommits)
        commitsBySize = native.commitsBySize.map { Int($0) }
        commitsByDuration = native.commitsByDuration.map { Int($0) }
        commitTime = .milliseconds(native.commitTimeMs)
        waitingClaims = Int(native.waitingClaims)
        fileBytes = Int(native.fileBytes)
        walBytes = Int(native.walBytes)
    }
}

/// What an examination of the file found.
public struct Diagnosis: Sendable, Hashable {
    /// The schema version of the file.
    public let schemaVersion: Int
    /// The bundled `SQLite`.
    public let sqliteVersion: String
    /// Size of the database file, in bytes.
    public let fileBytes: Int
    /// Size of the write-ahead log, in bytes.
    public let walBytes: Int
    /// Bytes in the file that are free for new messages.
    public let freeBytes: Int
    /// What is wrong, in words; empty if all is well.
    public let problems: [String]
    /// What could be better, in words.
    public let advice: [String]

    init(_ native: BlockQueueNative.Diagnosis) {
        schemaVersion = Int(native.schemaVersion)
        sqliteVersion = native.sqliteVersion
        fileBytes = Int(native.fileBytes)
        walBytes = Int(native.walBytes)
        freeBytes = Int(native.freeBytes)
        problems = native.problems
        advice = native.advice
    }
}

/// How far a backup is.
public struct BackupProgress: Sendable, Hashable {
    /// Bytes of the copy that are written.
    public let bytesDone: Int
    /// Bytes that the copy will have, at most; they are written when it is there and verified.
    public let bytesTotal: Int

    init(_ native: BlockQueueNative.BackupProgress) {
        bytesDone = Int(native.bytesDone)
        bytesTotal = Int(native.bytesTotal)
    }
}

/// The bounds of the queue.
public struct Limits: Sendable, Hashable {
    /// Largest payload of one message, unless the queue is opened with another limit.
    public let payloadBytesDefault: Int
    /// Largest payload that a queue can be opened for.
    public let payloadBytesMax: Int
    /// Headers, content type and correlation id of one message together.
    public let headerBytesMax: Int
    /// Length of the name of a topic or subscriber, in bytes of UTF-8.
    public let nameBytesMax: Int
    /// Length of an idempotency key or a unique key, in bytes of UTF-8.
    public let keyBytesMax: Int
    /// Length of an ordering key, in bytes of UTF-8.
    public let orderingKeyBytesMax: Int
    /// Messages in one publish call.
    public let batchMax: Int
    /// Payload bytes of one batch or claim, unless a single message is larger.
    public let batchBytesMax: Int
    /// Deliveries handed out by one claim.
    public let claimMax: Int
    /// Subscribers named by one claim.
    public let claimSourcesMax: Int
    /// Receipts settled by one call.
    public let settleMax: Int
    /// Entries of one page of a list.
    public let pageMax: Int
    /// Subscribers created by one call.
    public let subscribersPerCallMax: Int
    /// Lowest priority.
    public let priorityMin: Int
    /// Highest priority.
    public let priorityMax: Int
    /// Shortest lease.
    public let leaseMin: Duration
    /// Longest lease, and longest extension.
    public let leaseMax: Duration
    /// Longest delay of a message, a retry or a deferral.
    public let delayMax: Duration
    /// Longest wait of one claim, or for one result.
    public let waitMax: Duration

    init(_ native: BlockQueueNative.Limits) {
        payloadBytesDefault = Int(native.payloadBytesDefault)
        payloadBytesMax = Int(native.payloadBytesMax)
        headerBytesMax = Int(native.headerBytesMax)
        nameBytesMax = Int(native.nameBytesMax)
        keyBytesMax = Int(native.keyBytesMax)
        orderingKeyBytesMax = Int(native.orderingKeyBytesMax)
        batchMax = Int(native.batchMax)
        batchBytesMax = Int(native.batchBytesMax)
        claimMax = Int(native.claimMax)
        claimSourcesMax = Int(native.claimSourcesMax)
        settleMax = Int(native.settleMax)
        pageMax = Int(native.pageMax)
        subscribersPerCallMax = Int(native.subscribersPerCallMax)
        priorityMin = Int(native.priorityMin)
        priorityMax = Int(native.priorityMax)
        leaseMin = .milliseconds(native.leaseMinMs)
        leaseMax = .milliseconds(native.leaseMaxMs)
        delayMax = .milliseconds(native.delayMaxMs)
        waitMax = .milliseconds(native.waitMaxMs)
    }
}
