import HTTPCore

extension JSONSchema {
    /// Branches and references, counted along every way through them, that one value may meet.
    private static let mostWays = 2_000
    private static let mostReferences = 1_000

    /// Whether a value can be checked in bounded time at every place of the schema: references do not lead back to where they stand
    /// without a step into the value, and branches that lead to branches do not multiply beyond measure.
    var isCheckable: Bool {
        var ways = SchemaWays(self, most: Self.mostWays)
        return ways.areFew(among: Self.mostReferences)
    }
}

/// Counts the schemas that a value is held against before any of its members is looked at.
private struct SchemaWays {
    private let schema: JSONSchema
    private let most: Int
    /// Of references that have been followed to their end; `nil` while they are being followed.
    private var known: [String: Int?] = [:]

    init(_ schema: JSONSchema, most: Int) {
        self.schema = schema
        self.most = most
    }

    /// Every circle leads through a reference, and so does everything that multiplies.
    mutating func areFew(among limit: Int) -> Bool {
        let references = Self.references(in: schema.root)
        guard references.count <= limit, ways(from: schema.root, depth: 0) != nil else { return false }
        for reference in references { guard ways(through: reference, depth: 0) != nil else { return false } }
        return true
    }

    /// `nil`: too many.
    private mutating func ways(from rule: JSONValue, depth: Int) -> Int? {
        guard depth < JSONSchema.deepest else { return nil }
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
        if let known = known[reference] { return known }
        // Nothing is checked against what is not there.
        guard let target = schema.resolve(reference) else { return 1 }
        known.updateValue(nil, forKey: reference)
        guard let count = ways(from: target, depth: depth) else { return nil }
        known[reference] = count
        return count
    }

    private static func references(in value: JSONValue) -> Set<String> {
        var found: Set<String> = []
        var waiting = [value]
        while let next = waiting.popLast() {
            if let reference = next["$ref"]?.string { found.insert(reference) }
            waiting += next.array ?? next.object?.map(\.value) ?? []
        }
        return found
    }
}
