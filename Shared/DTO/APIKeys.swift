public import FoundationEssentials

/// `POST /api/api-keys`.
public struct NewAPIKey: Codable, Sendable, Equatable {
    public var name: String
    /// Permissions such as `ai:generate`; only what the caller holds and what keys may carry.
    public var scopes: [String]
    /// Good for ever when absent.
    public var expiresAt: Date?

    public init(name: String, scopes: [String], expiresAt: Date? = nil) {
        self.name = name
        self.scopes = scopes
        self.expiresAt = expiresAt
    }
}

/// A key as it is listed: everything but the key itself.
public struct APIKey: Codable, Sendable, Equatable {
    public var id: UUID
    public var name: String
    /// The first characters of the key, to recognise it by.
    public var prefix: String
    public var scopes: [String]
    /// The user who made it.
    public var createdBy: String
    public var createdAt: Date
    public var expiresAt: Date?
    public var revokedAt: Date?
    /// Within some seconds; absent for a key that was never used.
    public var lastUsedAt: Date?

    public init(
        id: UUID, name: String, prefix: String, scopes: [String], createdBy: String, createdAt: Date, expiresAt: Date? = nil,
        revokedAt: Date? = nil, lastUsedAt: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.prefix = prefix
        self.scopes = scopes
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
    }
}

/// The answer of `POST /api/api-keys` (201).
public struct CreatedAPIKey: Codable, Sendable, Equatable {
    public var id: UUID
    /// Shown this once; a replay under the same `Idempotency-Key` leaves it out.
    public var key: String?
    public var name: String
    public var prefix: String
    public var scopes: [String]
    public var createdAt: Date
    public var expiresAt: Date?

    public init(
        id: UUID, key: String?, name: String, prefix: String, scopes: [String], createdAt: Date, expiresAt: Date? = nil
    ) {
        self.id = id
        self.key = key
        self.name = name
        self.prefix = prefix
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}
