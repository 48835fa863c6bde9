import ConcurrencySupport
import Foundation
import Jobs
import PostgresStore
import TestSupport
import Testing

/// Jobs that somebody waits for: begun at once, told at once that they are to stop, their end observed in its transaction.
@Suite(.timeLimit(.minutes(2))) struct BegunJobsTests {
    struct Failure: Error {}

    @Test func aBegunJobEndsWithoutAnyLoop() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let worker = JobWorker(
                app: db.app, system: db.system,
                handlers: [
                    "work": { context in
                        ledger.note("work")
                        return JSONText("\"\(context.attempt)\"")
                    }
                ],
                onEnd: { end, transaction in
                    ledger.note("\(end.state) \(end.kind)")
                    try await transaction.execute(
                        "INSERT INTO effects VALUES (\(end.tenant), \(UUID.version7()), \(end.id))")
                })
            let id = try await db.enqueue("work", tenant: tenant(1), delay: .seconds(60))
            await worker.begin(id, tenant: tenant(1)).value
            await worker.begin(id, tenant: tenant(1)).value
            let status = try await db.status(id, tenant: tenant(1))
            #expect(status.state == .succeeded && status.result?.text == "\"1\"")
            #expect(ledger.all == ["work", "succeeded work"])
            #expect(try await db.superuser.query("SELECT 1 FROM effects").count == 1)
        }
    }

    @Test func anEndThatItsObserverRefusesHasNotCome() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let worker = JobWorker(
                app: db.app, system: db.system, handlers: ["work": { _ in nil }], onEnd: { _, _ in throw Failure() })
            let id = try await db.enqueue("work", tenant: tenant(1))
            await worker.begin(id, tenant: tenant(1)).value
            #expect(try await db.status(id, tenant: tenant(1)).state == .running)
        }
    }

    @Test func aRunningJobIsToldAtOnceThatItIsToStop() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let (ledger, never) = (Ledger(), OneShot<Void>())
            let worker = JobWorker(
                app: db.app, system: db.system,
                handlers: [
                    "work": { _ in
                        ledger.note("begun")
                        try await never.value()
                        return nil
                    }
                ],
                // Longer than the test may take: only being told helps.
                configuration: .init(lease: .seconds(600), cancelPollInterval: .seconds(600)))
            let id = try await db.enqueue("work", tenant: tenant(1))
            let work = worker.begin(id, tenant: tenant(1))
            try await eventually("the job runs") { ledger.all == ["begun"] }
            try await db.app.transaction(tenant: tenant(1)) { _ = try await JobStore.requestCancel(id, in: $0) }
            worker.cancelRequested(id)
            await work.value
            #expect(try await db.status(id, tenant: tenant(1)).state == .cancelled)
        }
    }

    @Test func aFailedJobIsReopenedWithTheStepsThatAreDone() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let worker = db.worker([
                "work": { context in
                    try await context.step("a") {
                        ledger.note("a")
                        return 1
                    }
                    try await context.step("b") {
                        ledger.note("b")
                        return 2
                    }
                    if ledger.count("b") == 1 { throw PermanentJobFailure("first time") }
                    return nil
                }
            ])
            let id = try await db.enqueue("work", tenant: tenant(1))
            await worker.begin(id, tenant: tenant(1)).value
            #expect(try await db.status(id, tenant: tenant(1)).state == .failed)
            let reopened = try await db.app.transaction(tenant: tenant(1)) {
                try await JobStore.reopen(id, forgetting: ["b"], in: $0)
            }
            #expect(reopened)
            await worker.begin(id, tenant: tenant(1)).value
            #expect(try await db.status(id, tenant: tenant(1)).state == .succeeded)
            #expect(ledger.all == ["a", "b", "b"])
            let again = try await db.app.transaction(tenant: tenant(1)) {
                try await JobStore.reopen(id, forgetting: [], in: $0)
            }
            #expect(!again)
        }
    }
}
