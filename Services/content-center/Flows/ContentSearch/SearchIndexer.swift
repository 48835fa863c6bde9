import FoundationEssentials
import Lifecycle
import Observability

/// Takes changed contents and assets into the index, a moment after each change. Any number of replicas may run it.
struct SearchIndexer: Service {
    static let batch = 100
    /// How long a change may wait at rest.
    static let pause = Duration.milliseconds(200)

    let store: SearchIndexerStore
    let subtitles: SubtitleTexts
    let logger: Logger

    func run() async throws {
        await repeating(pausing: Self.pause, logger: logger, failure: "changes could not be taken into the index") {
            // One that came in meanwhile waits for others: together they cost the index a fraction.
            try await takeIn() >= Self.batch
        }
    }

    /// - Returns: how much there was to do.
    @discardableResult
    func takeIn() async throws -> Int {
        let (contents, assets) = (try await takeInContents(), try await takeInAssets())
        guard contents < Self.batch, assets < Self.batch else { return contents + assets }
        return try await contents + assets + catchUp()
    }

    private func takeInContents() async throws -> Int {
        let changes = try await store.claim(limit: Self.batch)
        for (tenantId, changes) in Dictionary(grouping: changes, by: \.tenantId) {
            let away = try await read(store.unreadSubtitles(of: changes, tenantId: tenantId), tenantId)
            try await store.takeIn(changes, of: tenantId, again: away)
        }
        return changes.count
    }

    private func takeInAssets() async throws -> Int {
        let changes = try await assets.claim(limit: Self.batch)
        for (tenantId, changes) in Dictionary(grouping: changes, by: \.tenantId) {
            let away = try await read(assets.unreadSubtitles(of: changes, tenantId: tenantId), tenantId)
            try await assets.takeIn(changes, of: tenantId, again: away)
        }
        return changes.count
    }

    private var assets: AssetIndexerStore { AssetIndexerStore(app: store.app, system: store.system) }

    /// What servers of before have left, a little at a time where few changes wait, so that none of these waits long behind it.
    private func catchUp() async throws -> Int {
        let listed = try await store.listUnread(limit: Self.batch)
        guard listed == 0, let tenantId = try await store.tenantWithUncheckedWords() else { return listed }
        try await store.checkWords(of: tenantId, limit: Self.batch)
        return 1
    }

    /// Reads files that say what is said, each once.
    ///
    /// - Returns: the documents whose file could not be read: they are taken in without it, and again when their lease is over.
    private func read(_ unread: [UnreadSubtitles], _ tenantId: UUID) async throws -> Set<UUID> {
        var away: Set<UUID> = []
        for unread in unread {
            do {
                try await store.keep(subtitles.text(of: unread.asset, tenantId: tenantId), of: unread, tenantId: tenantId)
            } catch {
                try Task.checkCancellation()
                logger.warning("subtitles could not be read", ["asset": "\(unread.asset)", "error": "\(error)"])
                away.insert(unread.document)
            }
        }
        return away
    }

    /// Until nothing waits any more, except for what others have claimed.
    func takeInAll() async throws {
        while try await takeIn() > 0 {}
    }

    /// Lists all contents, or one tenant's, as changed. What was listed stays listed if this process ends.
    ///
    /// - Returns: how many.
    func listAll(of tenantId: UUID?) async throws -> Int {
        try await SearchChangeStore.contents.listAll(of: tenantId, system: store.system)
    }

    /// The same of assets.
    func listAllAssets(of tenantId: UUID?) async throws -> Int {
        try await SearchChangeStore.assets.listAll(of: tenantId, system: store.system)
    }
}

/// A file that says what is said in a content's video or in an asset, and has not been read.
struct UnreadSubtitles: Sendable {
    /// The content or the asset.
    var document: UUID
    var asset: UUID
    var sha256: [UInt8]
}
