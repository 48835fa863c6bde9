import Foundation
import Messaging
import PostgresStore
import TestSupport

extension DatabaseTemplate {
    /// An outbox, an inbox and a tenant's table in which handlers leave their effect.
    static let messaging = DatabaseTemplate(
        service: "messagingtest",
        migrations: [
            Migration(
                number: 1, name: "messaging",
                sql: PlatformSchema.v1(app: "messagingtest_app", system: "messagingtest_system")
                    + Outbox.schemaV1(app: "messagingtest_app", system: "messagingtest_system")
                    + Outbox.schemaV2() + Outbox.schemaV3()
                    + Inbox.schemaV1(app: "messagingtest_app", system: "messagingtest_system")
                        + """
                        CREATE TABLE effects (
                            tenant_id uuid NOT NULL,
                            event_id uuid NOT NULL,
                            made_at timestamptz NOT NULL DEFAULT app_now()
                        );

                        """ + TenantTable.secure("effects", app: "messagingtest_app"))
        ])
}

extension TestDatabase {
    /// Appends the events in one transaction of the app role.
    func append(_ events: [CloudEvent]) async throws {
        try await app.transaction { try await Outbox.append(events, in: $0) }
    }

    func count(_ sql: SQL) async throws -> Int {
        let rows = try await superuser.query(sql)
        return try rows.first?.decode("count", as: Int.self) ?? -1
    }

    func pendingRows() async throws -> Int {
        try await count("SELECT count(*) AS count FROM outbox WHERE confirmed_at IS NULL")
    }

    func confirmedRows() async throws -> Int {
        try await count("SELECT count(*) AS count FROM outbox WHERE confirmed_at IS NOT NULL")
    }
}
