/// `data` of `banned.words.changed.v1`: what changed in the list of words that a tenant forbids in all its texts; subject is the tenant's id.
/// A word that is spelt otherwise now was removed and added.
///
/// A change of more words than one event tells of comes in several, all of the list's one new version. What is newer is told by the
/// version of each word: of two events of which one says that a word was added and the other that it was removed, the higher one holds.
public struct BannedWordsChanged: Codable, Sendable, Equatable {
    public static let type = "banned.words.changed.v1"
    /// Words in one event.
    public static let most = 1_000

    /// At most ``most`` with ``removed``; 1–50 characters each, as it is spelt.
    public var added: [String]
    public var removed: [String]

    public init(added: [String] = [], removed: [String] = []) {
        self.added = added
        self.removed = removed
    }
}
