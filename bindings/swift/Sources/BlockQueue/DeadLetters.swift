// Dead letters and failures.

internal import BlockQueueNative
import Foundation

/// A delivery that ran out of attempts.
public struct DeadLetter: Sendable, Hashable {
    /// The message.
    public let message: MessageView
    /// Attempts made.
    public let attempts: Int
    /// Attempts that ended badly.
    public let failures: Int
    /// The last error, if one was given.
    public let error: String?
    /// When it was given up.
    public let deadAt: Date

    init(_ native: BlockQueueNative.DeadLetter) {
        message = MessageView(native.message)
        attempts = Int(native.attempts)
        failures = Int(native.failures)
        error = native.error
        deadAt = Date(milliseconds: native.deadAtMs)
    }
}

/// One attempt that ended badly.
public struct Failure: Sendable, Hashable {
    /// Which failure this was, from 1.
    public let failure: Int
    /// What went wrong, if it was said.
    public let error: String?
    /// When.
    public let failedAt: Date

    init(_ native: BlockQueueNative.Failure) {
        failure = Int(native.failure)
        error = native.error
        failedAt = Date(milliseconds: native.failedAtMs)
    }
}

/// Which dead letters of a subscriber.
public enum DeadLetters: Sendable, Hashable {
    /// Those of these messages; at most 1,000.
    case ids([String])
    /// The oldest, at most this many.
    case oldest(Int)
    /// All of them.
    case all

    var native: BlockQueueNative.DeadLetters {
        switch self {
        case .ids(let ids): .ids(ids: ids)
        case .oldest(let limit): .oldest(limit: Int64(limit))
        case .all: .all
        }
    }
}

/// How to redrive dead letters.
public struct Redrive: Sendable, Hashable {
    /// Which dead letters.
    public var which: DeadLetters
    /// Of these, only those whose headers match this filter, as JSON; a limit counts only these. Default: no filter.
    public var filter: String?
    /// Publish them to this topic instead of delivering them again. Default: no.
    public var to: String?
    /// At most this many a second, from 0.001 to 1,000,000: they fall due one after another. Default: all at once.
    public var rate: Double?
    /// Change nothing, only count. Default: no.
    public var dryRun: Bool

    /// What is not given has its default.
    public init(
        which: DeadLetters = .all,
        filter: String? = nil,
        to: String? = nil,
        rate: Double? = nil,
        dryRun: Bool = false
    ) {
        self.which = which
        self.filter = filter
        self.to = to
        self.rate = rate
        self.dryRun = dryRun
    }

    var native: BlockQueueNative.Redrive {
        BlockQueueNative.Redrive(
            which: which.native,
            filter: filter,
            to: to,
            rate: rate,
            dryRun: dryRun
        )
    }
}

/// How to purge dead letters.
public struct Purge: Sendable, Hashable {
    /// Which dead letters.
    public var which: DeadLetters
    /// Of these, only those whose headers match this filter, as JSON; a limit counts only these. Default: no filter.
    public var filter: String?
    /// Delete nothing, only count. Default: no.
    public var dryRun: Bool

    /// What is not given has its default.
    public init(
        which: DeadLetters,
        filter: String? = nil,
        dryRun: Bool = false
    ) {
        self.which = which
        self.filter = filter
        self.dryRun = dryRun
    }

    var native: BlockQueueNative.Purge {
        BlockQueueNative.Purge(
            which: which.native,
            filter: filter,
            dryRun: dryRun
        )
    }
}
