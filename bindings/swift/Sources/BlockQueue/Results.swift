// Replies, for whoever waits for the result of a message.

internal import BlockQueueNative
import Foundation

/// A reply to store together with an ack, for whoever waits for the message's result.
public struct Reply: Sendable, Hashable {
    /// Any bytes, also none. At most 1 MiB.
    public var payload: Data
    /// What the payload is, for example `application/json`; at most 255 bytes.
    public var contentType: String?
    /// How long it is kept. Default 1 h; 1 ms to 31 days.
    public var ttl: Duration?

    /// What is not given has its default.
    public init(
        payload: Data,
        contentType: String? = nil,
        ttl: Duration? = nil
    ) {
        self.payload = payload
        self.contentType = contentType
        self.ttl = ttl
    }

    var native: BlockQueueNative.Reply {
        BlockQueueNative.Reply(
            payload: payload,
            contentType: contentType,
            ttlMs: ttl?.milliseconds
        )
    }
}

/// A reply as it was stored.
public struct ReplyView: Sendable, Hashable {
    /// The bytes of the reply.
    public let payload: Data
    /// What the payload is.
    public let contentType: String?
    /// When the message was acked.
    public let repliedAt: Date
    /// Until when the reply is kept.
    public let expiresAt: Date

    init(_ native: BlockQueueNative.ReplyView) {
        payload = native.payload
        contentType = native.contentType
        repliedAt = Date(milliseconds: native.repliedAtMs)
        expiresAt = Date(milliseconds: native.expiresAtMs)
    }
}

/// What came of a message for one subscriber.
public enum DeliveryResult: Sendable, Hashable {
    /// The subscriber acked it with this reply.
    case replied(ReplyView)
    /// It is settled without a reply: acked or cancelled, passed over, or its reply has expired.
    case settled
    /// It ran out of attempts. A redrive may still bring a reply.
    case deadLettered
    /// Nothing yet.
    case unsettled

    init(_ native: BlockQueueNative.DeliveryResult) {
        switch native {
        case .replied(let reply): self = .replied(ReplyView(reply))
        case .settled: self = .settled
        case .deadLettered: self = .deadLettered
        case .unsettled: self = .unsettled
        }
    }
}
