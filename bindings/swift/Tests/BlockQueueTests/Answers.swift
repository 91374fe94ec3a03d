// This package's answers in the words of the scripts.

import BlockQueue
import Foundation

/// 2026-01-01T00:00:00Z.
let start = Date(timeIntervalSince1970: 1_767_225_600)

func toJson(_ value: Any) -> Any {
    switch value {
    case let value as any OptionalValue: value.wrapped.map(toJson) ?? NSNull()
    case is Void: [String: Any]()
    case let value as Date: milliseconds(value.timeIntervalSince(start))
    case let value as BlockQueueError: ["error": value.code.rawValue]
    case let value as any ResultValue: toJson(value.either)
    case let value as any RawRepresentable where value.rawValue is String: value.rawValue
    case let value as Delivery: delivery(value)
    case let value as Retention: retention(value)
    case let value as MisfirePolicy: misfire(value)
    case let value as DeliveryResult: result(value)
    case let value as any PageValue: ["items": value.all.map(toJson), "next": value.after as Any? ?? NSNull()]
    case let value as [String: Any]: value
    case let value as [Any]: value.map(toJson)
    case is String, is Bool, is Int, is Double: value
    default: members(value)
    }
}

protocol OptionalValue { var wrapped: Any? { get } }
extension Optional: OptionalValue { var wrapped: Any? { self } }

protocol ResultValue { var either: Any { get } }
extension Result: ResultValue {
    var either: Any {
        switch self {
        case .success(let value): value
        case .failure(let error): error
        }
    }
}

protocol PageValue {
    var all: [Any] { get }
    var after: String? { get }
}
extension Page: PageValue {
    var all: [Any] { items }
    var after: String? { next }
}

private func members(_ value: Any) -> [String: Any] {
    var out: [String: Any] = [:]
    for child in Mirror(reflecting: value).children {
        guard let label = child.label else { continue }
        let name = snake(label)
        switch unwrapped(child.value) {
        case let bytes as Data: out.merge(payload(bytes)) { $1 }
        case let duration as Duration: out["\(name)_ms"] = milliseconds(duration / .seconds(1))
        case let text as String where name == "filter":
            out[name] = try? JSONSerialization.jsonObject(with: Data(text.utf8))
        case let date as Date where name == "start" || name == "end": out["\(name)_at"] = toJson(date)
        case .none: continue
        case .some(let member): out[name] = toJson(member)
        }
    }
    return out
}

private func unwrapped(_ value: Any) -> Any? {
    if let value = value as? any OptionalValue { value.wrapped } else { value }
}

private func delivery(_ value: Delivery) -> [String: Any] {
    var out: [String: Any] = [
        "topic": value.topic, "subscriber": value.subscriber, "message_id": value.messageId,
        "receipt": value.receipt, "headers": value.headers, "priority": value.priority, "attempt": value.attempt,
        "failures": value.failures, "published_at": toJson(value.publishedAt),
        "lease_expires_at": toJson(value.leaseExpiresAt),
    ]
    out["content_type"] = value.contentType
    out["correlation_id"] = value.correlationId
    out["ordering_key"] = value.orderingKey
    out["expires_at"] = value.expiresAt.map(toJson)
    return out.merging(payload(value.payload)) { $1 }
}

private func payload(_ bytes: Data) -> [String: Any] {
    var out: [String: Any] = ["payload_base64": bytes.base64EncodedString()]
    out["payload"] = String(validating: bytes, as: UTF8.self)
    return out
}

private func retention(_ value: Retention) -> Any {
    switch value {
    case .nothing: "none"
    case .duration(let kept): ["duration_ms": milliseconds(kept / .seconds(1))]
    case .count(let count): ["count": count]
    case .bytes(let bytes): ["bytes": bytes]
    }
}

private func misfire(_ value: MisfirePolicy) -> Any {
    switch value {
    case .skip: "skip"
    case .once: "once"
    case .all(let limit): ["all": limit]
    }
}

private func result(_ value: DeliveryResult) -> [String: Any] {
    switch value {
    case .replied(let reply): members(reply).merging(["state": "replied"]) { $1 }
    case .settled: ["state": "settled"]
    case .deadLettered: ["state": "dead_lettered"]
    case .unsettled: ["state": "unsettled"]
    }
}

private func milliseconds(_ seconds: Double) -> Int {
    Int((seconds * 1_000).rounded())
}

private func snake(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
}
