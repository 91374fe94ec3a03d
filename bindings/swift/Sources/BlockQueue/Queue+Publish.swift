// Publishing: one message, and many.

internal import BlockQueueNative
import Foundation

extension Queue {
    /// Publishes a message: every subscriber of the topic gets it. It is durable when this returns.
    @discardableResult
    public func publish(_ topic: String, _ message: Message) async throws -> Published {
        Published(try await native { try await handle.publish(topic: topic, message: message.native) })
    }

    /// Publishes a text.
    @discardableResult
    public func publish(_ topic: String, _ text: String) async throws -> Published {
        try await publish(topic, Message(text))
    }

    /// Publishes a value as JSON.
    @discardableResult
    public func publish(_ topic: String, json value: some Encodable) async throws -> Published {
        try await publish(topic, try Message(json: value))
    }

    /// Publishes 1 to 1,000 messages, all or none, in order: by far the cheapest way. The error of one names its index.
    @discardableResult
    public func publishBatch(_ topic: String, _ messages: [Message]) async throws -> [Published] {
        let batch = messages.map(\.native)
        return try await native { try await handle.publishBatch(topic: topic, messages: batch) }
            .map { Published($0) }
    }
}

extension Message {
    /// A message of this text, as UTF-8.
    public init(_ text: String) {
        self.init(payload: Data(text.utf8), contentType: "text/plain; charset=utf-8")
    }

    /// A message of this value, as JSON.
    public init(json value: some Encodable, encoder: JSONEncoder = JSONEncoder()) throws {
        self.init(payload: try encoder.encode(value), contentType: "application/json")
    }
}

extension Reply {
    /// A reply of this text, as UTF-8.
    public init(_ text: String) {
        self.init(payload: Data(text.utf8), contentType: "text/plain; charset=utf-8")
    }

    /// A reply of this value, as JSON.
    public init(json value: some Encodable, encoder: JSONEncoder = JSONEncoder()) throws {
        self.init(payload: try encoder.encode(value), contentType: "application/json")
    }
}

extension ReplyView {
    /// The payload, which is JSON, as a value.
    public func decode<T: Decodable>(_ type: T.Type = T.self, decoder: JSONDecoder = JSONDecoder()) throws -> T {
        try decoder.decode(type, from: payload)
    }
}
