// Schedules.

internal import BlockQueueNative
import Foundation

/// A schedule: publishes a message to its topic again and again.
public struct Schedule: Sendable, Hashable {
    /// Its number in this database; a schedule of the same name created later has another.
    public let id: Int
    /// The topic's name.
    public let topic: String
    /// Its name.
    public let name: String
    /// Its settings.
    public let options: ScheduleOptions
    /// Counts the changes of its settings, from 1. An update names the version that it changes.
    public let version: Int
    /// It does not fire.
    public let paused: Bool
    /// The next occurrence; none while it is paused, and when there is none any more.
    public let nextAt: Date?
    /// When the next occurrence is fired: `next_at` and its jitter.
    public let dueAt: Date?
    /// The newest occurrence that was decided about, fired or not.
    public let lastAt: Date?
    /// An occurrence that waits until the message before is settled.
    public let queuedAt: Date?
    /// When it was created.
    public let createdAt: Date

    init(_ native: BlockQueueNative.Schedule) {
        id = Int(native.id)
        topic = native.topic
        name = native.name
        options = ScheduleOptions(native.options)
        version = Int(native.version)
        paused = native.paused
        nextAt = native.nextAtMs.map { Date(milliseconds: $0) }
        dueAt = native.dueAtMs.map { Date(milliseconds: $0) }
        lastAt = native.lastAtMs.map { Date(milliseconds: $0) }
        queuedAt = native.queuedAtMs.map { Date(milliseconds: $0) }
        createdAt = Date(milliseconds: native.createdAtMs)
    }
}

/// The settings of a schedule. An update replaces them as a whole.
public struct ScheduleOptions: Sendable, Hashable {
    /// Five fields of cron, or six with seconds in front; `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`; or
    /// `@every 90s`.
    public var cron: String
    /// What is published. Not delayed, without idempotency key and unique key.
    public var message: Message
    /// The IANA time zone that the fields are read in. Default `UTC`.
    public var timezone: String?
    /// What happens to occurrences that were missed. Default: the newest is fired.
    public var misfire: MisfirePolicy?
    /// What happens while the message before is not settled. Default: the occurrence is left out.
    public var overlap: OverlapPolicy?
    /// No occurrence is earlier. Default: from now on.
    public var start: Date?
    /// No occurrence is later. Default: for ever.
    public var end: Date?
    /// Each occurrence is fired up to this much later. Default: none; at most 24 h.
    public var jitter: Duration?
    /// How late an occurrence may be fired before it counts as missed. Default 1 min; at most 24 h.
    public var grace: Duration?

    /// What is not given has its default.
    public init(
        cron: String,
        message: Message,
        timezone: String? = nil,
        misfire: MisfirePolicy? = nil,
        overlap: OverlapPolicy? = nil,
        start: Date? = nil,
        end: Date? = nil,
        jitter: Duration? = nil,
        grace: Duration? = nil
    ) {
        self.cron = cron
        self.message = message
        self.timezone = timezone
        self.misfire = misfire
        self.overlap = overlap
        self.start = start
        self.end = end
        self.jitter = jitter
        self.grace = grace
    }

    init(_ native: BlockQueueNative.ScheduleOptions) {
        cron = native.cron
        message = Message(native.message)
        timezone = native.timezone
        misfire = native.misfire.map { MisfirePolicy($0) }
        overlap = native.overlap.map { OverlapPolicy($0) }
        start = native.startMs.map { Date(milliseconds: $0) }
        end = native.endMs.map { Date(milliseconds: $0) }
        jitter = native.jitterMs.map { .milliseconds($0) }
        grace = native.graceMs.map { .milliseconds($0) }
    }

    var native: BlockQueueNative.ScheduleOptions {
        BlockQueueNative.ScheduleOptions(
            cron: cron,
            message: message.native,
            timezone: timezone,
            misfire: misfire?.native,
            overlap: overlap?.native,
            startMs: start?.milliseconds,
            endMs: end?.milliseconds,
            jitterMs: jitter?.milliseconds,
            graceMs: grace?.milliseconds
        )
    }
}

/// What becomes of occurrences that nobody was there to fire.
public enum MisfirePolicy: Sendable, Hashable {
    /// What was missed is left out.
    case skip
    /// However many were missed, the newest of them is fired. The default.
    case once
    /// The newest of them are fired, one message each, oldest first; older ones are left out.
    case all(Int)

    init(_ native: BlockQueueNative.MisfirePolicy) {
        switch native {
        case .skip: self = .skip
        case .once: self = .once
        case .all(let limit): self = .all(Int(limit))
        }
    }

    var native: BlockQueueNative.MisfirePolicy {
        switch self {
        case .skip: .skip
        case .once: .once
        case .all(let limit): .all(limit: Int64(limit))
        }
    }
}

/// What becomes of an occurrence while the message before is not settled.
public enum OverlapPolicy: String, Sendable, Hashable, CaseIterable {
    /// It is fired all the same.
    case allow
    /// It is left out. The default.
    case skip
    /// It is fired as soon as the message before is settled.
    case queue

    init(_ native: BlockQueueNative.OverlapPolicy) {
        switch native {
        case .allow: self = .allow
        case .skip: self = .skip
        case .queue: self = .queue
        }
    }

    var native: BlockQueueNative.OverlapPolicy {
        switch self {
        case .allow: .allow
        case .skip: .skip
        case .queue: .queue
        }
    }
}

/// An entry of a schedule's history. The newest 1,000 of each schedule are kept.
public struct ScheduleRun: Sendable, Hashable {
    /// Its number within the schedule, from 1.
    public let run: Int
    /// What happened.
    public let status: RunStatus
    /// The occurrence, or the first of them; none for a manual run.
    public let occurrenceAt: Date?
    /// The last of several occurrences that were missed together.
    public let untilAt: Date?
    /// When it was decided.
    public let at: Date
    /// The message that was published.
    public let messageId: String?
    /// What went wrong.
    public let error: String?

    init(_ native: BlockQueueNative.ScheduleRun) {
        run = Int(native.run)
        status = RunStatus(native.status)
        occurrenceAt = native.occurrenceAtMs.map { Date(milliseconds: $0) }
        untilAt = native.untilAtMs.map { Date(milliseconds: $0) }
        at = Date(milliseconds: native.atMs)
        messageId = native.messageId
        error = native.error
    }
}

/// What became of an occurrence.
public enum RunStatus: String, Sendable, Hashable, CaseIterable {
    /// Its message was published.
    case fired
    /// Somebody asked for a message; it is no occurrence.
    case manual
    /// It waits until the message before is settled.
    case queued
    /// It was missed and is left out.
    case skippedMisfire = "skipped_misfire"
    /// The message before was not settled: it is left out.
    case skippedOverlap = "skipped_overlap"
    /// The topic refused its message; the error says why.
    case refused
    /// Its time could not be told, and the schedule has stopped; the error says why.
    case stopped

    init(_ native: BlockQueueNative.RunStatus) {
        switch native {
        case .fired: self = .fired
        case .manual: self = .manual
        case .queued: self = .queued
        case .skippedMisfire: self = .skippedMisfire
        case .skippedOverlap: self = .skippedOverlap
        case .refused: self = .refused
        case .stopped: self = .stopped
        }
    }
}
