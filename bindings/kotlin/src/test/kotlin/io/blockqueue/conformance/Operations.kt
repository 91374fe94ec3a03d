package io.blockqueue.conformance

import io.blockqueue.BacklogLimit
import io.blockqueue.BacklogPolicy
import io.blockqueue.Choice
import io.blockqueue.DeadLetters
import io.blockqueue.Deferral
import io.blockqueue.Message
import io.blockqueue.MisfirePolicy
import io.blockqueue.Nack
import io.blockqueue.NewSubscriber
import io.blockqueue.OnDead
import io.blockqueue.OnExpiry
import io.blockqueue.OverlapPolicy
import io.blockqueue.Queue
import io.blockqueue.RateLimit
import io.blockqueue.Reply
import io.blockqueue.Retention
import io.blockqueue.RetryPolicy
import io.blockqueue.ScheduleOptions
import io.blockqueue.SeekTo
import io.blockqueue.Source
import io.blockqueue.StartFrom
import io.blockqueue.SubscriberSettings
import io.blockqueue.TopicSettings
import java.time.Instant
import java.util.Base64
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

/** The arguments of an operation. */
class Given(private val members: JsonObject) {
    operator fun get(name: String): JsonElement? = members[name]

    fun text(name: String): String = members.getValue(name).jsonPrimitive.content

    fun maybeText(name: String): String? = members[name]?.jsonPrimitive?.content

    fun long(name: String): Long? = members[name]?.jsonPrimitive?.long

    fun int(name: String): Int? = members[name]?.jsonPrimitive?.int

    fun double(name: String): Double? = members[name]?.jsonPrimitive?.double

    fun boolean(name: String): Boolean? = members[name]?.jsonPrimitive?.boolean

    fun time(name: String): Duration? = long("${name}_ms")?.milliseconds

    fun at(name: String): Instant? = long(name)?.let { START.plusMillis(it) }

    fun texts(name: String): List<String> = members.getValue(name).jsonArray.map { it.jsonPrimitive.content }

    fun list(name: String): List<Given> = members[name]?.jsonArray.orEmpty().map { Given(it.jsonObject) }

    fun given(name: String): Given? = members[name]?.let { Given(it.jsonObject) }

    /** A setting that can be taken back with `"none"`. */
    fun <T> choice(name: String, some: (JsonElement) -> T): Choice<T>? = members[name]?.let {
        if (it is JsonPrimitive && it.isString && it.content == "none") Choice.None else Choice.Some(some(it))
    }
}

private val NOTHING = Given(JsonObject(emptyMap()))

private fun message(given: Given) = Message(
    bytes(given),
    given.maybeText("content_type"),
    given["headers"]?.jsonObject.orEmpty().mapValues { it.value.jsonPrimitive.content },
    given.maybeText("correlation_id"),
    given.int("priority") ?: 0,
    given.time("delay"),
    given.at("deliver_at"),
    given.maybeText("idempotency_key"),
    given.maybeText("ordering_key"),
    given.time("ttl"),
    given.maybeText("unique_key"),
)

private fun bytes(given: Given): ByteArray = given.maybeText("payload_base64")?.let { Base64.getDecoder().decode(it) }
    ?: given.maybeText("payload").orEmpty().toByteArray()

private fun retention(given: JsonElement): Retention {
    if (given is JsonPrimitive) return Retention.Nothing
    val of = Given(given.jsonObject)
    return of.time("duration")?.let { Retention.For(it) }
        ?: of.long("count")?.let { Retention.Count(it) }
        ?: Retention.Bytes(of.long("bytes") ?: 0)
}

private fun topicSettings(given: Given) = TopicSettings(
    given["retention"]?.let(::retention),
    given.given("backlog_limit")?.let { limit ->
        val policy = limit.maybeText("policy")?.let { BacklogPolicy.valueOf(it.uppercase()) } ?: BacklogPolicy.REFUSE
        BacklogLimit(limit.long("messages"), limit.long("bytes"), limit.time("age"), policy)
    },
    given.time("idempotency_window"),
    given.choice("ttl_ms") { it.jsonPrimitive.long.milliseconds },
)

private fun subscriberSettings(given: Given) = SubscriberSettings(
    given.long("max_attempts"),
    given.time("lease"),
    given.int("claim_limit"),
    given.given("retry")?.let {
        RetryPolicy(it.time("initial"), it.time("max"), it.double("multiplier"), it.double("jitter"))
    },
    given.boolean("ordered"),
    given.maybeText("on_dead")?.let { OnDead.valueOf(it.uppercase()) },
    given.choice("filter") { it.toString() },
    given.maybeText("on_expiry")?.let { OnExpiry.valueOf(it.uppercase()) },
    given.choice("leased_max") { it.jsonPrimitive.long },
    given.choice("rate") {
        val rate = Given(it.jsonObject)
        RateLimit(rate.long("count") ?: 0, rate.time("interval") ?: Duration.ZERO)
    },
    given.choice("leased_per_key_max") { it.jsonPrimitive.long },
)

private fun newSubscriber(given: Given): NewSubscriber {
    val start = when (val from = given["start"]) {
        null -> StartFrom.Now
        is JsonObject -> StartFrom.Time(START.plusMillis(from.getValue("at").jsonPrimitive.long))
        else -> if (from.jsonPrimitive.content == "earliest") StartFrom.Earliest else StartFrom.Now
    }
    return NewSubscriber(given.text("name"), subscriberSettings(given.given("options") ?: NOTHING), start)
}

private fun place(to: JsonElement): SeekTo {
    if (to is JsonPrimitive) return if (to.content == "earliest") SeekTo.Earliest else SeekTo.Latest
    val given = Given(to.jsonObject)
    return given.at("at")?.let { SeekTo.Time(it) }
        ?: given.maybeText("message_id")?.let { SeekTo.Message(it) }
        ?: given.given("sequence").let { SeekTo.Sequence(it?.int("priority") ?: 0, it?.long("sequence") ?: 0) }
}

private fun which(given: JsonElement): DeadLetters {
    if (given is JsonPrimitive) return DeadLetters.All
    val of = Given(given.jsonObject)
    return of.long("oldest")?.let { DeadLetters.Oldest(it) } ?: DeadLetters.Ids(of.texts("ids"))
}

private fun scheduleOptions(given: Given) = ScheduleOptions(
    given.text("cron"),
    message(given.given("message") ?: NOTHING),
    given.maybeText("timezone"),
    given["misfire"]?.let {
        when {
            it is JsonObject -> MisfirePolicy.All(it.getValue("all").jsonPrimitive.long)
            it.jsonPrimitive.content == "skip" -> MisfirePolicy.Skip
            else -> MisfirePolicy.Once
        }
    },
    given.maybeText("overlap")?.let { OverlapPolicy.valueOf(it.uppercase()) },
    given.at("start_at"),
    given.at("end_at"),
    given.time("jitter"),
    given.time("grace"),
)

private fun nack(given: Given) =
    Nack(given.text("receipt"), given.maybeText("error_text"), given.time("delay"), given.boolean("give_up") ?: false)

/** Calls the method that the word means, and says its answer in the words of the scripts. */
suspend fun perform(queue: Queue, word: String, given: Given): JsonElement {
    val answer = call(queue, word, given)
    val name = when (word) {
        "extend", "extend_batch" -> "lease_expires_at"
        "defer", "defer_batch" -> "ready_at"
        "redrive", "purge_dead_letters" -> "count"
        else -> null
    }
    return if (answer is List<*>) toJson(answer.map { named(name, it) }) else named(name, answer)
}

private fun named(name: String?, answer: Any?): JsonElement {
    val found = toJson(answer ?: Unit)
    return if (name != null && found is JsonPrimitive) JsonObject(mapOf(name to found)) else found
}

private suspend fun call(queue: Queue, word: String, given: Given): Any? = when (word) {
    "shutdown" -> queue.shutdown()
    in TOPOLOGY -> topology(queue, word, given)
    in CONSUMING -> consuming(queue, word, given)
    else -> others(queue, word, given)
}

private val TOPOLOGY = setOf(
    "create_topic", "topic", "topics", "update_topic", "delete_topic", "pause_topic", "resume_topic",
    "create_subscribers", "subscriber", "subscribers", "update_subscriber", "delete_subscriber", "pause_subscriber",
    "resume_subscriber", "seek",
)

private suspend fun topology(queue: Queue, word: String, given: Given): Any? {
    val (topic, subscriber) = given.maybeText("topic").orEmpty() to given.maybeText("subscriber").orEmpty()
    val options = given.given("options") ?: NOTHING
    return when (word) {
        "create_topic" ->
            queue.createTopic(topic, topicSettings(options), given.list("subscribers").map(::newSubscriber))
        "topic" -> queue.topic(topic)
        "topics" -> queue.topics(given.int("limit"), given.maybeText("after"))
        "update_topic" -> queue.updateTopic(topic, topicSettings(options))
        "delete_topic" -> queue.deleteTopic(topic)
        "pause_topic" -> queue.pauseTopic(topic)
        "resume_topic" -> queue.resumeTopic(topic)
        "create_subscribers" -> queue.createSubscribers(topic, given.list("subscribers").map(::newSubscriber))
        "subscriber" -> queue.subscriber(topic, subscriber)
        "subscribers" -> queue.subscribers(topic, given.int("limit"), given.maybeText("after"))
        "update_subscriber" -> queue.updateSubscriber(topic, subscriber, subscriberSettings(options))
        "delete_subscriber" -> queue.deleteSubscriber(topic, subscriber)
        "pause_subscriber" -> queue.pauseSubscriber(topic, subscriber)
        "resume_subscriber" -> queue.resumeSubscriber(topic, subscriber)
        else -> queue.seek(topic, subscriber, place(given["to"]!!), given.boolean("dry_run") ?: false)
    }
}

private val CONSUMING = setOf(
    "claim", "claim_any", "ack", "ack_batch", "nack", "nack_batch", "extend", "extend_batch", "defer", "defer_batch",
    "cancel", "cancel_batch",
)

private suspend fun consuming(queue: Queue, word: String, given: Given): Any? {
    val wait = given.time("wait") ?: Duration.ZERO
    val receipt = given.maybeText("receipt").orEmpty()
    return when (word) {
        "claim" ->
            queue.claim(given.text("topic"), given.text("subscriber"), given.int("limit"), wait, given.time("lease"))
        "claim_any" -> {
            val sources = given.list("sources").map { Source(it.text("topic"), it.text("subscriber")) }
            queue.claimAny(sources, given.int("limit"), wait, given.time("lease"))
        }
        "ack" -> when (val reply = given.given("result")) {
            null -> queue.ack(receipt)
            else -> queue.ackWithResult(receipt, Reply(bytes(reply), reply.maybeText("content_type"), reply.time("ttl")))
        }
        "ack_batch" -> queue.ackBatch(given.texts("receipts"))
        "nack" -> nack(given).let { queue.nack(it.receipt, it.error, it.delay, it.giveUp) }
        "nack_batch" -> queue.nackBatch(given.list("items").map(::nack))
        "extend" -> queue.extend(receipt, given.time("lease")!!)
        "extend_batch" -> queue.extendBatch(given.texts("receipts"), given.time("lease")!!)
        "defer" -> queue.defer(receipt, given.time("delay")!!)
        "defer_batch" -> queue.deferBatch(given.list("items").map { Deferral(it.text("receipt"), it.time("delay")!!) })
        "cancel" -> queue.cancel(receipt, given.maybeText("reason"))
        else -> queue.cancelBatch(given.texts("receipts"), given.maybeText("reason"))
    }
}

private suspend fun others(queue: Queue, word: String, given: Given): Any? {
    val (topic, subscriber) = given.text("topic") to given.maybeText("subscriber").orEmpty()
    val (id, schedule) = given.maybeText("message_id").orEmpty() to given.maybeText("schedule").orEmpty()
    val (limit, after) = given.int("limit") to given.maybeText("after")
    val dryRun = given.boolean("dry_run") ?: false
    val filter = given["filter"]?.toString()
    return when (word) {
        "publish" -> queue.publish(topic, message(given.given("message")!!))
        "publish_batch" -> queue.publishBatch(topic, given.list("messages").map(::message))
        "result" -> queue.result(topic, subscriber, id, given.time("wait") ?: Duration.ZERO)
        "cancel_delivery" -> queue.cancelDelivery(topic, subscriber, id, given.maybeText("reason"))
        "cancel_message" -> queue.cancelMessage(topic, id)
        "dead_letters" -> queue.deadLetters(topic, subscriber, limit, after)
        "redrive" -> {
            val (to, rate) = given.maybeText("to") to given.double("rate")
            queue.redrive(topic, subscriber, which(given["which"]!!), filter, to, rate, dryRun)
        }
        "purge_dead_letters" -> queue.purgeDeadLetters(topic, subscriber, which(given["which"]!!), filter, dryRun)
        "failures" -> queue.failures(topic, subscriber, id, limit, after)
        "topic_stats" -> queue.topicStats(topic)
        "subscriber_stats" -> queue.subscriberStats(topic, subscriber)
        "peek" -> queue.peek(topic, subscriber, limit, after)
        "message" -> queue.message(topic, id)
        "create_schedule" -> queue.createSchedule(topic, schedule, scheduleOptions(given.given("options")!!))
        "schedule" -> queue.schedule(topic, schedule)
        "schedules" -> queue.schedules(topic, limit, after)
        "update_schedule" -> {
            val options = scheduleOptions(given.given("options")!!)
            queue.updateSchedule(topic, schedule, given.long("version")!!, options)
        }
        "delete_schedule" -> queue.deleteSchedule(topic, schedule)
        "pause_schedule" -> queue.pauseSchedule(topic, schedule)
        "resume_schedule" -> queue.resumeSchedule(topic, schedule)
        "run_schedule_now" -> queue.runScheduleNow(topic, schedule)
        "schedule_runs" -> queue.scheduleRuns(topic, schedule, limit, after)
        else -> error("no operation $word")
    }
}
