import DTO
import Foundation
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import GatewayBFF

@Suite("The stored event stream")
struct EventStreamStoreTests {
    private func event(_ tenant: UUID, id: UUID = UUID.version7()) -> CloudEvent {
        CloudEvent(
            id: id, source: "content-center", type: "content.draft.created.v1", subject: "s", time: Date(), tenantId: tenant,
            version: 1, data: Array(#"{"a":1}"#.utf8))
    }

    @Test("numbers a tenant's events without holes, each once")
    func numbering() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let store = EventStreamStore(app: database.app, system: database.system)
            let (one, two) = (UUID.version7(), UUID.version7())
            let repeated = event(one)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 { group.addTask { try await store.append([repeated]) } }
                for _ in 0..<20 { group.addTask { try await store.append([event(one)]) } }
                group.addTask { try await store.append([event(two)]) }
                try await group.waitForAll()
            }
            let events = try await store.events(tenant: one, after: 0, limit: 100)
            #expect(events.count == 21)
            #expect(events.map(\.seq) == events.map(\.seq).sorted())
            #expect(try await store.range(tenant: one).oldest == 1)
            #expect(try await store.events(tenant: two, after: 0, limit: 100).map(\.seq) == [1])
            #expect(try await store.heads(tenants: [one, two])[two] == 1)
            #expect(try await store.events(tenant: one, after: 15, limit: 3).count == 3)
        }
    }

    @Test("adds several at once in their order, and passes over those that it has")
    func batches() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let store = EventStreamStore(app: database.app, system: database.system)
            let tenant = UUID.version7()
            let events = (0..<5).map { _ in event(tenant) }
            try await store.append([events[1]])
            try await store.append([])
            // The one that is there, and one that comes twice.
            try await store.append([events[2], events[1], events[3], events[2]])
            try await store.append([events[1], events[3]])
            try await store.append([events[4], events[0]])
            let stored = try await store.events(tenant: tenant, after: 0, limit: 100)
            let ids = try stored.map { try CloudEvent(decoding: Array($0.data.utf8)).id }
            #expect(ids == [1, 2, 3, 4, 0].map { events[$0].id })
            #expect(stored.map(\.seq) == stored.map(\.seq).sorted())
            #expect(try await store.range(tenant: tenant).newest == stored.last?.seq)
        }
    }

    @Test("lets everything go that came before an erasure, whenever it is told")
    func erasure() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let store = EventStreamStore(app: database.app, system: database.system)
            let (tenant, other) = (UUID.version7(), UUID.version7())
            func stored(_ tenant: UUID) async throws -> [UUID] {
                try await store.events(tenant: tenant, after: 0, limit: 1_000).map {
                    try CloudEvent(decoding: Array($0.data.utf8)).id
                }
            }
            // More than go at a time.
            try await store.append((0..<501).map { _ in event(tenant) })
            try await store.append([event(other)])
            var erased = event(tenant)
            erased.type = TenantContentErased.type
            erased.time += 10
            var after = event(tenant)
            after.time += 20
            // Late, in one delivery with the erasure and after it; and the erasure twice.
            try await store.append([event(tenant), erased, event(tenant), after])
            try await store.append([event(tenant)])
            try await store.append([erased])
            #expect(try await stored(tenant) == [erased.id, after.id])
            #expect(try await stored(other).count == 1)
            // Nothing is missed where nothing is left.
            let range = try await store.range(tenant: tenant)
            #expect(EventStream.start(lastEventId: 0, range: range) == .after(0))
            #expect(range == .init(oldest: 1, newest: 503))
        }
    }

    @Test("forgets after 24 hours, but not where it was")
    func retention() async throws {
        try await TestDatabase.withClone(of: GatewayHarness.template) { database in
            let store = EventStreamStore(app: database.app, system: database.system)
            let tenant = UUID.version7()
            try await store.append([event(tenant)])
            try await database.setClock(offset: .seconds(24 * 3_600 + 1))
            try await Sweeper(system: database.system, logger: .silent).sweep()
            #expect(try await store.range(tenant: tenant) == .init(oldest: 0, newest: 1))
            try await store.append([event(tenant)])
            #expect(try await store.events(tenant: tenant, after: 0, limit: 10).map(\.seq) == [2])
        }
    }
}
