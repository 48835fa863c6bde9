import DTO
import FoundationEssentials

/// What the tenant's people see happening: every service's events, in the order in which the gateway stored them, kept for 24 hours.
///
/// A client that comes back with `Last-Event-ID` gets what it missed. If that is older than what is kept, it is told so with a `reset`
/// event, because a silent gap would look like "nothing happened".
struct EventStream: Sendable {
    struct StoredEvent: Sendable, Equatable {
        let seq: Int64
        let type: String
        /// The event as CloudEvents 1.0 JSON.
        let data: String
    }

    /// The oldest and newest numbers that are kept; both 0 when the tenant never had an event.
    struct Range: Sendable, Equatable {
        let oldest: Int64
        let newest: Int64
    }

    /// Where a client's stream begins.
    enum Start: Sendable, Equatable {
        /// After this number.
        case after(Int64)
        /// Something is missing: say so, then go on after this number.
        case resetThenAfter(Int64)
    }

    static func start(lastEventId: Int64?, range: Range) -> Start {
        guard let lastEventId else { return .after(range.newest) }
        // A number that we have not given out belongs to another database or is made up.
        if lastEventId < 0 || lastEventId > range.newest { return .resetThenAfter(range.newest) }
        let oldest = range.oldest == 0 ? range.newest + 1 : range.oldest
        return lastEventId + 1 < oldest ? .resetThenAfter(range.newest) : .after(lastEventId)
    }
}
