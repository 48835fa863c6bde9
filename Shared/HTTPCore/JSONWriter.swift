import FoundationEssentials
import Observability

/// Writes `Encodable` values straight into one byte array.
///
/// Containers have no "end" in `Encoder`; so the writer keeps a stack of open ones, and writing to a container closes everything that
/// was opened inside it. A container that was closed that way must not be written to again: that throws.
final class JSONWriter {
    private struct OpenContainer {
        let serial: Int
        let closing: UInt8
        var isEmpty = true
    }

    private var bytes: [UInt8] = []
    private var failure: (any Error)?
    private var open: [OpenContainer] = []
    private var lastSerial = 0

    /// Writes one whole value and closes what it opened.
    ///
    /// - Parameter path: of the value; asked for only where it has members of its own.
    func write<Value: Encodable>(_ value: Value, path: @autoclosure () -> CodingPath) throws {
        if Value.self == Date.self, let date = value as? Date {
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: RFC3339.formatted(date))
            bytes.append(UInt8(ascii: "\""))
        } else if Value.self == UUID.self, let uuid = value as? UUID {
            write(uuid.text)
        } else if Value.self == JSONValue.self, let json = value as? JSONValue {
            json.append(to: &bytes)
        } else if Value.self == String.self, let text = value as? String {
            write(text)
        } else {
            let depth = open.count
            let start = bytes.count
            try value.encode(to: JSONValueWriter(writer: self, path: path()))
            close(downTo: depth)
            if bytes.count == start { bytes.append(contentsOf: "{}".utf8) }
        }
    }

    func write(_ text: String) { JSONText.append(text, to: &bytes) }

    func write(_ value: Bool) { bytes.append(contentsOf: (value ? "true" : "false").utf8) }

    func appendColon() { bytes.append(UInt8(ascii: ":")) }

    /// `Encoder`'s nested containers cannot throw; what went wrong is thrown by ``finish()``.
    func deferred(_ body: () throws -> Void) {
        do { try body() } catch { failure = failure ?? error }
    }

    /// - Throws: the first error of a nested container.
    func finish() throws -> [UInt8] {
        if let failure { throw failure }
        return bytes
    }

    func writeNull() { bytes.append(contentsOf: "null".utf8) }

    func write(_ value: some BinaryInteger) { bytes.append(contentsOf: String(value).utf8) }

    func write(_ value: Double, path: @autoclosure () -> CodingPath) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, .init(codingPath: path().keys, debugDescription: "JSON has no \(value)"))
        }
        // Whole numbers without `.0`, as JavaScript and Foundation write them.
        let text = value.description
        bytes.append(contentsOf: text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...])
    }

    /// - Returns: where the container stands in the stack, and its serial number.
    func beginContainer(_ opening: UInt8, _ closing: UInt8) -> (level: Int, serial: Int) {
        bytes.append(opening)
        lastSerial += 1
        open.append(OpenContainer(serial: lastSerial, closing: closing))
        return (open.count, lastSerial)
    }

    /// Makes room for the next element of the container: closes inner ones, adds the comma.
    func beginElement(level: Int, serial: Int, path: CodingPath) throws {
        guard open.count >= level, open[level - 1].serial == serial else {
            throw EncodingError.invalidValue(
                serial, .init(codingPath: path.keys, debugDescription: "the container was left and is written to again"))
        }
        close(downTo: level)
        if !open[level - 1].isEmpty { bytes.append(UInt8(ascii: ",")) }
        open[level - 1].isEmpty = false
    }

    private func close(downTo depth: Int) {
        while open.count > depth { bytes.append(open.removeLast().closing) }
    }
}

private struct JSONValueWriter: Encoder, SingleValueEncodingContainer {
    let writer: JSONWriter
    let path: CodingPath
    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(JSONObjectWriter(writer: writer, path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { JSONArrayWriter(writer: writer, path: path) }
    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() { writer.writeNull() }
    func encode(_ value: Bool) { writer.write(value) }
    func encode(_ value: String) { writer.write(value) }
    func encode(_ value: Double) throws { try writer.write(value, path: path) }
    func encode(_ value: Float) throws { try writer.write(Double(value), path: path) }
    func encode(_ value: Int) { writer.write(value) }
    func encode(_ value: Int8) { writer.write(value) }
    func encode(_ value: Int16) { writer.write(value) }
    func encode(_ value: Int32) { writer.write(value) }
    func encode(_ value: Int64) { writer.write(value) }
    func encode(_ value: UInt) { writer.write(value) }
    func encode(_ value: UInt8) { writer.write(value) }
    func encode(_ value: UInt16) { writer.write(value) }
    func encode(_ value: UInt32) { writer.write(value) }
    func encode(_ value: UInt64) { writer.write(value) }
    func encode(_ value: some Encodable) throws { try writer.write(value, path: path) }
}

private struct JSONObjectWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    private let writer: JSONWriter
    private let path: CodingPath
    var codingPath: [any CodingKey] { path.keys }
    private let level: Int
    private let serial: Int

    init(writer: JSONWriter, path: CodingPath) {
        self.writer = writer
        self.path = path
        (level, serial) = writer.beginContainer(UInt8(ascii: "{"), UInt8(ascii: "}"))
    }

    private func begin(_ key: any CodingKey) throws {
        try writer.beginElement(level: level, serial: serial, path: path)
        writer.write(key.stringValue)
        writer.appendColon()
    }

    func encodeNil(forKey key: Key) throws {
        try begin(key)
        writer.writeNull()
    }

    func encode(_ value: Bool, forKey key: Key) throws {
        try begin(key)
        writer.write(value)
    }

    func encode(_ value: String, forKey key: Key) throws {
        try begin(key)
        writer.write(value)
    }

    func encode(_ value: Int, forKey key: Key) throws {
        try begin(key)
        writer.write(value)
    }

    func encode(_ value: Double, forKey key: Key) throws {
        try begin(key)
        try writer.write(value, path: path + key)
    }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try begin(key)
        try writer.write(value, path: path + key)
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type, forKey key: Key) -> KeyedEncodingContainer<
        NestedKey
    > {
        writer.deferred { try begin(key) }
        return KeyedEncodingContainer(JSONObjectWriter<NestedKey>(writer: writer, path: path + key))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        writer.deferred { try begin(key) }
        return JSONArrayWriter(writer: writer, path: path + key)
    }

    func superEncoder() -> any Encoder {
        writer.deferred { try begin(JSONKey(stringValue: "super")) }
        return JSONValueWriter(writer: writer, path: path)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        writer.deferred { try begin(key) }
        return JSONValueWriter(writer: writer, path: path + key)
    }
}

private struct JSONArrayWriter: UnkeyedEncodingContainer {
    private let writer: JSONWriter
    private let path: CodingPath
    var codingPath: [any CodingKey] { path.keys }
    private let level: Int
    private let serial: Int
    private(set) var count = 0

    init(writer: JSONWriter, path: CodingPath) {
        self.writer = writer
        self.path = path
        (level, serial) = writer.beginContainer(UInt8(ascii: "["), UInt8(ascii: "]"))
    }

    private mutating func begin() throws {
        try writer.beginElement(level: level, serial: serial, path: path)
        count += 1
    }

    mutating func encodeNil() throws {
        try begin()
        writer.writeNull()
    }

    mutating func encode(_ value: String) throws {
        try begin()
        writer.write(value)
    }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        try begin()
        try writer.write(value, path: path + JSONKey.index(count - 1))
    }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        writer.deferred { try begin() }
        return KeyedEncodingContainer(JSONObjectWriter<NestedKey>(writer: writer, path: path))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        writer.deferred { try begin() }
        return JSONArrayWriter(writer: writer, path: path)
    }

    mutating func superEncoder() -> any Encoder {
        writer.deferred { try begin() }
        return JSONValueWriter(writer: writer, path: path)
    }
}
