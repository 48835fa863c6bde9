import FoundationEssentials

/// PostgreSQL's two ways to write an array: binary when we send one, text (`{a,"b \"c\"",NULL}`) when we read one.
enum ArrayForm {
    /// One dimension, lower bound 1.
    static func encode(_ elements: [some PostgresArrayElement], element type: PostgresType) -> [UInt8] {
        var bytes: [UInt8] = []
        guard !elements.isEmpty else {
            bytes.append(bigEndian: Int32(0))
            bytes.append(bigEndian: Int32(0))
            bytes.append(bigEndian: Int32(bitPattern: type.oid))
            return bytes
        }
        bytes.reserveCapacity(20 + elements.count * 20)
        bytes.append(bigEndian: Int32(1))
        bytes.append(bigEndian: Int32(1))  // there may be NULLs; the server looks for itself
        bytes.append(bigEndian: Int32(bitPattern: type.oid))
        bytes.append(bigEndian: Int32(elements.count))
        bytes.append(bigEndian: Int32(1))
        for element in elements {
            let value = element.postgresBind.value
            guard let size = value.byteCount else {
                bytes.append(bigEndian: Int32(-1))
                continue
            }
            // The binary form of jsonb begins with its version.
            let version = type == .jsonb ? 1 : 0
            bytes.append(bigEndian: Int32(size + version))
            if version > 0 { bytes.append(UInt8(version)) }
            bytes.append(value)
        }
        return bytes
    }

    /// Reads the text form of a one-dimensional array.
    ///
    /// - Returns: `nil` if the text is not such an array.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> [[UInt8]?]? {
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else { return nil }
        let end = bytes.count - 1
        var index = 1
        if index == end { return [] }
        var elements: [[UInt8]?] = []
        while true {
            guard index < end, let element = parseElement(bytes, &index, end) else { return nil }
            elements.append(element)
            if index == end { return elements }
            guard bytes[index] == UInt8(ascii: ",") else { return nil }
            index += 1
        }
    }

    /// The outer optional is failure, the inner one is NULL.
    private static func parseElement(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ end: Int) -> [UInt8]?? {
        var value: [UInt8] = []
        if bytes[index] == UInt8(ascii: "\"") {
            index += 1
            while index < end, bytes[index] != UInt8(ascii: "\"") {
                if bytes[index] == UInt8(ascii: "\\") { index += 1 }
                guard index < end else { return .none }
                value.append(bytes[index])
                index += 1
            }
            guard index < end else { return .none }
            index += 1
            return .some(value)
        }
        while index < end, bytes[index] != UInt8(ascii: ",") {
            guard bytes[index] != UInt8(ascii: "{") else { return .none }
            value.append(bytes[index])
            index += 1
        }
        return value.elementsEqual("NULL".utf8) ? .some(nil) : .some(value)
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// The value in the form that ``Bind/Value/isBinary`` tells.
    mutating func append(_ value: Bind.Value) {
        switch value {
        case .null: break
        case .text(let text): append(contentsOf: text.utf8)
        case .binary(let bytes): append(contentsOf: bytes)
        case .bool(let flag): append(flag ? 1 : 0)
        case .int4(let number): append(bigEndian: number)
        case .int8(let number): append(bigEndian: number)
        case .float8(let number): append(bigEndian: number.bitPattern)
        case .uuid(let id): Swift.withUnsafeBytes(of: id.uuid) { append(contentsOf: $0) }
        }
    }
}

extension Bind.Value {
    var isBinary: Bool { if case .text = self { false } else { true } }

    /// Of the form that ``isBinary`` tells; `nil` for `NULL`.
    var byteCount: Int? {
        switch self {
        case .null: nil
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        case .bool: 1
        case .int4: 4
        case .int8, .float8: 8
        case .uuid: 16
        }
    }
}

/// `timestamptz` as microseconds since 2000-01-01 00:00 UTC.
enum Timestamp {
    /// From PostgreSQL's epoch to Foundation's reference date, 2001-01-01: 366 days.
    private static let referenceDate: Int64 = 366 * 86_400 * 1_000_000

    static func microseconds(of date: Date) -> Int64 {
        let micros = (date.timeIntervalSinceReferenceDate * 1_000_000).rounded()
        guard micros > -9e17, micros < 9e17 else { return micros < 0 ? .min : .max }  // ±infinity
        return Int64(micros) + referenceDate
    }

    /// Reads the ISO style with a numeric zone: `2026-11-20 19:02:01.123456+00`, also the short forms of `date` and `timestamp`
    /// (taken as UTC). Years are 4–6 digits; ` BC` and `infinity` are refused.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Date? {
        var cursor = Cursor(text: text)
        guard let year = cursor.number(), cursor.take("-"), let month = cursor.number(), cursor.take("-"),
            let day = cursor.number(),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var micros = daysFromCivil(year, month, day) * 86_400 * 1_000_000
        if cursor.take(" ") {
            guard let hour = cursor.number(), cursor.take(":"), let minute = cursor.number(), cursor.take(":"),
                let second = cursor.number()
            else { return nil }
            micros += ((hour * 60 + minute) * 60 + second) * 1_000_000
            if cursor.take(".") {
                guard let fraction = cursor.fraction() else { return nil }
                micros += fraction
            }
            let sign: Int64 = cursor.take("+") ? 1 : cursor.take("-") ? -1 : 0
            if sign != 0 {
                guard let hours = cursor.number() else { return nil }
                var offset = hours * 3_600
                if cursor.take(":") { offset += (cursor.number() ?? 0) * 60 }
                if cursor.take(":") { offset += cursor.number() ?? 0 }
                micros -= sign * offset * 1_000_000
            }
        }
        guard cursor.isAtEnd else { return nil }
        return Date(timeIntervalSinceReferenceDate: Double(micros - 978_307_200 * 1_000_000) / 1_000_000)
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
    private static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private struct Cursor {
        let text: UnsafeBufferPointer<UInt8>
        var index = 0

        var isAtEnd: Bool { index == text.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        mutating func number() -> Int64? {
            let start = index
            var value: Int64 = 0
            while index < text.count, index - start < 9, case let digit = text[index] &- 48, digit < 10 {
                value = value * 10 + Int64(digit)
                index += 1
            }
            return index > start ? value : nil
        }

        /// Digits after the point, as microseconds.
        mutating func fraction() -> Int64? {
            let start = index
            guard var value = number(), index - start <= 6 else { return nil }
            for _ in (index - start)..<6 { value *= 10 }
            return value
        }
    }
}
