import Messaging
import PostgresStore

/// What every service's database has before it owns anything: roles' grants, `app_now()`, outbox and inbox.
let m0001Platform = Migration(
    number: 1, name: "platform",
    sql: """
        \(PlatformSchema.v1(app: DatabaseRoles.app, system: DatabaseRoles.system))
        \(Outbox.schemaV1(app: DatabaseRoles.app, system: DatabaseRoles.system))
        \(Inbox.schemaV1(app: DatabaseRoles.app, system: DatabaseRoles.system))
        """)
