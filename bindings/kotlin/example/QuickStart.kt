package example

import io.blockqueue.Message
import io.blockqueue.Queue
import kotlin.time.Duration.Companion.seconds

suspend fun main() {
    Queue.open("orders.db").use { queue ->
        queue.createTopic("orders", "email", "audit")
        queue.publishBatch("orders", listOf(Message("order 1"), Message("order 2")))

        val claimed = queue.claim("orders", "email", limit = 100, wait = 10.seconds)
        claimed.forEach { println("mail for ${it.text()}") }
        queue.ackBatch(claimed.map { it.receipt })
    }
}
