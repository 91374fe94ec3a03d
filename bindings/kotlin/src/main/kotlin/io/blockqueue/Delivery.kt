package io.blockqueue

import java.time.Instant
import kotlin.time.Duration
import io.blockqueue.internal.Delivery as NativeDelivery
import io.blockqueue.internal.DeliveryResult as NativeDeliveryResult
import io.blockqueue.internal.NackOptions as NativeNackOptions
import io.blockqueue.internal.Nacked as NativeNacked

/**
 * A message leased to this consumer. Settle it before the lease expires.
 *
 * Its methods are those of the [Queue] with its receipt. They may be called from any thread.
 */
public class Delivery internal constructor(private val queue: Queue, private val native: NativeDelivery) {
    /** The topic's name. */
    public val topic: String get() = native.topic

    /** The subscriber's name. */
    public val subscriber: String get() = native.subscriber

    /** The message's id. */
    public val messageId: String get() = native.messageId

    /** The right to settle this delivery; whoever has this text may. */
    public val receipt: String get() = native.receipt

    /** The bytes that were published. The array is this delivery's own. */
    public val payload: ByteArray get() = native.payload

    /** What the payload is. */
    public val contentType: String? get() = native.contentType

    /** The headers that were published. */
    public val headers: Map<String, String> get() = native.headers

    /** What the publisher tied the message to. */
    public val correlationId: String? get() = native.correlationId

    /** What the message is in order with. */
    public val orderingKey: String? get() = native.orderingKey

    /** The message's priority. */
    public val priority: Int get() = native.priority

    /** Which attempt this is, from 1. */
    public val attempt: Long get() = native.attempt

    /** Attempts that ended badly so far. */
    public val failures: Long get() = native.failures

    /** When the message became deliverable. */
    public val publishedAt: Instant get() = at(native.publishedAtMs)

    /** When the message expires, if it does. A delivery that is leased by then may still be settled. */
    public val expiresAt: Instant? get() = maybeAt(native.expiresAtMs)

    /** When the lease expires, as of the claim. */
    public val leaseExpiresAt: Instant get() = at(native.leaseExpiresAtMs)

    /** It was settled or put back by a method of this object. */
    @Volatile
    internal var isSettled: Boolean = false
        private set

    /** The payload as text. */
    public fun text(): String = payload.decodeToString()

    /** Settles it: done. */
    public suspend fun ack(): Unit = settled { queue.ack(receipt) }

    /** Settles it, done, and stores a reply for whoever waits for the message's result. */
    public suspend fun ackWithResult(reply: Reply): Unit = settled { queue.ackWithResult(receipt, reply) }

    /** Reports a failure: it waits for its next attempt, or becomes a dead letter. */
    public suspend fun nack(error: String? = null, delay: Duration? = null, giveUp: Boolean = false): Nacked =
        settled { queue.nack(receipt, error, delay, giveUp) }

    /** Makes the lease last until this long after now; the answer is its new expiry. */
    public suspend fun extend(lease: Duration): Instant = queue.extend(receipt, lease)

    /** Puts it back for this long; the answer is when it is ready. The attempt does not count. */
    public suspend fun defer(delay: Duration = Duration.ZERO): Instant = settled { queue.defer(receipt, delay) }

    /** Ends it for good, as if it had been acked, and keeps the reason with its failures. */
    public suspend fun cancel(reason: String? = null): Unit = settled { queue.cancel(receipt, reason) }

    private inline fun <T> settled(settle: () -> T): T = settle().also { isSettled = true }

    /** Without the payload: it may be long, or a secret. */
    override fun toString(): String = "Delivery($topic/$subscriber $messageId, attempt $attempt)"
}

/**
 * What a nack led to.
 *
 * @property state [DeliveryState.RETRYING] or [DeliveryState.DEAD_LETTERED].
 * @property readyAt When it can be claimed again, if it can.
 */
public data class Nacked(val state: DeliveryState, val readyAt: Instant?)

internal fun NativeNacked.toKotlin() = Nacked(state.toKotlin(), maybeAt(readyAtMs))

/**
 * A nack of a batch.
 *
 * @property receipt Of what.
 * @property error What went wrong, kept with the delivery; cut at 4 KiB.
 * @property delay Wait this long before the next attempt. Default: as the subscriber's retry policy says.
 * @property giveUp Make it a dead letter now, whatever attempts are left.
 */
public data class Nack(
    val receipt: String,
    val error: String? = null,
    val delay: Duration? = null,
    val giveUp: Boolean = false,
) {
    internal fun options() = NativeNackOptions(delay?.toMs(), error, giveUp)
}

/**
 * A deferral of a batch.
 *
 * @property receipt Of what.
 * @property delay For how long.
 */
public data class Deferral(val receipt: String, val delay: Duration = Duration.ZERO)

/** What became of one item of a batch. */
public sealed class Outcome<out T> {
    /** It was carried out, with this answer. */
    public data class Done<out T>(val value: T) : Outcome<T>()

    /** It could not be. */
    public data class Refused(val error: BlockQueueException) : Outcome<Nothing>()

    /** The answer, or throws why there is none. */
    public fun getOrThrow(): T = when (this) {
        is Done -> value
        is Refused -> throw error
    }
}

/** What came of a message for one subscriber. */
public sealed class DeliveryResult {
    /** The subscriber acked it with this reply. */
    public data class Replied(val reply: ReplyView) : DeliveryResult()

    /** It is settled without a reply: acked or cancelled, passed over, or its reply has expired. */
    public object Settled : DeliveryResult()

    /** It ran out of attempts. A redrive may still bring a reply. */
    public object DeadLettered : DeliveryResult()

    /** Nothing yet. */
    public object Unsettled : DeliveryResult()
}

/**
 * A reply as it was stored.
 *
 * @property payload The bytes of the reply.
 * @property contentType What the payload is.
 * @property repliedAt When the message was acked.
 * @property expiresAt Until when the reply is kept.
 */
public class ReplyView internal constructor(
    public val payload: ByteArray,
    public val contentType: String?,
    public val repliedAt: Instant,
    public val expiresAt: Instant,
) {
    /** The payload as text. */
    public fun text(): String = payload.decodeToString()
}

internal fun NativeDeliveryResult.toKotlin(): DeliveryResult = when (this) {
    is NativeDeliveryResult.Replied -> DeliveryResult.Replied(
        with(reply) { ReplyView(payload, contentType, at(repliedAtMs), at(expiresAtMs)) },
    )
    is NativeDeliveryResult.Settled -> DeliveryResult.Settled
    is NativeDeliveryResult.DeadLettered -> DeliveryResult.DeadLettered
    is NativeDeliveryResult.Unsettled -> DeliveryResult.Unsettled
}
