import ConcurrencySupport
import Glibc
public import Observability

import struct Synchronization.Atomic

/// Runs services together and ends them together.
///
/// They start in array order, dependencies first, and shut down one by one in reverse, each awaited before the next is told. Shutdown
/// begins with a signal, with the graceful shutdown of a group around this one, with a service that ends by itself (an error), or,
/// abruptly, with the cancellation of the calling task. When the drain deadline passes, what still runs is cancelled; a second signal ends the process at once with 130 or 143.
///
///     try await ServiceGroup(services: [telemetry, database, consumers, server], logger: logger).run()
public struct ServiceGroup: Sendable {
    private let services: [any Service]
    private let logger: Logger
    private let drainDeadline: Duration
    private let cancellationDeadline: Duration
    private let signals: Set<UnixSignal>

    /// - Parameters:
    ///   - drainDeadline: how long graceful shutdown may take, all services together.
    ///   - cancellationDeadline: how long services may take to end after their tasks were cancelled. Then the process exits with 70.
    ///   - signals: which signals begin graceful shutdown; none for tests inside a process that belongs to somebody else.
    public init(
        services: [any Service], logger: Logger, drainDeadline: Duration = .seconds(20),
        cancellationDeadline: Duration = .seconds(5),
        signals: Set<UnixSignal> = [.interrupt, .terminate]
    ) {
        self.services = services
        self.logger = logger
        self.drainDeadline = drainDeadline
        self.cancellationDeadline = cancellationDeadline
        self.signals = signals
    }

    /// Returns after a graceful shutdown in which every service ended in time.
    ///
    /// - Throws: the first error of a service; ``ServiceGroupError``; `CancellationError` when the calling task was cancelled.
    public func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let (events, send) = AsyncStream.makeStream(of: ServiceGroupRun.Event.self)
        let subscription = signals.isEmpty ? nil : SignalListener.shared.subscribe(to: signals, makeSignalHandler(send))
        defer { if let subscription { SignalListener.shared.unsubscribe(subscription) } }

        try await withGracefulShutdownHandler {
            try await run(events, send)
        } onGracefulShutdown: {
            send.yield(.shutdownRequested)
        }
    }

    private func run(
        _ events: AsyncStream<ServiceGroupRun.Event>, _ send: AsyncStream<ServiceGroupRun.Event>.Continuation
    ) async throws {
        let names = services.map { "\(type(of: $0))" }
        let managers = services.map { _ in GracefulShutdownManager() }
        let running = RunningServices(count: services.count)
        try await withTaskGroup(of: Void.self) { tasks in
            for (index, (service, manager)) in zip(services, managers).enumerated() {
                tasks.addTask {
                    let failure = await Self.run(service, with: manager)
                    running.remove(index)
                    send.yield(.ended(index, failure))
                }
            }
            var run = ServiceGroupRun(names: names)
            var timers: [Task<Void, Never>] = []
            defer { timers.forEach { $0.cancel() } }

            func perform(_ action: ServiceGroupRun.Action) {
                switch action {
                case .tell(let index):
                    logger.debug("stopping a service", ["name": names[index]])
                    managers[index].trigger()
                case .startDrainTimer: timers.append(after(drainDeadline) { send.yield(.drainDeadlinePassed) })
                case .cancelAll:
                    tasks.cancelAll()
                    timers.append(after(cancellationDeadline) { exitStuck(running.indices.map { names[$0] }) })
                case .log(let level, let message, let attributes): logger.log(level, message, attributes)
                }
            }

            var iterator = events.makeAsyncIterator()
            while !run.isFinished {
                // The stream ends only by cancellation of this task, which has cancelled the services too.
                let event = await iterator.next() ?? .cancelled
                run.handle(event).forEach(perform)
                if case .cancelled = event { break }
            }
            await tasks.waitForAll()
            return run.result
        }.get()
    }

    /// - Returns: what the service threw, if it did.
    private static func run(_ service: any Service, with manager: GracefulShutdownManager) async -> (any Error)? {
        await GracefulShutdownManager.$current.withValue(manager) {
            do {
                // Relays, consumers and sweepers work on a loop like requests do, and find their database connections there.
                try await withTaskExecutorPreference(EventLoopGroup.shared.next()) { try await service.run() }
                return nil
            } catch {
                return error
            }
        }
    }

    private func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> Task<Void, Never> {
        Task {
            guard (try? await Task.sleep(for: delay)) != nil else { return }
            body()
        }
    }

    private func exitStuck(_ names: [String]) {
        logger.error("services ignored their cancellation, exiting", ["services": names.joined(separator: ", ")])
        logger.flush()
        _exit(70)
    }

    private func makeSignalHandler(
        _ send: AsyncStream<ServiceGroupRun.Event>.Continuation
    ) -> @Sendable (UnixSignal) -> Void {
        let firstSignalCame = Flag()
        return { [logger] signal in
            guard firstSignalCame.raise() else {
                logger.warning("second signal, exiting at once", ["signal": "\(signal)"])
                logger.flush()
                _exit(signal.exitCode)
            }
            send.yield(.signal(signal))
        }
    }
}

/// How a group can fail without an error of a service.
public enum ServiceGroupError: Error, Equatable {
    /// A service returned though nobody had asked it to stop.
    case serviceEndedByItself(String)
    /// These were still running at the drain deadline and were cancelled.
    case drainDeadlineExceeded([String])
}

private final class Flag: Sendable {
    private let isRaised = Atomic(false)

    /// - Returns: `true` for the first call only.
    func raise() -> Bool { !isRaised.exchange(true, ordering: .sequentiallyConsistent) }
}

private final class RunningServices: Sendable {
    private let running: Lock<Set<Int>>

    init(count: Int) { running = Lock(Set(0..<count)) }

    var indices: [Int] { running.withLock { $0.sorted() } }

    func remove(_ index: Int) { running.withLock { _ = $0.remove(index) } }
}
