public import FoundationEssentials

/// A value beside a log line or on a span.
public enum AttributeValue: Sendable, Equatable {
    case string(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)
    case null
}

/// What may stand as a value in ``Attributes``: texts, numbers, switches, ids, durations (in milliseconds) and optionals of them.
public protocol AttributeConvertible: Sendable {
    var attributeValue: AttributeValue { get }
}

/// `["table": "contents", "rows": 3, "tenant": tenantId]`
///
/// A list in the order of the names, each of which stands once: a log line has a handful of them, which are all read once and never
/// looked up. Hashing them cost more than writing them.
public struct Attributes: Sendable, ExpressibleByDictionaryLiteral {
    private(set) var pairs: [(key: String, value: AttributeValue)]

    public init(dictionaryLiteral elements: (String, any AttributeConvertible)...) {
        pairs = []
        pairs.reserveCapacity(elements.count)
        for (key, value) in elements { set(key, value.attributeValue) }
    }

    public var isEmpty: Bool { pairs.isEmpty }

    /// Replaces what stands under that name.
    mutating func set(_ key: String, _ value: AttributeValue) {
        var index = pairs.count
        while index > 0, key <= pairs[index - 1].key {
            index -= 1
            if pairs[index].key == key {
                pairs[index].value = value
                return
            }
        }
        pairs.insert((key, value), at: index)
    }

    /// Both; where a name stands in both, with the other's value.
    func merging(_ other: Attributes) -> Attributes {
        var merged = self
        for (key, value) in other.pairs { merged.set(key, value) }
        return merged
    }
}

extension AttributeValue: AttributeConvertible {
    public var attributeValue: AttributeValue { self }
}

extension String: AttributeConvertible {
    public var attributeValue: AttributeValue { .string(self) }
}

extension Substring: AttributeConvertible {
    public var attributeValue: AttributeValue { .string(String(self)) }
}

extension Int: AttributeConvertible {
    public var attributeValue: AttributeValue { .int(Int64(self)) }
}

extension Int32: AttributeConvertible {
    public var attributeValue: AttributeValue { .int(Int64(self)) }
}

extension Int64: AttributeConvertible {
    public var attributeValue: AttributeValue { .int(self) }
}

extension UInt16: AttributeConvertible {
    public var attributeValue: AttributeValue { .int(Int64(self)) }
}

extension Double: AttributeConvertible {
    public var attributeValue: AttributeValue { .double(self) }
}

extension Bool: AttributeConvertible {
    public var attributeValue: AttributeValue { .bool(self) }
}

extension UUID: AttributeConvertible {
    public var attributeValue: AttributeValue { .string(text) }
}

extension Duration: AttributeConvertible {
    public var attributeValue: AttributeValue {
        let (seconds, attoseconds) = components
        return .double(Double(seconds * 1_000) + Double(attoseconds / 1_000_000_000_000) / 1_000)
    }
}

extension Optional: AttributeConvertible where Wrapped: AttributeConvertible {
    public var attributeValue: AttributeValue { self?.attributeValue ?? .null }
}
