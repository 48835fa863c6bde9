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
public typealias Attributes = [String: any AttributeConvertible]

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
