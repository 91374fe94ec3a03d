package io.blockqueue

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class WorkerTest {
    private fun test(settings: SubscriberSettings = SubscriberSettings(), body: suspend (Queue, CoroutineScope) -> Unit) =
        runBlocking(Dispatchers.Default) {
            Queue.open(":memory:").use { queue ->
                queue.createTopic("orders", subscribers = listOf(NewSubscriber("email", settings)))
                val scope = CoroutineScope(Dispatchers.Default + SupervisorJob())
                withTimeout(1.minutes) { body(queue, scope) }
                scope.cancel()
            }
        }

    private suspend fun until(condition: suspend () -> Boolean) {
        while (!condition()) delay(2.milliseconds)
    }

    @Test
    fun `handles everything, at most so many at once`() = test { queue, scope ->
        val (running, most, seen) = Triple(AtomicInteger(), AtomicInteger(), ConcurrentLinkedQueue<String>())
        val worker = queue.worker(scope, "orders", "email", concurrency = 8) { delivery ->
            most.accumulateAndGet(running.incrementAndGet(), ::maxOf)
            delay(5.milliseconds)
            seen += delivery.text()
            running.decrementAndGet()
        }
        queue.publishBatch("orders", List(200) { Message("$it") })
        until { worker.report.acked == 200L }
        worker.drain()
        assertEquals(200, seen.toSet().size)
        assertTrue(most.get() in 2..8, "$most at once")
        assertEquals(WorkerReport(200, 0, 0), worker.report)
    }

    @Test
    fun `what throws is nacked, given up, or tried again later`() = test { queue, scope ->
        val errors = ConcurrentLinkedQueue<Throwable>()
        val worker = queue.worker(scope, "orders", "email", concurrency = 3, onError = { _, error -> errors += error }) {
            when (it.text()) {
                "give up" -> throw GiveUp("never")
                "later" -> throw RetryAfter(1.minutes, "not yet")
                "itself" -> it.cancel("done by hand")
                else -> error("broken")
            }
        }
        queue.publishBatch("orders", listOf("give up", "later", "itself", "broken").map { Message(it) })
        until { worker.report.run { failed == 3L && acked == 1L } }
        worker.drain()
        val dead = queue.deadLetters("orders", "email").items.single()
        assertEquals("give up", dead.message.text())
        assertTrue(dead.error.orEmpty().contains("never"))
        assertEquals(2L, queue.subscriberStats("orders", "email").retryingCount)
        assertEquals(3, errors.size)
    }

    @Test
    fun `a drain waits for the handlers and claims nothing more`() = test { queue, scope ->
        val (begun, go) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
        val worker = queue.worker(scope, "orders", "email") {
            begun.complete(Unit)
            go.await()
        }
        queue.publishBatch("orders", listOf(Message("a"), Message("b")))
        begun.await()
        worker.stopClaiming()
        go.complete(Unit)
        worker.drain()
        assertEquals(1L, worker.report.acked)
        assertEquals("b", queue.claim("orders", "email").single().text())
    }

    @Test
    fun `cancelling the scope gives back what was being handled`() = test { queue, scope ->
        val begun = CompletableDeferred<Unit>()
        val worker = queue.worker(scope, "orders", "email") {
            begun.complete(Unit)
            awaitCancellation()
        }
        queue.publish("orders", "a")
        begun.await()
        scope.coroutineContext.job.cancel()
        worker.job.join()
        assertEquals(1L, queue.claim("orders", "email", wait = 10.seconds).single().attempt)
    }

    @Test
    fun `leases are extended while a handler runs`() = test { queue, scope ->
        val done = CompletableDeferred<Unit>()
        val worker = queue.worker(scope, "orders", "email", lease = 600.milliseconds) {
            delay(2.seconds)
            done.complete(Unit)
        }
        queue.publish("orders", "a")
        until { queue.subscriberStats("orders", "email").leasedCount == 1L }
        // Nobody else gets it meanwhile.
        assertEquals(emptyList<Delivery>(), queue.claim("orders", "email", wait = 1.seconds))
        done.await()
        worker.drain()
        assertEquals(WorkerReport(1, 0, 0), worker.report)
    }

    @Test
    fun `a handler whose lease is lost is cancelled`() = test { queue, scope ->
        val (receipt, cancelled) = CompletableDeferred<String>() to CompletableDeferred<Unit>()
        val worker = queue.worker(scope, "orders", "email", lease = 300.milliseconds) {
            receipt.complete(it.receipt)
            try {
                awaitCancellation()
            } finally {
                cancelled.complete(Unit)
            }
        }
        queue.publish("orders", "a")
        queue.ack(receipt.await())
        cancelled.await()
        worker.drain()
        assertEquals(WorkerReport(0, 0, 1), worker.report)
    }

    @Test
    fun `a worker of a subscriber that is not there fails`() = test { queue, scope ->
        val worker = queue.worker(scope, "orders", "nobody") {}
        worker.job.join()
        val failure = CompletableDeferred<Throwable?>()
        worker.job.invokeOnCompletion { failure.complete(it) }
        assertInstanceOf(UnknownSubscriberException::class.java, failure.await())
        assertThrows<InvalidArgumentException> { queue.worker(scope, "orders", "email", concurrency = 0) {} }
    }
}
