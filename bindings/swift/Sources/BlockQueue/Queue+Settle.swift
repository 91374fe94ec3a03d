// Settling deliveries by their receipts, one and many.

internal import BlockQueueNative
import Foundation

extension Queue {
    /// Settles a delivery: done. It is durable when this returns, as all here.
    public func ack(_ receipt: String) async throws {
        try await native { try await handle.ack(receipt: receipt) }
    }

    /// Settles a delivery, done, and stores a reply for whoever waits for the message's result.
    public func ack(_ receipt: String, reply: Reply) async throws {
        try await native { try await handle.ackWithResult(receipt: receipt, reply: reply.native) }
    }

    /// Settles up to 1,000 deliveries; for each `nil`, or why it could not be.
    @discardableResult
    public func ackBatch(_ receipts: [String]) async throws -> [BlockQueueError?] {
        try await native { try await handle.ackBatch(receiptsGiven: receipts) }.map { $0.map { BlockQueueError($0) } }
    }

    /// Reports a failure: the delivery waits for its next attempt, or becomes a dead letter.
    @discardableResult
    public func nack(_ receipt: String, _ options: NackOptions = NackOptions()) async throws -> Nacked {
        Nacked(try await native { try await handle.nack(receipt: receipt, options: options.native) })
    }

    /// Reports up to 1,000 failures; for each what it led to, or why it could not be.
    @discardableResult
    public func nackBatch(_ nacks: [Nack]) async throws -> [Outcome<Nacked>] {
        let batch = nacks.map(\.native)
        return try await native { try await handle.nackBatch(nacks: batch) }.map { outcome in
            switch outcome {
            case .done(let nacked): .success(Nacked(nacked))
            case .refused(let problem): .failure(BlockQueueError(problem))
            }
        }
    }

    /// Makes the lease last until this long after now; the answer is its new expiry.
    @discardableResult
    public func extend(_ receipt: String, by lease: Duration) async throws -> Date {
        Date(milliseconds: try await native {
            try await handle.extend(receipt: receipt, leaseMs: lease.milliseconds)
        })
    }

    /// Extends up to 1,000 leases; for each its new expiry, or why it could not be.
    @discardableResult
    public func extendBatch(_ receipts: [String], by lease: Duration) async throws -> [Outcome<Date>] {
        try await native { try await handle.extendBatch(receiptsGiven: receipts, leaseMs: lease.milliseconds) }
            .map(time)
    }

    /// Puts a delivery back for this long; the answer is when it is ready. The attempt does not count.
    @discardableResult
    public func `defer`(_ receipt: String, for delay: Duration = .zero) async throws -> Date {
        Date(milliseconds: try await native {
            try await handle.defer(receipt: receipt, delayMs: delay.milliseconds)
        })
    }

    /// Puts up to 1,000 deliveries back; for each when it is ready, or why it could not be.
    @discardableResult
    public func deferBatch(_ deferrals: [Deferral]) async throws -> [Outcome<Date>] {
        let batch = deferrals.map(\.native)
        return try await native { try await handle.deferBatch(deferrals: batch) }.map(time)
    }

    /// Ends a leased delivery for good, as if it had been acked, and keeps the reason with its failures.
    public func cancel(_ receipt: String, reason: String? = nil) async throws {
        try await native { try await handle.cancel(receipt: receipt, reason: reason) }
    }

    /// Ends up to 1,000 leased deliveries for good; for each `nil`, or why it could not be.
    @discardableResult
    public func cancelBatch(_ receipts: [String], reason: String? = nil) async throws -> [BlockQueueError?] {
        try await native { try await handle.cancelBatch(receiptsGiven: receipts, reason: reason) }
            .map { $0.map { BlockQueueError($0) } }
    }

    /// Ends one message for one subscriber, whatever its state, without a receipt.
    public func cancelDelivery(
        _ topic: String, _ subscriber: String, messageId: String, reason: String? = nil
    ) async throws {
        try await native {
            try await handle.cancelDelivery(
                topic: topic, subscriber: subscriber, messageId: messageId, reason: reason
            )
        }
    }

    /// Ends one message for every subscriber, also before its time; the answer is where it stood with each.
    @discardableResult
    public func cancelMessage(_ topic: String, messageId: String) async throws -> [DeliveryStatus] {
        try await native { try await handle.cancelMessage(topic: topic, messageId: messageId) }
            .map { DeliveryStatus($0) }
    }

    /// What came of a message for one subscriber, waiting up to `wait` until there is something.
    public func result(
        _ topic: String, _ subscriber: String, messageId: String, wait: Duration = .zero
    ) async throws -> DeliveryResult {
        if wait == .zero {
            return DeliveryResult(try await native {
                try await handle.result(topic: topic, subscriber: subscriber, messageId: messageId)
            })
        }
        let pending = try nativeNow {
            try handle.waitResult(
                topic: topic, subscriber: subscriber, messageId: messageId, waitMs: wait.milliseconds
            )
        }
        return try await withTaskCancellationHandler {
            let found = try await native { try await pending.wait() }
            try Task.checkCancellation()
            return DeliveryResult(found)
        } onCancel: {
            pending.cancel()
        }
    }
}

private func time(_ outcome: BlockQueueNative.TimeOutcome) -> Outcome<Date> {
    switch outcome {
    case .done(let at): .success(Date(milliseconds: at))
    case .refused(let problem): .failure(BlockQueueError(problem))
    }
}
