import Messaging
import PostgresStore

/// Events are marked as sent where they stand.
let m0037OutboxRoom = Migration(number: 37, name: "outbox_room", sql: Outbox.schemaV3())
