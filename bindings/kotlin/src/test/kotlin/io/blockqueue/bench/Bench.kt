package io.blockqueue.bench

import io.blockqueue.Message
import io.blockqueue.Queue
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.DurationUnit
import kotlin.time.TimeSource
import kotlinx.coroutines.runBlocking

private const val BATCH = 100
private const val BATCHES = 200
private const val ROUNDS = 5
private const val CALLS = 2_000

/** Messages a second: published, and claimed and acked. */
private typealias Speeds = List<Double>

/**
 * Batches of 100 messages of 1 KiB, one caller, durable, against the same in Rust, in turn with it; then what single
 * calls cost. The argument is the program in Rust.
 */
fun main(arguments: Array<String>): Unit = runBlocking {
    repeat(ROUNDS) { batches() } // Until the machine has compiled it.
    val pairs = List(ROUNDS) { rust(arguments.single()) to batches() }
    println("| batches of 100 × 1 KiB | Rust, messages/s | Kotlin, messages/s | ratio |\n|---|---|---|---|")
    listOf("publish", "claim + ack").forEachIndexed { case, name ->
        val (rust, kotlin) = pairs.map { it.first[case] }.median() to pairs.map { it.second[case] }.median()
        println("| $name | %,.0f | %,.0f | %.2f |".format(rust, kotlin, pairs.map { it.second[case] / it.first[case] }.median()))
    }
    println("\n| one call | µs |\n|---|---|")
    calls().forEach { (name, took) -> println("| $name | %.1f |".format(took.toDouble(DurationUnit.MICROSECONDS))) }
}

private fun List<Double>.median() = sorted()[size / 2]

private fun rust(program: String): Speeds = inFolder { file ->
    val run = ProcessBuilder(program, file.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    run.inputStream.reader().readText().trim().split(" ").map { it.toDouble() }
}

private suspend fun batches(): Speeds = inFolder { file ->
    Queue.open(file).use { queue ->
        queue.createTopic("t", "s")
        val publish = timed(BATCHES) { queue.publishBatch("t", List(BATCH) { Message(ByteArray(1024)) }) }
        val consume = timed(BATCHES) { queue.ackBatch(queue.claim("t", "s", limit = BATCH).map { it.receipt }) }
        listOf(publish, consume).map { BATCH / it.toDouble(DurationUnit.SECONDS) }
    }
}

/** In memory: what is left is the cost of the call. */
private suspend fun calls(): List<Pair<String, Duration>> = Queue.open(":memory:").use { queue ->
    queue.createTopic("t", "s")
    val (message, kib) = Message(ByteArray(0)) to Message(ByteArray(1024))
    repeat(2) { timed(CALLS) { queue.publish("t", kib) } }
    listOf(
        "look up a topic" to timed(CALLS) { queue.topic("t") },
        "publish nothing, in memory" to timed(CALLS) { queue.publish("t", message) },
        "publish 1 KiB, in memory" to timed(CALLS) { queue.publish("t", kib) },
        "claim and ack one, in memory" to timed(CALLS) { queue.ack(queue.claim("t", "s", limit = 1).single().receipt) },
    )
}

private inline fun timed(times: Int, call: () -> Unit): Duration {
    val start = TimeSource.Monotonic.markNow()
    repeat(times) { call() }
    return start.elapsedNow() / times
}

private inline fun <T> inFolder(body: (Path) -> T): T {
    val folder = Files.createTempDirectory("blockqueue-bench")
    try {
        return body(folder.resolve("queue.db"))
    } finally {
        folder.toFile().deleteRecursively()
    }
}
