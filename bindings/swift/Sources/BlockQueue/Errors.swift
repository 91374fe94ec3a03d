// What the queue refuses.

internal import BlockQueueNative
import Foundation

/// Whether repeating a failed call can help.
public enum Retry: String, Sendable, Hashable, CaseIterable {
    /// The same call will fail again: change it, or the world, first.
    case never
    /// Nothing was done; the same call may succeed later.
    case later
    /// Nobody knows whether it was done: repeat it only under the same idempotency key, or look first.
    case reconcile

    init(_ native: BlockQueueNative.Retry) {
        switch native {
        case .never: self = .never
        case .later: self = .later
        case .reconcile: self = .reconcile
        }
    }
}

/// The queue refused, or could not.
public struct BlockQueueError: Error, Sendable, Hashable {
    /// What happened, for programs.
    public let code: Code
    /// The stable number of the code.
    public let number: Int
    /// Whether repeating the call can help.
    public let retry: Retry
    /// What happened, for people; not to be parsed.
    public let detail: String
    /// Which item of the batch it is about, from 0, if it is about one.
    public let index: Int?

    /// The stable codes, the same in every language.
    public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The code as a word: `lease_lost`.
        public let rawValue: String

        /// A code by its word, also one that this package does not know.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        public var description: String { rawValue }
    }

    init(_ problem: BlockQueueNative.Problem) {
        code = Code(rawValue: problem.code)
        number = Int(problem.number)
        retry = Retry(problem.retry)
        detail = problem.detail
        index = problem.index.map { Int($0) }
    }

    init(code: Code, number: Int, detail: String) {
        self.code = code
        self.number = number
        retry = .never
        self.detail = detail
        index = nil
    }

    static func invalidArgument(_ detail: String) -> Self {
        Self(code: .invalidArgument, number: 1, detail: "invalid argument: \(detail)")
    }
}

extension BlockQueueError: LocalizedError, CustomStringConvertible {
    public var errorDescription: String? { "\(detail) (\(code))" }
    public var description: String { "\(code): \(detail)" }
}

/// What became of one item of a batch.
public typealias Outcome<Value> = Result<Value, BlockQueueError>

extension Result where Failure == BlockQueueError {
    /// The error, if it was refused.
    public var refusal: BlockQueueError? {
        if case .failure(let error) = self { error } else { nil }
    }
}

/// Calls the native library; what goes wrong there is an error of this package.
func native<T: Sendable>(
    isolation: isolated (any Actor)? = #isolation, _ call: () async throws -> T
) async throws -> T {
    do { return try await call() } catch { throw translated(error) }
}

/// The same, for what does not wait.
func nativeNow<T>(_ call: () throws -> T) throws -> T {
    do { return try call() } catch { throw translated(error) }
}

private func translated(_ error: any Error) -> any Error {
    switch error {
    case let error as BlockQueueNative.CallError:
        switch error {
        case .Failed(let problem): BlockQueueError(problem)
        }
    case is CancellationError: error
    default: BlockQueueError(code: .internal, number: 23, detail: "\(error)")
    }
}
