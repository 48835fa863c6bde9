import ConcurrencySupport
import FoundationEssentials
import HTTPCore
import Lifecycle
import Observability

/// Does each operation once, and within its budgets: sets the worst case aside, lets the work run, settles what it came to. A repeat
/// finds the stored answer, a repeat that comes while the first is at work waits for it.
///
/// The work of ``once(_:worstCase:_:)`` runs in a task of its own. A caller that leaves does not stop it: what was paid for is kept
/// for the repeat. It ends by its deadline at the latest.
final class UsageDesk: Service {
    private struct Flight: Sendable {
        let id: UInt64
        let task: Task<any Sendable, any Error>
    }

    private struct State {
        var nextId: UInt64 = 0
        var flights: [LedgerKey: Flight] = [:]
    }

    private let store: any UsageStore
    private let lanes: UsageLanes
    private let state = Lock(State())

    init(store: any UsageStore) {
        self.store = store
        lanes = UsageLanes(store: store)
    }

    /// Work whose answer is kept.
    ///
    /// - Parameters:
    ///   - worstCase: what it may cost at most with its first attempt, in 1e-9 of the currency (``RoutePlan/worstCase``).
    ///   - atLeast: what is set aside where a budget does not hold that; the ladder then passes over what it does not pay for.
    ///   - work: gets the ticket; asks it for more before further attempts. If it throws without having settled, nothing is charged.
    /// - Returns: the answer, and whether it had been given before.
    /// - Throws: ``BudgetExhausted``, ``OperationInProgress``, ``AnswerErased``, or what `work` throws.
    func once<Answer: Codable & Sendable>(
        _ call: ModelCall, worstCase: Int64, atLeast: Int64? = nil,
        _ work: @escaping @Sendable (UsageTicket) async throws -> (answer: Answer, entry: LedgerEntry)
    ) async throws -> (answer: Answer, isRepeat: Bool) {
        let key = call.ledgerKey
        let (flight, isOwner) = state.withLock { state -> (Flight, Bool) in
            if let flight = state.flights[key] { return (flight, false) }
            state.nextId += 1
            let task = Task(executorPreference: EventLoop.current) { try await self.perform(call, worstCase, atLeast, work) }
            let flight = Flight(id: state.nextId, task: task)
            state.flights[key] = flight
            return (flight, true)
        }
        defer { if isOwner { land(flight, key) } }
        guard let result = try await flight.task.value as? Landed<Answer> else { throw InternalFailure() }
        return (result.answer, result.isRepeat || !isOwner)
    }

    /// For work without a kept answer, such as raw streams. The holder must settle or release the ticket.
    ///
    /// - Throws: ``BudgetExhausted`` or ``OperationInProgress``.
    func open(_ call: ModelCall, worstCase: Int64, atLeast: Int64? = nil) async throws -> UsageTicket {
        let (claim, admission) = try await admission(of: call, worstCase, atLeast)
        switch admission {
        case .granted:
            let ticket = UsageTicket(claim, store: store, lanes: lanes)
            // Who has left meanwhile holds nothing.
            guard !Task.isCancelled else {
                await ticket.release()
                throw CancellationError()
            }
            return ticket
        case .answered, .erased: throw AnswerErased()
        case .busy: throw OperationInProgress()
        case .refused(let exhausted): throw exhausted
        }
    }

    private struct Landed<Answer: Sendable>: Sendable {
        let answer: Answer
        let isRepeat: Bool
    }

    private func perform<Answer: Codable & Sendable>(
        _ call: ModelCall, _ worstCase: Int64, _ atLeast: Int64?,
        _ work: @Sendable (UsageTicket) async throws -> (answer: Answer, entry: LedgerEntry)
    ) async throws -> any Sendable {
        let (claim, admission) = try await admission(of: call, worstCase, atLeast)
        switch admission {
        case .granted: break
        case .answered(let stored):
            return Landed(answer: try JSON.decode(Answer.self, from: Array(stored.utf8)), isRepeat: true)
        case .erased: throw AnswerErased()
        case .busy: throw OperationInProgress()
        case .refused(let exhausted): throw exhausted
        }
        let ticket = UsageTicket(claim, store: store, lanes: lanes)
        do {
            let (answer, entry) = try await work(ticket)
            let text = String(decoding: try JSON.encode(answer), as: UTF8.self)
            let holding = try await ticket.settle(entry, answer: text) ?? text
            if holding == text { return Landed(answer: answer, isRepeat: false) }
            return Landed(answer: try JSON.decode(Answer.self, from: Array(holding.utf8)), isRepeat: true)
        } catch {
            await ticket.release()
            throw error
        }
    }

    private func admission(
        of call: ModelCall, _ worstCase: Int64, _ atLeast: Int64?
    ) async throws -> (UsageClaim, UsageAdmission) {
        let claim = UsageClaim(call, worstCase: worstCase)
        let admission = try await admission(of: claim)
        guard case .refused = admission, let atLeast, atLeast < worstCase else { return (claim, admission) }
        let smaller = UsageClaim(call, worstCase: atLeast)
        return (smaller, try await self.admission(of: smaller))
    }

    /// Waits while another process is at work on the same operation.
    private func admission(of claim: UsageClaim) async throws -> UsageAdmission {
        var pause = Duration.milliseconds(25)
        while true {
            let admission = try await lanes.begin(claim)
            guard case .busy = admission, claim.call.deadline.remaining > pause else { return admission }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(400))
        }
    }

    private func land(_ flight: Flight, _ key: LedgerKey) {
        state.withLock { state in
            if state.flights[key]?.id == flight.id { state.flights[key] = nil }
        }
    }

    private static let heartbeat = Duration.seconds(1)

    /// Says that this process is alive until shutdown, then until the work under way has been written down.
    func run() async throws {
        let beating = Task {
            while !Task.isCancelled {
                try? await store.beat()
                try? await Task.sleep(for: Self.heartbeat)
            }
        }
        try? await gracefulShutdown()
        while let flight = state.withLock({ $0.flights.values.first }) {
            _ = await flight.task.result
            await Task.yield()
        }
        beating.cancel()
        _ = await beating.value
        // What is held still (raw streams cut by the end of the process) may be taken over at once.
        try? await store.leave()
    }
}
