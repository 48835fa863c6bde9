import Foundation
import Messaging
import PostgresStore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct InboxTests {
    private struct Rollback: Error {}

    private func claim(_ event: CloudEvent, consumer: String = "test", in database: TestDatabase) async throws -> Bool {
        try await database.app.transaction(tenant: event.tenantId) { try await Inbox.claim(event, consumer: consumer, in: $0) }
    }

    @Test func grantsAnEventOnceToEachConsumer() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            let event = makeEvent()
            let granted = [
                try await claim(event, in: database), try await claim(event, in: database),
                try await claim(event, consumer: "other", in: database),
            ]
            #expect(granted == [true, false, true])
        }
    }

    @Test func grantsThoseOfSeveralThatAreNew() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            let tenant = UUID()
            let events = (0..<4).map { _ in makeEvent(tenantId: tenant) }
            let isGranted = try await claim(events[1], in: database)
            #expect(isGranted)
            func claimAll(_ events: [CloudEvent]) async throws -> Set<UUID> {
                try await database.app.transaction(tenant: tenant) { try await Inbox.claim(events, consumer: "test", in: $0) }
            }
            #expect(try await claimAll(events + [events[0]]) == Set([0, 2, 3].map { events[$0].id }))
            #expect(try await claimAll(events).isEmpty)
            #expect(try await claimAll([]).isEmpty)
        }
    }

    @Test func grantsItAgainAfterARollback() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            let event = makeEvent()
            await #expect(throws: Rollback.self) {
                try await database.app.transaction(tenant: event.tenantId) { transaction in
                    let isGranted = try await Inbox.claim(event, consumer: "test", in: transaction)
                    #expect(isGranted)
                    throw Rollback()
                }
            }
            let isGrantedAgain = try await claim(event, in: database)
            #expect(isGrantedAgain)
        }
    }

    @Test func grantsItToOneOfManyAtTheSameTime() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            let event = makeEvent()
            let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<12 { group.addTask { try await claim(event, in: database) } }
                return try await group.reduce(0) { $1 ? $0 + 1 : $0 }
            }
            #expect(granted == 1)
        }
    }

    /// A bare unique event id would swallow another tenant's row.
    @Test func keepsTenantsApart() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            let event = makeEvent()
            var namesake = makeEvent()
            namesake.id = event.id
            let granted = [try await claim(event, in: database), try await claim(namesake, in: database)]
            #expect(granted == [true, true])
            await #expect {
                try await database.app.transaction(tenant: UUID()) { try await Inbox.claim(event, consumer: "third", in: $0) }
            } throws: { error in
                (error as? PostgresError)?.isInsufficientPrivilege == true
            }
        }
    }

    @Test func forgetsAfterAWeek() async throws {
        try await TestDatabase.withClone(of: .messaging) { database in
            let event = makeEvent()
            #expect(try await claim(event, in: database))
            #expect(try await Inbox.sweep(using: database.system) == 0)
            try await database.setClock(offset: .seconds(8 * 86_400))
            #expect(try await Inbox.sweep(using: database.system) == 1)
            #expect(try await claim(event, in: database))
        }
    }
}
