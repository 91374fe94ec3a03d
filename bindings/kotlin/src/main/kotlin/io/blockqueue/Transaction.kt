package io.blockqueue

import java.time.Instant
import kotlin.time.Duration
import io.blockqueue.internal.SqlValue as NativeSqlValue
import io.blockqueue.internal.Transaction as NativeTransaction

/**
 * Statements of your own and verbs of the queue in one transaction, see [Queue.transaction].
 *
 * A method that throws has changed nothing and the transaction goes on, unless it says [TransactionEndedException].
 */
public class Transaction internal constructor(private val native: NativeTransaction) {
    /**
     * Runs one statement; the answer is how many rows it changed.
     *
     * Values are `null`, Boolean, whole numbers, Float and Double, String, and ByteArray. The statement may use any table but
     * the queue's own.
     */
    public suspend fun execute(sql: String, vararg values: Any?): Long =
        awaited { native.execute(sql, values.map(::toNative)) }

    /** Runs one statement; the answer is its rows by column, at most 100,000 and 64 MiB of them. */
    public suspend fun query(sql: String, vararg values: Any?): List<Map<String, Any?>> {
        val found = awaited { native.query(sql, values.map(::toNative)) }
        return found.rows.map { row -> found.columns.zip(row.map(::toKotlin)).toMap() }
    }

    /** Publishes a message, with its id at once. */
    public suspend fun publish(topic: String, message: Message): Published =
        awaited { native.publish(topic, message.toNative()) }.toKotlin()

    /** Publishes 1 to 1,000 messages, all or none, in order. */
    public suspend fun publishBatch(topic: String, messages: List<Message>): List<Published> =
        awaited { native.publishBatch(topic, messages.map { it.toNative() }) }.map { it.toKotlin() }

    /** Settles a delivery: done. */
    public suspend fun ack(receipt: String): Unit = awaited { native.ack(receipt) }

    /** Reports a failure. */
    public suspend fun nack(
        receipt: String,
        error: String? = null,
        delay: Duration? = null,
        giveUp: Boolean = false,
    ): Nacked = awaited { native.nack(receipt, Nack(receipt, error, delay, giveUp).options()) }.toKotlin()

    /** Makes the lease last until this long after the transaction began; the answer is its new expiry. */
    public suspend fun extend(receipt: String, lease: Duration): Instant =
        at(awaited { native.extend(receipt, lease.toMs()) })

    /** Puts a delivery back for this long; the answer is when it is ready. The attempt does not count. */
    public suspend fun defer(receipt: String, delay: Duration = Duration.ZERO): Instant =
        at(awaited { native.defer(receipt, delay.toMs()) })

    /** Ends a leased delivery for good, and keeps the reason with its failures. */
    public suspend fun cancel(receipt: String, reason: String? = null): Unit =
        awaited { native.cancel(receipt, reason) }

    /** Ends a message for every subscriber. */
    public suspend fun cancelMessage(topic: String, messageId: String): Unit =
        awaited { native.cancelMessage(topic, messageId) }
}

private fun toNative(value: Any?): NativeSqlValue = when (value) {
    null -> NativeSqlValue.Null
    is Boolean -> NativeSqlValue.Integer(if (value) 1 else 0)
    is Long -> NativeSqlValue.Integer(value)
    is Int -> NativeSqlValue.Integer(value.toLong())
    is Short -> NativeSqlValue.Integer(value.toLong())
    is Byte -> NativeSqlValue.Integer(value.toLong())
    is Double -> NativeSqlValue.Real(value)
    is Float -> NativeSqlValue.Real(value.toDouble())
    is String -> NativeSqlValue.Text(value)
    is ByteArray -> NativeSqlValue.Blob(value)
    else -> throw invalidArgument("no value of a statement: ${value::class.simpleName}")
}

private fun toKotlin(value: NativeSqlValue): Any? = when (value) {
    is NativeSqlValue.Null -> null
    is NativeSqlValue.Integer -> value.value
    is NativeSqlValue.Real -> value.value
    is NativeSqlValue.Text -> value.value
    is NativeSqlValue.Blob -> value.value
}
