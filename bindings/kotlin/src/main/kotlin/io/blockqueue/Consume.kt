package io.blockqueue

import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext

/**
 * The deliveries of a subscriber, one after another, for ever: it waits when there are none.
 *
 * Settle each with its methods. At most [limit] are claimed at once, by default as the subscriber says, so the last of
 * them wait with their leases running. Those that the collector does not get to are given back when it stops.
 */
public fun Queue.consume(
    topic: String,
    subscriber: String,
    limit: Int? = null,
    lease: Duration? = null,
): Flow<Delivery> = flow {
    while (true) {
        val claimed = claim(topic, subscriber, limit, CONSUME_WAIT, lease)
        var emitted = 0
        try {
            for (delivery in claimed) {
                emitted += 1
                emit(delivery)
            }
        } finally {
            giveBack(claimed.drop(emitted))
        }
    }
}

/** Puts deliveries back, also when the coroutine is cancelled; one whose lease is lost is back already. */
internal suspend fun Queue.giveBack(deliveries: List<Delivery>) {
    if (deliveries.isNotEmpty()) {
        withContext(NonCancellable) { deferBatch(deliveries.map { Deferral(it.receipt) }) }
    }
}

/** How long each claim waits. */
internal val CONSUME_WAIT = 1.minutes
