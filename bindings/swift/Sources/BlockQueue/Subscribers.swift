// Subscribers, and where they are.

internal import BlockQueueNative
import Foundation

/// A subscriber.
public struct Subscriber: Sendable, Hashable {
    /// Its number in this database; a subscriber of the same name created later has another.
    public let id: Int
    /// The topic's name.
    public let topic: String
    /// Its name.
    public let name: String
    /// Its settings.
    public let options: SubscriberOptions
    /// Claims wait as on an empty topic.
    public let paused: Bool
    /// When it was created.
    public let createdAt: Date

    init(_ native: BlockQueueNative.Subscriber) {
        id = Int(native.id)
        topic = native.topic
        name = native.name
        options = SubscriberOptions(native.options)
        paused = native.paused
        createdAt = Date(milliseconds: native.createdAtMs)
    }
}

/// The settings of a subscriber.
public struct SubscriberOptions: Sendable, Hashable {
    /// Attempts before a delivery becomes a dead letter.
    public let maxAttempts: Int
    /// The lease of a claim that does not say.
    public let lease: Duration
    /// The limit of a claim that does not say.
    public let claimLimit: Int
    /// How long a failed delivery waits before its next attempt.
    public let retry: RetryPolicy
    /// Messages of one ordering key are delivered one at a time, in order.
    public let ordered: Bool
    /// What becomes of a key when one of its messages is dead-lettered, if `ordered`.
    public let onDead: OnDead
    /// Which messages are delivered, as JSON; none: all.
    public let filter: String?
    /// What becomes of a message that expires before it is claimed.
    public let onExpiry: OnExpiry
    /// At most so many deliveries are leased at once.
    public let leasedMax: Int?
    /// At most so many deliveries are claimed per interval.
    public let rate: RateLimit?
    /// At most so many deliveries of one ordering key are leased at once.
    public let leasedPerKeyMax: Int?

    init(_ native: BlockQueueNative.SubscriberOptions) {
        maxAttempts = Int(native.maxAttempts)
        lease = .milliseconds(native.leaseMs)
        claimLimit = Int(native.claimLimit)
        retry = RetryPolicy(native.retry)
        ordered = native.ordered
        onDead = OnDead(native.onDead)
        filter = native.filter
        onExpiry = OnExpiry(native.onExpiry)
        leasedMax = native.leasedMax.map { Int($0) }
        rate = native.rate.map { RateLimit($0) }
        leasedPerKeyMax = native.leasedPerKeyMax.map { Int($0) }
    }
}

/// A subscriber to create.
public struct NewSubscriber: Sendable, Hashable {
    /// 1 to 150 bytes, without `/` and control characters.
    public var name: String
    /// Its settings.
    public var settings: SubscriberSettings?
    /// Where it begins. Default: now.
    public var start: StartFrom?

    /// What is not given has its default.
    public init(
        name: String,
        settings: SubscriberSettings? = nil,
        start: StartFrom? = nil
    ) {
        self.name = name
        self.settings = settings
        self.start = start
    }

    var native: BlockQueueNative.NewSubscriber {
        BlockQueueNative.NewSubscriber(
            name: name,
            settings: settings?.native,
            start: start?.native
        )
    }
}

/// With which message a subscriber begins.
public enum StartFrom: Sendable, Hashable {
    /// With what becomes deliverable from now on. The default.
    case now
    /// With the oldest message that the topic's retention keeps.
    case earliest
    /// With the first message that became deliverable at or after this time; a time to come means now.
    case time(Date)

    var native: BlockQueueNative.StartFrom {
        switch self {
        case .now: .now
        case .earliest: .earliest
        case .time(let at): .time(atMs: at.milliseconds)
        }
    }
}

/// A place of a topic to which a subscriber moves.
public enum SeekTo: Sendable, Hashable {
    /// The oldest message that the topic's retention keeps.
    case earliest
    /// After the newest message.
    case latest
    /// The first message that became deliverable at or after this time; a time to come means after the newest
    /// message.
    case time(Date)
    /// This message; in the logs of other priorities the first that became deliverable no earlier.
    case message(String)
    /// This sequence number of the log of one priority; other priorities stay where they are.
    case sequence(priority: Int, sequence: Int)

    var native: BlockQueueNative.SeekTo {
        switch self {
        case .earliest: .earliest
        case .latest: .latest
        case .time(let at): .time(atMs: at.milliseconds)
        case .message(let id): .message(id: id)
        case .sequence(let priority, let sequence): .sequence(priority: Int32(clamping: priority), sequence: Int64(sequence))
        }
    }
}

/// What a seek did, or would do.
public struct Sought: Sendable, Hashable {
    /// The place asked for is below what retention keeps: it begins at the oldest message kept.
    public let clamped: Bool
    /// Messages that were claimed or skipped before and are delivered again; an upper bound unless `exact`.
    public let replayedCount: Int
    /// Messages not claimed before that are passed over; an upper bound unless `exact`.
    public let skippedCount: Int
    /// Whether the two counts are exact.
    public let exact: Bool

    init(_ native: BlockQueueNative.Sought) {
        clamped = native.clamped
        replayedCount = Int(native.replayedCount)
        skippedCount = Int(native.skippedCount)
        exact = native.exact
    }
}

/// One subscriber of one topic.
public struct Source: Sendable, Hashable {
    /// The topic's name.
    public var topic: String
    /// The subscriber's name.
    public var subscriber: String

    /// What is not given has its default.
    public init(
        topic: String,
        subscriber: String
    ) {
        self.topic = topic
        self.subscriber = subscriber
    }

    var native: BlockQueueNative.Source {
        BlockQueueNative.Source(
            topic: topic,
            subscriber: subscriber
        )
    }
}
