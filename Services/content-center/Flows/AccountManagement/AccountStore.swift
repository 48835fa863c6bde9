import DTO
import FoundationEssentials
import Messaging
import PostgresStore
import ServiceDefaults

/// The SQL of accounts. That an event has been seen and its effect are one transaction.
struct AccountStore: Sendable {
    let database: Database

    /// Whether nothing newer is known.
    func isNews(_ news: AccountNews) async throws -> Bool {
        try await database.query(
            """
            SELECT FROM account_profiles WHERE tenant_id = \(news.tenantId) AND account_id = \(news.accountId)
                AND (version, event_id) >= (\(news.version), \(news.eventId))
            """, tenant: news.tenantId
        ).isEmpty
    }

    /// It came too late.
    func passOver(_ news: AccountNews) async throws {
        try await database.transaction(tenant: news.tenantId) { _ = try await Self.claim(news, in: $0) }
    }

    /// The version and the event's id together order any two events, so the end does not depend on the order in which they came.
    ///
    /// - Returns: the avatar that nobody shows any more: the former one, or the new one where something newer stands there.
    func apply(_ news: AccountNews, avatar: UUID?) async throws -> UUID? {
        let upsert: SQL = """
            INSERT INTO account_profiles AS present
                (tenant_id, account_id, platform, nickname, bio, avatar_asset_id, follower_count, version, event_id, changed_at)
            VALUES (\(news.tenantId), \(news.accountId), \(news.platform), \(news.profile?.nickname), \(news.profile?.bio),
                    \(avatar), \(news.profile?.followerCount), \(news.version), \(news.eventId), \(news.time))
            ON CONFLICT (tenant_id, account_id) DO UPDATE SET
                platform = EXCLUDED.platform, nickname = EXCLUDED.nickname, bio = EXCLUDED.bio,
                avatar_asset_id = EXCLUDED.avatar_asset_id, follower_count = EXCLUDED.follower_count, version = EXCLUDED.version,
                event_id = EXCLUDED.event_id, changed_at = EXCLUDED.changed_at
            WHERE (present.version, present.event_id) < (EXCLUDED.version, EXCLUDED.event_id)
            """
        return try await database.transaction(tenant: news.tenantId) { transaction in
            guard try await Self.claim(news, in: transaction) else { return nil }
            let former = try await transaction.query(
                """
                SELECT avatar_asset_id FROM account_profiles
                WHERE tenant_id = \(news.tenantId) AND account_id = \(news.accountId) FOR UPDATE
                """
            ).first?.decode("avatar_asset_id", as: UUID?.self)
            guard try await transaction.execute(upsert) == 1 else { return former == avatar ? nil : avatar }
            return former ?? nil
        }
    }

    private static func claim(_ news: AccountNews, in transaction: Transaction) async throws -> Bool {
        try await Inbox.claim(
            eventId: news.eventId, tenantId: news.tenantId, consumer: QueueDeclaration.accountMaterial.name, in: transaction)
    }

    func material(of account: UUID, _ tenantId: UUID) async throws -> AccountMaterial? {
        try await database.query(
            """
            SELECT account_id, platform, nickname, bio, avatar_asset_id, follower_count, version, changed_at FROM account_profiles
            WHERE tenant_id = \(tenantId) AND account_id = \(account) AND nickname IS NOT NULL
            """, tenant: tenantId
        ).first.map { row in
            AccountMaterial(
                accountId: try row.decode("account_id"), platform: try row.decode("platform"),
                nickname: try row.decode("nickname"), bio: try row.decode("bio"),
                avatarAssetId: try row.decode("avatar_asset_id"),
                followerCount: try row.decode("follower_count"), version: try row.decode("version"),
                changedAt: try row.decode("changed_at"))
        }
    }
}
