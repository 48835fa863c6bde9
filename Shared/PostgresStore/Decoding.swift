public import FoundationEssentials

/// One field of a row in PostgreSQL's text form; the bytes are valid during the call only.
public struct PostgresCell {
    /// `nil` for NULL.
    public let bytes: UnsafeBufferPointer<UInt8>?

    public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}

/// A value that can be read from a row. An enum over `String` needs only to say that it conforms.
public protocol PostgresDecodable: Sendable {
    /// - Returns: `nil` if the field does not hold such a value; NULL is one only for optionals.
    static func decode(_ cell: PostgresCell) -> Self?
}

extension String: PostgresDecodable {
    /// Any type reads as a string: what `psql` would print.
    public static func decode(_ cell: PostgresCell) -> String? { cell.text }
}

extension JSONText: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> JSONText? { cell.text.map { JSONText($0) } }
}

extension Bool: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> Bool? {
        guard let bytes = cell.bytes, bytes.count == 1 else { return nil }
        return switch bytes[0] {
        case UInt8(ascii: "t"): true
        case UInt8(ascii: "f"): false
        default: nil
        }
    }
}

extension Int: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> Int? { cell.integer() }
}

extension Int64: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> Int64? { cell.integer() }
}

extension Int32: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> Int32? { cell.integer() }
}

extension Double: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> Double? { cell.text.flatMap { Double($0) } }
}

extension UUID: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> UUID? {
        guard let bytes = cell.bytes, bytes.count == 36 else { return nil }
        var uuid = UUID_NULL
        let complete = withUnsafeMutableBytes(of: &uuid) { target -> Bool in
            var index = 0
            for position in target.indices {
                if bytes[index] == UInt8(ascii: "-") { index += 1 }
                guard index + 1 < 36, let high = hexDigit(bytes[index]), let low = hexDigit(bytes[index + 1]) else {
                    return false
                }
                target[position] = high << 4 | low
                index += 2
            }
            return index == 36
        }
        return complete ? UUID(uuid: uuid) : nil
    }
}

private let UUID_NULL: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

extension Date: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> Date? { cell.bytes.flatMap(Timestamp.parse) }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> Wrapped?? {
        guard cell.bytes != nil else { return .some(nil) }
        guard let value = Wrapped.decode(cell) else { return nil }
        return .some(value)
    }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    public static func decode(_ cell: PostgresCell) -> Self? { RawValue.decode(cell).flatMap { Self(rawValue: $0) } }
}

/// An element of an array that can be read. Bytes are special: an array of them is one `bytea`.
public protocol PostgresDecodableElement: PostgresDecodable {
    static func decodeArray(_ cell: PostgresCell) -> [Self]?
}

extension PostgresDecodableElement {
    public static func decodeArray(_ cell: PostgresCell) -> [Self]? {
        guard let bytes = cell.bytes, let elements = ArrayForm.parse(bytes) else { return nil }
        var values: [Self] = []
        values.reserveCapacity(elements.count)
        for element in elements {
            let value =
                if let element { element.withUnsafeBufferPointer { Self.decode(PostgresCell(bytes: $0)) } } else {
                    Self.decode(PostgresCell(bytes: nil))
                }
            guard let value else { return nil }
            values.append(value)
        }
        return values
    }
}

extension Bool: PostgresDecodableElement {}
extension Int: PostgresDecodableElement {}
extension Int64: PostgresDecodableElement {}
extension Int32: PostgresDecodableElement {}
extension Double: PostgresDecodableElement {}
extension String: PostgresDecodableElement {}
extension JSONText: PostgresDecodableElement {}
extension UUID: PostgresDecodableElement {}
extension Date: PostgresDecodableElement {}
extension Optional: PostgresDecodableElement where Wrapped: PostgresDecodableElement {}

extension UInt8: PostgresDecodableElement {
    public static func decode(_ cell: PostgresCell) -> UInt8? { cell.integer() }

    /// `bytea` in its `\x…` form.
    public static func decodeArray(_ cell: PostgresCell) -> [UInt8]? {
        guard let bytes = cell.bytes, bytes.count >= 2, bytes.count.isMultiple(of: 2), bytes[0] == UInt8(ascii: "\\"),
            bytes[1] == UInt8(ascii: "x")
        else { return nil }
        var values: [UInt8] = []
        values.reserveCapacity(bytes.count / 2 - 1)
        for index in stride(from: 2, to: bytes.count, by: 2) {
            guard let high = hexDigit(bytes[index]), let low = hexDigit(bytes[index + 1]) else { return nil }
            values.append(high << 4 | low)
        }
        return values
    }
}

extension Array: PostgresDecodable where Element: PostgresDecodableElement {
    public static func decode(_ cell: PostgresCell) -> [Element]? { Element.decodeArray(cell) }
}

extension Array: PostgresDecodableElement where Element == UInt8 {}

extension PostgresCell {
    fileprivate func integer<Number: FixedWidthInteger>() -> Number? {
        guard let bytes, !bytes.isEmpty else { return nil }
        let isNegative = bytes[0] == UInt8(ascii: "-")
        guard !isNegative || bytes.count > 1 else { return nil }
        var value: Number = 0
        for byte in bytes.dropFirst(isNegative ? 1 : 0) {
            let digit = byte &- 48
            guard digit < 10 else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, carried) =
                isNegative ? scaled.subtractingReportingOverflow(Number(digit)) : scaled.addingReportingOverflow(Number(digit))
            guard !overflow, !carried else { return nil }
            value = next
        }
        return value
    }
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
    default: nil
    }
}
