package io.blockqueue

import java.time.Duration
import java.time.Instant
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.runBlocking

/**
 * [Transaction] for Java, see [JavaQueue.transaction]: each method waits on the calling thread.
 *
 * A method that throws has changed nothing and the transaction goes on, unless it says [TransactionEndedException].
 */
public class JavaTransaction internal constructor(private val transaction: Transaction) {
    private fun <T> wait(call: suspend () -> T): T = runBlocking { call() }

    /**
     * Runs one statement; the answer is how many rows it changed.
     *
     * Values are `null`, Boolean, whole numbers, Float and Double, String, and `byte[]`. The statement may use any table
     * but the queue's own.
     */
    public fun execute(sql: String, vararg values: Any?): Long = wait { transaction.execute(sql, *values) }

    /** Runs one statement; the answer is its rows by column, at most 100,000 and 64 MiB of them. */
    public fun query(sql: String, vararg values: Any?): List<Map<String, Any?>> =
        wait { transaction.query(sql, *values) }

    /** Publishes a message, with its id at once. */
    public fun publish(topic: String, message: Message): Published = wait { transaction.publish(topic, message) }

    /** Publishes 1 to 1,000 messages, all or none, in order. */
    public fun publishBatch(topic: String, messages: List<Message>): List<Published> =
        wait { transaction.publishBatch(topic, messages) }

    /** Settles a delivery: done. */
    public fun ack(receipt: String): Unit = wait { transaction.ack(receipt) }

    /** Reports a failure. */
    @JvmOverloads
    public fun nack(receipt: String, error: String? = null, delay: Duration? = null, giveUp: Boolean = false): Nacked =
        wait { transaction.nack(receipt, error, delay?.toKotlinDuration(), giveUp) }

    /** Makes the lease last until this long after the transaction began; the answer is its new expiry. */
    public fun extend(receipt: String, lease: Duration): Instant =
        wait { transaction.extend(receipt, lease.toKotlinDuration()) }

    /** Puts a delivery back for this long; the answer is when it is ready. The attempt does not count. */
    public fun defer(receipt: String, delay: Duration): Instant =
        wait { transaction.defer(receipt, delay.toKotlinDuration()) }

    /** Ends a leased delivery for good. */
    public fun cancel(receipt: String, reason: String?): Unit = wait { transaction.cancel(receipt, reason) }

    /** Ends a message for every subscriber. */
    public fun cancelMessage(topic: String, messageId: String): Unit =
        wait { transaction.cancelMessage(topic, messageId) }
}
