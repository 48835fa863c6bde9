public import FoundationEssentials

// Who a tenant's bound accounts are, as the connector tells and content-center keeps (seed 000 flow 7, step 4).

/// `data` of `account.bound.v1` and `account.profile.changed.v1`, emitted by delivery-connector-douyin; subject is the account's id. Each
/// tells the whole profile; what is absent is not there. The event's `version` counts the account's changes: only a greater one counts.
public struct AccountProfileTold: Codable, Sendable, Equatable {
    public static let boundType = "account.bound.v1"
    public static let changedType = "account.profile.changed.v1"

    public var accountId: UUID
    /// As in ``PublishStatusChanged``.
    public var platform: String
    /// 1–100 characters.
    public var nickname: String
    /// 1–2,000 characters.
    public var bio: String?
    public var avatar: AccountAvatar?
    public var followerCount: Int?

    public init(
        accountId: UUID, platform: String, nickname: String, bio: String? = nil, avatar: AccountAvatar? = nil,
        followerCount: Int? = nil
    ) {
        self.accountId = accountId
        self.platform = platform
        self.nickname = nickname
        self.bio = bio
        self.avatar = avatar
        self.followerCount = followerCount
    }
}

/// The picture itself: content-center calls nobody, and addresses of platforms end. Small, as platforms serve avatars.
public struct AccountAvatar: Codable, Sendable, Equatable {
    /// PNG, JPEG or WebP.
    public var mediaType: String
    /// Base64 of at most 100 kB.
    public var data: String

    public init(mediaType: String, data: String) {
        self.mediaType = mediaType
        self.data = data
    }
}

/// `data` of `account.unbound.v1`; subject is the account's id.
public struct AccountUnbound: Codable, Sendable, Equatable {
    public static let type = "account.unbound.v1"

    public var accountId: UUID
    public var platform: String

    public init(accountId: UUID, platform: String) {
        self.accountId = accountId
        self.platform = platform
    }
}

/// `GET /api/accounts/{id}/material`
public struct AccountMaterial: Codable, Sendable, Equatable {
    public var accountId: UUID
    public var platform: String
    public var nickname: String
    public var bio: String?
    public var avatarAssetId: UUID?
    public var followerCount: Int?
    /// Of the account's changes, the last that is known here.
    public var version: Int
    /// When it became so, as the connector says.
    public var changedAt: Date

    public init(
        accountId: UUID, platform: String, nickname: String, bio: String?, avatarAssetId: UUID?, followerCount: Int?,
        version: Int, changedAt: Date
    ) {
        self.accountId = accountId
        self.platform = platform
        self.nickname = nickname
        self.bio = bio
        self.avatarAssetId = avatarAssetId
        self.followerCount = followerCount
        self.version = version
        self.changedAt = changedAt
    }
}
