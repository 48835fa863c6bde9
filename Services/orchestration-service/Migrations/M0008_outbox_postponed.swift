import Messaging
import PostgresStore

/// Events that wait for another attempt are found without those that wait for their first.
let m0008OutboxPostponed = Migration(number: 8, name: "outbox_postponed", sql: Outbox.schemaV2())
