import PostgresStore

/// Which operation took a run up again last: its repeat finds that it did.
let m0010RunRetries = Migration(
    number: 10, name: "run_retries", sql: "ALTER TABLE runs ADD COLUMN retried_by uuid;")
