import ConcurrencySupport
import Foundation
import Jobs
import Lifecycle
import PostgresStore
import TestSupport
import Testing

let stressLoops = ProcessInfo.processInfo.environment["STRESS_LOOPS"].flatMap { Int($0) } ?? 10

func tenant(_ number: Int) -> UUID {
    UUID(uuid: (0x11, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, UInt8(number / 256), UInt8(number % 256)))
}

extension DatabaseTemplate {
    static let jobs = DatabaseTemplate(
        service: "jobstest",
        migrations: [
            Migration(
                number: 1, name: "start",
                sql: """
                    \(PlatformSchema.v1(app: "jobstest_app", system: "jobstest_system"))
                    \(Jobs.schemaV1(app: "jobstest_app", system: "jobstest_system"))
                    CREATE TABLE effects (tenant_id uuid NOT NULL, id uuid NOT NULL, job_id uuid NOT NULL, PRIMARY KEY (tenant_id, id));
                    \(TenantTable.secure("effects", app: "jobstest_app"))
                    """)
        ])
}

/// What handlers of a test tell it.
final class Ledger: Sendable {
    private let entries = Lock<[String]>([])

    var all: [String] { entries.withLock { $0 } }

    func note(_ entry: String) { entries.withLock { $0.append(entry) } }

    func count(_ entry: String) -> Int { all.filter { $0 == entry }.count }
}

extension TestDatabase {
    func enqueue(
        _ kind: String, tenant: UUID, payload: String = "{}", key: String? = nil, delay: Duration = .zero, maxAttempts: Int = 5
    ) async throws -> UUID {
        try await app.transaction(tenant: tenant) { transaction in
            try await JobStore.enqueue(
                kind: kind, payload: JSONText(payload), key: key, delay: delay, maxAttempts: maxAttempts, in: transaction)
        }
    }

    func status(_ id: UUID, tenant: UUID) async throws -> JobStatus {
        try #require(try await JobStore.status(of: id, in: app, tenant: tenant))
    }

    func worker(
        _ handlers: [String: JobWorker.Handler], change: (inout JobWorker.Configuration) -> Void = { _ in }
    ) -> JobWorker {
        var configuration = JobWorker.Configuration(
            lease: .seconds(10), pollInterval: .milliseconds(50), cancelPollInterval: .milliseconds(50),
            retryDelays: [.milliseconds(20)])
        change(&configuration)
        return JobWorker(app: app, system: system, handlers: handlers, configuration: configuration)
    }

    /// Runs workers beside `body`, then stops them by cancellation.
    func running(_ workers: [JobWorker], _ body: () async throws -> Void) async throws {
        let tasks = workers.map { worker in Task { try await worker.run() } }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
        try result.get()
    }
}

@Suite struct JobsTests {
    struct Failure: Error {}

    @Test func theSchemaKeepsTenantsApart() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let violations = try await CatalogueCheck.violations(in: db.superuser)
            #expect(violations == [])
            let id = try await db.enqueue("work", tenant: tenant(1))
            let other = try await JobStore.status(of: id, in: db.app, tenant: tenant(2))
            #expect(other == nil)
            let stranger = try await db.app.transaction(tenant: tenant(2)) { try await JobStore.requestCancel(id, in: $0) }
            #expect(stranger == nil)
            let own = try await db.status(id, tenant: tenant(1))
            #expect(own.state == .queued && !own.isCancelRequested)
        }
    }

    @Test func aJobIsSeenOnlyWhenItsTransactionCommits() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            await #expect(throws: Failure.self) {
                try await db.app.transaction(tenant: tenant(1)) { transaction in
                    try await JobStore.enqueue(kind: "work", payload: JSONText("{}"), in: transaction)
                    throw Failure()
                }
            }
            let rows = try await db.superuser.query("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM job_due) AS n")
                .only
            #expect(try rows.decode("n", as: Int.self) == 0)
        }
    }

    @Test func aKeyMakesAddingIdempotent() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
                for _ in 0..<10 { group.addTask { try await db.enqueue("work", tenant: tenant(1), key: "once") } }
                return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
            }
            let other = try await db.enqueue("work", tenant: tenant(2), key: "once")
            #expect(ids.count == 1 && !ids.contains(other))
            let due = try await db.superuser.query("SELECT * FROM job_due")
            #expect(due.count == 2)
        }
    }

    @Test func severalWorkersRunEachJobOnce() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let handler: JobWorker.Handler = { context in
                ledger.note("\(context.id)")
                try await context.transactionalStep("effect") { transaction in
                    try await transaction.execute(
                        "INSERT INTO effects VALUES (\(context.tenant), \(UUID.version7()), \(context.id))")
                }
                return JSONText(#"{"tenant": "\#(context.tenant)"}"#)
            }
            var jobs: [(UUID, UUID)] = []
            for number in 0..<60 {
                let tenant = tenant(number % 7)
                jobs.append((try await db.enqueue("work", tenant: tenant), tenant))
            }
            let all = jobs
            try await db.running([db.worker(["work": handler]), db.worker(["work": handler]), db.worker(["work": handler])]) {
                try await eventually("jobs left over") {
                    try await db.superuser.query("SELECT 1 FROM jobs WHERE state <> 'succeeded'").isEmpty
                }
            }
            #expect(ledger.all.count == 60 && Set(ledger.all).count == 60)
            let effects = try await db.superuser.query("SELECT job_id FROM effects")
            #expect(Set(try effects.map { try $0.decode("job_id", as: UUID.self) }) == Set(all.map(\.0)))
            let due = try await db.superuser.query("SELECT * FROM job_due")
            #expect(due.isEmpty)
            for (id, tenant) in all {
                let status = try await db.status(id, tenant: tenant)
                #expect(status.progress == 100 && status.attempt == 1 && status.finishedAt != nil)
                #expect(status.result?.text.contains(tenant.uuidString) == true)
            }
        }
    }

    @Test func aRepeatedJobSkipsTheStepsThatAreDone() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let handler: JobWorker.Handler = { context in
                let first = try await context.step("first") { () -> [String: Int] in
                    ledger.note("first")
                    return ["value": 41]
                }
                try await context.progress(50)
                let second: String? = try await context.step("second") {
                    ledger.note("second")
                    return nil
                }
                if context.attempt < 3 { throw Failure() }
                return JSONText("{\"value\": \((first["value"] ?? 0) + 1), \"second\": \(second == nil)}")
            }
            let id = try await db.enqueue("work", tenant: tenant(1))
            try await db.running([db.worker(["work": handler])]) {
                try await eventually("never succeeded") { try await db.status(id, tenant: tenant(1)).state == .succeeded }
            }
            #expect(ledger.all == ["first", "second"])
            let status = try await db.status(id, tenant: tenant(1))
            #expect(status.attempt == 3 && status.result?.text.contains("42") == true)
            #expect(status.failure == nil)
        }
    }

    @Test func aPoisonJobStopsAfterItsAttempts() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let handlers: [String: JobWorker.Handler] = [
                "poison": { _ in
                    ledger.note("poison")
                    throw Failure()
                },
                "hopeless": { _ in
                    ledger.note("hopeless")
                    throw PermanentJobFailure("the account is gone")
                },
            ]
            _ = try await db.enqueue("poison", tenant: tenant(1), maxAttempts: 3)
            let hopeless = try await db.enqueue("hopeless", tenant: tenant(1))
            try await db.running([db.worker(handlers)]) {
                try await eventually("never failed") {
                    try await db.superuser.query("SELECT 1 FROM jobs WHERE state <> 'failed'").isEmpty
                }
            }
            #expect(ledger.count("poison") == 3 && ledger.count("hopeless") == 1)
            let reason = try await db.status(hopeless, tenant: tenant(1)).failure
            #expect(reason == "the account is gone")
            let due = try await db.superuser.query("SELECT * FROM job_due")
            #expect(due.isEmpty)
        }
    }

    /// A worker that hangs longer than its lease loses the job; what it still wants to write is refused.
    @Test func afterItsLeaseAWorkerCanChangeNothing() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let (began, release) = (OneShot<Void>(), OneShot<Void>())
            let slow: JobWorker.Handler = { context in
                began.succeed()
                // Deaf to cancellation, as a blocking call would be.
                await Task.detached { _ = try? await release.value() }.value
                do { try await context.transactionalStep("effect") { _ in 1 } } catch { ledger.note("step: \(type(of: error))") }
                return JSONText(#""slow""#)
            }
            let quick: JobWorker.Handler = { context in
                ledger.note("quick fence \(context.fence) attempt \(context.attempt)")
                return JSONText(#""quick""#)
            }
            let id = try await db.enqueue("work", tenant: tenant(1))
            // One place only, so that it cannot take its own job over.
            let stuck = db.worker(["work": slow]) {
                ($0.concurrency, $0.cancelPollInterval, $0.lease) = (1, .seconds(100), .seconds(300))
            }
            try await db.running([stuck]) {
                try await began.value()
                // Five minutes later, as the database sees it.
                try await db.setClock(offset: .seconds(301))
                try await db.running([db.worker(["work": quick])]) {
                    try await eventually("nobody took over") { try await db.status(id, tenant: tenant(1)).state == .succeeded }
                }
                release.succeed()
                try await eventually("the slow one never ended") { ledger.all.count == 2 }
            }
            #expect(ledger.all == ["quick fence 2 attempt 2", "step: JobLeaseLost"])
            let status = try await db.status(id, tenant: tenant(1))
            #expect(status.result?.text == #""quick""#)
        }
    }

    @Test func jobsThatNeverReportAreGivenUp() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let id = try await db.enqueue("work", tenant: tenant(1), maxAttempts: 2)
            try await db.superuser.query(
                "UPDATE jobs SET state = 'running', attempt = 2, fence = 2, lease_until = app_now() - interval '1 minute'")
            let ledger = Ledger()
            try await db.running([
                db.worker([
                    "work": { _ in
                        ledger.note("ran"); return nil
                    }
                ])
            ]) {
                try await eventually("never given up") { try await db.status(id, tenant: tenant(1)).state == .failed }
            }
            #expect(ledger.all == [])
            #expect(try await db.status(id, tenant: tenant(1)).failure == "no attempt came to an end")
        }
    }

    @Test func longWorkKeepsItsLease() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let handler: JobWorker.Handler = { context in
                ledger.note("began")
                try await Task.sleep(for: .seconds(2))
                return nil
            }
            let id = try await db.enqueue("work", tenant: tenant(1))
            let short: (inout JobWorker.Configuration) -> Void = { $0.lease = .milliseconds(600) }
            try await db.running([db.worker(["work": handler], change: short), db.worker(["work": handler], change: short)]) {
                try await eventually("never succeeded") { try await db.status(id, tenant: tenant(1)).state == .succeeded }
            }
            #expect(ledger.all == ["began"])
        }
    }

    @Test func cancelReachesWaitingAndRunningJobs() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            func cancel(_ id: UUID) async throws -> JobState? {
                try await db.app.transaction(tenant: tenant(1)) { try await JobStore.requestCancel(id, in: $0) }
            }
            let waiting = try await db.enqueue("work", tenant: tenant(1), delay: .seconds(3_600))
            #expect(try await cancel(waiting) == .cancelled)
            #expect(try await cancel(waiting) == .cancelled)
            let began = OneShot<Void>()
            let running = try await db.enqueue("work", tenant: tenant(1))
            let handler: JobWorker.Handler = { _ in
                began.succeed()
                try await Task.sleep(for: .seconds(60))
                return nil
            }
            try await db.running([db.worker(["work": handler])]) {
                try await began.value()
                #expect(try await cancel(running) == .running)
                try await eventually("never cancelled") { try await db.status(running, tenant: tenant(1)).state == .cancelled }
            }
            let due = try await db.superuser.query("SELECT * FROM job_due")
            #expect(due.isEmpty)
        }
    }

    @Test func aWorkerThatIsStoppedPutsItsJobsBack() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let began = OneShot<Void>()
            let id = try await db.enqueue("work", tenant: tenant(1))
            try await db.running([
                db.worker([
                    "work": { _ in
                        began.succeed()
                        try await Task.sleep(for: .seconds(60))
                        return nil
                    }
                ])
            ]) { try await began.value() }
            let status = try await db.status(id, tenant: tenant(1))
            #expect(status.state == .queued && status.attempt == 0)
            try await db.running([db.worker(["work": { _ in JSONText("1") }])]) {
                try await eventually("not taken up again") { try await db.status(id, tenant: tenant(1)).state == .succeeded }
            }
        }
    }

    @Test func gracefulShutdownFinishesWhatRuns() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let began = OneShot<Void>()
            let id = try await db.enqueue("work", tenant: tenant(1))
            let worker = db.worker([
                "work": { _ in
                    began.succeed()
                    try await Task.sleep(for: .milliseconds(300))
                    return JSONText("1")
                }
            ])
            try await testGracefulShutdown { trigger in
                async let running: Void = worker.run()
                try await began.value()
                trigger.triggerGracefulShutdown()
                try await running
            }
            #expect(try await db.status(id, tenant: tenant(1)).state == .succeeded)
        }
    }

    @Test func delaysFollowTheClockOfTheDatabase() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let id = try await db.enqueue("work", tenant: tenant(1), delay: .seconds(86_400))
            let worker = db.worker([
                "work": { _ in
                    ledger.note("ran"); return nil
                }, "early": { _ in nil },
            ])
            try await db.running([worker]) {
                let early = try await db.enqueue("early", tenant: tenant(1))
                worker.wake()
                try await eventually("the early one never ran") {
                    try await db.status(early, tenant: tenant(1)).state == .succeeded
                }
                #expect(ledger.all == [])
                try await db.setClock(offset: .seconds(86_401))
                try await eventually("never became due") { try await db.status(id, tenant: tenant(1)).state == .succeeded }
            }
        }
    }
}
