// The handle to an open queue, and its life.

internal import BlockQueueNative
import Foundation

/// A handle to an open queue. Any thread and any task may use it.
///
/// No function holds a thread while it waits. A task that is cancelled ends its waits at once, and what its claim got
/// is given back; other calls are carried out all the same once they were handed over. What the queue refuses throws a
/// ``BlockQueueError``.
public final class Queue: Sendable {
    let handle: BlockQueueNative.Queue

    init(_ handle: BlockQueueNative.Queue) {
        self.handle = handle
    }

    /// Opens the queue in this file, and creates the file if there is none; `:memory:` is a queue that lives and dies
    /// with the handle. Blocks until the file is open.
    public static func open(_ path: String, options: OpenOptions = OpenOptions()) throws -> Queue {
        Queue(try nativeNow { try BlockQueueNative.Queue.open(path: path, options: options.native) })
    }

    /// Finishes what was handed over, ends waiting claims with `shutdown`, and closes the file. Later calls throw
    /// `shutdown`; a second shutdown succeeds.
    public func shutdown() async throws {
        try await native { try await handle.shutdown() }
    }

    /// Runs `work` in a transaction for statements of yours and verbs of the queue: all of it happens, or nothing.
    ///
    /// It is committed when `work` returns, and rolled back when it throws or lasts longer than `deadline`, by default
    /// 5 s. Everybody else who writes to the file waits for it: in `work` use the transaction and not the queue.
    public func transaction<T: Sendable>(
        deadline: Duration? = nil,
        _ work: @Sendable (Transaction) async throws -> T
    ) async throws -> T {
        let begun = try nativeNow { try handle.transaction(deadlineMs: deadline?.milliseconds) }
        try await native { try await begun.begin() }
        do {
            let answer = try await work(Transaction(begun))
            try Task.checkCancellation()
            try await native { try await begun.commit() }
            return answer
        } catch {
            // What failed to commit is rolled back already, and the error says more than a second one.
            try? await begun.rollback()
            throw error
        }
    }

    /// Writes a consistent, verified copy of the queue as of now to a new file. Work goes on; `progress` is told several
    /// times a second how far it is.
    public func backup(to path: String, progress: (@Sendable (BackupProgress) -> Void)? = nil) async throws {
        let backup = try nativeNow { try handle.backup(to: path) }
        let telling = progress.map { tell in
            Task {
                while !Task.isCancelled {
                    tell(BackupProgress(backup.progress()))
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
        defer { telling?.cancel() }
        try await native { try await backup.wait() }
        progress?(BackupProgress(backup.progress()))
    }
}

/// A part of a list.
public struct Page<Item: Sendable>: Sendable {
    /// What is on it.
    public let items: [Item]
    /// `after` of the page behind this one; `nil` if this is the last.
    public let next: String?
}

extension Page: Equatable where Item: Equatable {}
extension Page: Hashable where Item: Hashable {}

/// The bounds of what is passed, of this library.
public var limits: Limits { Limits(BlockQueueNative.limits()) }

func page(_ limit: Int?, _ after: String?) -> BlockQueueNative.Page {
    BlockQueueNative.Page(limit: limit.map { Int64($0) }, after: after)
}
