// A worker settles what its handlers got, whatever they do, and ends when it is told to.

import Foundation
import XCTest

@testable import BlockQueue

final class WorkerTests: XCTestCase {
    private var queue: Queue!

    override func setUp() async throws {
        queue = try Queue.open(":memory:")
        try await queue.createTopic("t", subscribers: ["s"])
    }

    override func tearDown() async throws {
        try await queue.shutdown()
    }

    /// Waits until it holds.
    private func until(_ what: String, _ holds: () async throws -> Bool) async throws {
        let deadline = Date(timeIntervalSinceNow: 30)
        while try await !holds() {
            guard Date() < deadline else { return XCTFail(what) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func testHandlersDecideWhatBecomesOfADelivery() async throws {
        let queue = queue!
        struct No: Error {}
        let worker = Worker(queue, "t", "s", concurrency: 4) { delivery in
            switch delivery.text {
            case "fails": throw No()
            case "later": throw RetryAfter(.seconds(3_600))
            case "never": throw GiveUp("useless")
            case "own": try await delivery.cancel()
            default: break
            }
        }
        let running = Task { try await worker.run() }
        try await queue.publishBatch("t", ["done", "fails", "later", "never", "own"].map { Message($0) })
        try await until("all are handled") {
            let stats = try await queue.subscriberStats("t", "s")
            return stats.pendingCount == 0 && stats.leasedCount == 0 && stats.claimedCount >= 5
        }
        worker.stop()
        let report = try await running.value
        XCTAssertEqual(report.acked, 1)
        XCTAssertEqual(report.lost, 1)
        XCTAssertGreaterThanOrEqual(report.failed, 3)
        let dead = try await queue.deadLetters("t", "s")
        XCTAssertEqual(dead.items.map(\.error), ["useless"])
    }

    func testSoManyRunAtOnce() async throws {
        let queue = queue!
        let together = Together(3)
        let worker = Worker(queue, "t", "s", concurrency: 3) { _ in await together.meet() }
        let running = Task { try await worker.run() }
        try await queue.publishBatch("t", (0..<9).map { Message("\($0)") })
        try await until("all are acked") { try await queue.subscriberStats("t", "s").ackedCount == 9 }
        worker.stop()
        let report = try await running.value
        XCTAssertEqual(report.acked, 9)
    }

    func testALeaseIsExtendedWhileItsHandlerRuns() async throws {
        let queue = queue!
        let worker = Worker(queue, "t", "s", lease: .milliseconds(300)) { delivery in
            while true {
                let status = try await queue.message("t", id: delivery.messageId).deliveries[0]
                if let expires = status.readyAt, expires > delivery.leaseExpiresAt { return }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        let running = Task { try await worker.run() }
        try await queue.publish("t", "x")
        try await until("it is acked") { try await queue.subscriberStats("t", "s").ackedCount == 1 }
        worker.stop()
        let report = try await running.value
        XCTAssertEqual([report.acked, report.lost], [1, 0])
    }

    func testACancelledWorkerPutsBackWhatItHeld() async throws {
        let queue = queue!
        let worker = Worker(queue, "t", "s", concurrency: 2) { _ in try await Task.sleep(for: .seconds(3_600)) }
        let running = Task { try await worker.run() }
        try await queue.publishBatch("t", [Message("1"), Message("2")])
        try await until("both are held") { try await queue.subscriberStats("t", "s").leasedCount == 2 }
        running.cancel()
        _ = try? await running.value
        let back = try await queue.claim("t", "s", limit: 2, wait: .seconds(10))
        XCTAssertEqual(back.map(\.attempt), [1, 1])
    }

    func testAWorkerWhoseQueueIsShutDownFails() async throws {
        let queue = queue!
        let worker = Worker(queue, "t", "s") { _ in }
        let running = Task { try await worker.run() }
        try await until("it waits") { try queue.engineStats().waitingClaims == 1 }
        try await queue.shutdown()
        do {
            _ = try await running.value
            XCTFail("it goes on")
        } catch {
            XCTAssertEqual((error as? BlockQueueError)?.code, .shutdown)
        }
    }
}

/// Lets nobody pass until so many have come.
private actor Together {
    private let count: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) {
        self.count = count
    }

    func meet() async {
        if waiting.count + 1 == count {
            waiting.forEach { $0.resume() }
            waiting = []
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }
}
