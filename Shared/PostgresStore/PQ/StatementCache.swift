/// Which statements a connection has prepared. Bounded: the one that was not used for longest goes first.
struct StatementCache {
    struct Key: Hashable, Sendable {
        let text: String
        let types: [PostgresType]
    }

    private struct Entry {
        let name: String
        var lastUse: UInt64
    }

    let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0
    private var names: UInt64 = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    /// The name under which the statement is prepared, if it is.
    mutating func use(_ key: Key) -> String? {
        uses += 1
        guard let index = entries.index(forKey: key) else { return nil }
        entries.values[index].lastUse = uses
        return entries.values[index].name
    }

    mutating func makeName() -> String {
        names += 1
        return "s\(names)"
    }

    /// To be called when the server has confirmed the preparation.
    mutating func insert(_ key: Key, name: String) {
        entries[key] = Entry(name: name, lastUse: uses)
    }

    mutating func remove(_ key: Key) { entries[key] = nil }

    /// Removes what must go before `count` statements are prepared, so that at most `capacity` are.
    ///
    /// - Returns: the names that the server is to let go of.
    mutating func makeRoom(for count: Int) -> [String] {
        var names: [String] = []
        while count > 0, entries.count + count > capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
            names.append(oldest.value.name)
        }
        return names
    }
}
