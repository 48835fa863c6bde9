import DTO
import FoundationEssentials

/// How a tenant keeps its files in order: names, folders, tags, and whose work they are.
struct AssetFiling: Sendable {
    let assets: Assets
    let store: AssetFilingStore
    let folders: FolderStore

    // MARK: Assets

    /// - Parameter tags: what the editor has seen, as `If-Match` names it.
    func edit(_ id: UUID, with change: AssetChange, ifMatch tags: [EntityTag], by author: Author) async throws -> LibraryAsset {
        for _ in 0..<Contents.attempts {
            let before = try await assets.asset(id, for: author.viewer)
            guard tags.contains(where: { $0.matches(before) }) else { throw AssetFilingError.changed }
            let details = try change.applied(to: AssetDetails(before), of: FileType(rawValue: before.mediaType))
            if details == AssetDetails(before) { return before }
            if let after = try await store.save(details, of: before, by: author) { return after }
        }
        throw AssetFilingError.changed
    }

    /// Moves and labels many, all of them or none.
    ///
    /// - Returns: how many are otherwise than before.
    func organize(_ ids: [UUID], folder: LabelField<UUID>, labels: LabelChange, by author: Author) async throws -> Int {
        try await store.change(ids, by: author) { assets in
            var details: [AssetDetails] = []
            var crowded: [Int] = []
            for (index, asset) in assets.enumerated() {
                var new = AssetDetails(asset)
                new.folderId = folder.applied(to: new.folderId)
                new.tags = labels.applied(to: Labels(tags: new.tags)).tags
                if new.tags.count > LabelChange.maxTags { crowded.append(index) }
                details.append(new)
            }
            guard crowded.isEmpty else { throw AssetFilingError.tooManyTags(crowded) }
            return details
        }
    }

    /// How many steps one request takes, each a transaction of its own.
    static let renamingSteps = 50

    /// Gives every asset that the author sees and that has one of these tags the new one instead. What is done stays done, and said again it goes on.
    func rename(_ renaming: TagRenaming, by author: Author) async throws -> AssetTagRenamingResult {
        var changed = 0
        for _ in 0..<Self.renamingSteps {
            let count = try await store.rename(renaming, by: author)
            if count == 0 { return AssetTagRenamingResult(changed: changed, isComplete: true) }
            changed += count
        }
        return AssetTagRenamingResult(changed: changed, isComplete: false)
    }

    /// The tags that are used most, at most `limit`.
    func tags(startingWith prefix: String, limit: Int, for viewer: AssetViewer) async throws -> [AssetTag] {
        try await store.tags(startingWith: prefix, limit: limit, for: viewer)
    }

    // MARK: Folders

    func create(_ folder: NewAssetFolder, by author: Author) async throws -> AssetFolder {
        if let parent = folder.parentId { try await checkPlace(of: nil, under: parent, author.tenantId) }
        return try await folders.insert(folder, by: author)
    }

    func folder(_ id: UUID, of tenantId: UUID) async throws -> AssetFolder {
        guard let folder = try await folders.folder(id, of: tenantId) else { throw FolderError.notFound }
        return folder
    }

    /// By id, so in the order of their making.
    ///
    /// - Parameter parent: only what lies in this one.
    func list(in parent: UUID?, after id: UUID?, limit: Int, of tenantId: UUID) async throws -> [AssetFolder] {
        try await folders.list(in: parent, after: id, limit: limit, of: tenantId)
    }

    /// Names it otherwise, or moves it with everything that lies in it.
    func change(_ id: UUID, name: String?, parent: LabelField<UUID>, by author: Author) async throws -> AssetFolder {
        _ = try await folder(id, of: author.tenantId)
        if case .value(let parent) = parent { try await checkPlace(of: id, under: parent, author.tenantId) }
        guard let folder = try await folders.update(id, name: name, parent: parent, by: author) else {
            throw FolderError.notFound
        }
        return folder
    }

    private func checkPlace(of id: UUID?, under parent: UUID, _ tenantId: UUID) async throws {
        let path = try await folders.path(to: parent, of: tenantId)
        if path.isEmpty { throw FolderError.unknown(pointer: "/parentId") }
        let height = if let id { try await folders.height(of: id, tenantId) } else { 1 }
        try FolderRule.check(id, height: height, under: path)
    }

    /// Only an empty one.
    func delete(_ id: UUID, by author: Author) async throws {
        guard let left = try await folders.delete(id, by: author) else { throw FolderError.notFound }
        if left.folders + left.assets > 0 { throw FolderError.notEmpty(folders: left.folders, assets: left.assets) }
    }
}

extension Labels {
    fileprivate init(tags: [String]) { self.init(spaceId: nil, topic: nil, tags: tags) }
}
