import ConcurrencySupport
import HTTPCore
import Lifecycle
import Observability

/// Does each operation once: a repeat finds the stored answer, a repeat that comes while the first is at work waits for it.
///
/// The work runs in a task of its own. A caller that leaves does not stop it: what was paid for is kept for the repeat. It ends
/// by its deadline at the latest.
final class OperationDesk: Service {
    private struct Flight: Sendable {
        let id: UInt64
        let task: Task<any Sendable, any Error>
    }

    private struct State {
        var nextId: UInt64 = 0
        var flights: [LedgerKey: Flight] = [:]
    }

    private static let timeToRecord = Duration.seconds(5)

    private let ledger: any UsageLedger
    private let state = Lock(State())

    init(ledger: any UsageLedger) { self.ledger = ledger }

    /// - Returns: the answer, and whether it had been given before.
    func once<Answer: Codable & Sendable>(
        _ key: LedgerKey, _ work: @escaping @Sendable () async throws -> (Answer, LedgerEntry)
    ) async throws -> (answer: Answer, isRepeat: Bool) {
        let (flight, isOwner) = state.withLock { state -> (Flight, Bool) in
            if let flight = state.flights[key] { return (flight, false) }
            state.nextId += 1
            let flight = Flight(id: state.nextId, task: Task { try await self.perform(key, work) })
            state.flights[key] = flight
            return (flight, true)
        }
        defer { if isOwner { land(flight, key) } }
        guard let result = try await flight.task.value as? Landed<Answer> else { throw InternalFailure() }
        return (result.answer, result.isRepeat || !isOwner)
    }

    private struct Landed<Answer: Sendable>: Sendable {
        let answer: Answer
        let isRepeat: Bool
    }

    private func perform<Answer: Codable & Sendable>(
        _ key: LedgerKey, _ work: @Sendable () async throws -> (Answer, LedgerEntry)
    ) async throws -> any Sendable {
        if let stored = try await ledger.answer(for: key) {
            return Landed(answer: try JSON.decode(Answer.self, from: Array(stored.utf8)), isRepeat: true)
        }
        let (answer, entry) = try await work()
        let text = String(decoding: try JSON.encode(answer), as: UTF8.self)
        // What was paid for is written down even where the caller's time is up: its repeat will find it.
        var context = CallContext.current
        if let deadline = context?.deadline { context?.deadline = max(deadline, .now + Self.timeToRecord) }
        let holding = try await CallContext.$current.withValue(context) {
            try await ledger.record(entry, answer: text, for: key)
        }
        if holding == text { return Landed(answer: answer, isRepeat: false) }
        return Landed(answer: try JSON.decode(Answer.self, from: Array(holding.utf8)), isRepeat: true)
    }

    private func land(_ flight: Flight, _ key: LedgerKey) {
        state.withLock { state in
            if state.flights[key]?.id == flight.id { state.flights[key] = nil }
        }
    }

    /// Stays until shutdown, then until the work under way has been written down.
    func run() async throws {
        try? await gracefulShutdown()
        while let flight = state.withLock({ $0.flights.values.first }) {
            _ = await flight.task.result
            await Task.yield()
        }
    }
}
