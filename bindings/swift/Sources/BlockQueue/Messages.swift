// Messages: what is published, and how people look at it.

internal import BlockQueueNative
import Foundation

/// A message to publish.
public struct Message: Sendable, Hashable {
    /// Any bytes, also none. At most 1 MiB unless the queue was opened with more.
    public var payload: Data
    /// What the payload is, for example `application/json`.
    public var contentType: String?
    /// Unique names and their values; order is not kept.
    public var headers: [String: String]
    /// Ties the message to others, for example to a request.
    public var correlationId: String?
    /// −1000 to 1000; higher is delivered first, and lower ones may starve. Default 0.
    public var priority: Int
    /// Deliver it this long after now. Not together with `deliverAt`.
    public var delay: Duration?
    /// Deliver it at this time; a time in the past means now. Not together with `delay`.
    public var deliverAt: Date?
    /// A repeat of the key within the topic's window publishes nothing and returns the first id.
    public var idempotencyKey: String?
    /// Messages of one key go to a subscriber that asks for order one at a time; 1 to 255 bytes.
    public var orderingKey: String?
    /// It is not delivered any more this long after it was published, its delay included; 1 ms to ten years.
    /// Default: the topic's.
    public var ttl: Duration?
    /// While some subscriber is not done with a message of this key, the topic takes no other of it.
    public var uniqueKey: String?

    /// What is not given has its default.
    public init(
        payload: Data,
        contentType: String? = nil,
        headers: [String: String] = [:],
        correlationId: String? = nil,
        priority: Int = 0,
        delay: Duration? = nil,
        deliverAt: Date? = nil,
        idempotencyKey: String? = nil,
        orderingKey: String? = nil,
        ttl: Duration? = nil,
        uniqueKey: String? = nil
    ) {
        self.payload = payload
        self.contentType = contentType
        self.headers = headers
        self.correlationId = correlationId
        self.priority = priority
        self.delay = delay
        self.deliverAt = deliverAt
        self.idempotencyKey = idempotencyKey
        self.orderingKey = orderingKey
        self.ttl = ttl
        self.uniqueKey = uniqueKey
    }

    init(_ native: BlockQueueNative.Message) {
        payload = native.payload
        contentType = native.contentType
        headers = native.headers
        correlationId = native.correlationId
        priority = Int(native.priority)
        delay = native.delayMs.map { .milliseconds($0) }
        deliverAt = native.deliverAtMs.map { Date(milliseconds: $0) }
        idempotencyKey = native.idempotencyKey
        orderingKey = native.orderingKey
        ttl = native.ttlMs.map { .milliseconds($0) }
        uniqueKey = native.uniqueKey
    }

    var native: BlockQueueNative.Message {
        BlockQueueNative.Message(
            payload: payload,
            contentType: contentType,
            headers: headers,
            correlationId: correlationId,
            priority: Int32(clamping: priority),
            delayMs: delay?.milliseconds,
            deliverAtMs: deliverAt?.milliseconds,
            idempotencyKey: idempotencyKey,
            orderingKey: orderingKey,
            ttlMs: ttl?.milliseconds,
            uniqueKey: uniqueKey
        )
    }
}

/// The answer to a publish.
public struct Published: Sendable, Hashable {
    /// The message's id, for all its life.
    public let id: String
    /// The idempotency key was used before: nothing was published, this is the first message's id.
    public let duplicate: Bool
    /// When it will become deliverable, if that is not now.
    public let deliverAt: Date?
    /// Subscribers that the topic has now, each of which will get it.
    public let subscriberCount: Int

    init(_ native: BlockQueueNative.Published) {
        id = native.id
        duplicate = native.duplicate
        deliverAt = native.deliverAtMs.map { Date(milliseconds: $0) }
        subscriberCount = Int(native.subscriberCount)
    }
}

/// A message as people look at it: without a receipt.
public struct MessageView: Sendable, Hashable {
    /// The message's id.
    public let id: String
    /// The bytes that were published.
    public let payload: Data
    /// What the payload is.
    public let contentType: String?
    /// The headers that were published.
    public let headers: [String: String]
    /// What the publisher tied the message to.
    public let correlationId: String?
    /// The key that makes a repeat harmless, while it is remembered.
    public let idempotencyKey: String?
    /// What the message is in order with.
    public let orderingKey: String?
    /// The message's priority.
    public let priority: Int
    /// When it was accepted.
    public let acceptedAt: Date
    /// When it became deliverable, or will.
    public let deliverAt: Date
    /// When it expires, if it does.
    public let expiresAt: Date?

    init(_ native: BlockQueueNative.MessageView) {
        id = native.id
        payload = native.payload
        contentType = native.contentType
        headers = native.headers
        correlationId = native.correlationId
        idempotencyKey = native.idempotencyKey
        orderingKey = native.orderingKey
        priority = Int(native.priority)
        acceptedAt = Date(milliseconds: native.acceptedAtMs)
        deliverAt = Date(milliseconds: native.deliverAtMs)
        expiresAt = native.expiresAtMs.map { Date(milliseconds: $0) }
    }
}

/// Where a message stands with one subscriber.
public struct DeliveryStatus: Sendable, Hashable {
    /// The subscriber's number.
    public let subscriberId: Int
    /// The subscriber's name.
    public let subscriber: String
    /// The state.
    public let state: DeliveryState
    /// Attempts so far.
    public let attempts: Int
    /// Attempts that ended badly so far.
    public let failures: Int
    /// When it can be claimed, or could; for a leased one when its lease expires.
    public let readyAt: Date?

    init(_ native: BlockQueueNative.DeliveryStatus) {
        subscriberId = Int(native.subscriberId)
        subscriber = native.subscriber
        state = DeliveryState(native.state)
        attempts = Int(native.attempts)
        failures = Int(native.failures)
        readyAt = native.readyAtMs.map { Date(milliseconds: $0) }
    }
}

/// Where a delivery stands.
public enum DeliveryState: String, Sendable, Hashable, CaseIterable {
    /// Not claimed yet.
    case pending
    /// Leased to a consumer.
    case leased
    /// Waiting for its next attempt, or ready for it.
    case retrying
    /// Waiting behind another delivery of its ordering key.
    case parked
    /// Out of attempts, kept for people.
    case deadLettered = "dead_lettered"
    /// Done: acked, cancelled or skipped.
    case settled

    init(_ native: BlockQueueNative.DeliveryState) {
        switch native {
        case .pending: self = .pending
        case .leased: self = .leased
        case .retrying: self = .retrying
        case .parked: self = .parked
        case .deadLettered: self = .deadLettered
        case .settled: self = .settled
        }
    }
}

/// A message and where it stands with every subscriber of its topic.
public struct MessageStatus: Sendable, Hashable {
    /// The message.
    public let message: MessageView
    /// It waits for its time.
    public let delayed: Bool
    /// Where it stands, by subscriber. Subscribers that began after it are left out.
    public let deliveries: [DeliveryStatus]

    init(_ native: BlockQueueNative.MessageStatus) {
        message = MessageView(native.message)
        delayed = native.delayed
        deliveries = native.deliveries.map { DeliveryStatus($0) }
    }
}

/// A pending or leased delivery as people look at it: without a receipt.
public struct Peeked: Sendable, Hashable {
    /// The message.
    public let message: MessageView
    /// Where it stands.
    public let status: DeliveryStatus

    init(_ native: BlockQueueNative.Peeked) {
        message = MessageView(native.message)
        status = DeliveryStatus(native.status)
    }
}
