/// Tags that become one, in the whole library.
struct TagRenaming: Sendable, Equatable {
    var from: [String]
    var to: String

    /// The new tag stands where the first of them stood, once.
    func applied(to tags: [String]) -> [String] {
        var seen: Set<String> = []
        return tags.map { from.contains($0) ? to : $0 }.filter { seen.insert($0).inserted }
    }
}
