public import FoundationEssentials

// What became of contents where they were published.

/// `data` of `publish.status.changed.v1`, emitted by orchestration-service and delivery-connector-douyin; subject is the publish task's id.
///
/// The event's `version` counts the task's changes: orchestration hands the last number over with the order to publish, the connector
/// counts on from it, and orchestration from the connector's answer. Task ids are UUIDv7: of two tasks for the same content, account and
/// platform the later one counts.
public struct PublishStatusChanged: Codable, Sendable, Equatable {
    public static let type = "publish.status.changed.v1"

    public var taskId: UUID
    public var contentId: UUID
    /// Which version goes out.
    public var contentVersion: Int
    public var accountId: UUID
    /// A ``ContentPlatform``'s raw value; consumers take ones that they do not know yet.
    public var platform: String
    public var status: ContentStatus
    /// The platform's own id of what was published.
    public var itemId: String?
    public var url: String?
    /// Why it failed or waits, as a stable code.
    public var reason: String?

    public init(
        taskId: UUID, contentId: UUID, contentVersion: Int, accountId: UUID, platform: String, status: ContentStatus,
        itemId: String? = nil, url: String? = nil, reason: String? = nil
    ) {
        self.taskId = taskId
        self.contentId = contentId
        self.contentVersion = contentVersion
        self.accountId = accountId
        self.platform = platform
        self.status = status
        self.itemId = itemId
        self.url = url
        self.reason = reason
    }
}

/// `content.performance.measured.v1`: what a published content has brought on one account so far. Each measurement replaces the one before;
/// the event's `version` counts them, per content, account and platform.
public struct ContentPerformanceMeasured: Codable, Sendable, Equatable {
    public static let type = "content.performance.measured.v1"

    public var contentId: UUID
    public var accountId: UUID
    /// A ``ContentPlatform``'s raw value; consumers take ones that they do not know yet.
    public var platform: String
    public var plays: Int
    public var likes: Int
    public var comments: Int
    public var shares: Int

    public init(contentId: UUID, accountId: UUID, platform: String, plays: Int, likes: Int, comments: Int, shares: Int) {
        self.contentId = contentId
        self.accountId = accountId
        self.platform = platform
        self.plays = plays
        self.likes = likes
        self.comments = comments
        self.shares = shares
    }
}

/// Where a content stands on one account, one line of `GET /api/contents/{id}/publish-status`; and one change of it, one line of
/// `GET /api/contents/{id}/publish-status/history`.
public struct ContentPublishStatus: Codable, Sendable, Equatable {
    public var accountId: UUID
    public var platform: String
    public var taskId: UUID
    /// Of the task.
    public var taskVersion: Int
    public var contentVersion: Int
    public var status: ContentStatus
    public var itemId: String?
    public var url: String?
    public var reason: String?
    /// When it became so, as the emitter says.
    public var changedAt: Date

    public init(
        accountId: UUID, platform: String, taskId: UUID, taskVersion: Int, contentVersion: Int, status: ContentStatus,
        itemId: String?, url: String?, reason: String?, changedAt: Date
    ) {
        self.accountId = accountId
        self.platform = platform
        self.taskId = taskId
        self.taskVersion = taskVersion
        self.contentVersion = contentVersion
        self.status = status
        self.itemId = itemId
        self.url = url
        self.reason = reason
        self.changedAt = changedAt
    }
}
