import DTO
import FoundationEssentials

/// Where a content stands on each account, as those who publish it tell (seed 000 §5: 发布状态回写).
///
/// Events come late, twice and in any order. Of two about the same content, account and platform the one of the later task counts, and of
/// one task the one with the greater version; whatever the order, the end is the same. Every change stands in the history.
struct PublishStatus: Sendable {
    let contents: Contents
    let store: PublishStatusStore

    func accounts(of id: UUID, after key: PublishAccountKey?, limit: Int, tenantId: UUID) async throws -> [ContentPublishStatus] {
        _ = try await contents.content(id, of: tenantId)
        return try await store.accounts(of: id, after: key, limit: limit, tenantId: tenantId)
    }

    /// The newest task first, and of each its last change.
    func history(of id: UUID, before key: PublishChangeKey?, limit: Int, tenantId: UUID) async throws -> [PublishChange] {
        _ = try await contents.content(id, of: tenantId)
        return try await store.history(of: id, before: key, limit: limit, tenantId: tenantId)
    }
}

/// One account on one platform.
struct PublishAccountKey: Codable, Sendable, Equatable {
    var accountId: UUID
    var platform: String
}

/// The order of changes.
struct PublishChangeKey: Codable, Sendable, Equatable {
    var taskId: UUID
    var taskVersion: Int
    var eventId: UUID
}

struct PublishChange: Sendable, Equatable {
    var key: PublishChangeKey
    var status: ContentPublishStatus
}
