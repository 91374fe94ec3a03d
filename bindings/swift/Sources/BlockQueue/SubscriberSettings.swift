// What a subscriber may be told.

internal import BlockQueueNative
import Foundation

/// Settings of a subscriber to choose. What is left out is the default of a new subscriber, and stays in an update.
public struct SubscriberSettings: Sendable, Hashable {
    /// Attempts before a delivery becomes a dead letter. Default 5; at least 1.
    public var maxAttempts: Int?
    /// The lease of a claim that does not say. Default 30 s; 1 ms to 12 h.
    public var lease: Duration?
    /// The limit of a claim that does not say. Default 10; 1 to 1,000.
    public var claimLimit: Int?
    /// How long a failed delivery waits before its next attempt. Replaced as a whole.
    public var retry: RetryPolicy?
    /// Messages of one ordering key are delivered one at a time, in the order in which they were published.
    /// Default: no.
    public var ordered: Bool?
    /// What becomes of a key when one of its messages is dead-lettered, if `ordered`. Default: it goes on.
    public var onDead: OnDead?
    /// Only messages whose headers match are delivered; others are skipped, and counted. Default: all.
    public var filter: FilterChange?
    /// What becomes of a message that expires before it is claimed. Default: it is skipped.
    public var onExpiry: OnExpiry?
    /// At most so many deliveries are leased at once, over all processes. Default: no limit; 1 to 1,000,000.
    public var leasedMax: LimitChange?
    /// At most so many deliveries are claimed per interval, over all processes. Default: no limit.
    public var rate: RateChange?
    /// At most so many deliveries of one ordering key are leased at once. Default: no limit; 1 to 1,000.
    public var leasedPerKeyMax: LimitChange?

    /// What is not given has its default.
    public init(
        maxAttempts: Int? = nil,
        lease: Duration? = nil,
        claimLimit: Int? = nil,
        retry: RetryPolicy? = nil,
        ordered: Bool? = nil,
        onDead: OnDead? = nil,
        filter: FilterChange? = nil,
        onExpiry: OnExpiry? = nil,
        leasedMax: LimitChange? = nil,
        rate: RateChange? = nil,
        leasedPerKeyMax: LimitChange? = nil
    ) {
        self.maxAttempts = maxAttempts
        self.lease = lease
        self.claimLimit = claimLimit
        self.retry = retry
        self.ordered = ordered
        self.onDead = onDead
        self.filter = filter
        self.onExpiry = onExpiry
        self.leasedMax = leasedMax
        self.rate = rate
        self.leasedPerKeyMax = leasedPerKeyMax
    }

    var native: BlockQueueNative.SubscriberSettings {
        BlockQueueNative.SubscriberSettings(
            maxAttempts: maxAttempts.map { Int64($0) },
            leaseMs: lease?.milliseconds,
            claimLimit: claimLimit.map { Int64($0) },
            retry: retry?.native,
            ordered: ordered,
            onDead: onDead?.native,
            filter: filter?.native,
            onExpiry: onExpiry?.native,
            leasedMax: leasedMax?.native,
            rate: rate?.native,
            leasedPerKeyMax: leasedPerKeyMax?.native
        )
    }
}

/// How long a failed delivery waits before its next attempt: exponential, with jitter.
public struct RetryPolicy: Sendable, Hashable {
    /// The first pause. Default 1 s.
    public var initial: Duration?
    /// The longest pause. Default 1 h.
    public var max: Duration?
    /// Each pause is this many times the one before. Default 2; at least 1.
    public var multiplier: Double?
    /// Each pause is shortened or lengthened at random by up to this share. Default 0.2; 0 to 1.
    public var jitter: Double?

    /// What is not given has its default.
    public init(
        initial: Duration? = nil,
        max: Duration? = nil,
        multiplier: Double? = nil,
        jitter: Double? = nil
    ) {
        self.initial = initial
        self.max = max
        self.multiplier = multiplier
        self.jitter = jitter
    }

    init(_ native: BlockQueueNative.RetryPolicy) {
        initial = native.initialMs.map { .milliseconds($0) }
        max = native.maxMs.map { .milliseconds($0) }
        multiplier = native.multiplier
        jitter = native.jitter
    }

    var native: BlockQueueNative.RetryPolicy {
        BlockQueueNative.RetryPolicy(
            initialMs: initial?.milliseconds,
            maxMs: max?.milliseconds,
            multiplier: multiplier,
            jitter: jitter
        )
    }
}

/// At most so many deliveries per interval.
public struct RateLimit: Sendable, Hashable {
    /// How many; 1 to 1,000,000.
    public var count: Int
    /// Per how long; 1 ms to 24 h.
    public var interval: Duration

    /// What is not given has its default.
    public init(
        count: Int,
        interval: Duration
    ) {
        self.count = count
        self.interval = interval
    }

    init(_ native: BlockQueueNative.RateLimit) {
        count = Int(native.count)
        interval = .milliseconds(native.intervalMs)
    }

    var native: BlockQueueNative.RateLimit {
        BlockQueueNative.RateLimit(
            count: Int64(count),
            intervalMs: interval.milliseconds
        )
    }
}

/// What becomes of the filter of a subscriber.
public enum FilterChange: Sendable, Hashable {
    /// All of them.
    case remove
    /// Those whose headers match this filter, as JSON.
    case set(String)

    var native: BlockQueueNative.FilterChange {
        switch self {
        case .remove: .remove
        case .set(let filter): .set(filter: filter)
        }
    }
}

/// What becomes of a limit of a subscriber.
public enum LimitChange: Sendable, Hashable {
    /// No limit.
    case remove
    /// At most this many.
    case set(Int)

    var native: BlockQueueNative.LimitChange {
        switch self {
        case .remove: .remove
        case .set(let limit): .set(limit: Int64(limit))
        }
    }
}

/// What becomes of the rate of a subscriber.
public enum RateChange: Sendable, Hashable {
    /// No limit.
    case remove
    /// At most so many.
    case set(RateLimit)

    var native: BlockQueueNative.RateChange {
        switch self {
        case .remove: .remove
        case .set(let rate): .set(rate: rate.native)
        }
    }
}

/// What becomes of an ordering key when one of its messages is dead-lettered.
public enum OnDead: String, Sendable, Hashable, CaseIterable {
    /// Its next message is delivered. The default.
    case skip
    /// Later messages of the key wait until the dead letter is redriven, purged or cancelled.
    case block

    init(_ native: BlockQueueNative.OnDead) {
        switch native {
        case .skip: self = .skip
        case .block: self = .block
        }
    }

    var native: BlockQueueNative.OnDead {
        switch self {
        case .skip: .skip
        case .block: .block
        }
    }
}

/// What becomes of a message that expires before it is claimed.
public enum OnExpiry: String, Sendable, Hashable, CaseIterable {
    /// It is skipped, and counted. The default.
    case skip
    /// It becomes a dead letter with the error `expired`, and is counted.
    case deadLetter = "dead_letter"

    init(_ native: BlockQueueNative.OnExpiry) {
        switch native {
        case .skip: self = .skip
        case .deadLetter: self = .deadLetter
        }
    }

    var native: BlockQueueNative.OnExpiry {
        switch self {
        case .skip: .skip
        case .deadLetter: .deadLetter
        }
    }
}
