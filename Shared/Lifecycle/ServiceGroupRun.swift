import Observability

/// The decisions of a running ``ServiceGroup`` as a pure value: events in, actions out.
struct ServiceGroupRun {
    enum Event: Sendable {
        case signal(UnixSignal)
        case shutdownRequested
        case ended(Int, (any Error)?)
        case drainDeadlinePassed
        case cancelled
    }

    enum Action {
        /// Ask this service to shut down gracefully.
        case tell(Int)
        case startDrainTimer
        case cancelAll
        case log(Logger.Level, String, Attributes)
    }

    private enum Phase { case running, draining, cancelling }

    private let names: [String]
    private var phase = Phase.running
    private var running: Set<Int>
    private var told: Int?
    private var failure: (any Error)?

    init(names: [String]) {
        self.names = names
        running = Set(names.indices)
    }

    var isFinished: Bool { running.isEmpty }

    var result: Result<Void, any Error> { failure.map { .failure($0) } ?? .success(()) }

    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .signal(let signal):
            [.log(.info, "shutting down", ["signal": "\(signal)"])] + beginDraining()
        case .shutdownRequested: beginDraining()
        case .ended(let index, let error): ended(index, error)
        case .drainDeadlinePassed: drainDeadlinePassed()
        case .cancelled: cancelled()
        }
    }

    private mutating func ended(_ index: Int, _ error: (any Error)?) -> [Action] {
        running.remove(index)
        var actions: [Action] = []
        if let error, phase == .running || !(error is CancellationError) {
            failure = failure ?? error
            actions.append(.log(.error, "a service failed", ["name": names[index], "error": "\(error)"]))
        } else if phase == .running {
            failure = failure ?? ServiceGroupError.serviceEndedByItself(names[index])
            actions.append(.log(.error, "a service ended by itself", ["name": names[index]]))
        }
        switch phase {
        case .running: actions += beginDraining()
        case .draining where told == index: actions += tellNext()
        case .draining, .cancelling: break
        }
        return actions
    }

    private mutating func beginDraining() -> [Action] {
        guard phase == .running else { return [] }
        phase = .draining
        return [.startDrainTimer] + tellNext()
    }

    /// The last one that still runs: shutdown goes backwards through the start order.
    private mutating func tellNext() -> [Action] {
        told = running.max()
        return told.map { [.tell($0)] } ?? []
    }

    private mutating func drainDeadlinePassed() -> [Action] {
        guard phase == .draining, !running.isEmpty else { return [] }
        phase = .cancelling
        let late = running.sorted().map { names[$0] }
        failure = failure ?? ServiceGroupError.drainDeadlineExceeded(late)
        return [
            .log(.warning, "drain deadline passed, cancelling", ["services": late.joined(separator: ", ")]), .cancelAll,
        ]
    }

    private mutating func cancelled() -> [Action] {
        guard phase != .cancelling else { return [] }
        phase = .cancelling
        failure = failure ?? CancellationError()
        return [.cancelAll]
    }
}
