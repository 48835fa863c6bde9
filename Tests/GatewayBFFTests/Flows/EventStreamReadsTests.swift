import ConcurrencySupport
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("Streams of a tenant share what they read")
struct EventStreamReadsTests {
    private typealias Event = EventStream.StoredEvent

    /// Answers when it is told to, and knows what it was asked for.
    private final class Shelf: Sendable {
        private let state = Lock<(asked: [Int64], answers: [OneShot<[Event]>])>(([], []))

        var asked: [Int64] { state.withLock { $0.asked } }

        func read(after seq: Int64) async throws -> [Event] {
            let answer = OneShot<[Event]>()
            state.withLock { state in
                state.asked.append(seq)
                state.answers.append(answer)
            }
            return try await answer.value()
        }

        func answer(_ number: Int, _ events: [Event]) { state.withLock { $0.answers[number] }.succeed(events) }
        func fail(_ number: Int) { state.withLock { $0.answers[number] }.fail(CancellationError()) }
    }

    private let tenant = UUID()
    private let event = Event(seq: 8, type: "x.happened.v1", data: "{}")

    @Test("one query for all that stand at the same event, during it and after it, until something new is told")
    func shares() async throws {
        let shelf = Shelf()
        let reads = EventStreamReads(goodFor: .seconds(600)) { _, seq in try await shelf.read(after: seq) }
        let waiting = (0..<20).map { _ in Task { try await reads.events(tenant: tenant, after: 7) } }
        try await eventually("the first has asked", within: .seconds(60)) { !shelf.asked.isEmpty }
        shelf.answer(0, [event])
        for waiting in waiting { #expect(try await waiting.value == [event]) }
        #expect(try await reads.events(tenant: tenant, after: 7) == [event])
        #expect(shelf.asked == [7])

        reads.forget(tenant: tenant)
        let again = Task { try await reads.events(tenant: tenant, after: 7) }
        try await eventually("it is asked anew", within: .seconds(60)) { shelf.asked.count == 2 }
        shelf.answer(1, [])
        #expect(try await again.value.isEmpty)
    }

    @Test("a read that began before something new was told is nobody's who asks afterwards")
    func neverStale() async throws {
        let shelf = Shelf()
        let reads = EventStreamReads(goodFor: .seconds(600)) { _, seq in try await shelf.read(after: seq) }
        let before = Task { try await reads.events(tenant: tenant, after: 7) }
        try await eventually("the first has asked", within: .seconds(60)) { shelf.asked.count == 1 }
        reads.forget(tenant: tenant)
        let after = Task { try await reads.events(tenant: tenant, after: 7) }
        try await eventually("the second has asked too", within: .seconds(60)) { shelf.asked.count == 2 }
        shelf.answer(1, [event])
        #expect(try await after.value == [event])
        shelf.answer(0, [])
        #expect(try await before.value.isEmpty)
        // The older answer, though it came later, is not what is kept.
        #expect(try await reads.events(tenant: tenant, after: 7) == [event])
    }

    @Test("each at its own event, each tenant for itself; a failure is not kept, and nothing for longer than it is good")
    func apart() async throws {
        let shelf = Shelf()
        let reads = EventStreamReads(goodFor: .seconds(600)) { _, seq in try await shelf.read(after: seq) }
        let calls: [(UUID, Int64)] = [(tenant, 1), (tenant, 2), (UUID(), 1)]
        for (number, (tenant, seq)) in calls.enumerated() {
            let asking = Task { try await reads.events(tenant: tenant, after: seq) }
            try await eventually("it is asked", within: .seconds(60)) { shelf.asked.count == number + 1 }
            number == 1 ? shelf.fail(number) : shelf.answer(number, [event])
            if number == 1 {
                await #expect(throws: CancellationError.self) { try await asking.value }
            } else {
                _ = try await asking.value
            }
        }
        #expect(shelf.asked == [1, 2, 1])
        let again = Task { try await reads.events(tenant: tenant, after: 2) }
        try await eventually("the failed one is asked again", within: .seconds(60)) { shelf.asked.count == 4 }
        shelf.answer(3, [event])
        #expect(try await again.value == [event])

        let queries = Lock(0)
        let forgetful = EventStreamReads(goodFor: .zero) { _, _ in
            queries.withLock {
                $0 += 1; return []
            }
        }
        for _ in 0..<3 { _ = try await forgetful.events(tenant: tenant, after: 1) }
        #expect(queries.withLock { $0 } == 3)
    }

    @Test("an event costs twenty open streams two queries: what is new, and that there is nothing behind it")
    func twentyStreams() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let (tenant, count) = (UUID.version7(), 20)
            let store = EventStreamStore(app: database.app, system: database.system)
            let metrics = MetricsRegistry()
            let hub = EventStreamHub(
                store: store, limits: .init(perTenant: count, perSubject: count), sharedFor: .seconds(600), logger: .silent,
                metrics: metrics)
            let routes = EventStreamRoutes(store: store, hub: hub, heartbeat: .seconds(600))
            let member = Member(
                tenantId: tenant, subject: "u", roles: [], permissions: [.readStream], expiresAt: .distantFuture)
            var router = Router(entrance: .publicCalls)
            router.on(.get, "/stream") { try await routes.stream($0, member: member) { true } }
            let client = InProcessClient(router.handler)
            func queries() -> Int {
                let line = metrics.render().split(separator: "\n").first { $0.hasPrefix("gateway_event_stream_reads_total ") }
                return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }.map { Int($0) } ?? 0
            }
            func happened(_ type: String) -> CloudEvent {
                CloudEvent(
                    id: .version7(), source: "content-center", type: type, time: Date(), tenantId: tenant, version: 1, data: [])
            }
            try await store.append([happened("zeroth.happened.v1")])
            var streams: [TestStream] = []
            // One has missed an event and catches up; the others begin behind it.
            for number in 0..<count {
                streams.append(try await client.open(.get, "/stream", headers: number == 0 ? ["Last-Event-ID": "0"] : [:]))
            }
            #expect(try await streams[0].read(until: "zeroth.happened.v1").contains("id: 1\n"))
            try await eventually("all wait", within: .seconds(60)) { hub.waiting == count }
            for round in 1...3 {
                let before = queries()
                try await store.append([happened("round\(round).happened.v1")])
                hub.wake(tenant: tenant)
                for stream in streams {
                    #expect(try await stream.read(until: "round\(round).happened.v1").contains("id: \(round + 1)\n"))
                }
                try await eventually("all wait again", within: .seconds(60)) { hub.waiting == count }
                #expect(queries() - before == 2)
            }
            for stream in streams { stream.close() }
        }
    }
}
