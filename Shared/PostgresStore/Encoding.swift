public import FoundationEssentials

/// A PostgreSQL type by its OID, as far as parameters need to name one.
public struct PostgresType: Sendable, Hashable {
    public let oid: UInt32

    public init(oid: UInt32) { self.oid = oid }

    /// The server infers the type from where the parameter stands, as it does for a quoted literal.
    public static let inferred = PostgresType(oid: 0)
    public static let bool = PostgresType(oid: 16)
    public static let bytea = PostgresType(oid: 17)
    public static let int8 = PostgresType(oid: 20)
    public static let int4 = PostgresType(oid: 23)
    public static let text = PostgresType(oid: 25)
    public static let float8 = PostgresType(oid: 701)
    public static let timestamptz = PostgresType(oid: 1184)
    public static let uuid = PostgresType(oid: 2950)
    public static let jsonb = PostgresType(oid: 3802)
}

/// One value on its way to the server.
public struct Bind: Sendable {
    public enum Value: Sendable {
        case null
        /// PostgreSQL's text form. U+0000 is refused when the statement is sent.
        case text(String)
        /// PostgreSQL's binary form, for the type that is named.
        case binary([UInt8])
        case bool(Bool)
        case int4(Int32)
        case int8(Int64)
        case float8(Double)
        case uuid(UUID)
    }

    public let type: PostgresType
    public let value: Value

    public init(type: PostgresType, value: Value) {
        self.type = type
        self.value = value
    }
}

/// A value that `SQL` can carry. An enum over `String` needs only to say that it conforms.
public protocol PostgresEncodable: Sendable {
    static var postgresType: PostgresType { get }
    var postgresBind: Bind { get }
}

/// A value that can stand in an array. An array of bytes is not a list of numbers but one `bytea`.
public protocol PostgresArrayElement: PostgresEncodable {
    /// The array's own type and the type of its elements.
    static var postgresArrayType: (array: PostgresType, element: PostgresType) { get }
    static func postgresBind(of elements: [Self]) -> Bind
}

extension PostgresArrayElement {
    public static func postgresBind(of elements: [Self]) -> Bind {
        let type = postgresArrayType
        return Bind(type: type.array, value: .binary(ArrayForm.encode(elements, element: type.element)))
    }
}

extension Bool: PostgresArrayElement {
    public static var postgresType: PostgresType { .bool }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 1000), .bool) }
    public var postgresBind: Bind { Bind(type: .bool, value: .bool(self)) }
}

extension Int: PostgresArrayElement {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 1016), .int8) }
    public var postgresBind: Bind { Bind(type: .int8, value: .int8(Int64(self))) }
}

extension Int64: PostgresArrayElement {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 1016), .int8) }
    public var postgresBind: Bind { Bind(type: .int8, value: .int8(self)) }
}

extension Int32: PostgresArrayElement {
    public static var postgresType: PostgresType { .int4 }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 1007), .int4) }
    public var postgresBind: Bind { Bind(type: .int4, value: .int4(self)) }
}

extension Double: PostgresArrayElement {
    public static var postgresType: PostgresType { .float8 }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 1022), .float8) }
    public var postgresBind: Bind { Bind(type: .float8, value: .float8(self)) }
}

extension UUID: PostgresArrayElement {
    public static var postgresType: PostgresType { .uuid }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 2951), .uuid) }
    public var postgresBind: Bind { Bind(type: .uuid, value: .uuid(self)) }
}

extension Date: PostgresArrayElement {
    public static var postgresType: PostgresType { .timestamptz }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 1185), .timestamptz) }
    /// Microseconds, rounded: what PostgreSQL keeps.
    public var postgresBind: Bind { Bind(type: .timestamptz, value: .int8(Timestamp.microseconds(of: self))) }
}

extension String: PostgresArrayElement {
    public static var postgresType: PostgresType { .inferred }
    /// Unlike a single string, an array of them has a type (`text[]`), so that `unnest` knows it.
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 1009), .text) }
    public var postgresBind: Bind { Bind(type: .inferred, value: .text(self)) }
}

/// JSON as text, for `json` and `jsonb` columns.
public struct JSONText: Sendable, Hashable {
    public let text: String

    public init(_ text: String) { self.text = text }

    /// - Parameter bytes: JSON in UTF-8, as an encoder wrote it.
    public init(bytes: [UInt8]) { self.text = String(decoding: bytes, as: UTF8.self) }

    public var bytes: [UInt8] { Array(text.utf8) }
}

extension JSONText: PostgresArrayElement {
    public static var postgresType: PostgresType { .inferred }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 3807), .jsonb) }
    public var postgresBind: Bind { Bind(type: .inferred, value: .text(text)) }
}

extension UInt8: PostgresArrayElement {
    public static var postgresType: PostgresType { .int4 }
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (.bytea, .inferred) }
    public var postgresBind: Bind { Bind(type: .int4, value: .int4(Int32(self))) }
    public static func postgresBind(of elements: [UInt8]) -> Bind { Bind(type: .bytea, value: .binary(elements)) }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: PostgresType { Element.postgresArrayType.array }
    public var postgresBind: Bind { Element.postgresBind(of: self) }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { (PostgresType(oid: 1001), .bytea) }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public static var postgresType: PostgresType { Wrapped.postgresType }
    /// `nil` is `NULL` of the value's own type.
    public var postgresBind: Bind { self?.postgresBind ?? Bind(type: Wrapped.postgresType, value: .null) }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { Wrapped.postgresArrayType }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    public static var postgresType: PostgresType { RawValue.postgresType }
    public var postgresBind: Bind { rawValue.postgresBind }
}

extension PostgresArrayElement where Self: RawRepresentable, RawValue: PostgresArrayElement {
    public static var postgresArrayType: (array: PostgresType, element: PostgresType) { RawValue.postgresArrayType }
}
