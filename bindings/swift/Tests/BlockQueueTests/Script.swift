// The scripts that every language runs: references, repetitions and expectations, as their README has them.

import Foundation

/// A few steps that prove one rule.
struct Script {
    let name: String
    let rule: String
    let needs: [String]
    let steps: [[String: Any]]

    /// Every script there is, in the folder that BLOCKQUEUE_SCRIPTS names, or in the repository.
    static func all() throws -> [Script] {
        let folder = ProcessInfo.processInfo.environment["BLOCKQUEUE_SCRIPTS"]
            ?? URL(fileURLWithPath: #filePath).pathComponents.dropLast(5).joined(separator: "/").dropFirst()
            + "/tests/conformance"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
        return try files.sorted().flatMap { file in
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)"))
            let scripts = try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
            return scripts.map {
                Script(
                    name: $0["name"] as? String ?? "", rule: $0["rule"] as? String ?? "",
                    needs: $0["needs"] as? [String] ?? [], steps: $0["steps"] as? [[String: Any]] ?? []
                )
            }
        }
    }
}

/// Replaces references to saved answers, and repetitions.
func resolve(_ value: Any, _ saved: [String: Any]) throws -> Any {
    switch value {
    case let text as String where text.hasPrefix("$"):
        var path = text.dropFirst().split(separator: ".").map(String.init)
        guard var found = saved[path.removeFirst()] else { throw Differs("nothing saved as \(text)") }
        for part in path {
            if let list = found as? [Any], let place = Int(part), list.indices.contains(place) {
                found = list[place]
            } else if let object = found as? [String: Any], let member = object[part] {
                found = member
            } else {
                throw Differs("\(text) is not there")
            }
        }
        return found
    case let object as [String: Any]:
        if let repeated = object["$repeat"] {
            let times = number(object["times"]).map { Int($0) } ?? 0
            switch try resolve(repeated, saved) {
            case let text as String: return String(repeating: text, count: times)
            case let list as [Any]: return Array(repeatElement(list, count: times).joined())
            case let other: throw Differs("cannot repeat \(other)")
            }
        }
        return try object.mapValues { try resolve($0, saved) }
    case let list as [Any]: return try list.map { try resolve($0, saved) }
    default: return value
    }
}

/// Something is not as a script says.
struct Differs: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Where an answer first differs from what was expected.
func compare(_ expected: Any, _ found: Any?, _ path: String = "answer") throws {
    let differs = Differs("\(path): expected \(expected), found \(found ?? "nothing")")
    switch expected {
    case is NSNull:
        if let found, !(found is NSNull) { throw differs }
    case let object as [String: Any]:
        if object.count == 1, let (rule, argument) = object.first, rule.hasPrefix("$") {
            if try !holds(rule, argument, found) { throw differs }
            return
        }
        guard let members = found as? [String: Any] else { throw differs }
        for (name, member) in object { try compare(member, members[name], "\(path).\(name)") }
    case let list as [Any]:
        guard let items = found as? [Any], items.count == list.count else { throw differs }
        for (place, item) in list.enumerated() { try compare(item, items[place], "\(path).\(place)") }
    default:
        let same =
            if let one = number(expected) { number(found) == one }
            else if let one = expected as? String { found as? String == one }
            else { expected as? Bool == found as? Bool }
        if !same { throw differs }
    }
}

private func holds(_ rule: String, _ argument: Any, _ found: Any?) throws -> Bool {
    switch rule {
    case "$length":
        let count = (found as? [Any])?.count ?? (found as? [String: Any])?.count
        return count.map(Double.init) == number(argument)
    case "$between":
        guard let bounds = argument as? [Any], let value = number(found), let low = number(bounds.first),
            let high = number(bounds.last)
        else { return false }
        return (low...high).contains(value)
    case "$not": return !matches(argument, found)
    case "$unordered":
        guard let expected = argument as? [Any], var rest = found as? [Any], rest.count == expected.count else {
            return false
        }
        for item in expected {
            guard let place = rest.firstIndex(where: { matches(item, $0) }) else { return false }
            rest.remove(at: place)
        }
        return true
    default: throw Differs("no rule \(rule)")
    }
}

private func matches(_ expected: Any, _ found: Any?) -> Bool {
    (try? compare(expected, found)) != nil
}

/// A number, which a truth value is not.
func number(_ value: Any?) -> Double? {
    switch value {
    case let value as NSNumber: isTruth(value) ? nil : value.doubleValue
    case let value as Int: Double(value)
    case let value as Double: value
    default: nil
    }
}

private func isTruth(_ value: NSNumber) -> Bool {
    String(cString: value.objCType) == "c" || value is Bool && String(describing: type(of: value)).contains("Bool")
}
