package io.blockqueue.conformance

import io.blockqueue.BlockQueueException
import io.blockqueue.Queue
import io.blockqueue.internal.TestClock
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.DynamicContainer
import org.junit.jupiter.api.DynamicNode
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

private val PATIENCE = 10.seconds
private val WORDS = setOf("do", "expect", "error", "index", "save", "eventually", "takes_ms", "start", "note")

/** A step did not answer as expected. */
private class Failed(text: String, cause: Throwable? = null) : AssertionError(text, cause)

/** An answer, or why there is none, and when it came after the beginning. */
private class Answered(val answer: Result<JsonElement>, val took: kotlin.time.Duration)

/** A queue of its own for each script, whose clock the script moves. */
private class Runner(private val directory: Path?) {
    private val clock = TestClock(START.toEpochMilli())
    private var nowMs = START.toEpochMilli()
    private var queue = open()
    private val saved = mutableMapOf<String, JsonElement>()
    private val started = mutableMapOf<String, Deferred<Answered>>()
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    private fun open() = Queue.openWithClock(directory?.resolve("queue.db")?.toString() ?: ":memory:", clock)

    suspend fun close() {
        queue.shutdown()
        scope.cancel()
    }

    suspend fun step(step: JsonObject) {
        step["join"]?.let { name ->
            val future = started.remove(name.jsonPrimitive.content) ?: error("nothing was started as $name")
            return check(step, withTimeout(PATIENCE) { future.await() })
        }
        val word = step.getValue("do").jsonPrimitive.content
        if (word == "advance" || word == "set_clock") return move(word, step)
        val given = Given(resolve(JsonObject(step.filterKeys { it !in WORDS }), saved) as JsonObject)
        step["start"]?.let { name ->
            started[name.jsonPrimitive.content] = scope.async { answer(word, given) }
            return
        }
        val since = TimeSource.Monotonic.markNow()
        repeatUntil(step, since) { check(step, answer(word, given)) }
    }

    private fun move(word: String, step: JsonObject) {
        nowMs = if (word == "advance") {
            nowMs + step.getValue("ms").jsonPrimitive.long
        } else {
            START.toEpochMilli() + step.getValue("at").jsonPrimitive.long
        }
        clock.set(nowMs)
    }

    private suspend fun repeatUntil(step: JsonObject, since: TimeMark, attempt: suspend () -> Unit) {
        var pause = 5.milliseconds
        while (true) {
            try {
                return attempt()
            } catch (failed: Failed) {
                if (!step.isTrue("eventually") || since.elapsedNow() > PATIENCE) throw failed
            }
            delay(pause)
            pause = minOf(pause * 2, 640.milliseconds)
        }
    }

    private suspend fun answer(word: String, given: Given): Answered {
        val since = TimeSource.Monotonic.markNow()
        val answer = runCatching { perform(word, given) }
        return Answered(answer, since.elapsedNow())
    }

    private suspend fun perform(word: String, given: Given): JsonElement {
        if (word != "reopen") return perform(queue, word, given)
        queue.shutdown()
        queue = open()
        return toJson(Unit)
    }

    private fun check(step: JsonObject, answered: Answered) {
        val wanted = step["error"]?.jsonPrimitive?.content
        val found = answered.answer.getOrElse { error ->
            if (error !is BlockQueueException) throw error
            if (error.code != wanted) throw Failed("expected $wanted, found ${error.code}: ${error.detail}", error)
            val index = step["index"]?.jsonPrimitive?.int
            if (index != null && error.index != null && index != error.index) {
                throw Failed("expected item $index, found ${error.index}")
            }
            return
        }
        if (wanted != null) throw Failed("expected error $wanted, found $found")
        val takes = step["takes_ms"]?.jsonPrimitive?.long?.milliseconds
        if (takes != null && answered.took < takes) throw Failed("answered after ${answered.took}, expected $takes")
        step["expect"]?.let { expect -> difference(resolve(expect, saved), found)?.let { throw Failed(it) } }
        step["save"]?.let { saved[it.jsonPrimitive.content] = found }
    }
}

class ConformanceTest {
    @TestFactory
    fun `every script holds`(): List<DynamicNode> {
        val all = scripts()
        check(all.size > 100) { "only ${all.size} scripts" }
        return listOf("memory", "file").map { face ->
            DynamicContainer.dynamicContainer(face, all.map { DynamicTest.dynamicTest(it.name) { run(it, face) } })
        }
    }

    private fun run(script: Script, face: String) {
        val has = setOf("negative_durations", "zero_in_text") + if (face == "file") setOf("reopen") else emptySet()
        assumeTrue(has.containsAll(script.needs)) { "$face has no ${script.needs - has}" }
        val directory = if (face == "file") Files.createTempDirectory("blockqueue") else null
        runBlocking(Dispatchers.Default) {
            val runner = Runner(directory)
            try {
                script.steps.forEachIndexed { at, step ->
                    try {
                        runner.step(step)
                    } catch (failed: Failed) {
                        throw Failed("${script.rule}\nstep ${at + 1}: $step\n${failed.message}", failed)
                    }
                }
            } finally {
                runner.close()
                directory?.toFile()?.deleteRecursively()
            }
        }
    }
}
