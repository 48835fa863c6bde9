import PostgresStore

/// What is stored of a text has changed: fingerprints of before are made anew when somebody asks.
let m0029FingerprintMethod = Migration(
    number: 29, name: "fingerprint_method", sql: "ALTER TABLE content_fingerprints ADD method smallint NOT NULL DEFAULT 1;")
