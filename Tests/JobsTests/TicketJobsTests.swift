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
        #expect(await places.take(rank: 2, tenant: tenant(1)))
        var waiting: [Task<Bool, Never>] = []
        for (name, rank) in [("batch", 2), ("normal", 1), ("batch again", 2), ("interactive", 0)] {
            waiting.append(
                Task {
                    let isIn = await places.take(rank: rank, tenant: tenant(1))
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
            places.leave(tenant(1))
            try await eventually("\(expected) are in") { ledger.all == expected }
        }
        places.leave(tenant(1))
        #expect(places.takeFree() == 1)
        async let late = places.take(rank: 0, tenant: tenant(1))
        try await eventually("somebody waits") { places.waitingRanks == [0] }
        places.close()
        #expect(await !late)
        #expect(await !places.take(rank: 0, tenant: tenant(1)))
    }

    @Test func noTenantHasMoreThanItsShareOfThePlaces() async throws {
        let places = WorkPlaces(2, share: 1)
        let (greedy, modest, third) = (tenant(1), tenant(2), tenant(3))
        #expect(await places.take(rank: 0, tenant: greedy))
        // There is a place, but not for the same.
        #expect(await !places.take(rank: 0, tenant: greedy))
        #expect(places.full == [greedy])
        #expect(await places.take(rank: 2, tenant: modest))
        // Who waits behind one whose tenant has its share by then is not kept by him.
        let first = Task { await places.take(rank: 0, tenant: third) }
        try await eventually("one waits") { places.waitingRanks == [0] }
        let second = Task { await places.take(rank: 1, tenant: third) }
        try await eventually("another one waits") { places.waitingRanks == [0, 1] }
        let last = Task { await places.take(rank: 2, tenant: greedy) }
        try await eventually("no other waits") { await !last.value }
        places.leave(modest)
        #expect(await first.value)
        places.leave(greedy)
        #expect(await !second.value)
        #expect(places.takeFree() == 1)
        #expect(places.enter(greedy) && !places.enter(greedy))
        #expect(places.served == [modest, third, greedy])
        // Nobody waits longer than he wants to.
        #expect(await !places.take(rank: 0, tenant: modest, patience: .milliseconds(10)))
        #expect(places.waitingRanks == [])
    }

    /// One tenant has ordered much, and before anybody else.
    @Test func tenantsHaveTheirTurns() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let ledger = Ledger()
            let worker = db.worker([
                "work": { context in
                    ledger.note(context.tenant == tenant(1) ? "greedy" : "modest")
                    return nil
                }
            ]) {
                $0.concurrency = 1
                $0.share = 1
            }
            for _ in 0..<6 { _ = try await db.enqueue("work", tenant: tenant(1)) }
            for _ in 0..<2 { _ = try await db.enqueue("work", tenant: tenant(2)) }
            try await db.running([worker]) {
                try await eventually("all are done") { ledger.all.count == 8 }
            }
            #expect(Array(ledger.all.prefix(4)) == ["greedy", "modest", "greedy", "modest"])
        }
    }

    @Test func aTenantThatWaitsForItselfLosesNothing() async throws {
        try await TestDatabase.withClone(of: .jobs) { db in
            let (ledger, gate) = (Ledger(), Gate())
            let worker = db.worker([
                "work": { context in
                    ledger.note("\(context.tenant)")
                    if context.tenant == tenant(1) { try await gate.pass() }
                    return nil
                }
            ]) {
                $0.concurrency = 2
                $0.share = 1
            }
            var jobs: [UUID] = []
            for _ in 0..<3 { jobs.append(try await db.enqueue("work", tenant: tenant(1))) }
            let other = try await db.enqueue("work", tenant: tenant(2))
            try await db.running([worker]) {
                try await eventually("the other's is done, and one of the first tenant's runs") {
                    let state = try await db.status(other, tenant: tenant(2)).state
                    return state == .succeeded && ledger.all.contains("\(tenant(1))")
                }
                // One runs; the tickets of the others are over at once, and their jobs as they were.
                #expect(ledger.all.filter { $0 == "\(tenant(1))" }.count == 1)
                for job in jobs.dropFirst() { #expect(await !worker.take(job, tenant: tenant(1))) }
                try await eventually("all are done") {
                    gate.open()
                    for job in jobs where try await db.status(job, tenant: tenant(1)).state != .succeeded { return false }
                    return true
                }
            }
            for job in jobs { #expect(try await db.status(job, tenant: tenant(1)).attempt == 1) }
        }
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
