import HTTPCore

extension JSONSchema {
    /// Branches and references, counted along every way through them, that one value may meet.
    private static let mostWays = 2_000
    private static let mostReferences = 1_000

    /// Whether a value can be checked in bounded time at every place of the schema: references do not lead back to where they stand
    /// without a step into the value, and branches that lead to branches do not multiply beyond measure. A schema that takes too much
    /// work to find it out is none.
    var isCheckable: Bool {
        var ways = SchemaWays(self, most: Self.mostWays)
        return ways.areFew(among: Self.mostReferences)
    }

    /// Where a reference leads: `#`, or along a JSON pointer. Slashes that follow one another are one.
    static func path(of reference: String) -> [String]? {
        guard reference.hasPrefix("#") else { return nil }
        return reference.dropFirst().split(separator: "/").map {
            String($0.replacing("~1", with: "/").replacing("~0", with: "~"))
        }
    }

    /// What stands there.
    ///
    /// - Parameter steps: taken on the way; members are looked for one by one.
    func target(at path: [String], steps: inout Int) -> JSONValue? {
        var value = root
        for name in path {
            guard let members = value.object else { return nil }
            steps += 1 + members.count / 64
            guard let next = members[name] else { return nil }
            value = next
        }
        return value
    }
}

/// Counts the schemas that a value is held against before any of its members is looked at.
private struct SchemaWays {
    /// In steps of about a microsecond at most.
    private static let mostWork = 200_000

    private let schema: JSONSchema
    private let most: Int
    /// Of references that have been followed to their end, by where they lead; `nil` while they are being followed.
    private var known: [[String]: Int?] = [:]
    private var work = 0

    init(_ schema: JSONSchema, most: Int) {
        self.schema = schema
        self.most = most
    }

    /// Every circle leads through a reference, and so does everything that multiplies.
    mutating func areFew(among limit: Int) -> Bool {
        guard let references = references(in: schema.root), references.count <= limit, ways(from: schema.root, depth: 0) != nil
        else { return false }
        for reference in references { guard ways(through: reference, depth: 0) != nil else { return false } }
        return true
    }

    /// - Returns: whether there is work left for more.
    private mutating func does(_ steps: Int) -> Bool {
        work += steps
        return work <= Self.mostWork
    }

    /// `nil`: too many.
    private mutating func ways(from rule: JSONValue, depth: Int) -> Int? {
        guard depth < JSONSchema.deepest, does(1 + (rule.object?.count ?? 0) / 16) else { return nil }
        var sum = 1
        if let reference = rule["$ref"]?.string {
            guard let more = ways(through: reference, depth: depth + 1) else { return nil }
            sum += more
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for branch in rule[keyword]?.array ?? [] {
                guard let more = ways(from: branch, depth: depth + 1), sum + more <= most else { return nil }
                sum += more
            }
        }
        return sum <= most ? sum : nil
    }

    private mutating func ways(through reference: String, depth: Int) -> Int? {
        guard does(reference.utf8.count / 16) else { return nil }
        // Nothing is checked against what is not there.
        guard let path = JSONSchema.path(of: reference) else { return 1 }
        if let known = known[path] { return known }
        let target = schema.target(at: path, steps: &work)
        guard does(0) else { return nil }
        guard let target else {
            known[path] = 1
            return 1
        }
        known.updateValue(nil, forKey: path)
        guard let count = ways(from: target, depth: depth) else { return nil }
        known[path] = count
        return count
    }

    /// `nil`: the schema is too large to be looked through.
    private mutating func references(in value: JSONValue) -> Set<String>? {
        var found: Set<String> = []
        var waiting = [value]
        while let next = waiting.popLast() {
            let inner = next.array ?? next.object?.map(\.value) ?? []
            guard does(1 + inner.count / 16) else { return nil }
            if let reference = next["$ref"]?.string {
                guard does(reference.utf8.count / 256) else { return nil }
                found.insert(reference)
            }
            waiting += inner.filter { $0.array != nil || $0.object != nil }
        }
        return found
    }
}
