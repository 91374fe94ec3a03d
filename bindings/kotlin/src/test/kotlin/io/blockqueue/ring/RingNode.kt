package io.blockqueue.ring

import io.blockqueue.Delivery
import io.blockqueue.LeaseLostException
import io.blockqueue.Message
import io.blockqueue.OpenOptions
import io.blockqueue.Queue
import kotlin.time.Duration.Companion.minutes

/**
 * Hands messages from one topic to another, together with programs of other languages on the same file:
 * `tests/interop/README.md` of the repository says how.
 */
suspend fun main(arguments: Array<String>) {
    val (file, from, subscriber, to, count) = arguments
    var left = count.toLong()
    Queue.open(file, OpenOptions(mustExist = true)).use { queue ->
        println("ready")
        while (left > 0) {
            for (delivery in queue.claim(from, subscriber, limit = minOf(left, 10).toInt(), wait = 1.minutes)) {
                queue.publish(to, delivery.onward())
                try {
                    delivery.ack()
                    left--
                } catch (_: LeaseLostException) {
                    // Somebody else hands it on.
                }
            }
        }
    }
}

private fun Delivery.onward() =
    Message(payload, contentType, headers, correlationId, idempotencyKey = correlationId)
