import ConcurrencySupport
import Foundation
import Lifecycle
import PostgresStore
import TestSupport
import Testing

@testable import Jobs

/// Jobs that a ticket of a queue names: taken as soon as there is a place, by rank, and given back by a worker that stops.
@Suite(.timeLimit(.minutes(2))) struct TicketJobsTests {
    /// Lets handlers go on one by one.
    private final class Gate: Sendable {
        private let waiting = Lock<[OneShot<Void>]>([])

        func pass() async throws {
            let turn = OneShot<Void>()
            waiting.withLock { $0.append(turn) }
            try await turn.value()
        }

        func open() { for turn in waiting.withLock({ $0 }) { turn.succeed() } }
    }

    @Test func placesGoByRankThenByTime() async throws {
        let (places, ledger) = (WorkPlaces(1), Ledger())
        #expect(await places.take(rank: 2))
        var waiting: [Task<Bool, Never>] = []
        for (name, rank) in [("batch", 2), ("normal", 1), ("batch again", 2), ("interactive", 0)] {
            waiting.append(
                Task {
                    let isIn = await places.take(rank: rank)
                    if isIn { ledger.note(name) }
                    return isIn
                })
            try await eventually("\(name) waits") { places.waitingRanks.count == waiting.count }
        }
        #expect(places.waitingRanks == [0, 1, 2, 2])
        // Who stops waiting is passed over.
        waiting[1].cancel()
        #expect(await !waiting[1].value)
        for expected in [["interactive"], ["interactive", "batch"], ["interactive", "batch", "batch again"]] {
            places.giveBack(1)
            try await eventually("\(expected) are in") { ledger.all == expected }
        }
        places.giveBack(1)
        #expect(places.takeFree() == 1)
        async let late = places.take(rank: 0)
        try await eventually("somebody waits") { places.waitingRanks == [0] }
        places.close()
        #expect(await !late)
        #expect(await !places.take(rank: 0))
    }

    @Test func aTicketIsOverWhenItsJobIsClaimed() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let (ledger, gate) = (Ledger(), Gate())
            let worker = db.worker([
                "work": { context in
                    ledger.note("\(context.id)")
                    try await gate.pass()
                    return nil
                }
            ]) { $0.concurrency = 1 }
            let first = try await db.enqueue("work", tenant: tenant(1), delay: .seconds(60))
            let second = try await db.enqueue("work", tenant: tenant(1), delay: .seconds(60))
            #expect(await worker.take(first, tenant: tenant(1)))
            #expect(try await db.status(first, tenant: tenant(1)).state == .running)
            // There is one place.
            async let isTaken = worker.take(second, tenant: tenant(1))
            #expect(try await db.status(second, tenant: tenant(1)).state == .queued)
            try await eventually("the first one ends") {
                gate.open()
                return try await db.status(first, tenant: tenant(1)).state == .succeeded
            }
            #expect(await isTaken)
            try await eventually("the second one ends") {
                gate.open()
                return try await db.status(second, tenant: tenant(1)).state == .succeeded
            }
            // What is over is not taken.
            #expect(await !worker.take(first, tenant: tenant(1)))
            #expect(ledger.all == ["\(first)", "\(second)"])
        }
    }

    @Test func kindsAreLookedForInTheirOrder() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let handler: JobWorker.Handler = { context in
                ledger.note(context.kind)
                return nil
            }
            for kind in ["other", "batch", "normal", "batch", "interactive"] { _ = try await db.enqueue(kind, tenant: tenant(1)) }
            let handlers = ["interactive", "normal", "batch", "other"].reduce(into: [:]) { $0[$1] = handler }
            let worker = db.worker(handlers) {
                $0.concurrency = 1
                $0.order = ["interactive", "normal", "batch"]
            }
            try await db.running([worker]) {
                try await eventually("all are done") { ledger.all.count == 5 }
            }
            #expect(ledger.all == ["interactive", "normal", "batch", "batch", "other"])
        }
    }

    @Test func aWorkerThatStopsGivesBackWhatTakesTooLong() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let (ledger, gate) = (Ledger(), Gate())
            let worker = db.worker([
                "work": { context in
                    ledger.note("attempt \(context.attempt)")
                    try await gate.pass()
                    return nil
                }
            ]) {
                $0.stopPatience = .milliseconds(20)
                $0.cancelPollInterval = .seconds(60)
                $0.lease = .seconds(600)
            }
            let id = try await db.enqueue("work", tenant: tenant(1))
            try await testGracefulShutdown { trigger in
                async let run: Void = worker.run()
                try await eventually("it runs") { ledger.all == ["attempt 1"] }
                trigger.triggerGracefulShutdown()
                try await run
            }
            let status = try await db.status(id, tenant: tenant(1))
            #expect(status.state == .queued && status.attempt == 0)
            #expect(await !worker.take(id, tenant: tenant(1)))
        }
    }
}
