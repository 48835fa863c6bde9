import ConcurrencySupport
import Foundation
import HTTPCore
import HTTPServing
import Observability
import TestSupport
import Testing

@testable import ServiceDefaults

@Suite struct HealthTests {
    private struct Down: Error {}

    private func client(_ checks: HealthChecks, metrics: MetricsRegistry = MetricsRegistry()) -> InProcessClient {
        var router = Router()
        HealthRoutes(checks: checks, metrics: metrics).register(on: &router)
        return InProcessClient(router)
    }

    @Test func isAliveWhateverItsDependenciesDo() async throws {
        let checks = HealthChecks(logger: .silent)
        checks.add("database", isHard: true) { throw Down() }
        #expect(try await client(checks).send(.get, "/healthz").status == .ok)
    }

    @Test func onlyHardDependenciesDecideAboutReadiness() async throws {
        let isDown = Locked(false)
        let checks = HealthChecks(logger: .silent, freshness: .zero)
        checks.add("database", isHard: true) { if isDown.value { throw Down() } }
        checks.add("broker", isHard: false) { throw Down() }
        let client = client(checks)

        let ready = try await client.send(.get, "/readyz")
        #expect(ready.status == .ok)
        #expect(
            try ready.decode(HealthChecks.Report.self)
                == .init(
                    status: "ready",
                    checks: [
                        .init(name: "database", status: "ok", hard: true),
                        .init(name: "broker", status: "unavailable", hard: false),
                    ]))

        isDown.withLock { $0 = true }
        let unready = try await client.send(.get, "/readyz")
        #expect(unready.status == .serviceUnavailable)
        #expect(try unready.decode(HealthChecks.Report.self).status == "unavailable")
    }

    /// Anybody can ask the gateway: a hundred questions must not become a hundred queries and four hundred calls.
    @Test func manyQuestionsAreOneRunOfTheChecks() async throws {
        let runs = Locked(0)
        let checks = HealthChecks(logger: .silent, freshness: .seconds(3_600))
        checks.add("broker", isHard: false) {
            runs.withLock { $0 += 1 }
            throw Down()
        }
        let client = client(checks)
        try await withThrowingTaskGroup(of: HTTPStatus.self) { group in
            for _ in 0..<100 { group.addTask { try await client.send(.get, "/readyz").status } }
            for try await status in group { #expect(status == .ok) }
        }
        #expect(try await client.send(.get, "/readyz").status == .ok)
        #expect(runs.value == 1)
    }

    /// A service that starts is ready as soon as it is, and not when the answer of the moment before has grown old.
    @Test func whoIsNotReadyIsLookedAtAgainSoon() async throws {
        let isDown = Locked(true)
        let checks = HealthChecks(logger: .silent, freshness: .seconds(3_600))
        checks.add("database", isHard: true) { if isDown.value { throw Down() } }
        #expect(await checks.recentReport().isReady == false)
        isDown.withLock { $0 = false }
        try await eventually("ready") { await checks.recentReport().isReady }
    }

    @Test func aClientThatLeavesDoesNotSpoilTheAnswerOfOthers() async throws {
        let checks = HealthChecks(logger: .silent, patience: .seconds(60), freshness: .seconds(3_600))
        let (began, gate) = (OneShot<Void>(), OneShot<Void>())
        checks.add("database", isHard: true) {
            began.succeed(())
            try await gate.value()
        }
        let impatient = Task { await checks.recentReport() }
        try await began.value()
        impatient.cancel()
        gate.succeed(())
        #expect(await checks.recentReport().isReady)
    }

    @Test func aCheckThatHangsHasFailedAndHoldsNobodyUp() async throws {
        let checks = HealthChecks(logger: .silent, patience: .milliseconds(50))
        for name in ["a", "b", "c"] {
            checks.add(name, isHard: true) { try await Task.sleep(for: .seconds(60)) }
        }
        let begin = ContinuousClock.now
        let report = await checks.report()
        #expect(!report.isReady && report.checks.allSatisfy { $0.status == "unavailable" })
        #expect(ContinuousClock.now - begin < .seconds(10))
    }

    @Test func logsOnlyChanges() async {
        let lines = Locked(0)
        let isDown = Locked(true)
        let checks = HealthChecks(
            logger: Logger(service: "s", level: .info, sink: LogSink(write: { _ in lines.withLock { $0 += 1 } })))
        checks.add("database", isHard: true) { if isDown.value { throw Down() } }
        for _ in 0..<5 { _ = await checks.report() }
        #expect(lines.value == 1)
        isDown.withLock { $0 = false }
        for _ in 0..<5 { _ = await checks.report() }
        #expect(lines.value == 2)
    }

    @Test func servesMetricsAsPrometheusText() async throws {
        let metrics = MetricsRegistry()
        metrics.counter("drafts_total", help: "Drafts.").increment(by: 3)
        let response = try await client(HealthChecks(logger: .silent), metrics: metrics).send(.get, "/metrics")
        #expect(response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(response.text.contains("drafts_total 3\n"))
    }
}
