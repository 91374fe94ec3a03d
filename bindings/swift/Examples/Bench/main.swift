// Batches of 100 messages of 1 KiB, one caller, durable, against the same in Rust, in turn with it; then what single
// calls cost. The argument is the program in Rust; `cargo xtask bench swift` builds both.

import BlockQueue
import Foundation

let batch = 100
let batches = 200
let rounds = 5
let calls = 2000

/// Messages a second.
struct Speeds {
    var published: Double
    var claimedAndAcked: Double
}

func timed(_ times: Int, _ call: () async throws -> Void) async throws -> Double {
    let took = try await ContinuousClock().measure {
        for _ in 0 ..< times { try await call() }
    }
    let (seconds, attoseconds) = took.components
    return (Double(seconds) + Double(attoseconds) * 1e-18) / Double(times)
}

func inFolder<T>(_ body: (String) async throws -> T) async throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("blockqueue-bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.appendingPathComponent("queue.db").path)
}

func swift() async throws -> Speeds {
    try await inFolder { file in
        let queue = try Queue.open(file)
        try await queue.createTopic("t", subscribers: ["s"])
        let publish = try await timed(batches) {
            try await queue.publishBatch("t", (0 ..< batch).map { _ in Message(payload: Data(count: 1024)) })
        }
        let consume = try await timed(batches) {
            let claimed = try await queue.claim("t", "s", limit: batch)
            _ = try await queue.ackBatch(claimed.map(\.receipt))
        }
        try await queue.shutdown()
        return Speeds(published: Double(batch) / publish, claimedAndAcked: Double(batch) / consume)
    }
}

func rust(_ program: String) async throws -> Speeds {
    try await inFolder { file in
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [file]
        process.standardOutput = output
        try process.run()
        let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let speeds = printed.split(separator: " ").compactMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        guard speeds.count == 2 else { fatalError("\(program) printed \(printed)") }
        return Speeds(published: speeds[0], claimedAndAcked: speeds[1])
    }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

let program = CommandLine.arguments[1]
_ = try await swift()
var pairs: [(rust: Speeds, swift: Speeds)] = []
for _ in 0 ..< rounds {
    try await pairs.append((rust(program), swift()))
}

print("| batches of 100 × 1 KiB | Rust, messages/s | Swift, messages/s | ratio |\n|---|---|---|---|")
for (name, speed) in [("publish", \Speeds.published), ("claim + ack", \Speeds.claimedAndAcked)] {
    let ratio = median(pairs.map { $0.swift[keyPath: speed] / $0.rust[keyPath: speed] })
    let (rust, swift) = (median(pairs.map { $0.rust[keyPath: speed] }), median(pairs.map { $0.swift[keyPath: speed] }))
    print("| \(name) | \(Int(rust)) | \(Int(swift)) | \(String(format: "%.2f", ratio)) |")
}

/// In memory: what is left is the cost of the call.
let queue = try Queue.open(":memory:")
try await queue.createTopic("t", subscribers: ["s"])
let message = Message(payload: Data(count: 1024))
_ = try await timed(calls) { try await queue.publish("t", message) }
let singles = [
    ("look up a topic", try await timed(calls) { _ = try await queue.topic("t") }),
    ("publish 1 KiB, in memory", try await timed(calls) { try await queue.publish("t", message) }),
    ("claim and ack one, in memory", try await timed(calls) {
        try await queue.ack(queue.claim("t", "s", limit: 1)[0].receipt)
    }),
]
print("\n| one call | µs |\n|---|---|")
for (name, took) in singles { print("| \(name) | \(String(format: "%.1f", took * 1_000_000)) |") }
try await queue.shutdown()
