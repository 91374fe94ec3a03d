package io.blockqueue

import java.time.Instant
import kotlin.time.Duration
import kotlin.time.toKotlinDuration
import io.blockqueue.internal.BacklogLimit as NativeBacklogLimit
import io.blockqueue.internal.Retention as NativeRetention
import io.blockqueue.internal.Topic as NativeTopic
import io.blockqueue.internal.TopicSettings as NativeTopicSettings
import io.blockqueue.internal.TtlChange as NativeTtlChange

/** A setting to choose that can be taken back: [Some] sets it, [None] takes it back. */
public sealed class Choice<out T> {
    /** No limit, no filter, for ever. */
    public object None : Choice<Nothing>()

    /** This. */
    public data class Some<out T>(val value: T) : Choice<T>()

    /** What to make of it. */
    internal fun <N> into(none: N, some: (T) -> N): N = when (this) {
        is None -> none
        is Some -> some(value)
    }
}

/** What happens to messages that every subscriber has settled. */
public sealed class Retention {
    /** Removed as soon as upkeep gets to it. The default. */
    public object Nothing : Retention()

    /** Kept for this long after they were published. */
    public data class For(val duration: Duration) : Retention()

    /** The newest this many of the topic are kept. */
    public data class Count(val messages: Long) : Retention()

    /** The newest are kept up to this many bytes of payload and headers. */
    public data class Bytes(val bytes: Long) : Retention()

    internal fun toNative(): NativeRetention = when (this) {
        is Nothing -> NativeRetention.Nothing
        is For -> NativeRetention.Duration(duration.toMs())
        is Count -> NativeRetention.Count(messages)
        is Bytes -> NativeRetention.Bytes(bytes)
    }

    /** The same for Java. */
    public companion object {
        /** Kept for this long after they were published. */
        @JvmStatic
        public fun forDuration(duration: java.time.Duration): Retention = For(duration.toKotlinDuration())
    }
}

private fun NativeRetention.toKotlin(): Retention = when (this) {
    is NativeRetention.Nothing -> Retention.Nothing
    is NativeRetention.Duration -> Retention.For(ms.milliseconds())
    is NativeRetention.Count -> Retention.Count(messages)
    is NativeRetention.Bytes -> Retention.Bytes(bytes)
}

/** What a publish does when the backlog limit is reached. */
public enum class BacklogPolicy {
    /** It fails with [BacklogFullException]. The default. */
    REFUSE,

    /** The oldest messages are skipped for the subscribers that lag, and counted as dropped. */
    DROP_OLDEST,
}

/**
 * How much of a topic may wait for its subscribers; delayed messages count too. No limit by default.
 *
 * @property messages Messages that some subscriber has yet to claim.
 * @property bytes Their bytes of payload and headers.
 * @property age Age of the oldest of them.
 * @property policy What a publish beyond the limit does.
 */
public data class BacklogLimit(
    val messages: Long? = null,
    val bytes: Long? = null,
    val age: Duration? = null,
    val policy: BacklogPolicy = BacklogPolicy.REFUSE,
) {
    internal fun toNative() = NativeBacklogLimit(
        messages,
        bytes,
        age?.toMs(),
        io.blockqueue.internal.BacklogPolicy.valueOf(policy.name),
    )
}

private fun NativeBacklogLimit.toKotlin() = BacklogLimit(
    messages,
    bytes,
    ageMs?.milliseconds(),
    policy?.let { BacklogPolicy.valueOf(it.name) } ?: BacklogPolicy.REFUSE,
)

/**
 * Settings of a topic to choose. What is left out is the default of a new topic, and stays in an update.
 *
 * @property retention What happens to messages that every subscriber has settled. Default: removed.
 * @property backlogLimit How much may wait for the subscribers. Default: no limit. Replaced as a whole.
 * @property idempotencyWindow How long an idempotency key is remembered. Default 24 h, at most 31 days.
 * @property ttl How long a message lives that does not say. Default: for ever; 1 ms to ten years.
 */
public data class TopicSettings(
    val retention: Retention? = null,
    val backlogLimit: BacklogLimit? = null,
    val idempotencyWindow: Duration? = null,
    val ttl: Choice<Duration>? = null,
) {
    /** Only defaults; for Java. */
    public constructor() : this(null)

    /** These with this retention. For Java. */
    public fun withRetention(retention: Retention): TopicSettings = copy(retention = retention)

    /** These with this backlog limit. For Java. */
    public fun withBacklogLimit(limit: BacklogLimit): TopicSettings = copy(backlogLimit = limit)

    internal fun toNative() = NativeTopicSettings(
        retention?.toNative(),
        backlogLimit?.toNative(),
        idempotencyWindow?.toMs(),
        ttl?.into(NativeTtlChange.Remove) { NativeTtlChange.Set(it.toMs()) },
    )
}

/**
 * The settings of a topic.
 *
 * @property retention What happens to messages that every subscriber has settled.
 * @property backlogLimit How much may wait for the subscribers.
 * @property idempotencyWindow How long an idempotency key is remembered.
 * @property ttl How long a message lives that does not say; `null`: for ever.
 */
public data class TopicOptions(
    val retention: Retention,
    val backlogLimit: BacklogLimit,
    val idempotencyWindow: Duration,
    val ttl: Duration?,
)

/**
 * A topic.
 *
 * @property id Its number in this database; a topic of the same name created later has another.
 * @property name Its name.
 * @property options Its settings.
 * @property paused Claims wait as on an empty topic.
 * @property createdAt When it was created.
 */
public data class Topic(
    val id: Long,
    val name: String,
    val options: TopicOptions,
    val paused: Boolean,
    val createdAt: Instant,
)

internal fun NativeTopic.toKotlin() = Topic(
    id,
    name,
    TopicOptions(
        options.retention.toKotlin(),
        options.backlogLimit.toKotlin(),
        options.idempotencyWindowMs.milliseconds(),
        options.ttlMs?.milliseconds(),
    ),
    paused,
    at(createdAtMs),
)
