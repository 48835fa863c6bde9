import ConcurrencySupport
public import FoundationEssentials
public import Lifecycle
public import Observability
public import PostgresStore

/// Finds due jobs and works on them, some at a time. Any number of workers may run, in any number of processes: a job is worked on by
/// whoever holds its lease, and by nobody else as far as the database is concerned.
public final class JobWorker: Service {
    /// Does the work of one kind of job.
    ///
    /// - Returns: what is kept as the job's result.
    /// - Throws: ``PermanentJobFailure`` to fail for good; anything else to be tried again, later each time, until the attempts are used
    ///   up. A handler must stop when its task is cancelled: somebody asked for that, or the lease is lost.
    public typealias Handler = @Sendable (JobContext) async throws -> JSONText?

    public struct Configuration: Sendable {
        /// How many jobs run at a time.
        public var concurrency: Int
        /// How long a job stays with a worker that is not heard of. Renewed after a third of it.
        public var lease: Duration
        /// How often to look for due jobs when nobody calls ``JobWorker/wake()``.
        public var pollInterval: Duration
        /// How often a running job looks whether it is to stop.
        public var cancelPollInterval: Duration
        /// Before the second attempt, the third, …; the last one repeats.
        public var retryDelays: [Duration]
        /// Kinds whose due jobs are looked for one kind after the other; those of other kinds come last, by the time they are due.
        public var order: [String]
        /// How long running jobs may still take once shutdown has begun; then they are cancelled and put back, without counting the
        /// attempt. `nil`: as long as the process lives.
        public var stopPatience: Duration?
        /// How many jobs of one tenant run here at a time; then tenants have their turns by how long ago their last one was. `nil`: as many
        /// as there are, by the time they are due.
        public var share: Int?

        public init(
            concurrency: Int = 4, lease: Duration = .seconds(30), pollInterval: Duration = .seconds(1),
            cancelPollInterval: Duration = .seconds(1),
            retryDelays: [Duration] = [.seconds(1), .seconds(5), .seconds(30), .seconds(120), .seconds(600)],
            order: [String] = [], stopPatience: Duration? = nil, share: Int? = nil
        ) {
            self.concurrency = concurrency
            self.lease = lease
            self.pollInterval = pollInterval
            self.cancelPollInterval = cancelPollInterval
            self.retryDelays = retryDelays
            self.order = order
            self.stopPatience = stopPatience
            self.share = share
        }
    }

    private let app: Database
    private let system: Database
    private let handlers: [String: Handler]
    private let configuration: Configuration
    private let logger: Logger
    private let onEnd: JobEnd.Observer?
    private let signal = WakeSignal()
    private let finished: Counter?
    /// Those that run here, by job, to be told that they are to stop.
    private let watches = Lock<[UUID: WakeSignal]>([:])
    private let begun = Lock<(next: Int, tasks: [Int: Task<Void, Never>])>((0, [:]))
    private let places: WorkPlaces
    /// Shutdown has taken long enough: what runs is put back.
    private let isOutOfPatience = Flag()
    private let stopAlarm = Lock<Alarm?>(nil)

    /// - Parameters:
    ///   - app: where the work is done, under the job's tenant.
    ///   - system: finds due jobs of all tenants.
    ///   - handlers: by kind. Jobs of other kinds are left to other workers.
    ///   - onEnd: told of every end that this worker brings about.
    public init(
        app: Database, system: Database, handlers: [String: Handler], configuration: Configuration = Configuration(),
        onEnd: JobEnd.Observer? = nil, logger: Logger = .silent, metrics: MetricsRegistry? = nil
    ) {
        self.app = app
        self.system = system
        self.handlers = handlers
        self.configuration = configuration
        self.onEnd = onEnd
        self.logger = logger
        places = WorkPlaces(configuration.concurrency, share: configuration.share)
        finished = metrics?.counter("jobs_finished_total", help: "Attempts that ended, by outcome.", labels: ["kind", "outcome"])
    }

    /// Looks for due jobs now: to be called after the commit that added one.
    public func wake() { signal.ring() }

    /// Works on one job at once, whether or not ``run()`` does and how many jobs there are: for one that somebody waits for here.
    ///
    /// - Returns: ends when the attempt has ended and is written down, or at once if the job is over or somebody else's.
    @discardableResult
    public func begin(_ id: UUID, tenant: UUID) -> Task<Void, Never> { begin { await self.work(on: id, tenant: tenant) } }

    /// Works on one job as soon as this worker has a place for it: for one that a ticket of a queue names.
    ///
    /// - Parameters:
    ///   - rank: of those who wait for a place, who has less comes first.
    ///   - patience: how long to wait for one; for ever where it is left out.
    /// - Returns: as soon as it is claimed: `true`; `false` if it is over, somebody else's, there was no place in time, its tenant has its
    ///   share of them, or this worker stops. Then it is left to whoever looks for due jobs.
    public func take(_ id: UUID, tenant: UUID, rank: Int = 0, patience: Duration? = nil) async -> Bool {
        guard await places.take(rank: rank, tenant: tenant, patience: patience) else { return false }
        let isClaimed = OneShot<Bool>()
        begin {
            await self.work(on: id, tenant: tenant) { isClaimed.succeed(true) }
            isClaimed.succeed(false)
            self.leavePlace(of: tenant)
        }
        return (try? await isClaimed.value()) ?? false
    }

    @discardableResult
    private func begin(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        begun.withLock { begun in
            let number = begun.next
            let task = Task(executorPreference: EventLoop.current) {
                await work()
                self.begun.withLock { $0.tasks[number] = nil }
            }
            begun.tasks[number] = task
            begun.next += 1
            return task
        }
    }

    /// Looks now whether a job that runs here is to stop: to be called after the commit that asked for it.
    public func cancelRequested(_ id: UUID) { watches.withLock { $0[id] }?.ring() }

    /// Works until graceful shutdown, then finishes the jobs that run. If its task is cancelled, the handlers are cancelled and their
    /// jobs are put back, without counting the attempt.
    public func run() async throws {
        let isStopping = Flag()
        defer { stopAlarm.withLock { $0.take() }?.cancel() }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                while !isStopping.isSet, !Task.isCancelled {
                    let free = places.takeFree()
                    let found = free > 0 ? await candidates(limit: free) : []
                    places.giveBack(free - found.count)
                    for candidate in found {
                        group.addTask {
                            await self.work(on: candidate.id, tenant: candidate.tenant)
                            self.leavePlace(of: candidate.tenant)
                        }
                    }
                    if found.isEmpty { await signal.wait(atMost: configuration.pollInterval) }
                }
            }
            await endBegun()
        } onGracefulShutdown: {
            isStopping.set()
            self.places.close()
            self.signal.ring()
            if let patience = self.configuration.stopPatience {
                let set = Alarm.set(at: .after(patience)) { self.loseShutdownPatience() }
                self.stopAlarm.withLock { $0 = set }
            }
        }
        try Task.checkCancellation()
    }

    private func loseShutdownPatience() {
        isOutOfPatience.set()
        for watch in watches.withLock({ Array($0.values) }) { watch.ring() }
    }

    private func leavePlace(of tenant: UUID) {
        places.leave(tenant)
        // A free place is used at once, not at the next look.
        signal.ring()
    }

    private func endBegun() async {
        while let task = begun.withLock({ $0.tasks.values.first }) {
            await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                for task in begun.withLock({ Array($0.tasks.values) }) { task.cancel() }
            }
        }
    }

    /// Each on a place of its own.
    private func candidates(limit: Int) async -> [(tenant: UUID, id: UUID)] {
        var found: [(tenant: UUID, id: UUID)] = []
        let others = handlers.keys.filter { !configuration.order.contains($0) }
        do {
            for kinds in configuration.order.map({ [$0] }) + (others.isEmpty ? [] : [others]) {
                while found.count < limit {
                    let more = try await candidates(kinds: kinds, limit: limit - found.count)
                    for candidate in more {
                        if places.enter(candidate.tenant) {
                            found.append(candidate)
                        } else {
                            try await JobLease.leave(candidate.id, tenant: candidate.tenant, system: system)
                        }
                    }
                    // By turns there may be a second one of a tenant.
                    if more.isEmpty || configuration.share == nil { break }
                }
            }
        } catch {
            if !(error is CancellationError) { logger.warning("cannot look for jobs", ["reason": "\(error)"]) }
        }
        return found
    }

    private func candidates(kinds: [String], limit: Int) async throws -> [(tenant: UUID, id: UUID)] {
        guard configuration.share != nil else {
            return try await JobLease.candidates(kinds: kinds, limit: limit, lease: configuration.lease, system: system)
        }
        return try await JobLease.fairCandidates(
            kinds: kinds, limit: limit, lease: configuration.lease, full: places.full, served: places.served, system: system)
    }

    // MARK: One job

    private enum Outcome {
        case returned(JSONText?)
        case threw(any Error)
        case cancelRequested, leaseLost, shutDown
    }

    /// - Parameter onClaim: called once the job is ours.
    private func work(on id: UUID, tenant: UUID, onClaim: @Sendable () -> Void = {}) async {
        let context = CallContext(requestId: "job-\(id.text)", operationId: id, tenantId: tenant)
        await CallContext.$current.withValue(context) {
            do {
                guard
                    case .lease(let lease, let steps) = try await JobLease.claim(
                        id, tenant: tenant, duration: configuration.lease, app: app, onEnd: onEnd),
                    let handler = handlers[lease.kind]
                else { return }
                onClaim()
                let outcome = await attempt(lease, steps, handler)
                // What came of it is written even if this worker is being cancelled.
                await Task.detached { [self] in
                    await CallContext.$current.withValue(context) { await settle(lease, outcome) }
                }.value
            } catch {
                // The job falls due again when the lease that it might have got would have ended.
                if !(error is CancellationError) {
                    logger.warning("cannot claim a job", ["job": id.uuidString, "reason": "\(error)"])
                }
            }
        }
    }

    private func attempt(_ lease: JobLease, _ steps: [String: JSONText], _ handler: @escaping Handler) async -> Outcome {
        let context = JobContext(lease: lease, steps: StepResults(steps), database: app)
        let watch = WakeSignal()
        watches.withLock { $0[lease.id] = watch }
        defer { watches.withLock { if $0[lease.id] === watch { $0[lease.id] = nil } } }
        return await withTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                do { return .returned(try await handler(context)) } catch { return .threw(error) }
            }
            group.addTask { await self.guardLease(lease, watch) }
            var stopReason: Outcome?
            var outcome: Outcome?
            while let next = await group.next() {
                switch next {
                case .returned, .threw: outcome = next
                case .some(let reason): stopReason = reason
                case nil: break
                }
                group.cancelAll()
            }
            // A handler that came to its end has done its work, whoever wanted it to stop.
            if case .returned = outcome, stopReason == nil || !isLeaseLost(stopReason) { return outcome ?? .shutDown }
            if let stopReason { return stopReason }
            if case .threw(let error) = outcome, error is JobLeaseLost { return .leaseLost }
            if Task.isCancelled { return .shutDown }
            return outcome ?? .shutDown
        }
    }

    private func isLeaseLost(_ outcome: Outcome?) -> Bool {
        if case .leaseLost = outcome { true } else { false }
    }

    /// Renews the lease and watches for a request to stop, until cancelled.
    ///
    /// - Returns: why the handler has to stop; `nil` when it has stopped by itself.
    private func guardLease(_ lease: JobLease, _ watch: WakeSignal) async -> Outcome? {
        var (renewed, heldUntil) = (ContinuousClock.now, ContinuousClock.now + configuration.lease)
        let interval = min(configuration.cancelPollInterval, configuration.lease / 3)
        while true {
            do {
                await watch.wait(atMost: interval)
                try Task.checkCancellation()
                if isOutOfPatience.isSet { return .shutDown }
                if try await lease.isCancelRequested(app: app) { return .cancelRequested }
                if renewed.duration(to: .now) >= configuration.lease / 3 - interval / 2 {
                    let began = ContinuousClock.now
                    try await lease.renew(app: app)
                    (renewed, heldUntil) = (began, began + configuration.lease)
                }
            } catch is JobLeaseLost {
                return .leaseLost
            } catch {
                if Task.isCancelled { return nil }
                // A database that is away: the lease may still be held, until it surely is not.
                if ContinuousClock.now >= heldUntil { return .leaseLost }
            }
        }
    }

    private func settle(_ lease: JobLease, _ outcome: Outcome) async {
        var name = "succeeded"
        do {
            switch outcome {
            case .returned(let result): try await lease.finish(.succeeded, result: result, app: app, onEnd: onEnd)
            case .cancelRequested:
                name = "cancelled"
                try await lease.finish(.cancelled, app: app, onEnd: onEnd)
            case .shutDown:
                name = "put back"
                try await lease.giveBack(after: .zero, failure: nil, counts: false, app: app)
            case .leaseLost: throw JobLeaseLost()
            case .threw(let error):
                let reason = String("\(error)".prefix(1_000)).replacing("\0", with: "")
                let isLast = error is PermanentJobFailure || lease.attempt >= lease.maxAttempts
                name = isLast ? "failed" : "retried"
                logger.warning(
                    "job attempt failed", ["kind": lease.kind, "attempt": lease.attempt, "isLast": isLast, "reason": reason])
                if isLast {
                    try await lease.finish(.failed, failure: reason, app: app, onEnd: onEnd)
                } else {
                    let delays = configuration.retryDelays
                    let delay = delays.isEmpty ? .zero : delays[min(lease.attempt, delays.count) - 1]
                    try await lease.giveBack(after: delay * Double.random(in: 0.8...1.2), failure: reason, counts: true, app: app)
                }
            }
        } catch is JobLeaseLost {
            name = "lease lost"
            logger.warning("job lease lost", ["kind": lease.kind, "fence": lease.fence])
        } catch {
            // The row still says running: the job falls due when the lease ends, and its kept steps are not done again.
            name = "unsettled"
            logger.error("cannot settle a job", ["kind": lease.kind, "reason": "\(error)"])
        }
        finished?.increment([lease.kind, name])
    }
}
