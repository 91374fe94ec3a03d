// One call of this package for each operation of the scripts.

import BlockQueue
import Foundation

/// The arguments of an operation.
struct Given: @unchecked Sendable {
    // Values of JSON, which nobody changes.
    let members: [String: Any]

    func text(_ name: String) -> String { members[name] as? String ?? "" }
    func textIf(_ name: String) -> String? { members[name] as? String }
    func int(_ name: String) -> Int? { number(members[name]).map { Int($0) } }
    func flag(_ name: String) -> Bool { members[name] as? Bool ?? false }
    func flagIf(_ name: String) -> Bool? { members[name] as? Bool }
    func double(_ name: String) -> Double? { number(members[name]) }
    func list(_ name: String) -> [Given] { (members[name] as? [[String: Any]] ?? []).map { Given(members: $0) } }
    func texts(_ name: String) -> [String] { members[name] as? [String] ?? [] }
    func object(_ name: String) -> Given? { (members[name] as? [String: Any]).map { Given(members: $0) } }
    func has(_ name: String) -> Bool { members[name] != nil }

    func duration(_ name: String) -> Duration? { number(members[name]).map { .milliseconds($0) } }
    func date(_ name: String) -> Date? { number(members[name]).map { start.addingTimeInterval($0 / 1_000) } }
}

func perform(_ word: String, on queue: Queue, _ given: Given) async throws -> Any {
    let (topic, subscriber) = (given.text("topic"), given.text("subscriber"))
    let (schedule, id, receipt) = (given.text("schedule"), given.text("message_id"), given.text("receipt"))
    let (limit, after) = (given.int("limit"), given.textIf("after"))
    switch word {
    case "create_topic":
        return try await queue.createTopic(
            topic, settings: topicSettings(given.object("options")),
            subscribers: given.list("subscribers").map(newSubscriber)
        )
    case "topic": return try await queue.topic(topic)
    case "topics": return try await queue.topics(limit: limit, after: after)
    case "update_topic": return try await queue.updateTopic(topic, settings: topicSettings(given.object("options")))
    case "delete_topic": return try await queue.deleteTopic(topic)
    case "pause_topic": return try await queue.pauseTopic(topic)
    case "resume_topic": return try await queue.resumeTopic(topic)
    case "create_subscribers":
        return try await queue.createSubscribers(topic, given.list("subscribers").map(newSubscriber))
    case "subscriber": return try await queue.subscriber(topic, subscriber)
    case "subscribers": return try await queue.subscribers(topic, limit: limit, after: after)
    case "update_subscriber":
        let settings = subscriberSettings(given.object("options"))
        return try await queue.updateSubscriber(topic, subscriber, settings: settings)
    case "delete_subscriber": return try await queue.deleteSubscriber(topic, subscriber)
    case "pause_subscriber": return try await queue.pauseSubscriber(topic, subscriber)
    case "resume_subscriber": return try await queue.resumeSubscriber(topic, subscriber)
    case "seek": return try await queue.seek(topic, subscriber, to: place(given), dryRun: given.flag("dry_run"))
    case "publish": return try await queue.publish(topic, message(given.object("message")))
    case "publish_batch": return try await queue.publishBatch(topic, given.list("messages").map(message))
    case "claim":
        return try await queue.claim(
            topic, subscriber, limit: limit, wait: given.duration("wait_ms") ?? .zero,
            lease: given.duration("lease_ms")
        )
    case "claim_any":
        let sources = given.list("sources").map { Source(topic: $0.text("topic"), subscriber: $0.text("subscriber")) }
        return try await queue.claimAny(
            sources, limit: limit, wait: given.duration("wait_ms") ?? .zero, lease: given.duration("lease_ms")
        )
    case "ack":
        if let reply = given.object("result") { return try await queue.ack(receipt, reply: replyOf(reply)) }
        return try await queue.ack(receipt)
    case "ack_batch": return try await settled(queue.ackBatch(given.texts("receipts")))
    case "result":
        let wait = given.duration("wait_ms") ?? .zero
        return try await queue.result(topic, subscriber, messageId: id, wait: wait)
    case "nack": return try await queue.nack(receipt, nackOptions(given))
    case "nack_batch":
        return try await queue.nackBatch(given.list("items").map { item in
            Nack(receipt: item.text("receipt"), options: nackOptions(item))
        })
    case "extend":
        let expires = try await queue.extend(receipt, by: given.duration("lease_ms") ?? .zero)
        return ["lease_expires_at": toJson(expires)]
    case "extend_batch":
        let outcomes = try await queue.extendBatch(given.texts("receipts"), by: given.duration("lease_ms") ?? .zero)
        return named("lease_expires_at", outcomes)
    case "defer":
        return ["ready_at": toJson(try await queue.defer(receipt, for: given.duration("delay_ms") ?? .zero))]
    case "defer_batch":
        return named("ready_at", try await queue.deferBatch(given.list("items").map {
            Deferral(receipt: $0.text("receipt"), delay: $0.duration("delay_ms") ?? .zero)
        }))
    case "cancel": return try await queue.cancel(receipt, reason: given.textIf("reason"))
    case "cancel_batch":
        return try await settled(queue.cancelBatch(given.texts("receipts"), reason: given.textIf("reason")))
    case "cancel_delivery":
        let reason = given.textIf("reason")
        return try await queue.cancelDelivery(topic, subscriber, messageId: id, reason: reason)
    case "cancel_message": return try await queue.cancelMessage(topic, messageId: id)
    case "dead_letters": return try await queue.deadLetters(topic, subscriber, limit: limit, after: after)
    case "redrive":
        return ["count": try await queue.redrive(topic, subscriber, Redrive(
            which: which(given), filter: filter(given), to: given.textIf("to"), rate: given.double("rate"),
            dryRun: given.flag("dry_run")
        ))]
    case "purge_dead_letters":
        let options = Purge(which: which(given), filter: filter(given), dryRun: given.flag("dry_run"))
        return ["count": try await queue.purgeDeadLetters(topic, subscriber, options)]
    case "failures":
        return try await queue.failures(topic, subscriber, messageId: id, limit: limit, after: after)
    case "topic_stats": return try await queue.topicStats(topic)
    case "subscriber_stats": return try await queue.subscriberStats(topic, subscriber)
    case "peek": return try await queue.peek(topic, subscriber, limit: limit, after: after)
    case "message": return try await queue.message(topic, id: id)
    case "create_schedule": return try await queue.createSchedule(topic, schedule, scheduleOptions(given))
    case "schedule": return try await queue.schedule(topic, schedule)
    case "schedules": return try await queue.schedules(topic, limit: limit, after: after)
    case "update_schedule":
        let version = given.int("version") ?? 0
        return try await queue.updateSchedule(topic, schedule, version: version, scheduleOptions(given))
    case "delete_schedule": return try await queue.deleteSchedule(topic, schedule)
    case "pause_schedule": return try await queue.pauseSchedule(topic, schedule)
    case "resume_schedule": return try await queue.resumeSchedule(topic, schedule)
    case "run_schedule_now": return try await queue.runScheduleNow(topic, schedule)
    case "schedule_runs": return try await queue.scheduleRuns(topic, schedule, limit: limit, after: after)
    case "shutdown": return try await queue.shutdown()
    default: throw Differs("no operation \(word)")
    }
}

private func settled(_ errors: [BlockQueueError?]) -> [Any] {
    errors.map { $0.map(toJson) ?? [String: Any]() }
}

private func named(_ name: String, _ outcomes: [Outcome<Date>]) -> [Any] {
    outcomes.map { outcome in
        switch outcome {
        case .success(let at): [name: toJson(at)]
        case .failure(let error): toJson(error)
        }
    }
}

private func bytes(_ given: Given) -> Data {
    if let encoded = given.textIf("payload_base64") { return Data(base64Encoded: encoded) ?? Data() }
    return Data(given.text("payload").utf8)
}

private func message(_ given: Given?) -> Message {
    guard let given else { return Message(payload: Data()) }
    return Message(
        payload: bytes(given), contentType: given.textIf("content_type"),
        headers: given.members["headers"] as? [String: String] ?? [:],
        correlationId: given.textIf("correlation_id"), priority: given.int("priority") ?? 0,
        delay: given.duration("delay_ms"), deliverAt: given.date("deliver_at"),
        idempotencyKey: given.textIf("idempotency_key"), orderingKey: given.textIf("ordering_key"),
        ttl: given.duration("ttl_ms"), uniqueKey: given.textIf("unique_key")
    )
}

private func replyOf(_ given: Given) -> Reply {
    Reply(payload: bytes(given), contentType: given.textIf("content_type"), ttl: given.duration("ttl_ms"))
}

private func nackOptions(_ given: Given) -> NackOptions {
    NackOptions(delay: given.duration("delay_ms"), error: given.textIf("error_text"), giveUp: given.flag("give_up"))
}

private func topicSettings(_ given: Given?) -> TopicSettings {
    guard let given else { return TopicSettings() }
    var settings = TopicSettings()
    if given.has("retention") {
        let kept = given.object("retention")
        settings.retention =
            if let duration = kept?.duration("duration_ms") { .duration(duration) }
            else if let count = kept?.int("count") { .count(count) }
            else if let bytes = kept?.int("bytes") { .bytes(bytes) }
            else { .nothing }
    }
    settings.backlogLimit = given.object("backlog_limit").map { limit in
        BacklogLimit(
            messages: limit.int("messages"), bytes: limit.int("bytes"), age: limit.duration("age_ms"),
            policy: limit.textIf("policy").flatMap(BacklogPolicy.init(rawValue:))
        )
    }
    settings.idempotencyWindow = given.duration("idempotency_window_ms")
    settings.ttl = given.textIf("ttl_ms") == "none" ? .remove : given.duration("ttl_ms").map { .set($0) }
    return settings
}

private func newSubscriber(_ given: Given) -> NewSubscriber {
    let start: StartFrom? =
        if let at = given.object("start")?.date("at") { .time(at) }
        else if given.textIf("start") == "earliest" { .earliest }
        else { nil }
    return NewSubscriber(
        name: given.text("name"), settings: subscriberSettings(given.object("options")), start: start
    )
}

private func subscriberSettings(_ given: Given?) -> SubscriberSettings {
    guard let given else { return SubscriberSettings() }
    var settings = SubscriberSettings()
    settings.maxAttempts = given.int("max_attempts")
    settings.lease = given.duration("lease_ms")
    settings.claimLimit = given.int("claim_limit")
    settings.retry = given.object("retry").map { retry in
        RetryPolicy(
            initial: retry.duration("initial_ms"), max: retry.duration("max_ms"),
            multiplier: retry.double("multiplier"), jitter: retry.double("jitter")
        )
    }
    settings.ordered = given.flagIf("ordered")
    settings.onDead = given.textIf("on_dead").flatMap(OnDead.init(rawValue:))
    settings.filter = given.textIf("filter") == "none" ? .remove : filter(given).map { .set($0) }
    settings.onExpiry = given.textIf("on_expiry").flatMap(OnExpiry.init(rawValue:))
    settings.leasedMax = given.textIf("leased_max") == "none" ? .remove : given.int("leased_max").map { .set($0) }
    settings.rate = given.textIf("rate") == "none" ? .remove : given.object("rate").map { rate in
        .set(RateLimit(count: rate.int("count") ?? 0, interval: rate.duration("interval_ms") ?? .zero))
    }
    settings.leasedPerKeyMax = given.textIf("leased_per_key_max") == "none"
        ? .remove : given.int("leased_per_key_max").map { .set($0) }
    return settings
}

/// A filter, whatever it is, as the text that the package takes.
private func filter(_ given: Given) -> String? {
    guard let filter = given.members["filter"],
        let text = try? JSONSerialization.data(withJSONObject: filter, options: .fragmentsAllowed)
    else { return nil }
    return String(decoding: text, as: UTF8.self)
}

private func place(_ given: Given) -> SeekTo {
    guard let to = given.object("to") else { return given.text("to") == "earliest" ? .earliest : .latest }
    if let at = to.date("at") { return .time(at) }
    if let id = to.textIf("message_id") { return .message(id) }
    let sequence = to.object("sequence")
    return .sequence(priority: sequence?.int("priority") ?? 0, sequence: sequence?.int("sequence") ?? 0)
}

private func which(_ given: Given) -> DeadLetters {
    guard let which = given.object("which") else { return .all }
    if let limit = which.int("oldest") { return .oldest(limit) }
    return .ids(which.texts("ids"))
}

private func scheduleOptions(_ given: Given) -> ScheduleOptions {
    let options = given.object("options") ?? Given(members: [:])
    let misfire: MisfirePolicy? =
        if let limit = options.object("misfire")?.int("all") { .all(limit) }
        else if options.textIf("misfire") == "skip" { .skip }
        else if options.textIf("misfire") == "once" { .once }
        else { nil }
    return ScheduleOptions(
        cron: options.text("cron"), message: message(options.object("message")),
        timezone: options.textIf("timezone"), misfire: misfire,
        overlap: options.textIf("overlap").flatMap(OverlapPolicy.init(rawValue:)), start: options.date("start_at"),
        end: options.date("end_at"), jitter: options.duration("jitter_ms"), grace: options.duration("grace_ms")
    )
}
