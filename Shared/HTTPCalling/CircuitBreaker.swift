import ConcurrencySupport
public import HTTPCore

/// Stops calling an upstream that keeps failing, and lets one call through now and then to see whether it is back.
///
/// *Closed*: calls pass; the last ``Configuration/window`` outcomes are kept. *Open*: calls are refused at once. *Half-open*: after
/// ``Configuration/openFor`` (or the time of ``Permit/open(for:)``) exactly one call passes as a probe; its success closes the circuit, its
/// failure opens it again.
public final class CircuitBreaker: Sendable {
    public struct Configuration: Sendable {
        /// How many of the latest outcomes count, 1…64.
        public var window: Int
        /// Fewer outcomes than this never open the circuit.
        public var minimumCalls: Int
        /// The circuit opens when this part of the outcomes failed.
        public var failureRatio: Double
        public var openFor: Duration
        /// Which answers are failures of the upstream.
        public var isFailure: @Sendable (HTTPStatus) -> Bool

        public init(
            window: Int = 20, minimumCalls: Int = 5, failureRatio: Double = 0.5, openFor: Duration = .seconds(5),
            isFailure: @escaping @Sendable (HTTPStatus) -> Bool = { $0.code >= 500 }
        ) {
            self.window = min(max(window, 1), 64)
            self.minimumCalls = min(max(minimumCalls, 1), self.window)
            self.failureRatio = failureRatio
            self.openFor = openFor
            self.isFailure = isFailure
        }
    }

    public enum State: Sendable, Equatable {
        case closed, open, halfOpen
    }

    public enum Outcome: Sendable {
        case success, failure
        /// Says nothing about the upstream, e.g. the caller left. A probe that ends so lets the next caller probe.
        case unknown
    }

    /// Permission for one call. Report its outcome exactly once.
    public struct Permit: Sendable {
        fileprivate let breaker: CircuitBreaker
        fileprivate let generation: UInt64

        public func report(_ outcome: Outcome) { breaker.report(outcome, generation: generation) }

        /// Instead of an outcome: the upstream said that calls are in vain for a while. The circuit is open for that time at least; then one
        /// call passes as a probe, as ever. Says nothing where the circuit has changed since the call began.
        public func open(for pause: Duration) { breaker.open(for: pause, generation: generation) }
    }

    private struct Storage {
        enum Phase {
            case closed
            case open(until: ContinuousClock.Instant)
            case probing
        }

        var phase = Phase.closed
        /// Changes with the phase: an outcome of an earlier phase is not counted.
        var generation: UInt64 = 0
        /// The newest outcome is bit 0; 1 = failure.
        var outcomes: UInt64 = 0
        var count = 0

        mutating func enter(_ phase: Phase) {
            self.phase = phase
            generation += 1
            outcomes = 0
            count = 0
        }
    }

    public let name: String
    private let configuration: Configuration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let storage = Lock(Storage())

    /// - Parameter name: the upstream's, for errors and logs.
    public init(
        name: String, configuration: Configuration = Configuration(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.name = name
        self.configuration = configuration
        self.now = now
    }

    public var state: State {
        storage.withLock { storage in
            switch storage.phase {
            case .closed: .closed
            case .open(let until): now() < until ? .open : .halfOpen
            case .probing: .halfOpen
            }
        }
    }

    /// Throws ``HTTPClientError`` with kind `circuitOpen` if the call must not be made now.
    public func acquire() throws(HTTPClientError) -> Permit {
        let generation = storage.withLock { storage -> UInt64? in
            switch storage.phase {
            case .closed:
                return storage.generation
            case .open(let until):
                guard now() >= until else { return nil }
                storage.enter(.probing)
                return storage.generation
            case .probing:
                return nil
            }
        }
        guard let generation else {
            throw HTTPClientError(.circuitOpen, requestMayHaveStarted: false, message: "the circuit of \(name) is open")
        }
        return Permit(breaker: self, generation: generation)
    }

    private func report(_ outcome: Outcome, generation: UInt64) {
        storage.withLock { storage in
            guard storage.generation == generation else { return }
            switch (storage.phase, outcome) {
            case (.closed, .unknown), (.open, _):
                break
            case (.closed, let outcome):
                storage.outcomes = storage.outcomes << 1 | (outcome == .failure ? 1 : 0)
                storage.count = min(storage.count + 1, configuration.window)
                let mask = UInt64.max >> (64 - UInt64(storage.count))
                let failures = (storage.outcomes & mask).nonzeroBitCount
                if storage.count >= configuration.minimumCalls,
                    Double(failures) >= configuration.failureRatio * Double(storage.count)
                {
                    storage.enter(.open(until: now() + configuration.openFor))
                }
            case (.probing, .success):
                storage.enter(.closed)
            case (.probing, .failure):
                storage.enter(.open(until: now() + configuration.openFor))
            case (.probing, .unknown):
                storage.enter(.open(until: now()))
            }
        }
    }

    private func open(for pause: Duration, generation: UInt64) {
        storage.withLock { storage in
            guard storage.generation == generation else { return }
            storage.enter(.open(until: now() + pause))
        }
    }

    func outcome(of error: HTTPClientError) -> Outcome { error.isUpstreamFault ? .failure : .unknown }

    func outcome(of status: HTTPStatus) -> Outcome { configuration.isFailure(status) ? .failure : .success }
}
