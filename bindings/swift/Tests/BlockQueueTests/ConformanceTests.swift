// Each script holds, on a queue in memory and on one in a file.

import BlockQueueNative
import Foundation
import XCTest

@testable import BlockQueue

final class ConformanceTests: XCTestCase {
    func testInMemory() async throws {
        try await run(inFile: false)
    }

    func testInAFile() async throws {
        try await run(inFile: true)
    }

    private func run(inFile: Bool) async throws {
        var failed: [String] = []
        var count = 0
        for script in try Script.all() where inFile || !script.needs.contains("reopen") {
            count += 1
            let folder = try Folder()
            let runner = try Runner(inFile ? "\(folder.path)/queue.db" : ":memory:")
            do {
                try await runner.run(script)
            } catch {
                failed.append("\(script.name): \(script.rule)\n  \(error)")
            }
            await runner.close()
        }
        XCTAssertGreaterThan(count, 300)
        XCTAssert(failed.isEmpty, failed.joined(separator: "\n"))
    }
}

/// A queue of its own for each script, whose clock the script moves.
final class Runner {
    private let path: String
    private let clock: BlockQueueNative.TestClock
    private var queue: BlockQueue.Queue
    private var nowMs = Int64(start.timeIntervalSince1970 * 1_000)
    private var saved: [String: Any] = [:]
    private var started: [String: (since: Date, task: Task<Answer, any Error>)] = [:]

    init(_ path: String) throws {
        self.path = path
        clock = try TestClock(startMs: nowMs)
        queue = try Self.open(path, clock)
    }

    private static func open(_ path: String, _ clock: TestClock) throws -> BlockQueue.Queue {
        let options = BlockQueue.OpenOptions().native
        return BlockQueue.Queue(try BlockQueueNative.Queue.openWithClock(path: path, options: options, clock: clock))
    }

    func close() async {
        try? await queue.shutdown()
    }

    func run(_ script: Script) async throws {
        for (place, step) in script.steps.enumerated() {
            do {
                try await patiently(step)
            } catch {
                throw Differs("step \(place + 1), \(step["do"] ?? step["join"] ?? ""): \(error)")
            }
        }
    }

    private func patiently(_ step: [String: Any]) async throws {
        let deadline = Date(timeIntervalSinceNow: 10)
        var pause = 5
        while true {
            do {
                return try await self.step(step)
            } catch {
                guard step["eventually"] as? Bool == true, Date() < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(pause))
                pause = min(2 * pause, 640)
            }
        }
    }

    private func step(_ step: [String: Any]) async throws {
        if let name = step["join"] as? String {
            guard let (since, task) = started.removeValue(forKey: name) else { throw Differs("nothing was started") }
            let late = Task {
                try await Task.sleep(for: .seconds(10))
                task.cancel()
            }
            defer { late.cancel() }
            return try await check(step, since) { try await task.value }
        }
        guard let word = step["do"] as? String else { throw Differs("no operation") }
        switch word {
        case "advance": return try move(to: nowMs + Int64(number(step["ms"]) ?? 0))
        case "set_clock":
            return try move(to: Int64(start.timeIntervalSince1970 * 1_000) + Int64(number(step["at"]) ?? 0))
        case "reopen":
            try await queue.shutdown()
            queue = try Self.open(path, clock)
            return
        default: break
        }
        let words = ["do", "expect", "error", "index", "save", "eventually", "takes_ms", "start", "note"]
        let arguments = step.filter { !words.contains($0.key) }
        let given = Given(members: try resolve(arguments, saved) as? [String: Any] ?? [:])
        let queue = queue
        let carryOut: @Sendable () async throws -> Answer = {
            Answer(value: toJson(try await perform(word, on: queue, given)))
        }
        if let name = step["start"] as? String {
            started[name] = (Date(), Task { try await carryOut() })
        } else {
            try await check(step, Date(), carryOut)
        }
    }

    private func move(to ms: Int64) throws {
        nowMs = ms
        try clock.set(atMs: ms)
    }

    private func check(
        _ step: [String: Any], _ since: Date, _ perform: () async throws -> Answer
    ) async throws {
        let answer: Answer
        do {
            answer = try await perform()
        } catch let error as BlockQueueError {
            guard error.code.rawValue == step["error"] as? String else { throw error }
            if let index = number(step["index"]), error.index.map(Double.init) != index {
                throw Differs("expected item \(index), found \(error.index ?? -1)")
            }
            return
        }
        if let code = step["error"] { throw Differs("expected \(code), found \(answer.value)") }
        let took = Date().timeIntervalSince(since) * 1_000
        if let least = number(step["takes_ms"]), took < least { throw Differs("answered after \(took) ms") }
        if let expected = step["expect"] { try compare(try resolve(expected, saved), answer.value) }
        if let name = step["save"] as? String { saved[name] = answer.value }
    }
}

/// Values of JSON, which nobody changes.
struct Answer: @unchecked Sendable {
    let value: Any
}
