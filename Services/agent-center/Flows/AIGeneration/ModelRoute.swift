import ConcurrencySupport
import FoundationEssentials
import HTTPCalling

/// One way to a model: a vendor's model with its circuit and its share of concurrent calls.
final class ModelRoute: Sendable {
    /// `openai`, `deepseek`; as the answer's `provider` says it.
    let provider: String
    /// The model's name as it is asked for.
    let modelName: String
    let capabilities: Set<ModelCapability>
    let timeouts: RouteTimeouts
    private let model: any ChatModel
    private let breaker: CircuitBreaker
    private let places: ConcurrencyLimit
    private let pause: Duration
    /// The last failure that the circuit was told of.
    private let lastFailure = Lock<ChatFailure.Kind?>(nil)

    /// - Parameter pause: how long the route rests after a refusal that waiting does not cure (key, balance, unknown model), before one
    ///   call tries it again.
    init(
        provider: String, modelName: String, model: any ChatModel, concurrency: Int = 64,
        capabilities: Set<ModelCapability> = [], timeouts: RouteTimeouts = .standard, pause: Duration = .seconds(60),
        circuit: CircuitBreaker.Configuration = .init(window: 10, minimumCalls: 5, failureRatio: 0.5, openFor: .seconds(15)),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.provider = provider
        self.modelName = modelName
        self.model = model
        self.capabilities = capabilities
        self.timeouts = timeouts
        self.pause = pause
        breaker = CircuitBreaker(name: "\(provider)/\(modelName)", configuration: circuit, now: now)
        places = ConcurrencyLimit(concurrency)
    }

    var name: String { "\(provider)/\(modelName)" }

    /// Why the route is not called at all now, if so.
    var rest: ChatFailure? {
        breaker.state == .open
            ? explained(ChatFailure(.circuitOpen, .nextRoute, .ignore, message: "the circuit is open")) : nil
    }

    /// With what opened the circuit: a bad key shall not hide behind its consequence.
    private func explained(_ refusal: ChatFailure) -> ChatFailure {
        var refusal = refusal
        refusal.cause = lastFailure.withLock { $0 }
        if let cause = refusal.cause { refusal.message += ": " + cause.rawValue }
        return refusal
    }

    /// One call, if the circuit and the places allow it.
    ///
    /// - Throws: ``ChatFailure``, ``ChatAbandoned``, or `CancellationError`.
    func call(_ request: ChatRequest, within budget: Duration) async throws -> ChatAnswer {
        try await guarded(within: budget) { try await model.answer(request, within: $0) }
    }

    /// One call whose text is handed on while it comes.
    func stream(
        _ request: ChatRequest, within budget: Duration, to deliver: @escaping @Sendable (ChatDelta) async throws -> Void
    ) async throws -> ChatAnswer {
        try await guarded(within: budget) { try await model.stream(request, within: $0, to: deliver) }
    }

    /// Any call to the route's model, if the circuit and the places allow it; what it throws tells the circuit.
    func guarded<Answer>(
        within budget: Duration, _ work: (_ remaining: Duration) async throws -> Answer
    ) async throws -> Answer {
        if let rest { throw rest }
        let deadline = Deadline.after(budget)
        do {
            try await places.enter(before: deadline)
        } catch is DeadlineExceeded {
            throw ChatFailure(.saturated, .nextRoute, .ignore, message: "no free place in time")
        }
        defer { places.leave() }
        let permit: CircuitBreaker.Permit
        do {
            permit = try breaker.acquire()
        } catch {
            throw explained(ChatFailure.broken(error))
        }
        do {
            let answer = try await work(min(deadline.remaining, timeouts.total))
            permit.report(.success)
            return answer
        } catch let failure as ChatFailure {
            if failure.circuit != .ignore { lastFailure.withLock { $0 = failure.kind } }
            switch failure.circuit {
            case .ignore: permit.report(.unknown)
            case .count: permit.report(.failure)
            case .open: permit.open(for: pause)
            }
            throw failure
        } catch {
            permit.report(.unknown)
            throw error
        }
    }
}

/// Names that stand for no particular model.
enum ModelNames {
    static let auto = "auto"
    /// In characters: a provider's name and a model's, 64 each at most, and the slash between them.
    static let length = 1...129
    /// What the ledger itself uses to say that no model, or nobody knows which, has answered; and what means all of them.
    static let reservedProviders: Set<String> = ["template", "unknown", "*"]
}

/// At most so many at a time; the others wait in the order they came, until their deadline.
final class ConcurrencyLimit: Sendable {
    private struct State {
        var free: Int
        var nextTicket: UInt64 = 0
        var waiting: [(ticket: UInt64, turn: OneShot<Void>)] = []
    }

    private let state: Lock<State>

    init(_ limit: Int) { state = Lock(State(free: limit)) }

    /// Waits for a place. Every return without an error must be followed by one ``leave()``.
    ///
    /// - Throws: `DeadlineExceeded`, or `CancellationError`.
    func enter(before deadline: Deadline) async throws {
        let waiter = state.withLock { state -> (UInt64, OneShot<Void>)? in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            state.nextTicket += 1
            let turn = OneShot<Void>()
            state.waiting.append((state.nextTicket, turn))
            return (state.nextTicket, turn)
        }
        guard let (ticket, turn) = waiter else { return }
        let alarm = Alarm.set(at: deadline) { turn.fail(DeadlineExceeded()) }
        defer { alarm.cancel() }
        do {
            try await turn.value()
        } catch {
            // Whoever lost the race against ``leave()`` finds its ticket gone only if it was given the place, and that it was
            // not.
            state.withLock { $0.waiting.removeAll { $0.ticket == ticket } }
            throw error
        }
    }

    func leave() {
        while true {
            let next = state.withLock { state -> OneShot<Void>? in
                if state.waiting.isEmpty {
                    state.free += 1
                    return nil
                }
                return state.waiting.removeFirst().turn
            }
            // A waiter that has given up in this moment does not take the place: offer it to the next.
            guard let next, !next.succeed() else { return }
        }
    }
}
