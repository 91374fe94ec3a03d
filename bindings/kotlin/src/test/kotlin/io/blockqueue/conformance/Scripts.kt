package io.blockqueue.conformance

import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** The repository that the scripts and the golden files are in. */
val REPOSITORY: Path = Path.of(System.getProperty("blockqueue.repository", "../.."))

/** A few steps that prove one rule, as `tests/conformance/README.md` has them. */
class Script(val name: String, val rule: String, val needs: Set<String>, val steps: List<JsonObject>)

/** Every script there is. */
fun scripts(): List<Script> = REPOSITORY.resolve("tests/conformance").listDirectoryEntries("*.json").sorted()
    .flatMap { Json.parseToJsonElement(it.readText()).jsonArray }
    .map { it.jsonObject }
    .map { script ->
        Script(
            script.getValue("name").jsonPrimitive.content,
            script.getValue("rule").jsonPrimitive.content,
            script["needs"]?.jsonArray.orEmpty().map { it.jsonPrimitive.content }.toSet(),
            script.getValue("steps").jsonArray.map { it.jsonObject },
        )
    }

/** Replaces references to saved answers, and repetitions. */
fun resolve(value: JsonElement, saved: Map<String, JsonElement>): JsonElement = when (value) {
    is JsonPrimitive -> if (value.isString && value.content.startsWith("$")) find(value.content, saved) else value
    is JsonArray -> JsonArray(value.map { resolve(it, saved) })
    is JsonObject -> {
        val repeated = value["\$repeat"]?.let { resolve(it, saved) }
        if (repeated == null) {
            JsonObject(value.mapValues { resolve(it.value, saved) })
        } else {
            repeat(repeated, value.getValue("times").jsonPrimitive.int)
        }
    }
}

private fun repeat(value: JsonElement, times: Int): JsonElement = when (value) {
    is JsonArray -> JsonArray(List(times) { value }.flatten())
    else -> JsonPrimitive(value.jsonPrimitive.content.repeat(times))
}

private fun find(reference: String, saved: Map<String, JsonElement>): JsonElement {
    val path = reference.drop(1).split(".")
    return path.drop(1).fold(saved.getValue(path.first())) { found, part ->
        if (found is JsonArray) found[part.toInt()] else found.jsonObject.getValue(part)
    }
}

/** Where an answer first differs from what was expected, in words. */
fun difference(expected: JsonElement, found: JsonElement?, path: String = "the answer"): String? {
    if (expected is JsonObject) {
        val (rule, argument) = expected.entries.singleOrNull()?.takeIf { it.key.startsWith("$") }?.toPair()
            ?: return members(expected, found, path)
        return if (holds(rule, argument, found)) null else "$path: not $expected: $found"
    }
    if (expected is JsonArray && found is JsonArray) {
        if (expected.size != found.size) return "$path: ${found.size} items, expected ${expected.size}: $found"
        return expected.indices.firstNotNullOfOrNull { difference(expected[it], found[it], "$path.$it") }
    }
    return if (same(expected, found ?: JsonNull)) null else "$path: expected $expected, found $found"
}

private fun members(expected: JsonObject, found: JsonElement?, path: String): String? {
    if (found !is JsonObject) return "$path: not an object: $found"
    return expected.entries.firstNotNullOfOrNull { (name, member) -> difference(member, found[name], "$path.$name") }
}

private fun same(expected: JsonElement, found: JsonElement): Boolean {
    if (expected !is JsonPrimitive || found !is JsonPrimitive) return expected == found
    if (expected.isString != found.isString) return false
    val numbers = expected.doubleOrNull to found.doubleOrNull
    return if (expected.isString || numbers.first == null) expected == found else numbers.first == numbers.second
}

private fun holds(rule: String, argument: JsonElement, found: JsonElement?): Boolean = when (rule) {
    "\$length" -> ((found as? JsonArray)?.size ?: (found as? JsonObject)?.size) == argument.jsonPrimitive.int
    "\$between" -> {
        val (low, high) = argument.jsonArray.map { it.jsonPrimitive.doubleOrNull ?: Double.NaN }
        (found as? JsonPrimitive)?.doubleOrNull?.let { it in low..high } ?: false
    }
    "\$not" -> difference(argument, found) != null
    "\$unordered" -> found is JsonArray && unordered(argument.jsonArray, found)
    else -> error("no rule $rule")
}

private fun unordered(expected: JsonArray, found: JsonArray): Boolean {
    val rest = found.toMutableList()
    val each = expected.all { item ->
        val place = rest.indexOfFirst { difference(item, it) == null }
        (place >= 0).also { if (it) rest.removeAt(place) }
    }
    return each && rest.isEmpty()
}

/** Whether a step says so. */
fun JsonObject.isTrue(name: String): Boolean = this[name]?.jsonPrimitive?.boolean ?: false
