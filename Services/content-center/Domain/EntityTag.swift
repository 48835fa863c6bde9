/// The `ETag` of a content is its version in quotes: `"3"` (RFC 9110 §8.8.3). It is strong, since versions never change.
struct EntityTag: Equatable {
    let version: Int

    var description: String { "\"\(version)\"" }

    /// What a conditional header names.
    enum Condition: Equatable {
        /// `*`: whatever is there.
        case any
        /// The versions that the header's tags could mean; tags that are not ours match nothing and are left out.
        case versions([Int])
    }

    /// Reads `If-Match` (strong comparison: weak tags match nothing) or `If-None-Match` (weak comparison).
    ///
    /// - Returns: `nil` when the header is not a list of entity tags.
    static func condition(_ header: String, weakMatches: Bool) -> Condition? {
        let header = trimmed(header[...])
        if header == "*" { return .any }
        var versions: [Int] = []
        var rest = header
        while true {
            let isWeak = rest.hasPrefix("W/")
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else { return nil }
            let tag = rest[rest.index(after: rest.startIndex)..<end]
            if !isWeak || weakMatches, let version = Int(tag), "\(version)" == tag { versions.append(version) }
            rest = trimmed(rest[rest.index(after: end)...])
            if rest.isEmpty { return .versions(versions) }
            guard rest.first == "," else { return nil }
            rest = trimmed(rest.dropFirst())
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
