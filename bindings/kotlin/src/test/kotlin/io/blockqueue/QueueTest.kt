package io.blockqueue

import io.blockqueue.conformance.REPOSITORY
import io.blockqueue.internal.Problem
import io.blockqueue.internal.testPanic
import java.nio.file.Path
import java.time.Instant
import kotlin.io.path.readText
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** What crosses the border: types, errors, threads, cancellation. The rules are in the scripts. */
class QueueTest {
    @TempDir
    lateinit var directory: Path

    /** Runs on threads of a pool, with a queue that has a topic `orders` with subscribers. */
    private fun test(vararg subscribers: String = arrayOf("email"), body: suspend (Queue) -> Unit) =
        runBlocking(Dispatchers.Default) {
            Queue.open(":memory:").use { queue ->
                queue.createTopic("orders", *subscribers)
                withTimeout(1.minutes) { body(queue) }
            }
        }

    // --- payloads -------------------------------------------------------------------------------------

    @Test
    fun `a payload comes back as it was`() = test { queue ->
        val payloads = listOf(
            ByteArray(0),
            byteArrayOf(0),
            byteArrayOf(-1, -2),
            Random(7).nextBytes(1 shl 20),
            "zwölf \u0000 🦊".toByteArray(),
        )
        queue.publishBatch("orders", payloads.map { Message(it) })
        val claimed = queue.claim("orders", "email", limit = 10)
        payloads.zip(claimed).forEach { (payload, delivery) -> assertArrayEquals(payload, delivery.payload) }
        assertEquals(payloads.size, claimed.size)
    }

    @Serializable
    data class Order(val number: Int, val item: String)

    @Test
    fun `objects travel as JSON`() = test { queue ->
        val published = queue.publishJson("orders", Order(1, "tea"))
        val delivery = queue.claim("orders", "email").single()
        assertEquals(Order(1, "tea"), delivery.json<Order>())
        assertEquals("application/json", delivery.contentType)
        delivery.ackWithResult(Reply.json(listOf(1, 2)))
        val result = queue.result("orders", "email", published.id, wait = 1.seconds)
        assertEquals(listOf(1, 2), assertInstanceOf(DeliveryResult.Replied::class.java, result).reply.json<List<Int>>())
    }

    @Test
    fun `all that a message carries arrives`() = test { queue ->
        val message = Message(
            byteArrayOf(1),
            contentType = "x/y",
            headers = mapOf("ä" to "", "b" to "2"),
            correlationId = "c",
            priority = -5,
            orderingKey = "o",
            ttl = 1.minutes,
        )
        queue.publish("orders", message)
        with(queue.claim("orders", "email").single()) {
            assertEquals(listOf("x/y", mapOf("ä" to "", "b" to "2"), "c"), listOf(contentType, headers, correlationId))
            assertEquals(listOf("o", -5, 1L, 0L), listOf(orderingKey, priority, attempt, failures))
            assertEquals(publishedAt.plusSeconds(60), expiresAt)
            assertTrue(leaseExpiresAt > Instant.now())
            assertFalse(toString().contains("payload"))
        }
    }

    // --- errors ---------------------------------------------------------------------------------------

    @Test
    fun `every code has a class of its own`() {
        val codes = Json.parseToJsonElement(REPOSITORY.resolve("tests/golden/error_codes.json").readText())
        val classes = codes.jsonArray.map { it.jsonObject }.map { row ->
            val (code, number, retry) = listOf("code", "number", "retry").map { row.getValue(it).jsonPrimitive.content }
            val native = io.blockqueue.internal.Retry.valueOf(retry.uppercase())
            val error = Problem(code, number.toInt(), native, "text", 3).toException()
            assertEquals(code, error.code)
            assertEquals(number.toInt(), error.number)
            assertEquals(retry.uppercase(), error.retry.name)
            assertEquals("text", error.message)
            assertEquals(3, error.index)
            val name = code.split("_").joinToString("") { part -> part.replaceFirstChar(Char::uppercase) }
            assertEquals("${name}Exception", error::class.simpleName)
            error::class
        }
        assertEquals(BlockQueueException::class.sealedSubclasses.toSet(), classes.toSet())
    }

    @Test
    fun `bad input gets typed errors`() = test { queue ->
        val receipt = queue.run {
            publish("orders", "a")
            claim("orders", "email").single().receipt
        }
        assertThrows<InvalidArgumentException> { queue.publish("orders", Message("a").copy(delay = (-1).seconds)) }
        assertThrows<InvalidArgumentException> { queue.publish("orders", Message("a").copy(delay = (-1).microseconds)) }
        assertThrows<InvalidArgumentException> { queue.claim("orders", "email", wait = (-1).milliseconds) }
        assertThrows<InvalidArgumentException> { queue.claim("orders", "email", wait = Duration.INFINITE) }
        assertThrows<InvalidArgumentException> { queue.claim("orders", "email", limit = -1) }
        assertThrows<InvalidArgumentException> { queue.claim("orders", "email", limit = 0) }
        assertThrows<InvalidArgumentException> { queue.extend(receipt, Duration.ZERO) }
        assertThrows<InvalidArgumentException> { queue.publishBatch("orders", emptyList()) }
        assertThrows<InvalidArgumentException> { queue.ackBatch(emptyList()) }
        assertThrows<InvalidArgumentException> { queue.publish("orders", Message("a").copy(priority = Int.MAX_VALUE)) }
        assertThrows<InvalidArgumentException> { queue.topics(after = "\ud800") }
        assertThrows<InvalidArgumentException> { queue.publish("orders", Message(ByteArray(0), "\udc00")) }
        assertThrows<InvalidArgumentException> { queue.message("orders", "no id") }
        assertThrows<InvalidReceiptException> { queue.ack("") }
        assertThrows<InvalidReceiptException> { queue.ackBatch(listOf(receipt, "x".repeat(10_000))) }
        assertThrows<LimitExceededException> { queue.publish("orders", Message(ByteArray((1 shl 20) + 1))) }
        assertThrows<InvalidArgumentException> { queue.transaction { it.execute("SELECT ?", listOf(1)) } }
        val late = Message("late").copy(deliverAt = Instant.MAX)
        assertInstanceOf(BlockQueueException::class.java, runCatching { queue.publish("orders", late) }.exceptionOrNull())
    }

    @Test
    fun `a foreign receipt settles nothing`() = test { queue ->
        queue.publish("orders", "a")
        val foreign = Queue.open(":memory:").use { other ->
            other.createTopic("orders", "email")
            other.publish("orders", "b")
            other.claim("orders", "email").single().receipt
        }
        val mine = queue.claim("orders", "email").single()
        assertInstanceOf(BlockQueueException::class.java, runCatching { queue.ack(foreign) }.exceptionOrNull())
        mine.ack()
    }

    @Test
    fun `files that cannot be opened say why`() {
        val text = directory.resolve("text").also { it.toFile().writeText("no database ".repeat(100)) }
        assertThrows<NotADatabaseException> { Queue.openBlocking(text.toString()) }
        val missing = directory.resolve("missing").toString()
        assertThrows<CannotOpenException> { Queue.openBlocking(missing, OpenOptions(mustExist = true)) }
    }

    @Test
    fun `a panic is an internal error and the process lives`() = test { queue ->
        val error = assertThrows<InternalException> { native { testPanic() } }
        assertEquals("internal", error.code)
        assertTrue(error.detail.contains("a test asked for it"), error.detail)
        queue.publish("orders", "alive")
    }

    // --- waiting --------------------------------------------------------------------------------------

    @Test
    fun `a wait that elapses answers with nothing`() = test { queue ->
        val start = TimeSource.Monotonic.markNow()
        assertEquals(emptyList<Delivery>(), queue.claim("orders", "email", wait = 150.milliseconds))
        assertTrue(start.elapsedNow() >= 150.milliseconds)
    }

    @Test
    fun `a message wakes whoever waits`() = test { queue ->
        val waiting = kotlinx.coroutines.coroutineScope {
            val waiting = async { queue.claim("orders", "email", wait = 1.minutes) }
            untilWaiting(queue, 1)
            queue.publish("orders", "a")
            waiting.await()
        }
        assertEquals("a", waiting.single().text())
    }

    @Test
    fun `after a cancelled wait the message is at once somebody else's`() = test { queue ->
        kotlinx.coroutines.coroutineScope {
            val waiting = launch { queue.claim("orders", "email", wait = 1.minutes) }
            untilWaiting(queue, 1)
            waiting.cancel()
            waiting.join()
        }
        queue.publish("orders", "a")
        val claimed = queue.claim("orders", "email", wait = 10.seconds).single()
        assertEquals(1L, claimed.attempt)
    }

    @Test
    fun `cancellation that races delivery loses nothing`() = test { queue ->
        var delivered = 0
        repeat(1_000) { round ->
            kotlinx.coroutines.coroutineScope {
                val got = mutableListOf<Delivery>()
                val waiting = launch(start = CoroutineStart.UNDISPATCHED) {
                    got += queue.claim("orders", "email", wait = 1.minutes)
                }
                val publishing = async { queue.publish("orders", "$round") }
                if (round % 3 == 0) publishing.await()
                if (round % 3 == 1) delay((round % 10 * 20).microseconds)
                waiting.cancel()
                waiting.join()
                publishing.await()
                delivered += got.size
                val claimed = got.ifEmpty { queue.claim("orders", "email", wait = 10.seconds) }
                assertEquals("$round", claimed.single().text())
                claimed.single().ack()
            }
        }
        assertNotEquals(1_000, delivered)
    }

    @Test
    fun `five hundred waiting claims hold no threads`() = test { queue ->
        val before = threads()
        kotlinx.coroutines.coroutineScope {
            val waiting = List(500) { async { queue.claim("orders", "email", limit = 1, wait = 1.minutes) } }
            untilWaiting(queue, 500)
            assertTrue(threads() - before < 32, "${threads()} threads, $before before")
            queue.publishBatch("orders", List(500) { Message("$it") })
            assertEquals(500, waiting.awaitAll().flatten().map { it.text() }.toSet().size)
        }
    }

    @Test
    fun `without a dispatcher nothing goes on on the thread of the engine`() {
        runBlocking(Dispatchers.Unconfined) {
            Queue.open(":memory:").use { queue ->
                queue.createTopic("orders", "email")
                queue.publish("orders", "a")
                queue.claim("orders", "email", wait = 1.seconds).single().ack()
                val thread = Thread.currentThread().name
                assertTrue(thread.startsWith("DefaultDispatcher"), thread)
            }
        }
    }

    private fun threads() = Thread.getAllStackTraces().size

    private suspend fun untilWaiting(queue: Queue, count: Long) = withTimeout(30.seconds) {
        while (queue.engineStats().waitingClaims < count) delay(2.milliseconds)
    }

    // --- the end --------------------------------------------------------------------------------------

    @Test
    fun `shutdown ends five hundred that wait`() = test { queue ->
        kotlinx.coroutines.supervisorScope {
            val waiting = List(500) { async { runCatching { queue.claim("orders", "email", wait = 1.minutes) } } }
            untilWaiting(queue, 500)
            queue.shutdown()
            val ends = waiting.awaitAll().map { it.exceptionOrNull() }
            assertTrue(ends.all { it is ShutdownException }, "${ends.map { it?.javaClass }.toSet()}")
        }
    }

    @Test
    fun `a queue that was shut down says so, and may be shut down again`() = test { queue ->
        queue.publish("orders", "a")
        queue.shutdown()
        queue.shutdown()
        queue.close()
        assertThrows<ShutdownException> { queue.publish("orders", "b") }
        assertThrows<ShutdownException> { queue.claim("orders", "email") }
        assertThrows<ShutdownException> { queue.topics() }
        assertThrows<ShutdownException> { queue.engineStats() }
    }

    // --- consuming ------------------------------------------------------------------------------------

    @Test
    fun `a flow gives back what its collector does not get to`() = test { queue ->
        queue.publishBatch("orders", listOf("a", "b", "c").map { Message(it) })
        val first = queue.consume("orders", "email", limit = 3).take(1).toList().single()
        assertEquals("a", first.text())
        first.ack()
        val rest = queue.claim("orders", "email", limit = 3, wait = 10.seconds)
        assertEquals(listOf("b" to 1L, "c" to 1L), rest.map { it.text() to it.attempt })
    }

    @Test
    fun `batches answer for each item`() = test { queue ->
        queue.publishBatch("orders", List(3) { Message("$it") })
        val receipts = queue.claim("orders", "email").map { it.receipt }
        queue.defer(receipts[0])
        assertEquals(1L, queue.claim("orders", "email").single().attempt)
        assertEquals(listOf("lease_lost", null), queue.ackBatch(receipts.take(2)).map { it?.code })
        val extended = queue.extendBatch(receipts, 1.minutes)
        assertEquals(listOf(true, true, false), extended.map { it is Outcome.Refused })
        val nacked = queue.nackBatch(receipts.map { Nack(it, "broken", giveUp = true) })
        assertEquals(Nacked(DeliveryState.DEAD_LETTERED, null), nacked[2].getOrThrow())
        assertThrows<LeaseLostException> { nacked[0].getOrThrow() }
        assertEquals("broken", queue.deadLetters("orders", "email").items.single().error)
    }

    @Test
    fun `a transaction is all or nothing`() = test { queue ->
        queue.transaction { transaction ->
            transaction.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT, raw BLOB, price REAL)")
            transaction.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", 42, "tea", byteArrayOf(1), 2.5)
            transaction.publish("orders", Message("order 42"))
        }
        val refused = runCatching {
            queue.transaction { transaction ->
                transaction.publish("orders", Message("never"))
                error("changed my mind")
            }
        }
        assertEquals("changed my mind", refused.exceptionOrNull()?.message)
        assertEquals(listOf("order 42"), queue.claim("orders", "email").map { it.text() })
        queue.transaction { transaction ->
            val row = transaction.query("SELECT id, item, raw, price, NULL AS absent FROM orders").single()
            assertEquals(listOf<Any?>(42L, "tea", 2.5, null), listOf(row["id"], row["item"], row["price"], row["absent"]))
            assertArrayEquals(byteArrayOf(1), row["raw"] as ByteArray)
            assertThrows<SqlFailedException> { transaction.execute("NONSENSE") }
        }
    }

    @Test
    fun `a cancelled transaction is rolled back at once`() = test { queue ->
        val ended = withTimeoutOrNull(50.milliseconds) {
            queue.transaction(deadline = 1.minutes) { transaction ->
                transaction.publish("orders", Message("never"))
                delay(1.minutes)
            }
        }
        assertEquals(null, ended)
        queue.publish("orders", "after")
        assertEquals(listOf("after"), queue.claim("orders", "email").map { it.text() })
    }

    @Test
    fun `a backup tells how far it is and can be opened`() = runBlocking(Dispatchers.Default) {
        val copy = directory.resolve("copy.db")
        Queue.open(directory.resolve("queue.db")).use { queue ->
            queue.createTopic("orders", "email")
            queue.publish("orders", "a")
            val told = mutableListOf<BackupProgress>()
            queue.backup(copy) { told += it }
            assertEquals(told.last().bytesTotal, told.last().bytesDone)
            assertThrows<CannotOpenException> { queue.backup(copy) }
        }
        Queue.open(copy).use { assertEquals("a", it.claim("orders", "email").single().text()) }
    }

    // --- what must not grow ---------------------------------------------------------------------------

    @Test
    fun `memory is flat over 200,000 round trips`() = test { queue ->
        suspend fun rounds(count: Int) = repeat(count) {
            queue.publishBatch("orders", List(1_000) { Message(ByteArray(64)) })
            val claimed = queue.claim("orders", "email", limit = 1_000)
            assertEquals(1_000, claimed.size)
            assertTrue(queue.ackBatch(claimed.map { it.receipt }).all { it == null })
        }
        // What leaks grows each time; what Java comes to use of its heap grows once.
        val grown = List(4) {
            val before = memory()
            rounds(200)
            memory() - before
        }
        assertTrue(grown.min() < 16 shl 20, "grew by ${grown.map { it shr 10 }} KiB")
    }

    /** What the process has in memory, without the heap of Java: that grows as it likes. */
    private fun memory(): Long {
        System.gc()
        val resident = Path.of("/proc/self/smaps_rollup").readText().lines()
            .first { it.startsWith("Private_Dirty:") }.filter(Char::isDigit).toLong() shl 10
        return resident - Runtime.getRuntime().totalMemory()
    }
}
