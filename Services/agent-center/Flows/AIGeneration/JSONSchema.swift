import HTTPCore

/// A JSON Schema as model answers are checked against it: the part of JSON Schema that vendors' strict modes know, and the bounds that they
/// leave to the caller. Keywords that are not listed here (`pattern`, `format`, …) check nothing.
///
/// `type` (one or several), `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`, `minItems`, `maxItems`,
/// `minLength`, `maxLength`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `anyOf`, `oneOf`, `allOf`, and `$ref` into the
/// schema itself (`#`, `#/$defs/…`).
struct JSONSchema: Sendable {
    let root: JSONValue

    /// References may lead in a circle.
    static let deepest = 64

    /// In steps of about a microsecond.
    private let mostWork: Int

    /// - Parameter mostWork: an answer of as many tokens as are ever asked for passes an ordinary schema in fewer steps.
    init(_ root: JSONValue, mostWork: Int = 200_000) {
        self.root = root
        self.mostWork = mostWork
    }

    /// What is wrong with the value, each with a JSON pointer; empty if it fits. A value whose check takes too much work does not fit:
    /// branches that lead to branches multiply, and nobody else is served meanwhile.
    func problems(in value: JSONValue) -> [String] {
        var check = SchemaCheck(self, mostWork: mostWork)
        var problems: [String] = []
        check.check(value, against: root, at: "", depth: 0, &problems)
        return check.isExhausted ? ["/ takes too much work to be checked"] : problems
    }
}

/// One value held against a schema.
private struct SchemaCheck {
    /// So many are told; one who mends the first ones has done enough for one turn.
    private static let mostProblems = 8

    private let schema: JSONSchema
    private let mostWork: Int
    private var work = 0
    /// By reference.
    private var targets: [String: JSONValue?] = [:]

    init(_ schema: JSONSchema, mostWork: Int) {
        self.schema = schema
        self.mostWork = mostWork
    }

    var isExhausted: Bool { work > mostWork }

    /// - Returns: whether there is work left for more.
    private mutating func does(_ steps: Int) -> Bool {
        if !isExhausted { work += steps }
        return !isExhausted
    }

    mutating func check(
        _ value: JSONValue, against rule: JSONValue, at pointer: String, depth: Int, _ problems: inout [String]
    ) {
        // Some twenty keywords are looked for, one member of the rule after the other.
        guard problems.count < Self.mostProblems, does(1 + (rule.object?.count ?? 0) / 8) else { return }
        func object(_ problem: String) { problems.append("\(pointer.isEmpty ? "/" : pointer) \(problem)") }
        guard depth < JSONSchema.deepest else { return object("is nested too deeply") }
        guard let rules = rule.object else {
            // `true` lets everything pass, `false` nothing.
            if rule.bool == false { object("must not be there") }
            return
        }
        if let reference = rules["$ref"]?.string {
            guard does(reference.utf8.count / 16) else { return }
            let found = target(of: reference)
            guard !isExhausted else { return }
            guard let target = found else { return object("has a schema that leads nowhere: \(reference)") }
            check(value, against: target, at: pointer, depth: depth + 1, &problems)
        }
        if let type = rules["type"] {
            guard does((type.array?.count ?? 0) / 8) else { return }
            let allowed = type.string.map { [$0] } ?? type.array?.compactMap(\.string) ?? []
            // Whatever else the schema says is about values of the right type.
            guard allowed.contains(where: { Self.is(value, $0) }) else {
                return object("must be of type \(allowed.joined(separator: " or ")), not \(value.kind)")
            }
        }
        if let choices = rules["enum"]?.array, does(choices.count * (1 + Self.weight(of: value))), !choices.contains(value) {
            object("must be one of \(Self.excerpt(.array(choices)))")
        }
        if let constant = rules["const"], does(Self.weight(of: value)), constant != value {
            object("must be \(Self.excerpt(constant))")
        }
        switch value {
        case .object(let members): check(members, rules, at: pointer, depth, &problems)
        case .array(let items): check(items, rules, at: pointer, depth, &problems)
        case .string(let text):
            // JSON Schema counts code points.
            guard does(text.utf8.count / 256) else { return }
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

    private mutating func check(
        _ members: JSONObject, _ rules: JSONObject, at pointer: String, _ depth: Int, _ problems: inout [String]
    ) {
        // Members are looked for one by one.
        let required = rules["required"]?.array ?? []
        let properties = rules["properties"]?.object
        guard does((required.count + (properties?.count ?? 0)) * members.count / 16 + required.count) else { return }
        for name in required.compactMap(\.string) where members[name] == nil {
            problems.append("\(pointer)/\(name) is missing")
        }
        for (name, member) in members {
            guard !isExhausted else { return }
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

    private mutating func check(
        _ items: [JSONValue], _ rules: JSONObject, at pointer: String, _ depth: Int, _ problems: inout [String]
    ) {
        let place = pointer.isEmpty ? "/" : pointer
        if let least = rules["minItems"]?.int, items.count < least {
            problems.append("\(place) must have at least \(least) items")
        }
        if let most = rules["maxItems"]?.int, items.count > most { problems.append("\(place) must have at most \(most) items") }
        guard let schema = rules["items"] else { return }
        for (index, item) in items.enumerated() {
            guard !isExhausted else { return }
            check(item, against: schema, at: "\(pointer)/\(index)", depth: depth + 1, &problems)
        }
    }

    private mutating func combine(
        _ value: JSONValue, _ rules: JSONObject, at pointer: String, _ depth: Int, _ problems: inout [String]
    ) {
        for schema in rules["allOf"]?.array ?? [] { check(value, against: schema, at: pointer, depth: depth + 1, &problems) }
        for (keyword, isExclusive) in [("anyOf", false), ("oneOf", true)] {
            guard let branches = rules[keyword]?.array else { continue }
            var fitting = 0
            var nearest: [String]?
            for branch in branches {
                guard !isExhausted else { return }
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

    private static func `is`(_ value: JSONValue, _ type: String) -> Bool {
        switch type {
        case "integer": value.int != nil || value.double.map { $0.rounded() == $0 } ?? false
        case "number": value.kind == "number"
        default: value.kind == type
        }
    }

    private mutating func target(of reference: String) -> JSONValue? {
        if let known = targets[reference] { return known }
        let target = JSONSchema.path(of: reference).flatMap { schema.target(at: $0, steps: &work) }
        targets.updateValue(target, forKey: reference)
        return target
    }

    /// What it takes to hold a value against another one, in steps.
    private static func weight(of value: JSONValue) -> Int {
        switch value {
        case .null, .bool: 0
        case .number(let text), .string(let text): text.utf8.count / 256
        case .array(let items): items.reduce(items.count / 16) { $0 + weight(of: $1) }
        case .object(let members): members.reduce(members.count * members.count / 16) { $0 + weight(of: $1.value) }
        }
    }

    private static func excerpt(_ value: JSONValue) -> String {
        String(String(decoding: beginning(of: value, depth: 0).encode(), as: UTF8.self).prefix(120))
    }

    /// As much of a value as an excerpt may show.
    private static func beginning(of value: JSONValue, depth: Int) -> JSONValue {
        func cut(_ text: String) -> String { String(String.UnicodeScalarView(text.unicodeScalars.prefix(120))) }
        switch value {
        case .null, .bool: return value
        case .number(let text): return .number(cut(text))
        case .string(let text): return .string(cut(text))
        case .array(let items): return .array(depth > 2 ? [] : items.prefix(60).map { beginning(of: $0, depth: depth + 1) })
        case .object(let members):
            var object = JSONObject()
            for (name, member) in members.prefix(depth > 2 ? 0 : 20) {
                object[cut(name)] = beginning(of: member, depth: depth + 1)
            }
            return .object(object)
        }
    }
}
