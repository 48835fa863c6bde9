import PostgresStore

/// A version that is an older one again says which.
let m0035RestoredVersions = Migration(
    number: 35, name: "restored_versions", sql: "ALTER TABLE content_versions ADD restored_from integer;")
