import ConcurrencySupport
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import GatewayBFF

/// How many streams are open at once, and that none is counted for longer than it is.
@Suite("Open event streams")
struct EventStreamLimitsTests {
    private struct Fixture {
        let hub: EventStreamHub
        let routes: EventStreamRoutes
        let tenant = UUID.version7()

        init(_ database: TestDatabase, perTenant: Int, perSubject: Int) {
            let store = EventStreamStore(app: database.app, system: database.system)
            hub = EventStreamHub(store: store, limits: .init(perTenant: perTenant, perSubject: perSubject), logger: .silent)
            routes = EventStreamRoutes(store: store, hub: hub, heartbeat: .milliseconds(50))
        }

        func member(_ subject: String) -> Member {
            Member(tenantId: tenant, subject: subject, roles: [], permissions: [.readStream], expiresAt: .distantFuture)
        }

        /// A server with one route for each of these subjects, named after it.
        func client(_ subjects: [String]) -> InProcessClient {
            var router = Router(entrance: .publicCalls)
            for subject in subjects {
                router.on(.get, "/" + subject) { try await routes.stream($0, member: member(subject)) { true } }
            }
            return InProcessClient(router.handler)
        }
    }

    @Test("are not counted where nothing is sent: for HEAD, and for a client that left before")
    func onlyHeads() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let fixture = Fixture(database, perTenant: 2, perSubject: 1)
            for method in [HTTPMethod.head, .get, .head] {
                let response = try await fixture.routes.stream(Request(method, "/api/stream"), member: fixture.member("u")) {
                    true
                }
                #expect(response.status == .ok)
                #expect(fixture.hub.count == 0)
            }
        }
    }

    @Test("are limited for a person and for a tenant, until one ends")
    func limits() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let fixture = Fixture(database, perTenant: 3, perSubject: 2)
            let client = fixture.client(["anna", "bert", "cleo"])
            let open = { (subject: String) in
                let stream = try await client.open(.get, "/" + subject)
                _ = try await stream.read(until: ": heartbeat")
                return stream
            }
            let first = try await open("anna")
            _ = try await open("anna")
            try await eventually("both listen") { fixture.hub.count == 2 }
            let third = try await client.send(.get, "/anna")
            #expect(third.status == .tooManyRequests)
            #expect(third.headers["Retry-After"] == "15")
            #expect(try third.problem().code == "stream.too_many_open")
            _ = try await open("bert")
            try await eventually("the third listens") { fixture.hub.count == 3 }
            #expect(try await client.send(.get, "/cleo").status == .tooManyRequests)
            first.close()
            try await eventually("it has ended") { fixture.hub.count == 2 }
            _ = try await open("cleo")
        }
    }
}
