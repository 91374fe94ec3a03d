// What crosses between Swift and the library, and what ends a wait.

import BlockQueueNative
import Foundation
import XCTest

@testable import BlockQueue

final class QueueTests: XCTestCase {
    private var queue: BlockQueue.Queue!

    override func setUp() async throws {
        queue = try BlockQueue.Queue.open(":memory:")
        try await queue.createTopic("t", subscribers: ["s"])
    }

    override func tearDown() async throws {
        try await queue.shutdown()
    }

    /// The error that a call ends with.
    private func code(_ call: () async throws -> Void) async -> BlockQueueError.Code? {
        do {
            try await call()
            return nil
        } catch {
            return (error as? BlockQueueError)?.code
        }
    }

    func testAPayloadComesBackAsItWas() async throws {
        let payloads = [
            Data(), Data([0, 97, 0]), Data([0xff, 0xfe, 0x80]), Data((0...255).map { UInt8($0) }),
            Data(repeating: 7, count: 1 << 20),
        ]
        for payload in payloads {
            try await queue.publish("t", Message(payload: payload))
            let claimed = try await queue.claim("t", "s")
            XCTAssertEqual(claimed.map(\.payload), [payload])
            try await claimed[0].ack()
        }
    }

    func testAllThatAMessageHasComesBack() async throws {
        var message = Message("p")
        message.headers = ["a": "1", "größe": "", "zero": "z\0z"]
        message.correlationId = "c"
        message.orderingKey = "k"
        message.priority = -5
        message.ttl = .milliseconds(3_600_500)
        try await queue.publish("t", message)
        let delivery = try await queue.claim("t", "s", lease: .seconds(10))[0]
        XCTAssertEqual(delivery.text, "p")
        XCTAssertEqual(delivery.headers, message.headers)
        XCTAssertEqual([delivery.correlationId, delivery.orderingKey], ["c", "k"])
        XCTAssertEqual([delivery.priority, delivery.attempt, delivery.failures], [-5, 1, 0])
        XCTAssertEqual(delivery.expiresAt!.timeIntervalSince(delivery.publishedAt), 3_600.5, accuracy: 0.01)
    }

    func testValuesCrossAsJson() async throws {
        struct Order: Codable, Equatable { let id: Int, about: String }
        let order = Order(id: 42, about: "tea ☕")
        let published = try await queue.publish("t", json: order)
        let delivery = try await queue.claim("t", "s")[0]
        XCTAssertEqual(try delivery.decode(Order.self), order)
        XCTAssertEqual(delivery.contentType, "application/json")
        try await delivery.ack(reply: try Reply(json: order))
        let result = try await queue.result("t", "s", messageId: published.id, wait: .seconds(5))
        guard case .replied(let reply) = result else { return XCTFail("\(result)") }
        XCTAssertEqual(try reply.decode(Order.self), order)
    }

    func testAForeignReceiptSettlesNothing() async throws {
        let other = try BlockQueue.Queue.open(":memory:")
        try await other.createTopic("t", subscribers: ["s"])
        try await other.publish("t", "theirs")
        let foreign = try await other.claim("t", "s")[0].receipt
        try await other.shutdown()
        try await queue.publish("t", "mine")
        let mine = try await queue.claim("t", "s")[0]
        let refused = await code { try await self.queue.ack(foreign) }
        XCTAssertEqual(refused, .leaseLost)
        try await mine.ack()
    }

    func testAClaimWaitsAndIsWoken() async throws {
        let queue = queue!
        let since = Date()
        let nothing = try await queue.claim("t", "s", wait: .milliseconds(100))
        XCTAssert(nothing.isEmpty && Date().timeIntervalSince(since) >= 0.1)
        async let claimed = queue.claim("t", "s", wait: .seconds(60))
        try await queue.publish("t", "x")
        let found = try await claimed
        XCTAssertEqual(found.map(\.text), ["x"])
    }

    func testACancelledClaimEndsAtOnceAndLosesNothing() async throws {
        let queue = queue!
        let waiting = Task { try await queue.claim("t", "s", wait: .seconds(3_600)) }
        try await untilWaiting(1)
        waiting.cancel()
        do {
            _ = try await waiting.value
            XCTFail("it was answered")
        } catch {
            XCTAssert(error is CancellationError, "\(error)")
        }
        try await queue.publish("t", "x")
        let found = try await queue.claim("t", "s")
        XCTAssertEqual(found.map(\.attempt), [1])
    }

    func testCancellationThatRacesADeliveryLosesNothing() async throws {
        let queue = queue!
        var taken = 0
        for _ in 0..<1_000 {
            let waiting = Task { try await queue.claim("t", "s", limit: 1, wait: .seconds(60)) }
            async let published = queue.publish("t", "x")
            waiting.cancel()
            _ = try await published
            var claimed = (try? await waiting.value) ?? []
            if claimed.isEmpty {
                claimed = try await queue.claim("t", "s", limit: 1, wait: .seconds(10))
            }
            XCTAssertEqual(claimed.count, 1)
            try await claimed[0].ack()
            taken += 1
        }
        let stats = try await queue.subscriberStats("t", "s")
        XCTAssertEqual([stats.ackedCount, stats.pendingCount, stats.leasedCount], [taken, 0, 0])
    }

    func testALoopThatEndsPutsBackWhatItHasNotHandedOut() async throws {
        try await queue.publishBatch("t", (1...5).map { Message("\($0)") })
        for try await delivery in queue.deliveries("t", "s", limit: 5) {
            try await delivery.ack()
            break
        }
        let rest = try await queue.claim("t", "s", limit: 5, wait: .seconds(10))
        XCTAssertEqual(rest.map(\.text), ["2", "3", "4", "5"])
        XCTAssertEqual(rest.map(\.attempt), [1, 1, 1, 1])
    }

    func testManyThatWaitHoldNoThreadsAndAreToldOfTheShutdown() async throws {
        let queue = queue!
        try await withThrowingTaskGroup(of: BlockQueueError.Code?.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    do {
                        _ = try await queue.claim("t", "s", wait: .seconds(3_600))
                        return nil
                    } catch {
                        return (error as? BlockQueueError)?.code
                    }
                }
            }
            try await untilWaiting(500)
            XCTAssertLessThan(try threads(), 60)
            try await queue.shutdown()
            for try await code in group { XCTAssertEqual(code, .shutdown) }
        }
    }

    func testAfterShutdownEverythingIsRefused() async throws {
        let queue = queue!
        try await queue.shutdown()
        try await queue.shutdown()
        let calls: [() async throws -> Void] = [
            { try await queue.publish("t", "x") },
            { _ = try await queue.claim("t", "s") },
            { _ = try await queue.topic("t") },
            { try await queue.transaction { _ in } },
        ]
        for call in calls {
            let found = await code(call)
            XCTAssertEqual(found, .shutdown)
        }
    }

    func testWhatBreaksARuleIsRefused() async throws {
        let queue = queue!
        let calls: [(BlockQueueError.Code, () async throws -> Void)] = [
            (.unknownTopic, { try await queue.publish("none", "x") }),
            (.unknownSubscriber, { _ = try await queue.claim("t", "none") }),
            (.invalidArgument, { try await queue.publishBatch("t", []) }),
            (.invalidArgument, { _ = try await queue.claim("t", "s", limit: 0) }),
            (.invalidArgument, { _ = try await queue.claim("t", "s", lease: .seconds(-1)) }),
            (.invalidArgument, { _ = try await queue.claim("t", "s", wait: .seconds(Int64.min)) }),
            (.invalidArgument, { try await queue.createTopic("a/b") }),
            (.invalidReceipt, { try await queue.ack("nonsense") }),
            (.topicExists, { try await queue.createTopic("t") }),
            (.limitExceeded, { try await queue.publish("t", Message(payload: Data(count: 1 << 21))) }),
        ]
        for (expected, call) in calls {
            let found = await code(call)
            XCTAssertEqual(found, expected)
        }
        let stats = try await queue.topicStats("t")
        XCTAssertEqual(stats.publishedCount, 0)
    }

    func testAReceiptWorksOnce() async throws {
        try await queue.publish("t", "x")
        let delivery = try await queue.claim("t", "s")[0]
        try await delivery.ack()
        let lost = await code { try await delivery.nack() }
        XCTAssertEqual(lost, .leaseLost)
        let refused = try await queue.extendBatch([delivery.receipt], by: .seconds(5))
        XCTAssertEqual(refused.map(\.refusal?.code), [.leaseLost])
    }

    func testATransactionIsAllOrNothing() async throws {
        let folder = try Folder()
        let queue = try BlockQueue.Queue.open("\(folder.path)/queue.db")
        try await queue.createTopic("t", subscribers: ["s"])
        try await queue.transaction { tx in
            try await tx.execute("CREATE TABLE orders (id, about)")
            try await tx.execute("INSERT INTO orders VALUES (?, ?)", 1, "tea")
            try await tx.publish("t", Message("paid"))
        }
        struct Stop: Error {}
        do {
            try await queue.transaction { tx in
                try await tx.execute("DELETE FROM orders")
                try await tx.publish("t", Message("never"))
                throw Stop()
            }
            XCTFail("it was committed")
        } catch is Stop {}
        let rows = try await queue.transaction { try await $0.query("SELECT * FROM orders") }
        XCTAssertEqual(rows, [["id": 1, "about": "tea"]])
        let claimed = try await queue.claim("t", "s")
        XCTAssertEqual(claimed.map(\.text), ["paid"])
        try await queue.shutdown()
    }

    func testAPanicInTheLibraryIsAnError() async {
        let found = await code { try await native { try await BlockQueueNative.testPanic() } }
        XCTAssertEqual(found, .internal)
    }

    func testABackupIsAQueue() async throws {
        let folder = try Folder()
        try await queue.publish("t", "x")
        try await queue.backup(to: "\(folder.path)/copy.db")
        let options = BlockQueue.OpenOptions(mustExist: true)
        let copy = try BlockQueue.Queue.open("\(folder.path)/copy.db", options: options)
        let claimed = try await copy.claim("t", "s")
        XCTAssertEqual(claimed.count, 1)
        try await copy.shutdown()
    }

    func testMemoryStaysFlat() async throws {
        let batch = Array(repeating: Message("x"), count: 500)
        func rounds(_ count: Int) async throws {
            for _ in 0..<count {
                try await queue.publishBatch("t", batch)
                try await queue.ackBatch(queue.claim("t", "s", limit: 500).map(\.receipt))
            }
        }
        try await rounds(100)
        let before = try resident()
        try await rounds(300)
        XCTAssertLessThan(try resident(), before + 24 * 1_024, "kB resident")
    }

    /// Waits until so many claims do.
    private func untilWaiting(_ count: Int) async throws {
        let deadline = Date(timeIntervalSinceNow: 30)
        while try queue.engineStats().waitingClaims < count {
            guard Date() < deadline else { return XCTFail("nobody waits") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func threads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
    }

    private func resident() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return Int(line?.split(separator: " ").dropFirst().first ?? "") ?? 0
    }
}
