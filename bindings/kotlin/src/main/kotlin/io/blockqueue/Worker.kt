package io.blockqueue

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.sync.Semaphore
import io.blockqueue.internal.PendingClaim as NativePendingClaim

/** Thrown by a handler: it will never succeed. The delivery becomes a dead letter now. */
public class GiveUp @JvmOverloads constructor(message: String? = null, cause: Throwable? = null) :
    RuntimeException(message, cause)

/** Thrown by a handler: it failed, and is to be tried again after [delay]. */
public class RetryAfter(public val delay: Duration, message: String? = null, cause: Throwable? = null) :
    RuntimeException(message, cause)

/**
 * What a worker has done.
 *
 * @property acked Deliveries whose handler returned.
 * @property failed Deliveries whose handler threw.
 * @property lost Deliveries whose lease was lost before they could be settled: somebody else has them.
 */
public data class WorkerReport(val acked: Long, val failed: Long, val lost: Long)

/**
 * Handles the deliveries of a subscriber in [scope], up to [concurrency] at once, until it is drained or cancelled.
 *
 * A delivery is acked when [handler] returns and nacked when it throws; [GiveUp] and [RetryAfter] say more, and a
 * handler may settle the delivery itself. Leases, of [lease] or as the subscriber says, are extended while the handler
 * runs; if one is lost all the same, its handler is cancelled. What goes wrong is told to [onError].
 *
 * The worker is a child of the scope: it ends with it, and what its handlers had not finished is given back, without
 * the attempt being counted. It fails, and the scope with it, if the queue is shut down or the subscriber is not there.
 */
public fun Queue.worker(
    scope: CoroutineScope,
    topic: String,
    subscriber: String,
    concurrency: Int = 1,
    lease: Duration? = null,
    onError: (Delivery?, Throwable) -> Unit = { _, _ -> },
    handler: suspend (Delivery) -> Unit,
): Worker {
    if (concurrency < 1) throw invalidArgument("concurrency must be at least 1")
    return Worker(this, Source(topic, subscriber), concurrency, lease, onError, handler).also { it.start(scope) }
}

/** A running worker, see [worker]. */
public class Worker internal constructor(
    private val queue: Queue,
    private val source: Source,
    private val concurrency: Int,
    private val lease: Duration?,
    private val onError: (Delivery?, Throwable) -> Unit,
    private val handler: suspend (Delivery) -> Unit,
) {
    /** The worker as a job: it ends when the worker has ended. */
    public lateinit var job: Job
        private set

    /** What it has done so far. */
    public val report: WorkerReport get() = WorkerReport(acked.get(), failed.get(), lost.get())

    private val acked = AtomicLong()
    private val failed = AtomicLong()
    private val lost = AtomicLong()

    /** What is being handled, and by what. */
    private val held = ConcurrentHashMap<Delivery, Job>()

    private val stop = ClaimStop()

    /** Stops claiming, and returns when the handlers that run have returned. */
    public suspend fun drain() {
        stopClaiming()
        job.join()
    }

    internal fun stopClaiming(): Unit = stop.now()

    internal fun start(scope: CoroutineScope) {
        job = scope.launch {
            val lasts = lease ?: queue.subscriber(source.topic, source.subscriber).options.lease
            coroutineScope {
                val heart = launch { beat(lasts) }
                // The handlers are done when this returns: a failure of one is no failure of the others.
                supervisorScope { claimAll(this, lasts) }
                heart.cancel()
            }
        }
    }

    @OptIn(DelicateCoroutinesApi::class, ExperimentalCoroutinesApi::class)
    private suspend fun claimAll(handlers: CoroutineScope, lasts: Duration) {
        val free = Semaphore(concurrency)
        while (!stop.isSaid) {
            free.acquire()
            var slots = 1
            while (slots < CLAIM_MAX && free.tryAcquire()) slots += 1
            val claimed = claim(slots, lasts)
            repeat(slots - claimed.size) { free.release() }
            // Nothing suspends between the claim and these, and they start also when cancelled, to give it back.
            for (delivery in claimed) {
                val handling = handlers.launch(start = CoroutineStart.ATOMIC) { handle(delivery) }
                held[delivery] = handling
                handling.invokeOnCompletion {
                    held.remove(delivery)
                    free.release()
                }
            }
        }
    }

    private suspend fun claim(limit: Int, lasts: Duration): List<Delivery> = try {
        queue.claim(source, limit, CONSUME_WAIT, lasts, stop)
    } catch (refused: BlockQueueException) {
        if (refused.retry != Retry.LATER) throw refused
        onError(null, refused)
        delay(PAUSE)
        emptyList()
    }

    private suspend fun handle(delivery: Delivery) {
        try {
            currentCoroutineContext().ensureActive()
            handler(delivery)
            if (!delivery.isSettled) delivery.ack()
            acked.incrementAndGet()
        } catch (gone: LeaseLostException) {
            lost.incrementAndGet()
            onError(delivery, gone)
        } catch (@Suppress("TooGenericExceptionCaught") failure: Throwable) {
            if (failure is CancellationException && !currentCoroutineContext().isActive) {
                if (!delivery.isSettled) queue.giveBack(listOf(delivery))
                throw failure
            }
            failed.incrementAndGet()
            onError(delivery, failure)
            if (!delivery.isSettled) nack(delivery, failure)
        }
    }

    private suspend fun nack(delivery: Delivery, failure: Throwable) {
        try {
            delivery.nack(failure.toString(), (failure as? RetryAfter)?.delay, giveUp = failure is GiveUp)
        } catch (refused: BlockQueueException) {
            onError(delivery, refused)
        }
    }

    /** Extends what is held at a third of its lease, all of it in one operation. */
    private suspend fun beat(lasts: Duration) {
        while (true) {
            delay(lasts / 3)
            for (part in held.keys.toList().chunked(CLAIM_MAX)) {
                try {
                    val extended = queue.extendBatch(part.map { it.receipt }, lasts)
                    part.zip(extended) { delivery, outcome -> if (outcome is Outcome.Refused) drop(delivery, outcome) }
                } catch (refused: BlockQueueException) {
                    // Leases that are lost for it show when their deliveries are settled.
                    onError(null, refused)
                }
            }
        }
    }

    /** Somebody else has it now: its handler works for nothing. */
    private fun drop(delivery: Delivery, outcome: Outcome.Refused) {
        val handling = held.remove(delivery)
        if (handling != null && !delivery.isSettled && outcome.error is LeaseLostException) {
            lost.incrementAndGet()
            onError(delivery, outcome.error)
            handling.cancel()
        }
    }

    private companion object {
        /** Deliveries of one claim, and leases of one extension, at most. */
        const val CLAIM_MAX = 1_000

        /** Between a claim that the queue refused for now and the next one. */
        val PAUSE = 500.milliseconds
    }
}

/** Ends the claim that waits now, and those that would wait later. */
internal class ClaimStop {
    private var waiting: NativePendingClaim? = null

    @get:Synchronized
    var isSaid = false
        private set

    @Synchronized
    fun begin(claim: NativePendingClaim) {
        if (isSaid) claim.cancel() else waiting = claim
    }

    @Synchronized
    fun end() {
        waiting = null
    }

    @Synchronized
    fun now() {
        isSaid = true
        waiting?.cancel()
    }
}
