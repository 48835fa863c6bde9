import PostgresStore

extension Row {
    /// A column that holds the raw value of an enumeration.
    func decodeCase<Case: RawRepresentable>(_ column: String, as type: Case.Type = Case.self) throws -> Case
    where Case.RawValue == String {
        let text: String = try decode(column)
        guard let value = Case(rawValue: text) else { throw UnknownStoredValue(column: column, value: text) }
        return value
    }

    /// The same for a column that may be `NULL`.
    func decodeOptionalCase<Case: RawRepresentable>(_ column: String, as type: Case.Type = Case.self) throws -> Case?
    where Case.RawValue == String {
        guard try decode(column, as: String?.self) != nil else { return nil }
        return try decodeCase(column)
    }
}

/// Written by a newer version of the service, or damaged.
private struct UnknownStoredValue: Error {
    let column: String
    let value: String
}
