import ConcurrencySupport
import Lifecycle
import Observability
import Testing

/// What services did, in order.
final class Journal: Sendable {
    private let kept = Lock<[String]>([])

    var entries: [String] { kept.withLock { $0 } }

    func note(_ entry: String) { kept.withLock { $0.append(entry) } }

    /// Waits until the entry is there so many times.
    func waitFor(_ entry: String, count: Int = 1, within limit: Duration = .seconds(10)) async throws {
        let deadline = Deadline.after(limit)
        while entries.count(where: { $0 == entry }) < count {
            try #require(!deadline.isPast, "'\(entry)' did not happen; \(entries)")
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

struct Broken: Error, Equatable {}

struct RecordingService: Service {
    enum Behaviour: Sendable {
        /// Runs until it is told to stop.
        case obedient
        /// Goes on after it was told, until it is cancelled.
        case stubborn
        case returnsAt(OneShot<Void>)
        case throwsAt(OneShot<Void>)
        case throwsWhenTold
    }

    let name: String
    let journal: Journal
    var behaviour = Behaviour.obedient

    func run() async throws {
        journal.note("\(name) started")
        switch behaviour {
        case .obedient:
            try await gracefulShutdown()
        case .stubborn:
            try? await gracefulShutdown()
            journal.note("\(name) told")
            let never = OneShot<Void>()
            try? await never.value()
            journal.note("\(name) cancelled")
            return
        case .returnsAt(let moment):
            try await moment.value()
        case .throwsAt(let moment):
            try await moment.value()
            journal.note("\(name) threw")
            throw Broken()
        case .throwsWhenTold:
            try await gracefulShutdown()
            journal.note("\(name) threw")
            throw Broken()
        }
        journal.note("\(name) stopped")
    }
}
