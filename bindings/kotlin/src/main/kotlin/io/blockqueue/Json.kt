package io.blockqueue

import kotlinx.serialization.json.Json

/** A message of this value as JSON; [copy][Message.copy] says the rest. */
public inline fun <reified T> Message.Companion.json(value: T, json: Json = Json): Message =
    Message(json.encodeToString(value).toByteArray(), "application/json")

/** A reply of this value as JSON. */
public inline fun <reified T> Reply.Companion.json(value: T, json: Json = Json): Reply =
    Reply(json.encodeToString(value).toByteArray(), "application/json")

/** The payload, which is JSON, as a value. */
public inline fun <reified T> Delivery.json(json: Json = Json): T = json.decodeFromString(text())

/** The payload, which is JSON, as a value. */
public inline fun <reified T> ReplyView.json(json: Json = Json): T = json.decodeFromString(payload.decodeToString())

/** Publishes this value as JSON. It is durable when this returns. */
public suspend inline fun <reified T> Queue.publishJson(topic: String, value: T, json: Json = Json): Published =
    publish(topic, Message.json(value, json))
