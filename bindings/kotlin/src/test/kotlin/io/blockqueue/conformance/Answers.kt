package io.blockqueue.conformance

import io.blockqueue.BlockQueueException
import io.blockqueue.Choice
import io.blockqueue.DeliveryResult
import io.blockqueue.MisfirePolicy
import io.blockqueue.Outcome
import io.blockqueue.Retention
import io.blockqueue.SubscriberOptions
import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException
import java.time.Instant
import java.util.Base64
import kotlin.reflect.KVisibility
import kotlin.reflect.full.memberProperties
import kotlin.time.Duration
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** When every script begins. */
val START: Instant = Instant.parse("2026-01-01T00:00:00Z")

/** An answer of the package in the words of the scripts. */
fun toJson(value: Any?): JsonElement = when (value) {
    null -> JsonNull
    is JsonElement -> value
    is Unit -> JsonObject(emptyMap())
    is String -> JsonPrimitive(value)
    is Boolean -> JsonPrimitive(value)
    is Number -> JsonPrimitive(value)
    is Instant -> JsonPrimitive(value.toEpochMilli() - START.toEpochMilli())
    is Enum<*> -> JsonPrimitive(value.name.lowercase())
    is List<*> -> JsonArray(value.map(::toJson))
    is Map<*, *> -> JsonObject(value.entries.associate { (name, member) -> name.toString() to toJson(member) })
    is BlockQueueException -> JsonObject(mapOf("error" to JsonPrimitive(value.code)))
    is Outcome.Done<*> -> toJson(value.value)
    is Outcome.Refused -> toJson(value.error)
    is Retention.Nothing -> JsonPrimitive("none")
    is Retention.Count -> JsonObject(mapOf("count" to JsonPrimitive(value.messages)))
    is MisfirePolicy.Skip -> JsonPrimitive("skip")
    is MisfirePolicy.Once -> JsonPrimitive("once")
    is MisfirePolicy.All -> JsonObject(mapOf("all" to JsonPrimitive(value.limit)))
    is DeliveryResult -> result(value)
    is SubscriberOptions -> JsonObject(members(value) + ("filter" to filter(value.filter)))
    else -> JsonObject(members(value))
}

private fun result(result: DeliveryResult): JsonObject {
    val (state, reply) = when (result) {
        is DeliveryResult.Replied -> "replied" to members(result.reply)
        is DeliveryResult.Settled -> "settled" to emptyMap()
        is DeliveryResult.DeadLettered -> "dead_lettered" to emptyMap()
        is DeliveryResult.Unsettled -> "unsettled" to emptyMap()
    }
    return JsonObject(reply + ("state" to JsonPrimitive(state)))
}

private fun filter(filter: String?) = filter?.let { Json.parseToJsonElement(it) } ?: JsonNull

private fun members(value: Any): Map<String, JsonElement> = value::class.memberProperties
    .filter { it.visibility == KVisibility.PUBLIC }
    .flatMap { property -> member(snake(property.name), property.getter.call(value)) }
    .toMap()

private fun member(name: String, value: Any?): List<Pair<String, JsonElement>> = when (value) {
    is Duration -> listOf("${name}_ms" to JsonPrimitive(value.inWholeMilliseconds))
    is ByteArray -> payload(name, value)
    is Instant -> listOf((if (name == "start" || name == "end") "${name}_at" else name) to toJson(value))
    is Choice<*> -> error("no answer has one")
    else -> listOf(name to toJson(value))
}

private fun payload(name: String, bytes: ByteArray): List<Pair<String, JsonElement>> {
    val encoded = "${name}_base64" to JsonPrimitive(Base64.getEncoder().encodeToString(bytes))
    val text = try {
        Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString()
    } catch (_: CharacterCodingException) {
        return listOf(encoded)
    }
    return listOf(encoded, name to JsonPrimitive(text))
}

private fun snake(name: String) = name.replace(Regex("[A-Z]")) { "_" + it.value.lowercase() }
