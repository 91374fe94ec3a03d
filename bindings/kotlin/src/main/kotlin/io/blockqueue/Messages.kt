package io.blockqueue

import java.time.Instant
import kotlin.time.Duration
import kotlin.time.toKotlinDuration
import io.blockqueue.internal.Message as NativeMessage
import io.blockqueue.internal.Published as NativePublished
import io.blockqueue.internal.Reply as NativeReply




/** What a payload made of a text is. */
internal const val TEXT_TYPE: String = "text/plain; charset=utf-8"

/**
 * A message to publish.
 *
 * @property payload Any bytes, also none. At most 1 MiB unless the queue was opened with more.
 * @property contentType What the payload is, for example `application/json`.
 * @property headers Unique names and their values; order is not kept.
 * @property correlationId Ties the message to others, for example to a request.
 * @property priority −1000 to 1000; higher is delivered first, and lower ones may starve.
 * @property delay Deliver it this long after now. Not together with [deliverAt].
 * @property deliverAt Deliver it at this time; a time in the past means now. Not together with [delay].
 * @property idempotencyKey A repeat of the key within the topic's window publishes nothing and returns the first id.
 * @property orderingKey Messages of one key go to a subscriber that asks for order one at a time; 1 to 255 bytes.
 * @property ttl It is not delivered any more this long after it was published, its delay included. Default: the
 *   topic's.
 * @property uniqueKey While some subscriber is not done with a message of this key, the topic takes no other of it.
 */
public data class Message(
    val payload: ByteArray,
    val contentType: String? = null,
    val headers: Map<String, String> = emptyMap(),
    val correlationId: String? = null,
    val priority: Int = 0,
    val delay: Duration? = null,
    val deliverAt: Instant? = null,
    val idempotencyKey: String? = null,
    val orderingKey: String? = null,
    val ttl: Duration? = null,
    val uniqueKey: String? = null,
) {
    /** A message of this text, as UTF-8. */
    public constructor(text: String) : this(text.toByteArray(), TEXT_TYPE)

    /** A message of these bytes. */
    public constructor(payload: ByteArray) : this(payload, null)

    /** This message, delivered this long after now. For Java. */
    public fun delayed(delay: java.time.Duration): Message = copy(delay = delay.toKotlinDuration())

    /** This message, not delivered any more this long after it was published. For Java. */
    public fun expiring(ttl: java.time.Duration): Message = copy(ttl = ttl.toKotlinDuration())

    /** This message with this header more. */
    public fun withHeader(name: String, value: String): Message = copy(headers = headers + (name to value))

    /** This message under this idempotency key. For Java. */
    public fun withIdempotencyKey(key: String): Message = copy(idempotencyKey = key)

    /** This message in order with others of this key. For Java. */
    public fun withOrderingKey(key: String): Message = copy(orderingKey = key)

    /** This message with this priority. For Java. */
    public fun withPriority(priority: Int): Message = copy(priority = priority)

    /** By the bytes of the payload. */
    override fun equals(other: Any?): Boolean =
        other is Message && payload.contentEquals(other.payload) && rest() == other.rest()

    override fun hashCode(): Int = 31 * payload.contentHashCode() + rest().hashCode()

    /** Without the payload: it may be long, or a secret. */
    override fun toString(): String = "Message(${payload.size} bytes, contentType=$contentType)"

    private fun rest() = listOf(
        contentType, headers, correlationId, priority, delay, deliverAt, idempotencyKey, orderingKey, ttl, uniqueKey,
    )

    /** Where messages of other values come from, see `Message.json`. */
    public companion object
}

internal fun Message.toNative() = NativeMessage(
    payload,
    contentType,
    headers,
    correlationId,
    priority,
    delay?.toMs(),
    deliverAt?.toMs(),
    idempotencyKey,
    orderingKey,
    ttl?.toMs(),
    uniqueKey,
)

internal fun NativeMessage.toKotlin() = Message(
    payload,
    contentType,
    headers,
    correlationId,
    priority,
    delayMs?.milliseconds(),
    maybeAt(deliverAtMs),
    idempotencyKey,
    orderingKey,
    ttlMs?.milliseconds(),
    uniqueKey,
)

/**
 * The answer to a publish.
 *
 * @property id The message's id, for all its life.
 * @property duplicate The idempotency key was used before: nothing was published, this is the first message's id.
 * @property deliverAt When it will become deliverable, if that is not now.
 * @property subscriberCount Subscribers that the topic has now, each of which will get it.
 */
public data class Published(
    val id: String,
    val duplicate: Boolean,
    val deliverAt: Instant?,
    val subscriberCount: Long,
)

internal fun NativePublished.toKotlin() = Published(id, duplicate, maybeAt(deliverAtMs), subscriberCount)

/**
 * A reply to store together with an ack, for whoever waits for the message's result.
 *
 * @property payload Any bytes, also none. At most 1 MiB.
 * @property contentType What the payload is; at most 255 bytes.
 * @property ttl How long it is kept. Default 1 h; 1 ms to 31 days.
 */
public class Reply(
    public val payload: ByteArray,
    public val contentType: String? = null,
    public val ttl: Duration? = null,
) {
    /** A reply of this text, as UTF-8. */
    public constructor(text: String) : this(text.toByteArray(), TEXT_TYPE, null)

    /** A reply of these bytes. */
    public constructor(payload: ByteArray) : this(payload, null, null)

    /** Where replies of other values come from, see `Reply.json`. */
    public companion object
}

internal fun Reply.toNative() = NativeReply(payload, contentType, ttl?.toMs())

internal fun Long.milliseconds(): Duration = with(Duration.Companion) { this@milliseconds.milliseconds }
