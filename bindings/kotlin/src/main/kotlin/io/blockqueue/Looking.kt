package io.blockqueue

import java.time.Instant
import kotlin.time.Duration
import io.blockqueue.internal.DeadLetter as NativeDeadLetter
import io.blockqueue.internal.DeadLetters as NativeDeadLetters
import io.blockqueue.internal.DeliveryStatus as NativeDeliveryStatus
import io.blockqueue.internal.Diagnosis as NativeDiagnosis
import io.blockqueue.internal.EngineStats as NativeEngineStats
import io.blockqueue.internal.Failure as NativeFailure
import io.blockqueue.internal.MessageStatus as NativeMessageStatus
import io.blockqueue.internal.MessageView as NativeMessageView
import io.blockqueue.internal.Peeked as NativePeeked
import io.blockqueue.internal.SubscriberStats as NativeSubscriberStats
import io.blockqueue.internal.TopicStats as NativeTopicStats

/**
 * Part of a list.
 *
 * @property items The entries.
 * @property next Where the next page begins, to be given as `after`; `null` at the end.
 */
public data class Page<out T>(val items: List<T>, val next: String?)

/** Where a delivery stands. */
public enum class DeliveryState {
    /** Not claimed yet. */
    PENDING,

    /** Leased to a consumer. */
    LEASED,

    /** Waiting for its next attempt, or ready for it. */
    RETRYING,

    /** Waiting behind another delivery of its ordering key. */
    PARKED,

    /** Out of attempts, kept for people. */
    DEAD_LETTERED,

    /** Done: acked, cancelled or skipped. */
    SETTLED,
}

internal fun io.blockqueue.internal.DeliveryState.toKotlin() = DeliveryState.valueOf(name)

/**
 * A message as people look at it: without a receipt.
 *
 * @property id The message's id.
 * @property payload The bytes that were published.
 * @property contentType What the payload is.
 * @property headers The headers that were published.
 * @property correlationId What the publisher tied the message to.
 * @property idempotencyKey The key that makes a repeat harmless, while it is remembered.
 * @property orderingKey What the message is in order with.
 * @property priority The message's priority.
 * @property acceptedAt When it was accepted.
 * @property deliverAt When it became deliverable, or will.
 * @property expiresAt When it expires, if it does.
 */
public class MessageView internal constructor(
    public val id: String,
    public val payload: ByteArray,
    public val contentType: String?,
    public val headers: Map<String, String>,
    public val correlationId: String?,
    public val idempotencyKey: String?,
    public val orderingKey: String?,
    public val priority: Int,
    public val acceptedAt: Instant,
    public val deliverAt: Instant,
    public val expiresAt: Instant?,
) {
    /** The payload as text. */
    public fun text(): String = payload.decodeToString()

    /** Without the payload: it may be long, or a secret. */
    override fun toString(): String = "MessageView($id, ${payload.size} bytes)"
}

internal fun NativeMessageView.toKotlin() = MessageView(
    id,
    payload,
    contentType,
    headers,
    correlationId,
    idempotencyKey,
    orderingKey,
    priority,
    at(acceptedAtMs),
    at(deliverAtMs),
    maybeAt(expiresAtMs),
)

/**
 * Where a message stands with one subscriber.
 *
 * @property subscriberId The subscriber's number.
 * @property subscriber The subscriber's name.
 * @property state The state.
 * @property attempts Attempts so far.
 * @property failures Attempts that ended badly so far.
 * @property readyAt When it can be claimed, or could; for a leased one when its lease expires.
 */
public data class DeliveryStatus(
    val subscriberId: Long,
    val subscriber: String,
    val state: DeliveryState,
    val attempts: Long,
    val failures: Long,
    val readyAt: Instant?,
)

internal fun NativeDeliveryStatus.toKotlin() =
    DeliveryStatus(subscriberId, subscriber, state.toKotlin(), attempts, failures, maybeAt(readyAtMs))

/**
 * A message and where it stands with every subscriber of its topic.
 *
 * @property message The message.
 * @property delayed It waits for its time.
 * @property deliveries Where it stands, by subscriber. Subscribers that began after it are left out.
 */
public data class MessageStatus(
    val message: MessageView,
    val delayed: Boolean,
    val deliveries: List<DeliveryStatus>,
)

internal fun NativeMessageStatus.toKotlin() =
    MessageStatus(message.toKotlin(), delayed, deliveries.map { it.toKotlin() })

/**
 * A pending or leased delivery as people look at it: without a receipt.
 *
 * @property message The message.
 * @property status Where it stands.
 */
public data class Peeked(val message: MessageView, val status: DeliveryStatus)

internal fun NativePeeked.toKotlin() = Peeked(message.toKotlin(), status.toKotlin())

/** Which dead letters an operation is about. */
public sealed class DeadLetters {
    /** Those of the messages of these ids; at most 1,000. */
    public data class Ids(val ids: List<String>) : DeadLetters()

    /** The oldest, at most this many. */
    public data class Oldest(val limit: Long) : DeadLetters()

    /** All of them. */
    public object All : DeadLetters()

    internal fun toNative(): NativeDeadLetters = when (this) {
        is Ids -> NativeDeadLetters.Ids(ids)
        is Oldest -> NativeDeadLetters.Oldest(limit)
        is All -> NativeDeadLetters.All
    }
}

/**
 * A delivery that ran out of attempts.
 *
 * @property message The message.
 * @property attempts Attempts made.
 * @property failures Attempts that ended badly.
 * @property error The last error, if one was given.
 * @property deadAt When it was given up.
 */
public data class DeadLetter(
    val message: MessageView,
    val attempts: Long,
    val failures: Long,
    val error: String?,
    val deadAt: Instant,
)

internal fun NativeDeadLetter.toKotlin() =
    DeadLetter(message.toKotlin(), attempts, failures, error, at(deadAtMs))

/**
 * One attempt that ended badly.
 *
 * @property failure Which failure this was, from 1.
 * @property error What went wrong, if it was said.
 * @property failedAt When.
 */
public data class Failure(val failure: Long, val error: String?, val failedAt: Instant)

internal fun NativeFailure.toKotlin() = Failure(failure, error, at(failedAtMs))

/**
 * One log of a topic in numbers.
 *
 * @property priority The priority of its messages.
 * @property lastSequence The sequence number of its newest message.
 * @property trimmedSequence Messages at or below this sequence number were trimmed, or are held back by a delivery.
 */
public data class LogStats(val priority: Int, val lastSequence: Long, val trimmedSequence: Long)

/**
 * A topic in numbers. Costs the same whatever the backlog.
 *
 * @property topic The topic's name.
 * @property paused Claims wait as on an empty topic.
 * @property publishedCount Messages ever accepted.
 * @property delayedCount Messages that wait for their time.
 * @property retainedCount Messages between the trim frontier and the end: what the topic holds, give or take a few.
 * @property retainedBytes Their bytes of payload and headers.
 * @property logs The logs, highest priority first.
 * @property subscribers The subscribers, by name.
 */
public data class TopicStats(
    val topic: String,
    val paused: Boolean,
    val publishedCount: Long,
    val delayedCount: Long,
    val retainedCount: Long,
    val retainedBytes: Long,
    val logs: List<LogStats>,
    val subscribers: List<SubscriberStats>,
)

internal fun NativeTopicStats.toKotlin() = TopicStats(
    topic,
    paused,
    publishedCount,
    delayedCount,
    retainedCount,
    retainedBytes,
    logs.map { LogStats(it.priority, it.lastSequence, it.trimmedSequence) },
    subscribers.map { it.toKotlin() },
)

/**
 * Where a subscriber stands in one log.
 *
 * @property priority The priority of the log.
 * @property sequence The newest sequence number that was claimed or skipped.
 * @property lastSequence The sequence number of the log's newest message.
 */
public data class CursorStats(val priority: Int, val sequence: Long, val lastSequence: Long)

/**
 * A subscriber in numbers. Costs the same whatever the backlog.
 *
 * @property topic The topic's name.
 * @property subscriber The subscriber's name.
 * @property paused Claims wait as on an empty topic.
 * @property pendingCount Messages not claimed yet; an upper bound unless [exact].
 * @property pendingBytes Their bytes of payload and headers; an upper bound unless [exact].
 * @property readyCount Deliveries that could be claimed now: pending and due retries.
 * @property leasedCount Leased deliveries, expired ones included until somebody takes them over.
 * @property retryingCount Deliveries that wait for their next attempt, or are ready for it.
 * @property parkedCount Deliveries that wait behind another of their ordering key.
 * @property deadCount Dead letters.
 * @property exact Whether [pendingCount] and [pendingBytes] are exact.
 * @property oldestAge Age of the oldest pending message.
 * @property cursors The cursor in each log, highest priority first.
 * @property claimedCount Deliveries ever claimed, counted once per attempt.
 * @property ackedCount Deliveries ever acked.
 * @property nackedCount Attempts ever nacked.
 * @property expiredCount Leases ever expired.
 * @property ttlExpiredCount Messages that expired before they were settled.
 * @property filteredCount Messages ever skipped by the filter.
 * @property droppedCount Messages ever skipped by the backlog limit.
 */
public data class SubscriberStats(
    val topic: String,
    val subscriber: String,
    val paused: Boolean,
    val pendingCount: Long,
    val pendingBytes: Long,
    val readyCount: Long,
    val leasedCount: Long,
    val retryingCount: Long,
    val parkedCount: Long,
    val deadCount: Long,
    val exact: Boolean,
    val oldestAge: Duration?,
    val cursors: List<CursorStats>,
    val claimedCount: Long,
    val ackedCount: Long,
    val nackedCount: Long,
    val expiredCount: Long,
    val ttlExpiredCount: Long,
    val filteredCount: Long,
    val droppedCount: Long,
)

internal fun NativeSubscriberStats.toKotlin() = SubscriberStats(
    topic,
    subscriber,
    paused,
    pendingCount,
    pendingBytes,
    readyCount,
    leasedCount,
    retryingCount,
    parkedCount,
    deadCount,
    exact,
    oldestAgeMs?.milliseconds(),
    cursors.map { CursorStats(it.priority, it.sequence, it.lastSequence) },
    claimedCount,
    ackedCount,
    nackedCount,
    expiredCount,
    ttlExpiredCount,
    filteredCount,
    droppedCount,
)

/**
 * What the engine of this process has done since it was opened.
 *
 * @property commits Write groups committed.
 * @property operations Operations in them.
 * @property failedCommits Groups that failed as a whole.
 * @property commitsBySize How many groups had at most 1, 4, 16, 64, 256, 1,024, 4,096 operations.
 * @property commitsByDuration How many took at most 1, 4, 16, 64, 256, 1,024 ms, or longer.
 * @property commitTime Time spent in write groups, altogether.
 * @property waitingClaims Claims that wait for something to claim.
 * @property fileBytes Size of the database file.
 * @property walBytes Size of the write-ahead log.
 */
public data class EngineStats(
    val commits: Long,
    val operations: Long,
    val failedCommits: Long,
    val commitsBySize: List<Long>,
    val commitsByDuration: List<Long>,
    val commitTime: Duration,
    val waitingClaims: Long,
    val fileBytes: Long,
    val walBytes: Long,
)

internal fun NativeEngineStats.toKotlin() = EngineStats(
    commits,
    operations,
    failedCommits,
    commitsBySize,
    commitsByDuration,
    commitTimeMs.milliseconds(),
    waitingClaims,
    fileBytes,
    walBytes,
)

/**
 * What an examination of the file found.
 *
 * @property schemaVersion The schema version of the file.
 * @property sqliteVersion The bundled SQLite.
 * @property fileBytes Size of the database file.
 * @property walBytes Size of the write-ahead log.
 * @property freeBytes Bytes in the file that are free for new messages.
 * @property problems What is wrong, in words; empty if all is well.
 * @property advice What could be better, in words.
 */
public data class Diagnosis(
    val schemaVersion: Long,
    val sqliteVersion: String,
    val fileBytes: Long,
    val walBytes: Long,
    val freeBytes: Long,
    val problems: List<String>,
    val advice: List<String>,
)

internal fun NativeDiagnosis.toKotlin() =
    Diagnosis(schemaVersion, sqliteVersion, fileBytes, walBytes, freeBytes, problems, advice)
