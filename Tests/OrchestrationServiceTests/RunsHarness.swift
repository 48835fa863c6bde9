import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import Messaging
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// Takes the steps that it is told to, one after another.
struct ProbeFlow: DurableFlow {
    struct Input: Codable, Sendable {
        var steps: [String]
    }

    static let name = "Probe"
    static let permissions = ["probes:generate"]
    let body: @Sendable (String) async throws -> StepResult<String>

    static func steps(for input: Input) -> [String] { input.steps }

    func run(_ input: Input, in run: RunContext) async throws -> [String] {
        var made: [String] = []
        for step in input.steps { made.append(try await run.step(step) { try await body(step) }) }
        return made
    }
}

/// One process's runs on a test's database.
struct Replica {
    let runs: Runs
    let work: JobRunWork
    let principal = TestContext.principal(scopes: ProbeFlow.permissions)

    init(_ database: TestDatabase, _ body: @escaping @Sendable (String) async throws -> StepResult<String>) {
        work = JobRunWork(
            flows: [ProbeFlow(body: body)], database: database.app, system: database.system,
            patience: .init(delays: [.milliseconds(1), .milliseconds(1)], limit: .seconds(20)))
        runs = Runs(store: RunsStore(database: database.app) {}, work: work)
    }

    func start(_ steps: [String], operation: UUID = UUID(), as principal: Principal? = nil) async throws -> StartedRun {
        try await CallContext.$current.withValue(CallContext(requestId: "request-1", operationId: operation)) {
            try await runs.start(ProbeFlow.self, .init(steps: steps), as: principal ?? self.principal)
        }
    }

    func end(of run: StartedRun) async throws -> RunEnd {
        try #require(try await runs.end(of: run, until: .after(.seconds(60))))
    }
}

/// Lets whoever waits pass when the test opens it.
final class Gate: Sendable {
    private let state = Lock<(arrived: Int, isOpen: Bool, waiters: [OneShot<Void>])>((0, false, []))

    var arrived: Int { state.withLock { $0.arrived } }

    func pass() async throws {
        let waiter = OneShot<Void>()
        let isOpen = state.withLock { state in
            state.arrived += 1
            if !state.isOpen { state.waiters.append(waiter) }
            return state.isOpen
        }
        if !isOpen { try await waiter.value() }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            return state.waiters
        }
        for waiter in waiters { waiter.succeed() }
    }
}

/// What steps of a test tell it.
final class Notes: Sendable {
    private let notes = Lock<[String]>([])

    var all: [String] { notes.withLock { $0 } }

    func add(_ note: String) { notes.withLock { $0.append(note) } }
}

extension TestDatabase {
    /// The moves of a run as they are told, in their order.
    func moves(of run: UUID) async throws -> [(version: Int64, move: RunProgressed)] {
        let rows = try await superuser.query(
            "SELECT event::text AS event FROM outbox WHERE subject = \(run.uuidString.lowercased()) ORDER BY id")
        return try rows.map { row in
            let event = try CloudEvent(decoding: Array(try row.decode("event", as: String.self).utf8))
            #expect(event.type == "run.progressed.v1" && event.operationId == run && event.tenantId == TestContext.tenant)
            return (event.version, try event.decode(RunProgressed.self))
        }
    }
}
