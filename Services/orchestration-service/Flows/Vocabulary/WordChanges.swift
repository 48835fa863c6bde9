import DTO

/// By which spellings a list differs from what it was.
struct WordChanges: Sendable, Equatable {
    var added: [String] = []
    var removed: [String] = []

    var isEmpty: Bool { added.isEmpty && removed.isEmpty }

    /// What others are told: as many events as it takes, each with no more words than one may hold.
    var events: [BannedWordsChanged] {
        let most = BannedWordsChanged.most
        var events = stride(from: 0, to: removed.count, by: most).map {
            BannedWordsChanged(removed: Array(removed[$0..<min($0 + most, removed.count)]))
        }
        var rest = added[...]
        if let last = events.indices.last {
            let room = most - events[last].removed.count
            events[last].added = Array(rest.prefix(room))
            rest = rest.dropFirst(room)
        }
        while !rest.isEmpty {
            events.append(BannedWordsChanged(added: Array(rest.prefix(most))))
            rest = rest.dropFirst(most)
        }
        return events
    }
}
