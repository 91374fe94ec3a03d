// Claiming: lease deliveries to one consumer.

internal import BlockQueueNative

extension Queue {
    /// Leases deliveries of one subscriber to the caller; none if there is nothing in time.
    ///
    /// At most `limit`, waiting up to `wait`, for as long as `lease`; by default as the subscriber says, and without
    /// waiting. The transaction that publishes wakes it. When the task is cancelled the wait ends with a
    /// `CancellationError`, and what it got is given back.
    public func claim(
        _ topic: String,
        _ subscriber: String,
        limit: Int? = nil,
        wait: Duration = .zero,
        lease: Duration? = nil
    ) async throws -> [Delivery] {
        let options = claimOptions(limit, wait, lease)
        return try await take(try nativeNow {
            try handle.claim(topic: topic, subscriber: subscriber, options: options)
        })
    }

    /// Leases deliveries of the first of these subscribers that has any, up to 100 of them. An earlier one may starve a
    /// later one.
    public func claimAny(
        _ sources: [Source],
        limit: Int? = nil,
        wait: Duration = .zero,
        lease: Duration? = nil
    ) async throws -> [Delivery] {
        let options = claimOptions(limit, wait, lease)
        return try await take(try nativeNow {
            try handle.claimAny(sources: sources.map(\.native), options: options)
        })
    }

    /// Waits for a claim. What is not taken is given back when the claim goes.
    func take(_ claim: BlockQueueNative.PendingClaim) async throws -> [Delivery] {
        try await withTaskCancellationHandler {
            try await native { try await claim.ready() }
            try Task.checkCancellation()
            return try nativeNow { try claim.take() }.map { Delivery(self, $0) }
        } onCancel: {
            claim.cancel()
        }
    }

    func claimOptions(_ limit: Int?, _ wait: Duration, _ lease: Duration?) -> BlockQueueNative.ClaimOptions {
        BlockQueueNative.ClaimOptions(
            limit: limit.map { Int64($0) }, waitMs: wait.milliseconds, leaseMs: lease?.milliseconds
        )
    }

    /// The deliveries of a subscriber, one after another, for ever: it waits when there are none.
    ///
    /// At most `limit` are claimed at once, by default as the subscriber says, so the last of them wait with their
    /// leases running. Those that the loop does not get to are put back when it ends.
    public func deliveries(
        _ topic: String, _ subscriber: String, limit: Int? = nil, lease: Duration? = nil
    ) -> Deliveries {
        Deliveries(queue: self, topic: topic, subscriber: subscriber, limit: limit, lease: lease)
    }
}

/// The deliveries of a subscriber, one after another.
public struct Deliveries: AsyncSequence, Sendable {
    public typealias Element = Delivery

    let queue: Queue
    let topic: String
    let subscriber: String
    let limit: Int?
    let lease: Duration?

    public func makeAsyncIterator() -> Iterator {
        Iterator(self)
    }

    /// Claims when it has handed out all that it has.
    public struct Iterator: AsyncIteratorProtocol {
        private let of: Deliveries
        private let rest = Rest()

        init(_ deliveries: Deliveries) {
            of = deliveries
            rest.queue = deliveries.queue
        }

        public mutating func next() async throws -> Delivery? {
            while rest.waiting.isEmpty {
                let claimed = try await of.queue.claim(
                    of.topic, of.subscriber, limit: of.limit, wait: .seconds(60), lease: of.lease
                )
                rest.waiting = claimed.reversed()
            }
            return rest.waiting.popLast()
        }
    }

    /// What was claimed and is not handed out yet; put back when the loop has ended, however it has.
    private final class Rest {
        var queue: Queue?
        var waiting: [Delivery] = []

        deinit {
            guard let queue, !waiting.isEmpty else { return }
            let rest = waiting.map { Deferral(receipt: $0.receipt) }
            // A lease that is lost is back already.
            Task { try? await queue.deferBatch(rest) }
        }
    }
}
