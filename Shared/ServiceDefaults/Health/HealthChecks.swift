import ConcurrencySupport
public import Observability

/// What a service depends on, and whether it is there. Only what is *hard* decides about readiness: one broken broker must not drain the
/// whole fleet (design §9).
public final class HealthChecks: Sendable {
    private struct Check {
        let name: String
        let isHard: Bool
        let run: @Sendable () async throws -> Void
    }

    /// The answer of `/readyz`.
    public struct Report: Codable, Sendable, Equatable {
        public struct Entry: Codable, Sendable, Equatable {
            public var name: String
            /// `ok` or `unavailable`.
            public var status: String
            public var hard: Bool
        }

        /// `ready` or `unavailable`.
        public var status: String
        public var checks: [Entry]

        public var isReady: Bool { status == "ready" }
    }

    private struct State {
        var checks: [Check] = []
        var last: [String: Bool] = [:]
        /// The newest run of the checks, and until when its outcome is told to whoever asks.
        var current: (run: Task<Report, Never>, until: ContinuousClock.Instant)?
    }

    private let logger: Logger
    private let patience: Duration
    private let freshness: Duration
    private let state = Lock(State())

    /// - Parameters:
    ///   - patience: a check that takes longer has failed.
    ///   - freshness: how long the outcome of one run answers ``recentReport()``.
    public init(logger: Logger, patience: Duration = .seconds(1), freshness: Duration = .seconds(1)) {
        self.logger = logger
        self.patience = patience
        self.freshness = freshness
    }

    /// - Parameter check: throws where the dependency is not there; honours cancellation.
    public func add(_ name: String, isHard: Bool, _ check: @escaping @Sendable () async throws -> Void) {
        state.withLock { $0.checks.append(Check(name: name, isHard: isHard, run: check)) }
    }

    /// The report of a run that began within the last moments, else of a new one that all who ask meanwhile share. So whoever floods
    /// `/readyz` costs the database and the other services no more than one who asks now and then.
    public func recentReport() async -> Report {
        let now = ContinuousClock.now
        let run = state.withLock { state in
            if let current = state.current, now < current.until { return current.run }
            // Nobody's own: a client that leaves must not end the checks for the others.
            let run = Task.detached {
                let report = await self.report()
                if !report.isReady { self.lookAgainSoon() }
                return report
            }
            state.current = (run, now + freshness)
            return run
        }
        return await run.value
    }

    /// Whoever starts, or is back, does not wait for what was so a moment ago.
    private func lookAgainSoon() {
        let soon = ContinuousClock.now + .milliseconds(50)
        state.withLock { state in
            if let current = state.current { state.current?.until = min(current.until, soon) }
        }
    }

    /// Runs all checks at once.
    public func report() async -> Report {
        let checks = state.withLock { $0.checks }
        let failures = await withTaskGroup(of: (Int, String?).self, returning: [String?].self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { [patience] in
                    do {
                        try await withDeadline(.after(patience), check.run)
                        return (index, nil)
                    } catch {
                        return (index, "\(error)")
                    }
                }
            }
            var failures = [String?](repeating: nil, count: checks.count)
            for await (index, failure) in group { failures[index] = failure }
            return failures
        }
        var report = Report(status: "ready", checks: [])
        for (check, failure) in zip(checks, failures) {
            report.checks.append(.init(name: check.name, status: failure == nil ? "ok" : "unavailable", hard: check.isHard))
            if failure != nil, check.isHard { report.status = "unavailable" }
            note(check, failure)
        }
        return report
    }

    /// Logs changes only: `/readyz` is asked all the time.
    private func note(_ check: Check, _ failure: String?) {
        let before = state.withLock { state in
            defer { state.last[check.name] = failure == nil }
            return state.last[check.name]
        }
        if let failure, before != false {
            logger.warning("dependency unavailable", ["name": check.name, "hard": check.isHard, "reason": failure])
        } else if failure == nil, before == false {
            logger.info("dependency back", ["name": check.name])
        }
    }
}
