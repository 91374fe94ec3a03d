package example

import io.blockqueue.DeliveryResult
import io.blockqueue.Message
import io.blockqueue.Queue
import io.blockqueue.Reply
import io.blockqueue.TopicExistsException
import io.blockqueue.worker
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationStopPreparing
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.request.header
import io.ktor.server.request.receiveText
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking

/**
 * A service that takes orders over HTTP and works on them in the same process: an order that was accepted is on disk,
 * and is worked on after a crash, too.
 */
fun Application.orders(queue: Queue) {
    val worker = queue.worker(this, "orders", "email", concurrency = 8) { delivery ->
        delivery.ackWithResult(Reply("mail sent for ${delivery.text()}"))
    }
    monitor.subscribe(ApplicationStopPreparing) { runBlocking { worker.drain() } }
    routing {
        post("/orders") {
            val order = Message(call.receiveText()).copy(idempotencyKey = call.request.header("Idempotency-Key"))
            call.respondText(queue.publish("orders", order).id, status = HttpStatusCode.Accepted)
        }
        get("/orders/{id}") {
            when (val result = queue.result("orders", "email", call.parameters["id"].orEmpty(), wait = 10.seconds)) {
                is DeliveryResult.Replied -> call.respondText(result.reply.text())
                else -> call.respondText("not yet", status = HttpStatusCode.Accepted)
            }
        }
    }
}

/** Listens on port 8080 of this machine; the queue is in the file that is named, or `orders.db`. */
suspend fun main(arguments: Array<String>) {
    Queue.open(arguments.firstOrNull() ?: "orders.db").use { queue ->
        try {
            queue.createTopic("orders", "email")
        } catch (_: TopicExistsException) {
            // From an earlier run.
        }
        embeddedServer(Netty, host = "127.0.0.1", port = 8080) { orders(queue) }.start(wait = true)
    }
}
