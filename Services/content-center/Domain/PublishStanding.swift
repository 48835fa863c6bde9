import DTO

/// What the accounts on which a content is published make of its own status, as a pure rule.
enum PublishStanding {
    /// What a publish task can be, in the order in which it is shown: first what somebody has to look at, then what is under way, then what
    /// has come of it.
    static let order: [ContentStatus] = [
        .waitingUserAction, .unconfirmed, .publishing, .queued, .scheduled, .failed, .published, .canceled,
    ]

    /// Nobody knows yet what will have come of it.
    static let open: Set<ContentStatus> = [.scheduled, .queued, .publishing, .waitingUserAction, .unconfirmed]

    /// A review that is under way shows itself; publishing an older version does not hide it.
    static let untouched: Set<ContentStatus> = [.inReview, .changesRequested, .onHold]

    /// - Parameter accounts: where its newest version stands on each account.
    /// - Returns: the content's status; `nil` where it stays as it is.
    static func status(_ current: ContentStatus, accounts: [ContentStatus]) -> ContentStatus? {
        guard !untouched.contains(current), let next = order.first(where: accounts.contains), next != current else { return nil }
        return next
    }
}
