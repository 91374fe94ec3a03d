// Statements of the application and verbs of the queue together.

internal import BlockQueueNative
import Foundation

/// A value of a statement.
public enum SqlValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob(Data)

    init(_ native: BlockQueueNative.SqlValue) {
        switch native {
        case .null: self = .null
        case .integer(let value): self = .integer(value)
        case .real(let value): self = .real(value)
        case .text(let value): self = .text(value)
        case .blob(let value): self = .blob(value)
        }
    }

    var native: BlockQueueNative.SqlValue {
        switch self {
        case .null: .null
        case .integer(let value): .integer(value: value)
        case .real(let value): .real(value: value)
        case .text(let value): .text(value: value)
        case .blob(let value): .blob(value: value)
        }
    }
}

extension SqlValue: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .real(value) }
    public init(stringLiteral value: String) { self = .text(value) }
}

/// A transaction under way, see ``Queue/transaction(deadline:_:)``.
///
/// A function that throws has changed nothing and the transaction goes on, unless it says `transaction_ended`.
public struct Transaction: Sendable {
    private let handle: BlockQueueNative.Transaction

    init(_ handle: BlockQueueNative.Transaction) {
        self.handle = handle
    }

    /// Runs one statement; the answer is how many rows it changed. It may use any table but the queue's own.
    @discardableResult
    public func execute(_ sql: String, _ values: SqlValue...) async throws -> Int {
        let passed = values.map(\.native)
        return Int(try await native { try await handle.execute(sql: sql, values: passed) })
    }

    /// Runs one statement; the answer is its rows by column, at most 100,000 and 64 MiB of them.
    public func query(_ sql: String, _ values: SqlValue...) async throws -> [[String: SqlValue]] {
        let passed = values.map(\.native)
        let found = try await native { try await handle.query(sql: sql, values: passed) }
        return found.rows.map { row in
            Dictionary(zip(found.columns, row.map { SqlValue($0) }), uniquingKeysWith: { _, last in last })
        }
    }

    /// Publishes a message, with its id at once.
    @discardableResult
    public func publish(_ topic: String, _ message: Message) async throws -> Published {
        Published(try await native { try await handle.publish(topic: topic, message: message.native) })
    }

    /// Publishes 1 to 1,000 messages, all or none, in order.
    @discardableResult
    public func publishBatch(_ topic: String, _ messages: [Message]) async throws -> [Published] {
        let batch = messages.map(\.native)
        return try await native { try await handle.publishBatch(topic: topic, messages: batch) }
            .map { Published($0) }
    }

    /// Settles a delivery: done.
    public func ack(_ receipt: String) async throws {
        try await native { try await handle.ack(receipt: receipt) }
    }

    /// Reports a failure.
    @discardableResult
    public func nack(_ receipt: String, _ options: NackOptions = NackOptions()) async throws -> Nacked {
        Nacked(try await native { try await handle.nack(receipt: receipt, options: options.native) })
    }

    /// Makes the lease last until this long after the transaction began; the answer is its new expiry.
    @discardableResult
    public func extend(_ receipt: String, by lease: Duration) async throws -> Date {
        Date(milliseconds: try await native {
            try await handle.extend(receipt: receipt, leaseMs: lease.milliseconds)
        })
    }

    /// Puts a delivery back for this long; the answer is when it is ready. The attempt does not count.
    @discardableResult
    public func `defer`(_ receipt: String, for delay: Duration = .zero) async throws -> Date {
        Date(milliseconds: try await native {
            try await handle.defer(receipt: receipt, delayMs: delay.milliseconds)
        })
    }

    /// Ends a leased delivery for good, and keeps the reason with its failures.
    public func cancel(_ receipt: String, reason: String? = nil) async throws {
        try await native { try await handle.cancel(receipt: receipt, reason: reason) }
    }

    /// Ends a message for every subscriber.
    public func cancelMessage(_ topic: String, messageId: String) async throws {
        try await native { try await handle.cancelMessage(topic: topic, messageId: messageId) }
    }
}
