// Codes and texts, held against what the core has and what the README says.

import Foundation
import XCTest

@testable import BlockQueue

final class ErrorTests: XCTestCase {
    private struct Golden: Decodable {
        let code: String, number: Int, retry: String
    }

    private func repository(_ path: String) -> URL {
        let here = URL(fileURLWithPath: #filePath)
        return (0..<5).reduce(here) { url, _ in url.deletingLastPathComponent() }.appendingPathComponent(path)
    }

    private func golden() throws -> [Golden] {
        let data = try Data(contentsOf: repository("tests/golden/error_codes.json"))
        return try JSONDecoder().decode([Golden].self, from: data)
    }

    func testEachCodeIsThere() throws {
        XCTAssertEqual(BlockQueueError.Code.all.map(\.rawValue), try golden().map(\.code))
    }

    func testTheReadmeNamesEachCode() throws {
        let readme = try String(contentsOf: repository("bindings/swift/README.md"), encoding: .utf8)
        for code in try golden() {
            XCTAssert(readme.contains("| `\(code.code)` | \(code.retry) |"), code.code)
        }
    }

    /// It is an example of the package, which the stage runs.
    func testTheQuickStartOfTheReadmeIsTheExample() throws {
        let readme = try String(contentsOf: repository("bindings/swift/README.md"), encoding: .utf8)
        let example = try String(
            contentsOf: repository("bindings/swift/Examples/QuickStart/main.swift"), encoding: .utf8
        )
        XCTAssert(readme.contains("```swift\n\(example)```"))
        XCTAssertLessThan(example.split(separator: "\n").count, 20)
    }

    func testAnErrorHasATextForPeople() async throws {
        let queue = try Queue.open(":memory:")
        do {
            try await queue.publish("none", "x")
            XCTFail("it was published")
        } catch {
            XCTAssertEqual(error.localizedDescription, "unknown topic \"none\" (unknown_topic)")
            XCTAssertEqual((error as? BlockQueueError)?.retry, .never)
        }
        try await queue.shutdown()
    }

    func testDurationsNeverBecomeNone() {
        XCTAssertEqual(Duration.nanoseconds(1).milliseconds, 1)
        XCTAssertEqual(Duration.nanoseconds(-1).milliseconds, -1)
        XCTAssertEqual(Duration.milliseconds(1_500).milliseconds, 1_500)
        XCTAssertEqual(Duration.seconds(Int64.max).milliseconds, .max)
        XCTAssertEqual(Date(milliseconds: 1_767_225_600_123).milliseconds, 1_767_225_600_123)
    }
}
