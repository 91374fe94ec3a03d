// A worker: handles deliveries side by side until it is told to stop.

internal import BlockQueueNative
import Foundation

/// Thrown by a handler: it will never succeed. The delivery becomes a dead letter now.
public struct GiveUp: Error, CustomStringConvertible {
    /// Why: the error of the dead letter.
    public let description: String

    /// For this reason.
    public init(_ reason: String = "given up") {
        description = reason
    }
}

/// Thrown by a handler: it failed, and is to be tried again after a pause.
public struct RetryAfter: Error, CustomStringConvertible {
    /// How long to wait before the next attempt.
    public let delay: Duration
    /// Why: the error of the attempt.
    public let description: String

    /// After this long, for this reason.
    public init(_ delay: Duration, _ reason: String = "to be tried again") {
        self.delay = delay
        description = reason
    }
}

/// What a worker has done.
public struct WorkerReport: Sendable, Hashable {
    /// Deliveries whose handler returned.
    public internal(set) var acked = 0
    /// Deliveries whose handler threw.
    public internal(set) var failed = 0
    /// Deliveries whose lease was lost before they could be settled: somebody else has them.
    public internal(set) var lost = 0
}

/// Handles the deliveries of a subscriber, up to `concurrency` at once.
///
/// A delivery is acked when the handler returns and nacked when it throws; ``GiveUp`` and ``RetryAfter`` say more.
/// Leases are extended while handlers run.
///
/// ```swift
/// let worker = Worker(queue, "orders", "email", concurrency: 16) { delivery in
///     try await send(delivery.decode(Order.self))
/// }
/// try await worker.run()
/// ```
public final class Worker: Sendable {
    /// Works on a delivery.
    public typealias Handler = @Sendable (Delivery) async throws -> Void
    /// Hears of what went wrong; without a delivery, a claim did.
    public typealias OnError = @Sendable (Delivery?, any Error) -> Void

    private let queue: Queue
    private let topic: String
    private let subscriber: String
    private let concurrency: Int
    private let lease: Duration?
    private let onError: OnError
    private let handler: Handler
    private let stopping = Stopping()
    private let hands: Hands

    /// - Parameters:
    ///   - lease: of each delivery; by default as the subscriber says.
    ///   - onError: is told what goes wrong, with a handler or with a claim.
    public init(
        _ queue: Queue,
        _ topic: String,
        _ subscriber: String,
        concurrency: Int = 1,
        lease: Duration? = nil,
        onError: @escaping OnError = { _, _ in },
        handler: @escaping Handler
    ) {
        self.queue = queue
        self.topic = topic
        self.subscriber = subscriber
        self.concurrency = max(concurrency, 1)
        self.lease = lease
        self.onError = onError
        self.handler = handler
        hands = Hands(self.concurrency)
    }

    /// Lets ``run()`` return when the handlers that run have returned. Any thread may call it.
    public func stop() {
        stopping.say()
    }

    /// Handles deliveries until ``stop()`` is called. When the task is cancelled, its handlers are too, and what they
    /// had not finished is put back without the attempt being counted.
    @discardableResult
    public func run() async throws -> WorkerReport {
        let lasts: Duration
        if let lease { lasts = lease } else { lasts = try await queue.subscriber(topic, subscriber).options.lease }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.beat(lasts) }
            group.addTask {
                try await withThrowingDiscardingTaskGroup { handlers in
                    try await self.claimAll(lasts) { delivery in
                        handlers.addTask { await self.handle(delivery) }
                    }
                }
            }
            // The claims end first; the heart beats for what still runs until then.
            try await self.awaitClaims(&group)
        }
        return await hands.report
    }

    private func awaitClaims(_ group: inout ThrowingTaskGroup<Void, any Error>) async throws {
        defer { group.cancelAll() }
        try await group.next()
    }

    private func claimAll(_ lasts: Duration, _ start: (Delivery) -> Void) async throws {
        while !stopping.isSaid {
            let free = await hands.take()
            let claimed: [Delivery]
            do {
                claimed = try await claim(free, lasts)
            } catch {
                await hands.giveBack(free)
                throw error
            }
            await hands.giveBack(free - claimed.count)
            await hands.hold(claimed)
            claimed.forEach(start)
        }
    }

    private func claim(_ limit: Int, _ lasts: Duration) async throws -> [Delivery] {
        do {
            let options = queue.claimOptions(min(limit, 1_000), .seconds(60), lasts)
            let pending = try nativeNow {
                try queue.handle.claim(topic: topic, subscriber: subscriber, options: options)
            }
            stopping.begin(pending)
            defer { stopping.end() }
            return try await queue.take(pending)
        } catch let error as BlockQueueError where error.retry == .later {
            onError(nil, error)
            try await Task.sleep(for: .milliseconds(500))
            return []
        }
    }

    private func handle(_ delivery: Delivery) async {
        do {
            try Task.checkCancellation()
            try await handler(delivery)
            try await delivery.ack()
            await hands.done(delivery) { $0.acked += 1 }
        } catch {
            await failed(delivery, error)
        }
    }

    private func failed(_ delivery: Delivery, _ error: any Error) async {
        do {
            if error is CancellationError, Task.isCancelled {
                try await delivery.defer()
                await hands.done(delivery) { _ in }
                return
            }
            onError(delivery, error)
            if let error = error as? BlockQueueError, error.code == .leaseLost { throw error }
            let retry = error as? RetryAfter
            try await delivery.nack(error: "\(error)", delay: retry?.delay, giveUp: error is GiveUp)
            await hands.done(delivery) { $0.failed += 1 }
        } catch {
            // Somebody else has it, or the handler has settled it by itself.
            await hands.done(delivery) { $0.lost += 1 }
        }
    }

    /// Extends what is held at a third of its lease, all of it in one operation.
    private func beat(_ lasts: Duration) async {
        while true {
            do {
                try await Task.sleep(for: lasts / 3)
                let held = await hands.receipts
                for start in stride(from: 0, to: held.count, by: 1_000) {
                    // A lease that is lost shows when its delivery is settled.
                    try await queue.extendBatch(Array(held[start..<min(start + 1_000, held.count)]), by: lasts)
                }
            } catch is CancellationError {
                return
            } catch {
                onError(nil, error)
            }
            if Task.isCancelled { return }
        }
    }
}

/// Who is free, what is held, and what was done.
private actor Hands {
    private var free: Int
    private var waiting: CheckedContinuation<Void, Never>?
    private var held: Set<String> = []
    private(set) var report = WorkerReport()

    init(_ count: Int) {
        free = count
    }

    var receipts: [String] { Array(held) }

    /// Takes all that are free, and waits until there is one.
    func take() async -> Int {
        while free == 0 {
            await withCheckedContinuation { waiting = $0 }
        }
        defer { free = 0 }
        return free
    }

    func giveBack(_ count: Int) {
        free += count
        waiting?.resume()
        waiting = nil
    }

    func hold(_ deliveries: [Delivery]) {
        held.formUnion(deliveries.map(\.receipt))
    }

    func done(_ delivery: Delivery, _ note: (inout WorkerReport) -> Void) {
        held.remove(delivery.receipt)
        note(&report)
        giveBack(1)
    }
}

/// Ends the claim that waits now, and those that would wait later.
private final class Stopping: @unchecked Sendable {
    // All of it is read and written with the lock held.
    private let lock = NSLock()
    private var said = false
    private var waiting: BlockQueueNative.PendingClaim?

    var isSaid: Bool { lock.withLock { said } }

    func begin(_ claim: BlockQueueNative.PendingClaim) {
        lock.withLock {
            waiting = claim
            if said { claim.cancel() }
        }
    }

    func end() {
        lock.withLock { waiting = nil }
    }

    func say() {
        lock.withLock {
            said = true
            waiting?.cancel()
        }
    }
}
