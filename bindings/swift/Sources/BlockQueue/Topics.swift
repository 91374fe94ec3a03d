// Topics and their settings.

internal import BlockQueueNative
import Foundation

/// A topic.
public struct Topic: Sendable, Hashable {
    /// Its number in this database; a topic of the same name created later has another.
    public let id: Int
    /// Its name.
    public let name: String
    /// Its settings.
    public let options: TopicOptions
    /// Claims wait as on an empty topic.
    public let paused: Bool
    /// When it was created.
    public let createdAt: Date

    init(_ native: BlockQueueNative.Topic) {
        id = Int(native.id)
        name = native.name
        options = TopicOptions(native.options)
        paused = native.paused
        createdAt = Date(milliseconds: native.createdAtMs)
    }
}

/// The settings of a topic.
public struct TopicOptions: Sendable, Hashable {
    /// What happens to messages that every subscriber has settled.
    public let retention: Retention
    /// How much may wait for the subscribers.
    public let backlogLimit: BacklogLimit
    /// How long an idempotency key is remembered.
    public let idempotencyWindow: Duration
    /// How long a message lives that does not say; none: for ever.
    public let ttl: Duration?

    init(_ native: BlockQueueNative.TopicOptions) {
        retention = Retention(native.retention)
        backlogLimit = BacklogLimit(native.backlogLimit)
        idempotencyWindow = .milliseconds(native.idempotencyWindowMs)
        ttl = native.ttlMs.map { .milliseconds($0) }
    }
}

/// Settings of a topic to choose. What is left out is the default of a new topic, and stays in an update.
public struct TopicSettings: Sendable, Hashable {
    /// What happens to messages that every subscriber has settled. Default: removed.
    public var retention: Retention?
    /// How much may wait for the subscribers. Default: no limit. Replaced as a whole.
    public var backlogLimit: BacklogLimit?
    /// How long an idempotency key is remembered. Default 24 h, at most 31 days.
    public var idempotencyWindow: Duration?
    /// How long a message lives that does not say. Default: for ever.
    public var ttl: TtlChange?

    /// What is not given has its default.
    public init(
        retention: Retention? = nil,
        backlogLimit: BacklogLimit? = nil,
        idempotencyWindow: Duration? = nil,
        ttl: TtlChange? = nil
    ) {
        self.retention = retention
        self.backlogLimit = backlogLimit
        self.idempotencyWindow = idempotencyWindow
        self.ttl = ttl
    }

    var native: BlockQueueNative.TopicSettings {
        BlockQueueNative.TopicSettings(
            retention: retention?.native,
            backlogLimit: backlogLimit?.native,
            idempotencyWindowMs: idempotencyWindow?.milliseconds,
            ttl: ttl?.native
        )
    }
}

/// How long a topic keeps messages that every subscriber is done with.
public enum Retention: Sendable, Hashable {
    /// Removed as soon as upkeep gets to it. The default.
    case nothing
    /// Kept for this long after they were published.
    case duration(Duration)
    /// The newest this many of the topic are kept.
    case count(Int)
    /// The newest are kept up to this many bytes of payload and headers.
    case bytes(Int)

    init(_ native: BlockQueueNative.Retention) {
        switch native {
        case .nothing: self = .nothing
        case .duration(let ms): self = .duration(.milliseconds(ms))
        case .count(let messages): self = .count(Int(messages))
        case .bytes(let bytes): self = .bytes(Int(bytes))
        }
    }

    var native: BlockQueueNative.Retention {
        switch self {
        case .nothing: .nothing
        case .duration(let kept): .duration(ms: kept.milliseconds)
        case .count(let messages): .count(messages: Int64(messages))
        case .bytes(let bytes): .bytes(bytes: Int64(bytes))
        }
    }
}

/// How much of a topic may wait for its subscribers; delayed messages count too. No limit by default.
public struct BacklogLimit: Sendable, Hashable {
    /// Messages that some subscriber has yet to claim.
    public var messages: Int?
    /// Their bytes of payload and headers.
    public var bytes: Int?
    /// Age of the oldest of them.
    public var age: Duration?
    /// What a publish beyond the limit does. Default: it is refused.
    public var policy: BacklogPolicy?

    /// What is not given has its default.
    public init(
        messages: Int? = nil,
        bytes: Int? = nil,
        age: Duration? = nil,
        policy: BacklogPolicy? = nil
    ) {
        self.messages = messages
        self.bytes = bytes
        self.age = age
        self.policy = policy
    }

    init(_ native: BlockQueueNative.BacklogLimit) {
        messages = native.messages.map { Int($0) }
        bytes = native.bytes.map { Int($0) }
        age = native.ageMs.map { .milliseconds($0) }
        policy = native.policy.map { BacklogPolicy($0) }
    }

    var native: BlockQueueNative.BacklogLimit {
        BlockQueueNative.BacklogLimit(
            messages: messages.map { Int64($0) },
            bytes: bytes.map { Int64($0) },
            ageMs: age?.milliseconds,
            policy: policy?.native
        )
    }
}

/// What becomes of a publish beyond the backlog limit.
public enum BacklogPolicy: String, Sendable, Hashable, CaseIterable {
    /// It fails with `backlog_full`. The default.
    case refuse
    /// The oldest messages are skipped for the subscribers that lag, and counted as dropped.
    case dropOldest = "drop_oldest"

    init(_ native: BlockQueueNative.BacklogPolicy) {
        switch native {
        case .refuse: self = .refuse
        case .dropOldest: self = .dropOldest
        }
    }

    var native: BlockQueueNative.BacklogPolicy {
        switch self {
        case .refuse: .refuse
        case .dropOldest: .dropOldest
        }
    }
}

/// What becomes of the life of messages that do not say.
public enum TtlChange: Sendable, Hashable {
    /// For ever.
    case remove
    /// This long; 1 ms to ten years.
    case set(Duration)

    var native: BlockQueueNative.TtlChange {
        switch self {
        case .remove: .remove
        case .set(let ttl): .set(ttlMs: ttl.milliseconds)
        }
    }
}
