import ConcurrencySupport
import FoundationEssentials

/// Lets the streams of a tenant share what they read: all that stand at the same event after the same wake-up have one query together.
///
/// A read that began before a wake-up is given to nobody who asks after it, so nobody overlooks the event that the wake-up tells of. Each
/// stream sends what it was given at its own pace and asks again from where it stands.
final class EventStreamReads: Sendable {
    typealias Read = @Sendable (_ tenant: UUID, _ after: Int64) async throws -> [EventStream.StoredEvent]

    private struct Shared {
        let began: ContinuousClock.Instant
        let task: Task<[EventStream.StoredEvent], any Error>
    }

    /// By tenant, then by the event after which was read.
    private let state = Lock<[UUID: [Int64: Shared]]>([:])
    private let read: Read
    /// A wake-up may get lost with its replica: nobody is given what was read longer ago.
    private let goodFor: Duration
    /// Streams that catch up stand at events of their own; what they read is not kept for long.
    private static let mostKept = 16

    init(goodFor: Duration = .seconds(5), read: @escaping Read) {
        self.goodFor = goodFor
        self.read = read
    }

    func events(tenant: UUID, after seq: Int64) async throws -> [EventStream.StoredEvent] {
        let shared = state.withLock { state -> Shared in
            let now = ContinuousClock.now
            if let known = state[tenant]?[seq], now - known.began < goodFor { return known }
            let read = read
            // Of nobody's task: a client that leaves takes nothing from the others.
            let shared = Shared(began: now, task: Task { try await read(tenant, seq) })
            var reads = state[tenant] ?? [:]
            if reads.count >= Self.mostKept { reads = [:] }
            reads[seq] = shared
            state[tenant] = reads
            return shared
        }
        do {
            return try await shared.task.value
        } catch {
            // The next one tries anew.
            state.withLock { state in
                if state[tenant]?[seq]?.task == shared.task { state[tenant]?[seq] = nil }
            }
            throw error
        }
    }

    /// Called when the tenant has something new, before anybody is woken; and when nobody listens any more.
    func forget(tenant: UUID) { state.withLock { $0[tenant] = nil } }
}
