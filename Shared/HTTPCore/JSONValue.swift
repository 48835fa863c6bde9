/// Any JSON text, as ``init(parsing:)`` read it: numbers keep their digits, objects keep their order.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// The number as it was written, e.g. `1e3`; 64-bit integers and exact decimals survive.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    public subscript(name: String) -> JSONValue? {
        if case .object(let object) = self { object[name] } else { nil }
    }

    public subscript(index: Int) -> JSONValue? {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { nil }
    }

    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The value of a whole number that fits 64 bits; `2.0` and `2e0` count as whole, as in JSON Schema.
    public var int: Int? {
        guard case .number(let text) = self else { return nil }
        if let exact = Int(text) { return exact }
        // Above 2^53 a Double no longer tells neighbours apart.
        guard let value = Double(text), value.rounded() == value, abs(value) <= 9_007_199_254_740_992 else { return nil }
        return Int(value)
    }

    /// The nearest Double; `nil` for other kinds and for numbers beyond its range.
    public var double: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// What kind this is, in JSON's words.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// The members of a JSON object in the order they were written; names are unique.
public struct JSONObject: Sendable, Hashable, Sequence {
    private var members: [(name: String, value: JSONValue)]

    public init() { members = [] }

    /// For the parser, which has made sure that the names are unique.
    init(uniqueMembers: [(name: String, value: JSONValue)]) { members = uniqueMembers }

    public var count: Int { members.count }
    public var isEmpty: Bool { members.isEmpty }
    public var names: [String] { members.map(\.name) }

    public subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            switch (place(of: name), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
        }
    }

    /// Where the member stands.
    func place(of name: String) -> Int? { members.firstIndex { $0.name == name } }

    subscript(place: Int) -> (name: String, value: JSONValue) { members[place] }

    public func makeIterator() -> IndexingIterator<[(name: String, value: JSONValue)]> { members.makeIterator() }

    /// Objects are equal whatever the order of their members, as JSON sees them.
    public static func == (lhs: JSONObject, rhs: JSONObject) -> Bool {
        lhs.count == rhs.count && lhs.members.allSatisfy { rhs[$0.name] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(members.count)
        hasher.combine(Set(members.map(\.name)))
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .number(String(value)) }
    public init(floatLiteral value: Double) { self = .number(value.description) }
}

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// A name that stands twice keeps its last value.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (name, value) in elements { object[name] = value }
        self = .object(object)
    }
}

extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        guard let decoder = decoder as? JSONTreeDecoder else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "JSONValue is read by JSON.decode only"))
        }
        self = decoder.value
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let value):
            try value.encode(to: encoder)
        case .number(let text):
            if let whole = Int(text) { try whole.encode(to: encoder) } else { try (double ?? .nan).encode(to: encoder) }
        case .string(let text):
            try text.encode(to: encoder)
        case .array(let items):
            try items.encode(to: encoder)
        case .object(let object):
            var container = encoder.container(keyedBy: JSONKey.self)
            for (name, value) in object { try container.encode(value, forKey: JSONKey(stringValue: name)) }
        }
    }
}

/// A coding key made of any name or index.
enum JSONKey: CodingKey {
    case name(String)
    case index(Int)

    init(stringValue: String) { self = .name(stringValue) }
    init(intValue: Int) { self = .index(intValue) }

    var stringValue: String {
        switch self {
        case .name(let name): name
        case .index(let index): String(index)
        }
    }

    var intValue: Int? { if case .index(let index) = self { index } else { nil } }
}

/// Where a coder is in a value: a chain that is walked only to tell of an error. An array for each member, as the protocols have it,
/// would cost more than the member.
struct CodingPath {
    private final class Link {
        let outer: Link?
        let key: any CodingKey

        init(outer: Link?, key: any CodingKey) {
            self.outer = outer
            self.key = key
        }
    }

    private var innermost: Link?

    static func + (path: CodingPath, key: any CodingKey) -> CodingPath {
        CodingPath(innermost: Link(outer: path.innermost, key: key))
    }

    /// From the outside in.
    var keys: [any CodingKey] {
        var keys: [any CodingKey] = []
        var link = innermost
        while let next = link {
            keys.append(next.key)
            link = next.outer
        }
        return keys.reversed()
    }
}
