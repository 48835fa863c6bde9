import Foundation
import PostgresStore
import TestSupport
import Testing

@Suite struct BindingTests {
    enum Platform: String, PostgresArrayElement, PostgresDecodableElement, CaseIterable {
        case douyin, xiaohongshu
    }

    /// Sends each value, with its NULL, through the server and back.
    private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [Value], as type: String, _ database: Database, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for value in values {
            let row = try await database.query(
                "SELECT \(value)::\(unescaped: type) AS same, \(Value?.none)::\(unescaped: type) AS none"
            )
            .only
            #expect(try row.decode("same") == value, sourceLocation: sourceLocation)
            #expect(try row.decode("none", as: Value?.self) == nil, sourceLocation: sourceLocation)
            #expect(try row.decode("same", as: Value?.self) == value, sourceLocation: sourceLocation)
            #expect(throws: RowDecodingError.self, sourceLocation: sourceLocation) { try row.decode("none", as: Value.self) }
        }
    }

    static let texts = [
        "", "a", "it's", "\"quoted\"", "back\\slash", "{brace,comma}", "NULL", "爆款标题生成器", "👩‍👩‍👧‍👦", "tab\tline\nend", "$1", " ",
        "\u{1}",
        String(repeating: "长", count: 5_000),
    ]

    @Test func everyTypeComesBackAsItWent() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await roundTrip([true, false], as: "boolean", db.app)
            try await roundTrip([0, 1, -1, Int.max, Int.min], as: "bigint", db.app)
            try await roundTrip([Int64.max, .min], as: "bigint", db.app)
            try await roundTrip([Int32.max, .min, 0], as: "integer", db.app)
            try await roundTrip(
                [0.1, -1e300, .leastNonzeroMagnitude, .infinity, -.infinity, 1 / 3], as: "double precision", db.app)
            try await roundTrip(Self.texts, as: "text", db.app)
            try await roundTrip([tenantA, tenantB, UUID.version7()], as: "uuid", db.app)
            try await roundTrip([[], [0], [UInt8](0...255)], as: "bytea", db.app)
            try await roundTrip([JSONText(#"{"a": [1, "二", null]}"#)], as: "jsonb", db.app)
            try await roundTrip([Platform.douyin], as: "text", db.app)
        }
    }

    @Test func instantsKeepTheirMicroseconds() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let instants = [
                Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 1_763_665_321.123456),
                Date(timeIntervalSince1970: -2_208_988_800.5), Date(timeIntervalSince1970: 253_402_300_799.999999),
            ]
            for instant in instants {
                let row = try await db.app.query(
                    "SELECT \(instant)::timestamptz AS same, extract(epoch FROM \(instant)::timestamptz)::text AS epoch"
                ).only
                let same: Date = try row.decode("same")
                #expect(abs(same.timeIntervalSince(instant)) < 0.000001)
                let epoch = try #require(Double(try row.decode("epoch", as: String.self)))
                #expect(abs(epoch - instant.timeIntervalSince1970) < 0.000002)
            }
            let other: Date = try await db.app.query("SELECT '2026-03-29 02:30:00+05:30'::timestamptz AS t").only.decode("t")
            #expect(other.timeIntervalSince1970 == 1_774_731_600)
            let endless = try await db.app.query("SELECT 'infinity'::timestamptz AS t").only
            #expect(throws: RowDecodingError.self) { try endless.decode("t", as: Date.self) }
        }
    }

    @Test func arraysKeepQuotesBackslashesAndNulls() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            try await roundTrip([[], Self.texts], as: "text[]", db.app)
            try await roundTrip([[nil, "NULL", "", nil]], as: "text[]", db.app)
            try await roundTrip([[1, -2, Int.max]], as: "bigint[]", db.app)
            try await roundTrip([[1, 2] as [Int32]], as: "integer[]", db.app)
            try await roundTrip([[0.5, .infinity]], as: "double precision[]", db.app)
            try await roundTrip([[true, false, nil]], as: "boolean[]", db.app)
            try await roundTrip([[tenantA, tenantB]], as: "uuid[]", db.app)
            try await roundTrip([[[1, 2], [], [255]] as [[UInt8]]], as: "bytea[]", db.app)
            try await roundTrip([[JSONText(#"{"a": "\"}"}"#), JSONText("[]")]], as: "jsonb[]", db.app)
            try await roundTrip([Platform.allCases], as: "text[]", db.app)
            let dates = [Date(timeIntervalSince1970: 1.5), Date(timeIntervalSince1970: 2_000_000_000)]
            try await roundTrip([dates], as: "timestamptz[]", db.app)
        }
    }

    @Test func bulkInsertByArrays() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let ids = (0..<1_000).map { _ in UUID.version7() }
            let names = ids.indices.map { "名字 \($0) '\"\\" }
            let inserted = try await db.app.query(
                "INSERT INTO items (tenant_id, id, name) SELECT \(tenantA), unnest(\(ids)), unnest(\(names))", tenant: tenantA)
            #expect(inserted.affectedRows == 1_000)
            let back = try await db.app.query("SELECT name FROM items WHERE id = ANY(\(ids)) ORDER BY id", tenant: tenantA)
            #expect(try back.map { try $0.decode("name", as: String.self) } == names)
        }
    }

    @Test(arguments: [
        "x'; DROP TABLE items; --", "') OR 1=1 --", "\\'; DELETE FROM items", "$$; DROP TABLE items; $$", "{\"a\":1}",
    ])
    func inputNeverBecomesStatement(_ input: String) async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let id = UUID.version7()
            try await db.app.query(
                "INSERT INTO items (tenant_id, id, name) VALUES (\(tenantA), \(id), \(input))", tenant: tenantA)
            let found = try await db.app.query("SELECT name FROM items WHERE name = \(input)", tenant: tenantA)
            #expect(try found.only.decode("name", as: String.self) == input)
            #expect(try await db.count("SELECT count(*) FROM items") == 1)
        }
    }

    @Test func identifiersAreQuoted() {
        #expect((#"SELECT \#(identifier: "a\"b")"# as SQL).text == #"SELECT "a""b""#)
    }

    @Test func theNullCharacterIsRefusedNotCut() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let error = await #expect(throws: PostgresError.self) { try await db.app.query("SELECT \("a\0b")::text") }
            #expect(error?.sqlState == "22021")
            let inArray = await #expect(throws: PostgresError.self) { try await db.app.query("SELECT \(["a\0b"])::text[]") }
            #expect(inArray?.sqlState == "22021")
            try await db.app.ping()
        }
    }

    @Test func wrongColumnsAndTypesAreNamed() async throws {
        try await TestDatabase.withClone(of: .store) { db in
            let rows = try await db.app.query(
                "SELECT 'abc' AS word, 7 AS number, 99999999999 AS large UNION ALL SELECT 'd', 8, 1")
            let row = try #require(rows.first)
            let unknown = #expect(throws: RowDecodingError.self) { try row.decode("wrod", as: String.self) }
            #expect(unknown?.column == "wrod")
            #expect(throws: RowDecodingError.self) { try row.decode("word", as: Int.self) }
            #expect(throws: RowDecodingError.self) { try row.decode("large", as: Int32.self) }
            #expect(throws: RowDecodingError.self) { try row.decode("word", as: Platform.self) }
            #expect(throws: RowDecodingError.self) { try rows.only }
            #expect(try rows.map { try $0.decode("number", as: Int.self) } == [7, 8])
        }
    }

    @Test func fragmentsAreNumberedThrough() async throws {
        let conditions: [SQL] = ["a = \(1)", "b = \("x")"]
        let sql: SQL = "SELECT \(true) WHERE \(SQL.joined(conditions, separator: " AND ")) LIMIT \(3)"
        #expect(sql.text == "SELECT $1 WHERE a = $2 AND b = $3 LIMIT $4")
    }

    @Test func identifiersOfVersion7Ascend() async throws {
        let ids = await withTaskGroup(of: [UUID].self) { group in
            for _ in 0..<4 { group.addTask { (0..<5_000).map { _ in UUID.version7() } } }
            var all: [[UUID]] = []
            for await ids in group { all.append(ids) }
            return all
        }
        for series in ids { #expect(series.map(\.uuidString) == series.map(\.uuidString).sorted()) }
        #expect(Set(ids.joined()).count == 20_000)
        let sample = try #require(ids.first?.first)
        #expect(Array(sample.uuidString)[14] == "7")
        #expect("89AB".contains(Array(sample.uuidString)[19]))
    }
}
