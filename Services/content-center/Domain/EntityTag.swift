import DTO

/// The `ETag` of a content (RFC 9110 §8.8.3): its version in quotes, `"3"`; once something besides its text has changed (an approval, a
/// tag), the version and the revision, `"3.5"`. It is strong: the same tag is the same representation.
///
/// In `If-Match` a version alone names that text, wherever its approval stands; with a revision it names exactly that.
struct EntityTag: Equatable {
    let version: Int
    let revision: Int?

    init(version: Int, revision: Int? = nil) {
        self.version = version
        self.revision = revision
    }

    init(_ content: Content) {
        self.init(version: content.version, revision: content.revision == content.version ? nil : content.revision)
    }

    /// Of an asset: its revision, and behind it what nobody edits: where its rights stand, and which addresses its previews have.
    init(_ asset: LibraryAsset) {
        let states = AssetRightsState.allCases
        var moved = states.firstIndex(of: asset.rightsState) ?? 0
        if asset.thumbnail != nil || asset.cover != nil { moved += states.count * AssetPreview.currentPeriod }
        self.init(version: asset.revision, revision: moved == 0 ? nil : moved)
    }

    var description: String { "\"\(text)\"" }

    private var text: String { revision.map { "\(version).\($0)" } ?? "\(version)" }

    /// `nil` for what is no tag of ours.
    private init?(text: Substring) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
        guard let version = parts.first ?? nil else { return nil }
        var revision: Int?
        if parts.count == 2 {
            guard let number = parts[1] else { return nil }
            revision = number
        }
        self.init(version: version, revision: revision)
        guard self.text == text else { return nil }
    }

    /// Whether this is, as `If-Match` means it, what the content is now.
    func matches(_ content: Content) -> Bool {
        version == content.version && (revision == nil || revision == content.revision)
    }

    /// The same for an asset.
    func matches(_ asset: LibraryAsset) -> Bool { version == asset.revision }

    /// What a conditional header names.
    enum Condition: Equatable {
        /// `*`: whatever is there.
        case any
        /// What the header's tags could mean; tags that are not ours match nothing and are left out.
        case tags([EntityTag])
    }

    /// Reads `If-Match` (strong comparison: weak tags match nothing) or `If-None-Match` (weak comparison).
    ///
    /// - Returns: `nil` when the header is not a list of entity tags.
    static func condition(_ header: String, weakMatches: Bool) -> Condition? {
        let header = trimmed(header[...])
        if header == "*" { return .any }
        var tags: [EntityTag] = []
        var rest = header
        while true {
            let isWeak = rest.hasPrefix("W/")
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else { return nil }
            let text = rest[rest.index(after: rest.startIndex)..<end]
            if !isWeak || weakMatches, let tag = EntityTag(text: text) { tags.append(tag) }
            rest = trimmed(rest[rest.index(after: end)...])
            if rest.isEmpty { return .tags(tags) }
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
