import HTTPCore

/// A JSON Schema as model answers are checked against it: the part of JSON Schema that vendors' strict modes know, and the bounds that they
/// leave to the caller. Keywords that are not listed here (`pattern`, `format`, …) check nothing.
///
/// `type` (one or several), `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`, `minItems`, `maxItems`,
/// `minLength`, `maxLength`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `anyOf`, `oneOf`, `allOf`, and `$ref` into the
/// schema itself (`#`, `#/$defs/…`).
struct JSONSchema: Sendable {
    let root: JSONValue

    /// So many are told; one who mends the first ones has done enough for one turn.
    private static let mostProblems = 8
    /// References may lead in a circle.
    private static let deepest = 64

    init(_ root: JSONValue) { self.root = root }

    /// What is wrong with the value, each with a JSON pointer; empty if it fits.
    func problems(in value: JSONValue) -> [String] {
        var problems: [String] = []
        check(value, against: root, at: "", depth: 0, &problems)
        return problems
    }

    private func check(
        _ value: JSONValue, against schema: JSONValue, at pointer: String, depth: Int, _ problems: inout [String]
    ) {
        guard problems.count < Self.mostProblems else { return }
        func object(_ problem: String) { problems.append("\(pointer.isEmpty ? "/" : pointer) \(problem)") }
        guard depth < Self.deepest else { return object("is nested too deeply") }
        guard let rules = schema.object else {
            // `true` lets everything pass, `false` nothing.
            if schema.bool == false { object("must not be there") }
            return
        }
        if let reference = rules["$ref"]?.string {
            guard let target = resolve(reference) else { return object("has a schema that leads nowhere: \(reference)") }
            check(value, against: target, at: pointer, depth: depth + 1, &problems)
        }
        if let type = rules["type"] {
            let allowed = type.string.map { [$0] } ?? type.array?.compactMap(\.string) ?? []
            // Whatever else the schema says is about values of the right type.
            guard allowed.contains(where: { Self.is(value, $0) }) else {
                return object("must be of type \(allowed.joined(separator: " or ")), not \(value.kind)")
            }
        }
        if let choices = rules["enum"]?.array, !choices.contains(value) {
            object("must be one of \(Self.excerpt(.array(choices)))")
        }
        if let constant = rules["const"], constant != value { object("must be \(Self.excerpt(constant))") }
        switch value {
        case .object(let members): check(members, rules, at: pointer, depth, &problems)
        case .array(let items): check(items, rules, at: pointer, depth, &problems)
        case .string(let text):
            // JSON Schema counts code points.
            if let least = rules["minLength"]?.int, text.unicodeScalars.count < least {
                object("must have at least \(least) characters")
            }
            if let most = rules["maxLength"]?.int, text.unicodeScalars.count > most {
                object("must have at most \(most) characters")
            }
        case .number:
            guard let number = value.double else { break }
            if let least = rules["minimum"]?.double, number < least { object("must be at least \(least)") }
            if let most = rules["maximum"]?.double, number > most { object("must be at most \(most)") }
            if let bound = rules["exclusiveMinimum"]?.double, number <= bound { object("must be more than \(bound)") }
            if let bound = rules["exclusiveMaximum"]?.double, number >= bound { object("must be less than \(bound)") }
        case .null, .bool: break
        }
        combine(value, rules, at: pointer, depth, &problems)
    }

    private func check(
        _ members: JSONObject, _ rules: JSONObject, at pointer: String, _ depth: Int, _ problems: inout [String]
    ) {
        for name in rules["required"]?.array?.compactMap(\.string) ?? [] where members[name] == nil {
            problems.append("\(pointer)/\(name) is missing")
        }
        let properties = rules["properties"]?.object
        for (name, member) in members {
            let inner = "\(pointer)/\(name)"
            if let schema = properties?[name] {
                check(member, against: schema, at: inner, depth: depth + 1, &problems)
            } else if let further = rules["additionalProperties"] {
                if further.bool == false {
                    problems.append("\(inner) is not known")
                } else {
                    check(member, against: further, at: inner, depth: depth + 1, &problems)
                }
            }
        }
    }

    private func check(
        _ items: [JSONValue], _ rules: JSONObject, at pointer: String, _ depth: Int, _ problems: inout [String]
    ) {
        let place = pointer.isEmpty ? "/" : pointer
        if let least = rules["minItems"]?.int, items.count < least {
            problems.append("\(place) must have at least \(least) items")
        }
        if let most = rules["maxItems"]?.int, items.count > most { problems.append("\(place) must have at most \(most) items") }
        guard let schema = rules["items"] else { return }
        for (index, item) in items.enumerated() {
            check(item, against: schema, at: "\(pointer)/\(index)", depth: depth + 1, &problems)
        }
    }

    private func combine(
        _ value: JSONValue, _ rules: JSONObject, at pointer: String, _ depth: Int, _ problems: inout [String]
    ) {
        for schema in rules["allOf"]?.array ?? [] { check(value, against: schema, at: pointer, depth: depth + 1, &problems) }
        for (keyword, isExclusive) in [("anyOf", false), ("oneOf", true)] {
            guard let branches = rules[keyword]?.array else { continue }
            var fitting = 0
            var nearest: [String]?
            for branch in branches {
                var inner: [String] = []
                check(value, against: branch, at: pointer, depth: depth + 1, &inner)
                if inner.isEmpty { fitting += 1 } else if inner.count < nearest?.count ?? .max { nearest = inner }
            }
            if fitting == 0 {
                problems.append(contentsOf: (nearest ?? ["\(pointer) fits no branch"]).prefix(2))
            } else if isExclusive, fitting > 1 {
                problems.append("\(pointer.isEmpty ? "/" : pointer) fits \(fitting) branches of oneOf, and must fit one")
            }
        }
    }

    private func resolve(_ reference: String) -> JSONValue? {
        guard reference.hasPrefix("#") else { return nil }
        var value = root
        for part in reference.dropFirst().split(separator: "/") {
            let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = value[String(name)] else { return nil }
            value = next
        }
        return value
    }

    private static func `is`(_ value: JSONValue, _ type: String) -> Bool {
        switch type {
        case "integer": value.int != nil || value.double.map { $0.rounded() == $0 } ?? false
        case "number": value.kind == "number"
        default: value.kind == type
        }
    }

    private static func excerpt(_ value: JSONValue) -> String {
        String(String(decoding: value.encode(), as: UTF8.self).prefix(120))
    }
}
