import Messaging
import PostgresStore

/// Events that wait for another attempt are found without those that wait for their first.
let m0002OutboxPostponed = Migration(number: 2, name: "outbox_postponed", sql: Outbox.schemaV2())
