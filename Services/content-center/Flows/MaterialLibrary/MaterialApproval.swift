import DTO

/// Where a material stands between its first draft and being offered, as a pure table. What is approved is one exact version: an edit makes
/// it a draft again.
enum MaterialApproval {
    enum Event: String, CaseIterable, Sendable {
        case approve
        case reject
        case edit
    }

    /// Everything that is allowed; what is not listed is refused.
    static let transitions: [MaterialStatus: [Event: MaterialStatus]] = [
        .draft: [.approve: .approved, .reject: .rejected, .edit: .draft],
        // An approval can be taken back.
        .approved: [.reject: .rejected, .edit: .draft],
        .rejected: [.approve: .approved, .edit: .draft],
    ]

    /// Whether something can have become of it: what was never offered was not sent. What has been edited since was, once something is known
    /// of it.
    static func mayHaveBeenSent(_ status: MaterialStatus, _ counts: MaterialRanking.Counts) -> Bool {
        status == .approved || counts != MaterialRanking.Counts()
    }

    static func next(_ status: MaterialStatus, _ event: Event) -> MaterialStatus? { transitions[status]?[event] }
}
