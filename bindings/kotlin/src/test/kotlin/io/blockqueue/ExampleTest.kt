package io.blockqueue

import example.orders
import io.blockqueue.conformance.REPOSITORY
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Path
import kotlin.io.path.readText
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What the README shows, and the example. */
class ExampleTest {
    @Test
    fun `the quick start is that of the README and runs as it is written`(@TempDir directory: Path) {
        val folder = REPOSITORY.resolve("bindings/kotlin")
        val code = folder.resolve("example/QuickStart.kt").readText().removePrefix("package example\n\n")
        assertTrue(folder.resolve("README.md").readText().contains("```kotlin\n$code```"))
        assertTrue(code.trim().lines().size < 20)
        val classes = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val program = ProcessBuilder(java, "-cp", classes, "example.QuickStartKt")
            .directory(directory.toFile()).redirectErrorStream(true).start()
        val output = program.inputStream.reader().readText()
        assertEquals(0, program.waitFor(), output)
        assertEquals("mail for order 1\nmail for order 2\n", output)
    }

    @Test
    fun `the service takes orders and answers what came of them`() = runBlocking(Dispatchers.Default) {
        Queue.open(":memory:").use { queue ->
            queue.createTopic("orders", "email")
            val server = embeddedServer(Netty, host = "127.0.0.1", port = 0) { orders(queue) }.start()
            try {
                val port = server.engine.resolvedConnectors().single().port
                val http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
                val order = HttpRequest.newBuilder(URI("http://127.0.0.1:$port/orders"))
                    .header("Idempotency-Key", "42").POST(HttpRequest.BodyPublishers.ofString("tea")).build()
                val accepted = List(2) { http.send(order, BodyHandlers.ofString()) }
                assertEquals(listOf(202, 202), accepted.map { it.statusCode() })
                assertEquals(1, accepted.map { it.body() }.toSet().size)
                val look = HttpRequest.newBuilder(URI("http://127.0.0.1:$port/orders/${accepted.first().body()}")).build()
                assertEquals("mail sent for tea", http.send(look, BodyHandlers.ofString()).body())
            } finally {
                server.stop()
            }
        }
    }
}
