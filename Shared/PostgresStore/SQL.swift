/// A statement whose interpolated values travel beside the text, never in it.
///
///     let sql: SQL = "SELECT title FROM contents WHERE tenant_id = \(tenant) AND id = \(id)"
///
/// Each `\(value)` becomes `$1`, `$2`, … Numbers, booleans, UUIDs, dates, bytes and arrays carry their PostgreSQL type; a `String` (and
/// ``JSONText``) behaves like a quoted literal, whose type the server infers: where it cannot (`\(text) IS NULL`), write `\(text)::text`.
/// An `Int` is a `bigint`; functions that want an `integer` need `\(n)::int`.
///
/// The text is the key of the prepared-statement cache: keep it constant and let only values vary.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// What stands between the binds: always one more than `binds`.
    var literals: [String]
    var binds: [Bind]

    public init(stringLiteral value: String) {
        literals = [value]
        binds = []
    }

    public init(stringInterpolation: StringInterpolation) {
        literals = stringInterpolation.literals
        binds = stringInterpolation.binds
    }

    /// Text that is taken as it stands, for statements built from constants of the program. Never from input.
    public init(unescaped text: String) {
        literals = [text]
        binds = []
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        var literals: [String] = [""]
        var binds: [Bind] = []

        public init(literalCapacity: Int, interpolationCount: Int) {
            binds.reserveCapacity(interpolationCount)
            literals.reserveCapacity(interpolationCount + 1)
        }

        public mutating func appendLiteral(_ literal: String) {
            literals[literals.count - 1] += literal
        }

        public mutating func appendInterpolation(_ value: some PostgresEncodable) {
            binds.append(value.postgresBind)
            literals.append("")
        }

        /// `nil` becomes `NULL` of the value's own type. (A separate function, because the compiler warns of optionals in strings.)
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            binds.append(value.postgresBind)
            literals.append("")
        }

        /// A fragment with its own values; the numbers of its placeholders follow on.
        public mutating func appendInterpolation(_ fragment: SQL) {
            literals[literals.count - 1] += fragment.literals[0]
            binds.append(contentsOf: fragment.binds)
            literals.append(contentsOf: fragment.literals.dropFirst())
        }

        /// Text that is taken as it stands: names of columns, directions of sorting. Never input.
        public mutating func appendInterpolation(unescaped text: String) {
            appendLiteral(text)
        }

        /// A name in double quotes, with quotes inside doubled.
        public mutating func appendInterpolation(identifier name: String) {
            appendLiteral(name.quotedIdentifier)
        }
    }

    /// Joins fragments, e.g. the conditions of a `WHERE` with `" AND "`.
    public static func joined(_ fragments: [SQL], separator: String) -> SQL {
        guard var result = fragments.first else { return "" }
        for fragment in fragments.dropFirst() {
            result.append(SQL(unescaped: separator))
            result.append(fragment)
        }
        return result
    }

    public mutating func append(_ fragment: SQL) {
        literals[literals.count - 1] += fragment.literals[0]
        binds.append(contentsOf: fragment.binds)
        literals.append(contentsOf: fragment.literals.dropFirst())
    }

    public static func + (lhs: SQL, rhs: SQL) -> SQL {
        var result = lhs
        result.append(rhs)
        return result
    }

    /// The statement as the server sees it, with `$n` in place of values.
    public var text: String {
        guard !binds.isEmpty else { return literals[0] }
        var text = ""
        text.reserveCapacity(literals.reduce(binds.count * 3) { $0 + $1.utf8.count })
        text += literals[0]
        for index in 1..<literals.count {
            text += "$"
            text += index.description
            text += literals[index]
        }
        return text
    }
}

extension SQL: CustomStringConvertible {
    /// The text with placeholders; values stay out of logs.
    public var description: String { text }
}

extension String {
    /// The name in double quotes, as PostgreSQL reads names of any spelling.
    package var quotedIdentifier: String {
        "\"" + split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// The text in single quotes, for the few statements that take no parameters (`standard_conforming_strings` is on).
    package var quotedLiteral: String {
        "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
