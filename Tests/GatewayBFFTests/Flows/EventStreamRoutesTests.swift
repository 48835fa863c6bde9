import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("GET /api/stream")
struct EventStreamRoutesTests {
    private func event(_ tenant: UUID, _ type: String) -> CloudEvent {
        CloudEvent(
            id: UUID.version7(), source: "content-center", type: type, time: Date(), tenantId: tenant, version: 1, data: [])
    }

    @Test("shows the tenant's own events as they come, and what was missed after a break")
    func liveAndResumed() async throws {
        try await GatewayHarness.run { gateway in
            let (one, two) = (try await gateway.signIn(), try await gateway.signIn("demo2@example.com"))
            let store = EventStreamStore(app: gateway.runtime.database, system: gateway.runtime.system)
            let live = try await gateway.client.open(.get, "/api/stream", headers: gateway.bearer(one))
            #expect(live.status == .ok && live.headers["Content-Type"] == "text/event-stream")
            _ = try await live.read(until: ": heartbeat")
            try await store.append([event(two.tenantId, "foreign.happened.v1")])
            try await store.append([event(one.tenantId, "first.happened.v1")])
            try await store.append([event(one.tenantId, "second.happened.v1")])

            let resumed = try await gateway.client.open(.get, "/api/stream", headers: gateway.bearer(one, ["Last-Event-ID": "1"]))
            let missed = try await resumed.read(until: "second.happened.v1")
            #expect(missed.contains("id: 2\nevent: second.happened.v1\n"))
            #expect(!missed.contains("first.happened") && !missed.contains("foreign"))
            live.close()
            resumed.close()
        }
    }

    @Test("shows nothing more to somebody who was shut out meanwhile, such as a revoked key")
    func shutOut() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let store = EventStreamStore(app: gateway.runtime.database, system: gateway.runtime.system)
            let routes = EventStreamRoutes(
                store: store, hub: EventStreamHub(store: store, logger: .silent), heartbeat: .milliseconds(50))
            let member = Member(
                tenantId: login.tenantId, subject: "client:1", roles: [], permissions: [.readStream], expiresAt: .distantFuture)
            let isGood = Locked(true)
            var router = Router(
                entrance: .publicCalls, logger: .silent, metrics: MetricsRegistry(), tracer: gateway.runtime.tracer)
            router.on(.get, "/stream") { request in
                try await routes.stream(request, member: member) { isGood.withLock { $0 } }
            }
            try await store.append([event(login.tenantId, "before.happened.v1")])
            let stream = try await InProcessClient(router).open(.get, "/stream", headers: ["Last-Event-ID": "0"])
            _ = try await stream.read(until: "before.happened.v1")
            isGood.withLock { $0 = false }
            try await store.append([event(login.tenantId, "after.happened.v1")])
            var rest: [UInt8] = []
            while let piece = try await stream.read() { rest += piece }
            #expect(!String(decoding: rest, as: UTF8.self).contains("after.happened"))
        }
    }

    @Test("says that events are gone instead of skipping them silently")
    func reset() async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let store = EventStreamStore(app: gateway.runtime.database, system: gateway.runtime.system)
            for index in 0..<3 { try await store.append([event(login.tenantId, "e\(index).happened.v1")]) }
            _ = try await gateway.database.superuser.query("DELETE FROM stream_events WHERE seq <= 2")
            // The first is gone, the other was never given.
            for id in ["1", "99999999999999999999"] {
                let stream = try await gateway.client.open(
                    .get, "/api/stream", headers: gateway.bearer(login, ["Last-Event-ID": id]))
                let text = try await stream.read(until: "event: reset")
                #expect(text.contains("id: 3\nevent: reset"))
                stream.close()
            }
        }
    }

    @Test("refuses an id that is not one", arguments: ["abc", "1.5", "", "-1", "+1", "１"])
    func malformedId(id: String) async throws {
        try await GatewayHarness.run { gateway in
            let login = try await gateway.signIn()
            let response = try await gateway.client.send(
                .get, "/api/stream", headers: gateway.bearer(login, ["Last-Event-ID": id]))
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().errors?.first?.pointer == "Last-Event-ID")
        }
    }
}
