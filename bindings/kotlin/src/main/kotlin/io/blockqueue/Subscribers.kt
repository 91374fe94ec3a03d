package io.blockqueue

import java.time.Instant
import kotlin.time.Duration
import kotlin.time.toKotlinDuration
import io.blockqueue.internal.FilterChange as NativeFilterChange
import io.blockqueue.internal.LimitChange as NativeLimitChange
import io.blockqueue.internal.NewSubscriber as NativeNewSubscriber
import io.blockqueue.internal.OnDead as NativeOnDead
import io.blockqueue.internal.OnExpiry as NativeOnExpiry
import io.blockqueue.internal.RateChange as NativeRateChange
import io.blockqueue.internal.RateLimit as NativeRateLimit
import io.blockqueue.internal.RetryPolicy as NativeRetryPolicy
import io.blockqueue.internal.SeekTo as NativeSeekTo
import io.blockqueue.internal.Sought as NativeSought
import io.blockqueue.internal.StartFrom as NativeStartFrom
import io.blockqueue.internal.Subscriber as NativeSubscriber
import io.blockqueue.internal.SubscriberSettings as NativeSubscriberSettings

/**
 * How long a failed delivery waits before its next attempt: exponential, with jitter. What is left out is the
 * default.
 *
 * @property initial The first pause. Default 1 s.
 * @property max The longest pause. Default 1 h.
 * @property multiplier Each pause is this many times the one before. Default 2; at least 1.
 * @property jitter Each pause is shortened or lengthened at random by up to this share. Default 0.2; 0 to 1.
 */
public data class RetryPolicy(
    val initial: Duration? = null,
    val max: Duration? = null,
    val multiplier: Double? = null,
    val jitter: Double? = null,
)

/** What becomes of an ordering key when one of its messages is dead-lettered. */
public enum class OnDead {
    /** Its next message is delivered. The default. */
    SKIP,

    /** Later messages of the key wait until the dead letter is redriven, purged or cancelled. */
    BLOCK,
}

/** What becomes of a message that expires before it is claimed. */
public enum class OnExpiry {
    /** It is skipped, and counted. The default. */
    SKIP,

    /** It becomes a dead letter with the error `expired`, and is counted. */
    DEAD_LETTER,
}

/**
 * At most so many deliveries per interval.
 *
 * @property count How many; 1 to 1,000,000.
 * @property interval Per how long; 1 ms to 24 h.
 */
public data class RateLimit(val count: Long, val interval: Duration)

/**
 * Settings of a subscriber to choose. What is left out is the default of a new subscriber, and stays in an update.
 *
 * @property maxAttempts Attempts before a delivery becomes a dead letter. Default 5; at least 1.
 * @property lease The lease of a claim that does not say. Default 30 s; 1 ms to 12 h.
 * @property claimLimit The limit of a claim that does not say. Default 10; 1 to 1,000.
 * @property retry How long a failed delivery waits before its next attempt. Replaced as a whole.
 * @property ordered Messages of one ordering key are delivered one at a time, in the order in which they were
 *   published. Default: no.
 * @property onDead What becomes of a key when one of its messages is dead-lettered, if [ordered]. Default: it goes on.
 * @property filter Only messages whose headers match this filter, as JSON, are delivered. Default: all.
 * @property onExpiry What becomes of a message that expires before it is claimed. Default: it is skipped.
 * @property leasedMax At most so many deliveries are leased at once, over all processes. Default: no limit.
 * @property rate At most so many deliveries are claimed per interval, over all processes. Default: no limit.
 * @property leasedPerKeyMax At most so many deliveries of one ordering key are leased at once. Default: no limit.
 */
public data class SubscriberSettings(
    val maxAttempts: Long? = null,
    val lease: Duration? = null,
    val claimLimit: Int? = null,
    val retry: RetryPolicy? = null,
    val ordered: Boolean? = null,
    val onDead: OnDead? = null,
    val filter: Choice<String>? = null,
    val onExpiry: OnExpiry? = null,
    val leasedMax: Choice<Long>? = null,
    val rate: Choice<RateLimit>? = null,
    val leasedPerKeyMax: Choice<Long>? = null,
) {
    /** Only defaults; for Java. */
    public constructor() : this(null)

    /** These with so many attempts. For Java. */
    public fun withMaxAttempts(attempts: Long): SubscriberSettings = copy(maxAttempts = attempts)

    /** These with this lease. For Java. */
    public fun withLease(lease: java.time.Duration): SubscriberSettings = copy(lease = lease.toKotlinDuration())

    /** These with or without order. For Java. */
    public fun withOrdered(ordered: Boolean): SubscriberSettings = copy(ordered = ordered)

    /** These with this filter. For Java. */
    public fun withFilter(filter: String): SubscriberSettings = copy(filter = Choice.Some(filter))

    internal fun toNative() = NativeSubscriberSettings(
        maxAttempts,
        lease?.toMs(),
        claimLimit?.toLong(),
        retry?.let { NativeRetryPolicy(it.initial?.toMs(), it.max?.toMs(), it.multiplier, it.jitter) },
        ordered,
        onDead?.let { NativeOnDead.valueOf(it.name) },
        filter?.into(NativeFilterChange.Remove) { NativeFilterChange.Set(it) },
        onExpiry?.let { NativeOnExpiry.valueOf(it.name) },
        leasedMax?.into(NativeLimitChange.Remove) { NativeLimitChange.Set(it) },
        rate?.into(NativeRateChange.Remove) {
            NativeRateChange.Set(NativeRateLimit(it.count, it.interval.toMs()))
        },
        leasedPerKeyMax?.into(NativeLimitChange.Remove) { NativeLimitChange.Set(it) },
    )
}

/**
 * The settings of a subscriber, as [SubscriberSettings] explains them.
 *
 * @property filter Which messages are delivered, as JSON; `null`: all.
 * @property leasedMax `null`: no limit.
 * @property rate `null`: no limit.
 * @property leasedPerKeyMax `null`: no limit.
 */
public data class SubscriberOptions(
    val maxAttempts: Long,
    val lease: Duration,
    val claimLimit: Long,
    val retry: RetryPolicy,
    val ordered: Boolean,
    val onDead: OnDead,
    val filter: String?,
    val onExpiry: OnExpiry,
    val leasedMax: Long?,
    val rate: RateLimit?,
    val leasedPerKeyMax: Long?,
)

/**
 * A subscriber.
 *
 * @property id Its number in this database; a subscriber of the same name created later has another.
 * @property topic The topic's name.
 * @property name Its name.
 * @property options Its settings.
 * @property paused Claims wait as on an empty topic.
 * @property createdAt When it was created.
 */
public data class Subscriber(
    val id: Long,
    val topic: String,
    val name: String,
    val options: SubscriberOptions,
    val paused: Boolean,
    val createdAt: Instant,
)

internal fun NativeSubscriber.toKotlin() = Subscriber(
    id,
    topic,
    name,
    with(options) {
        SubscriberOptions(
            maxAttempts,
            leaseMs.milliseconds(),
            claimLimit,
            with(retry) { RetryPolicy(initialMs?.milliseconds(), maxMs?.milliseconds(), multiplier, jitter) },
            ordered,
            OnDead.valueOf(onDead.name),
            filter,
            OnExpiry.valueOf(onExpiry.name),
            leasedMax,
            rate?.let { RateLimit(it.count, it.intervalMs.milliseconds()) },
            leasedPerKeyMax,
        )
    },
    paused,
    at(createdAtMs),
)

/** Where a new subscriber begins. */
public sealed class StartFrom {
    /** With what becomes deliverable from now on. The default. */
    public object Now : StartFrom()

    /** With the oldest message that the topic's retention keeps. */
    public object Earliest : StartFrom()

    /** With the first message that became deliverable at or after this time; a time to come means now. */
    public data class Time(val at: Instant) : StartFrom()

    internal fun toNative(): NativeStartFrom = when (this) {
        is Now -> NativeStartFrom.Now
        is Earliest -> NativeStartFrom.Earliest
        is Time -> NativeStartFrom.Time(at.toMs())
    }
}

/**
 * A subscriber to create.
 *
 * @property name 1 to 150 bytes, without `/` and control characters.
 * @property settings Its settings.
 * @property start Where it begins.
 */
public data class NewSubscriber @JvmOverloads constructor(
    val name: String,
    val settings: SubscriberSettings = SubscriberSettings(),
    val start: StartFrom = StartFrom.Now,
) {
    internal fun toNative() = NativeNewSubscriber(name, settings.toNative(), start.toNative())
}

/** Where a subscriber goes on after a seek. */
public sealed class SeekTo {
    /** The oldest message that the topic's retention keeps. */
    public object Earliest : SeekTo()

    /** After the newest message. */
    public object Latest : SeekTo()

    /** The first message that became deliverable at or after this time; a time to come means after the newest. */
    public data class Time(val at: Instant) : SeekTo()

    /** The message of this id; in the logs of other priorities the first that became deliverable no earlier. */
    public data class Message(val id: String) : SeekTo()

    /** This sequence number, from 1, of the log of one priority; other priorities stay where they are. */
    public data class Sequence(val priority: Int, val sequence: Long) : SeekTo()

    internal fun toNative(): NativeSeekTo = when (this) {
        is Earliest -> NativeSeekTo.Earliest
        is Latest -> NativeSeekTo.Latest
        is Time -> NativeSeekTo.Time(at.toMs())
        is Message -> NativeSeekTo.Message(id)
        is Sequence -> NativeSeekTo.Sequence(priority, sequence)
    }
}

/**
 * What a seek did, or would do.
 *
 * @property clamped The place asked for is below what retention keeps: it begins at the oldest message kept.
 * @property replayedCount Messages that were claimed or skipped before and are delivered again; an upper bound unless
 *   [exact].
 * @property skippedCount Messages not claimed before that are passed over; an upper bound unless [exact].
 * @property exact Whether the two counts are exact.
 */
public data class Sought(
    val clamped: Boolean,
    val replayedCount: Long,
    val skippedCount: Long,
    val exact: Boolean,
)

internal fun NativeSought.toKotlin() = Sought(clamped, replayedCount, skippedCount, exact)
