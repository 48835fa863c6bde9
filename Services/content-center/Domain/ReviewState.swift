import DTO

/// Where a content stands between its first draft and its release for publishing (审批; design §4), as a pure value.
///
/// What is approved is one exact version. An edit of an approved text makes it a draft again: nothing that somebody released may change
/// behind their back. An edit under review stays under review, since whoever approves names the version that they have read.
struct ReviewState: Equatable, Sendable {
    var status: ContentStatus
    /// Where a release leads back to; there only while it is on hold.
    var heldFrom: ContentStatus?

    /// What may happen to it: what reviewers do, and an edit.
    enum Event: String, CaseIterable, Sendable {
        case submit
        case withdraw
        case approve
        case requestChanges = "request_changes"
        case hold
        case release
        case edit
    }

    enum Target: Equatable, Sendable {
        case status(ContentStatus)
        /// On hold, remembering where it came from.
        case hold
        /// Back to where it was held.
        case heldFrom
    }

    /// Everything that is allowed. What is not listed is refused; an edit that is not listed changes nothing here.
    static let transitions: [ContentStatus: [Event: Target]] = [
        .draft: [.submit: .status(.inReview), .hold: .hold],
        .inReview: [
            .withdraw: .status(.draft), .approve: .status(.approved), .requestChanges: .status(.changesRequested), .hold: .hold,
        ],
        .changesRequested: [.submit: .status(.inReview), .hold: .hold],
        .approved: [.requestChanges: .status(.changesRequested), .hold: .hold, .edit: .status(.draft)],
        .onHold: [.release: .heldFrom],
        // What was on its way out was an approved version, or needed no approval: the new one has yet to be looked at.
        .scheduled: [.edit: .status(.draft)],
        .queued: [.edit: .status(.draft)],
        .publishing: [.edit: .status(.draft)],
        .waitingUserAction: [.edit: .status(.draft)],
        .unconfirmed: [.edit: .status(.draft)],
        .published: [.edit: .status(.draft)],
        .failed: [.edit: .status(.draft)],
        .canceled: [.edit: .status(.draft)],
    ]

    /// - Returns: `nil` where the event is not allowed; an edit always is.
    func next(_ event: Event) -> ReviewState? {
        switch Self.transitions[status]?[event] {
        case .status(let next): ReviewState(status: next)
        case .hold: ReviewState(status: .onHold, heldFrom: status)
        case .heldFrom: ReviewState(status: heldFrom ?? .draft)
        case nil: event == .edit ? edited : nil
        }
    }

    /// An edit under hold: the release must not bring back an approval of the older text.
    private var edited: ReviewState {
        ReviewState(status: status, heldFrom: heldFrom.flatMap { ReviewState(status: $0).next(.edit)?.status })
    }
}

extension ReviewState {
    init(_ content: Content) { self.init(status: content.status, heldFrom: content.heldFrom) }
}
