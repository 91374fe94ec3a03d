// A delivery, and how it is settled.

internal import BlockQueueNative
import Foundation

/// A message leased to this consumer. Settle it before the lease expires.
///
/// Its functions are those of the ``Queue`` with its receipt.
public struct Delivery: Sendable {
    private let queue: Queue
    private let handle: BlockQueueNative.Delivery

    init(_ queue: Queue, _ handle: BlockQueueNative.Delivery) {
        self.queue = queue
        self.handle = handle
    }

    /// The topic's name.
    public var topic: String { handle.topic }
    /// The subscriber's name.
    public var subscriber: String { handle.subscriber }
    /// The message's id.
    public var messageId: String { handle.messageId }
    /// The right to settle this delivery; whoever has this text may.
    public var receipt: String { handle.receipt }
    /// The bytes that were published.
    public var payload: Data { handle.payload }
    /// What the payload is.
    public var contentType: String? { handle.contentType }
    /// The headers that were published.
    public var headers: [String: String] { handle.headers }
    /// What the publisher tied the message to.
    public var correlationId: String? { handle.correlationId }
    /// What the message is in order with.
    public var orderingKey: String? { handle.orderingKey }
    /// The message's priority.
    public var priority: Int { Int(handle.priority) }
    /// Which attempt this is, from 1.
    public var attempt: Int { Int(handle.attempt) }
    /// Attempts that ended badly so far.
    public var failures: Int { Int(handle.failures) }
    /// When the message became deliverable.
    public var publishedAt: Date { Date(milliseconds: handle.publishedAtMs) }
    /// When the message expires, if it does. A delivery that is leased by then may still be settled.
    public var expiresAt: Date? { handle.expiresAtMs.map { Date(milliseconds: $0) } }
    /// When the lease expires, as of the claim.
    public var leaseExpiresAt: Date { Date(milliseconds: handle.leaseExpiresAtMs) }

    /// The payload as text. What is not UTF-8 in it is replaced.
    public var text: String { String(decoding: payload, as: UTF8.self) }

    /// The payload, which is JSON, as a value.
    public func decode<T: Decodable>(_ type: T.Type = T.self, decoder: JSONDecoder = JSONDecoder()) throws -> T {
        try decoder.decode(type, from: payload)
    }

    /// Settles it: done.
    public func ack() async throws {
        try await queue.ack(receipt)
    }

    /// Settles it, done, and stores a reply for whoever waits for the message's result.
    public func ack(reply: Reply) async throws {
        try await queue.ack(receipt, reply: reply)
    }

    /// Reports a failure: it waits for its next attempt, or becomes a dead letter.
    @discardableResult
    public func nack(error: String? = nil, delay: Duration? = nil, giveUp: Bool = false) async throws -> Nacked {
        try await queue.nack(receipt, NackOptions(delay: delay, error: error, giveUp: giveUp))
    }

    /// Makes the lease last until this long after now; the answer is its new expiry.
    @discardableResult
    public func extend(by lease: Duration) async throws -> Date {
        try await queue.extend(receipt, by: lease)
    }

    /// Puts it back for this long; the answer is when it is ready. The attempt does not count.
    @discardableResult
    public func `defer`(for delay: Duration = .zero) async throws -> Date {
        try await queue.defer(receipt, for: delay)
    }

    /// Ends it for good, as if it had been acked, and keeps the reason with its failures.
    public func cancel(reason: String? = nil) async throws {
        try await queue.cancel(receipt, reason: reason)
    }
}

extension Delivery: CustomStringConvertible {
    /// Without the payload: it may be long, or a secret.
    public var description: String { "Delivery(\(topic)/\(subscriber) \(messageId), attempt \(attempt))" }
}
