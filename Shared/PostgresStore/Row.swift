import FoundationEssentials

/// What a statement answered. Rows are read in place, without copies; column names are looked up in one table per answer.
public struct RowSet: Sendable, RandomAccessCollection {
    let result: ResultBox?
    let columns: Columns
    public let count: Int

    init(_ result: ResultBox?) {
        self.result = result
        count = result?.rowCount ?? 0
        columns = Columns(names: count > 0 ? result?.columnNames() ?? [] : [])
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(index: Int) -> Row {
        precondition(index >= 0 && index < count, "row \(index) of \(count)")
        return Row(set: self, index: index)
    }

    /// How many rows the statement inserted, changed, deleted or selected.
    public var affectedRows: Int { result?.affectedRows ?? 0 }

    /// The only row.
    ///
    /// - Throws: ``RowDecodingError`` if there is another number of rows.
    public var only: Row {
        get throws {
            guard count == 1 else { throw RowDecodingError(column: "*", type: "Row", reason: "\(count) rows instead of one") }
            return self[0]
        }
    }
}

/// The names of an answer's columns.
final class Columns: Sendable {
    let names: [String]
    private let indices: [String: Int]

    init(names: [String]) {
        self.names = names
        // A few names are found faster by comparing than by hashing.
        indices = names.count > 12 ? Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first }) : [:]
    }

    func index(of name: String) -> Int? {
        indices.isEmpty ? names.firstIndex(of: name) : indices[name]
    }
}

public struct Row: Sendable {
    let set: RowSet
    let index: Int

    /// Reads a field by its column's name.
    ///
    ///     let title: String = try row.decode("title")
    ///     let score = try row.decode("score", as: Int?.self)
    ///
    /// - Throws: ``RowDecodingError`` for an unknown column, for NULL where `Value` is not optional, and for a value of another type.
    public func decode<Value: PostgresDecodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        guard let position = set.columns.index(of: column) else {
            throw RowDecodingError(
                column: column, type: "\(type)", reason: "no such column among \(set.columns.names.joined(separator: ", "))")
        }
        return try decode(at: position, name: column, as: type)
    }

    /// Reads a field by its position, from 0.
    public func decode<Value: PostgresDecodable>(at position: Int, as type: Value.Type = Value.self) throws -> Value {
        guard set.columns.names.indices.contains(position) else {
            throw RowDecodingError(column: "#\(position)", type: "\(type)", reason: "\(set.columns.names.count) columns")
        }
        return try decode(at: position, name: set.columns.names[position], as: type)
    }

    private func decode<Value: PostgresDecodable>(at position: Int, name: String, as type: Value.Type) throws -> Value {
        guard let result = set.result else { throw RowDecodingError(column: name, type: "\(type)", reason: "no rows") }
        return try result.withCell(row: index, column: position) { cell in
            if let value = Value.decode(cell) { return value }
            throw RowDecodingError(column: name, type: "\(type)", reason: cell.bytes == nil ? "is NULL" : "has another form")
        }
    }
}
