package io.blockqueue

import java.time.Instant
import kotlin.time.Duration
import io.blockqueue.internal.MisfirePolicy as NativeMisfirePolicy
import io.blockqueue.internal.OverlapPolicy as NativeOverlapPolicy
import io.blockqueue.internal.Schedule as NativeSchedule
import io.blockqueue.internal.ScheduleOptions as NativeScheduleOptions
import io.blockqueue.internal.ScheduleRun as NativeScheduleRun

/** What a schedule does about occurrences that nobody was there to fire. */
public sealed class MisfirePolicy {
    /** What was missed is left out. */
    public object Skip : MisfirePolicy()

    /** However many were missed, the newest of them is fired. The default. */
    public object Once : MisfirePolicy()

    /** The newest of them, 1 to 1,000, are fired, one message each, oldest first; older ones are left out. */
    public data class All(val limit: Long) : MisfirePolicy()

    internal fun toNative(): NativeMisfirePolicy = when (this) {
        is Skip -> NativeMisfirePolicy.Skip
        is Once -> NativeMisfirePolicy.Once
        is All -> NativeMisfirePolicy.All(limit)
    }
}

private fun NativeMisfirePolicy.toKotlin(): MisfirePolicy = when (this) {
    is NativeMisfirePolicy.Skip -> MisfirePolicy.Skip
    is NativeMisfirePolicy.Once -> MisfirePolicy.Once
    is NativeMisfirePolicy.All -> MisfirePolicy.All(limit)
}

/** What a schedule does when an occurrence comes while the message of the one before is not settled. */
public enum class OverlapPolicy {
    /** It is fired all the same. */
    ALLOW,

    /** It is left out. The default. */
    SKIP,

    /** It is fired as soon as the message before is settled. One waits; others are left out. */
    QUEUE,
}

/**
 * The settings of a schedule. An update replaces them as a whole. What is `null` is the default.
 *
 * @property cron Five fields of cron, or six with seconds in front; `@hourly`, `@daily`, `@weekly`, `@monthly`,
 *   `@yearly`; or `@every 90s`.
 * @property message What is published. Not delayed, without idempotency key and unique key.
 * @property timezone The IANA time zone that the fields are read in. Default `UTC`.
 * @property misfire What happens to occurrences that were missed. Default: the newest is fired.
 * @property overlap What happens while the message before is not settled. Default: the occurrence is left out.
 * @property start No occurrence is earlier. Default: from now on.
 * @property end No occurrence is later. Default: for ever.
 * @property jitter Each occurrence is fired up to this much later. Default: none; at most 24 h.
 * @property grace How late an occurrence may be fired before it counts as missed. Default 1 min; at most 24 h.
 */
public data class ScheduleOptions(
    val cron: String,
    val message: Message,
    val timezone: String? = null,
    val misfire: MisfirePolicy? = null,
    val overlap: OverlapPolicy? = null,
    val start: Instant? = null,
    val end: Instant? = null,
    val jitter: Duration? = null,
    val grace: Duration? = null,
) {
    /** With defaults for the rest; for Java. */
    public constructor(cron: String, message: Message) : this(cron, message, null)

    /** These in this time zone. For Java. */
    public fun withTimezone(timezone: String): ScheduleOptions = copy(timezone = timezone)

    internal fun toNative() = NativeScheduleOptions(
        cron,
        message.toNative(),
        timezone,
        misfire?.toNative(),
        overlap?.let { NativeOverlapPolicy.valueOf(it.name) },
        start?.toMs(),
        end?.toMs(),
        jitter?.toMs(),
        grace?.toMs(),
    )
}

private fun NativeScheduleOptions.toKotlin() = ScheduleOptions(
    cron,
    message.toKotlin(),
    timezone,
    misfire?.toKotlin(),
    overlap?.let { OverlapPolicy.valueOf(it.name) },
    maybeAt(startMs),
    maybeAt(endMs),
    jitterMs?.milliseconds(),
    graceMs?.milliseconds(),
)

/**
 * A schedule: publishes a message to its topic again and again.
 *
 * @property id Its number in this database; a schedule of the same name created later has another.
 * @property topic The topic's name.
 * @property name Its name.
 * @property options Its settings, complete.
 * @property version Counts the changes of its settings, from 1. An update names the version that it changes.
 * @property paused It does not fire.
 * @property nextAt The next occurrence; `null` while it is paused, and when there is none any more.
 * @property dueAt When the next occurrence is fired: [nextAt] and its jitter.
 * @property lastAt The newest occurrence that was decided about, fired or not.
 * @property queuedAt An occurrence that waits until the message before is settled.
 * @property createdAt When it was created.
 */
public data class Schedule(
    val id: Long,
    val topic: String,
    val name: String,
    val options: ScheduleOptions,
    val version: Long,
    val paused: Boolean,
    val nextAt: Instant?,
    val dueAt: Instant?,
    val lastAt: Instant?,
    val queuedAt: Instant?,
    val createdAt: Instant,
)

internal fun NativeSchedule.toKotlin() = Schedule(
    id,
    topic,
    name,
    options.toKotlin(),
    version,
    paused,
    maybeAt(nextAtMs),
    maybeAt(dueAtMs),
    maybeAt(lastAtMs),
    maybeAt(queuedAtMs),
    at(createdAtMs),
)

/** What became of an occurrence. */
public enum class RunStatus {
    /** Its message was published. */
    FIRED,

    /** Somebody asked for a message; it is no occurrence. */
    MANUAL,

    /** It waits until the message before is settled. */
    QUEUED,

    /** It was missed and is left out. */
    SKIPPED_MISFIRE,

    /** The message before was not settled: it is left out. */
    SKIPPED_OVERLAP,

    /** The topic refused its message; the error says why. */
    REFUSED,

    /** Its time could not be told, and the schedule has stopped; the error says why. */
    STOPPED,
}

/**
 * An entry of a schedule's history. The newest 1,000 of each schedule are kept.
 *
 * @property run Its number within the schedule, from 1.
 * @property status What happened.
 * @property occurrenceAt The occurrence, or the first of them; `null` for a manual run.
 * @property untilAt The last of several occurrences that were missed together.
 * @property at When it was decided.
 * @property messageId The message that was published.
 * @property error What went wrong.
 */
public data class ScheduleRun(
    val run: Long,
    val status: RunStatus,
    val occurrenceAt: Instant?,
    val untilAt: Instant?,
    val at: Instant,
    val messageId: String?,
    val error: String?,
)

internal fun NativeScheduleRun.toKotlin() = ScheduleRun(
    run,
    RunStatus.valueOf(status.name),
    maybeAt(occurrenceAtMs),
    maybeAt(untilAtMs),
    at(atMs),
    messageId,
    error,
)
