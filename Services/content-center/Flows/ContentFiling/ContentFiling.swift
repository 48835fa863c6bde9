import DTO
import FoundationEssentials

/// Where contents are kept: project spaces (项目空间), topics and tags, and the bin, from which everything can be taken back for 30 days.
///
/// None of it is part of a text, so none of it makes a version or touches a review.
struct ContentFiling: Sendable {
    let contents: Contents
    let store: FilingStore

    // MARK: Labels

    /// Puts a content into a space, under a topic, under tags; what is not named stays.
    ///
    /// - Parameter tags: what the editor has seen; `nil` where that does not matter, as for one more tag.
    func label(
        _ id: UUID, with change: LabelChange, ifMatch tags: [EntityTag]? = nil, by author: Author
    ) async throws -> Content {
        if case .value(let space) = change.spaceId, try await store.space(space, of: author.tenantId) == nil {
            throw FilingError.unknownSpace
        }
        for _ in 0..<Contents.attempts {
            let before = try await contents.content(id, of: author.tenantId)
            let labels = change.applied(to: Labels(before))
            if labels == Labels(before) { return before }
            if let tags, !tags.contains(where: { $0 == EntityTag(before) }) { throw ContentsError.versionConflict }
            guard labels.tags.count <= LabelChange.maxTags else { throw FilingError.tooManyTags }
            if let after = try await store.label(before, labels, by: author) { return after }
        }
        throw ContentsError.versionConflict
    }

    // MARK: The bin

    /// What is on its way out may not vanish under those who are sending it, whatever has become of the text since.
    func delete(_ id: UUID, by author: Author) async throws {
        for _ in 0..<Contents.attempts {
            let before = try await contents.content(id, of: author.tenantId)
            guard !PublishStanding.open.contains(before.status) else { throw FilingError.inUse(before.status) }
            if try await store.moveToBin(before, by: author) { return }
        }
        throw ContentsError.versionConflict
    }

    /// The same for one of many: what lies in the bin already is done.
    func deleteIfThere(_ id: UUID, by author: Author) async throws {
        guard try await !store.isInBin(id, of: author.tenantId) else { return }
        try await delete(id, by: author)
    }

    /// Takes it back as it was. What is not in the bin stays as it is.
    func restore(_ id: UUID, by author: Author) async throws -> Content {
        try await store.restore(id, by: author)
        return try await contents.content(id, of: author.tenantId)
    }

    // MARK: Spaces

    func create(_ space: NewContentSpace, by author: Author) async throws -> ContentSpace {
        guard let space = try await store.insert(space, by: author) else { throw FilingError.nameTaken }
        return space
    }

    func space(_ id: UUID, of tenantId: UUID) async throws -> ContentSpace {
        guard let space = try await store.space(id, of: tenantId) else { throw FilingError.noSuchSpace }
        return space
    }

    /// By id, so in the order of their making.
    ///
    /// - Parameter name: a part of it, whatever its case.
    func spaces(named name: String?, after id: UUID?, limit: Int, of tenantId: UUID) async throws -> [ContentSpace] {
        try await store.spaces(named: name, after: id, limit: limit, of: tenantId)
    }

    func change(_ id: UUID, name: String?, description: LabelField<String>, by author: Author) async throws -> ContentSpace {
        switch try await store.update(id, name: name, description: description, by: author) {
        case .done(let space): return space
        case .missing: throw FilingError.noSuchSpace
        case .nameTaken: throw FilingError.nameTaken
        }
    }

    /// Only an empty one; what lies in the bin does not count, and comes back without a space.
    func deleteSpace(_ id: UUID, by author: Author) async throws {
        switch try await store.deleteSpace(id, by: author) {
        case .done: return
        case .missing: throw FilingError.noSuchSpace
        case .inUse(let count): throw FilingError.spaceNotEmpty(count)
        }
    }
}

/// Where a content is kept.
struct Labels: Sendable, Equatable {
    var spaceId: UUID?
    var topic: String?
    /// In their order, each once.
    var tags: [String]
}

extension Labels {
    init(_ content: Content) { self.init(spaceId: content.spaceId, topic: content.topic, tags: content.tags) }
}

/// What a merge patch says of one label.
enum LabelField<Value: Sendable & Equatable>: Sendable, Equatable {
    case keep
    case clear
    case value(Value)

    func applied(to value: Value?) -> Value? {
        switch self {
        case .keep: value
        case .clear: nil
        case .value(let new): new
        }
    }
}

struct LabelChange: Sendable, Equatable {
    var spaceId: LabelField<UUID> = .keep
    var topic: LabelField<String> = .keep
    /// The whole new set.
    var tags: [String]?
    var addedTags: [String] = []
    var removedTags: [String] = []

    static let maxTags = 30

    func applied(to labels: Labels) -> Labels {
        var all = tags ?? labels.tags
        all += addedTags
        all.removeAll { removedTags.contains($0) }
        var seen: Set<String> = []
        return Labels(
            spaceId: spaceId.applied(to: labels.spaceId), topic: topic.applied(to: labels.topic),
            tags: all.filter { seen.insert($0).inserted })
    }
}
