import Cryptography
import DTO
import FoundationEssentials

/// API keys: how programs of a tenant sign in. A key carries scopes of its own and never more than its maker had.
struct APIKeys: Sendable {
    let store: APIKeysStore
    let directory: APIKeyDirectory

    /// Makes a key. The key itself leaves the system with this answer and is nowhere kept.
    func create(_ wanted: NewAPIKey, by member: Member) async throws -> CreatedAPIKey {
        let secret = Self.marker + Random.token(bytes: 32)
        let key = try await store.insert(
            wanted, hash: Self.hash(of: secret), prefix: String(secret.prefix(Self.marker.count + 4)), by: member)
        return CreatedAPIKey(
            id: key.id, key: secret, name: key.name, prefix: key.prefix, scopes: key.scopes, createdAt: key.createdAt,
            expiresAt: key.expiresAt)
    }

    func key(_ id: UUID, of tenantId: UUID) async throws -> APIKey? { try await store.key(id, of: tenantId) }

    /// Newest first.
    func list(olderThan: UUID?, limit: Int, of tenantId: UUID) async throws -> [APIKey] {
        try await store.list(olderThan: olderThan, limit: limit, of: tenantId)
    }

    /// Ends a key's life; once more does no harm.
    ///
    /// - Returns: `false` if the tenant has no such key.
    func revoke(_ id: UUID, of tenantId: UUID) async throws -> Bool {
        guard let hash = try await store.revoke(id, of: tenantId) else { return false }
        directory.forget(hash)
        return true
    }

    /// How every key begins, so that scanners of leaked secrets can tell one.
    static let marker = "dmk_"

    static func hash(of key: String) -> [UInt8] { SHA256.hash(key) }
}
