import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// What assets are listed by, over many of them, and tags of the whole library.
@Suite(.timeLimit(.minutes(2))) struct AssetListingTests {
    // MARK: Lists

    @Test func namesAreFoundByAnyPartOfThem() async throws {
        try await ContentCenterHarness.run { service in
            let names = ["夏季封面-终版.png", "Sommer_2026.PNG", "夏天.png", "İstanbul ß.png", "%_.png"]
            for (mark, name) in names.enumerated() {
                _ = try await service.upload(SampleFiles.png(marked: UInt64(mark)), as: name, "image/png")
            }
            for (part, found) in [
                ("夏", [2, 0]), ("夏季", [0]), ("面-终版.p", [0]), ("sommer_2026.png", [1]), ("SOMMER", [1]), ("2026.P", [1]),
                ("季夏", []), ("%_", [4]), ("ß", [3]), ("png", [4, 3, 2, 1, 0]), ("终版封面", []),
            ] {
                #expect(try await service.listed(AssetFilter(name: part, limit: 100)) == found.map { names[$0] }, "\(part)")
            }
        }
    }

    @Test func keysFollowTheAsset() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "旧名.png", "image/png")
            func edit(_ body: String) async throws {
                let path = "/v1/assets/\(asset.id.lowercase)"
                let tag = try #require(try await service.send(.get, path).headers["ETag"])
                #expect(try await service.send(.patch, path, headers: ["If-Match": tag], body: Array(body.utf8)).status == .ok)
            }
            try await edit(#"{"filename": "新名.png", "tags": ["甲", "乙"]}"#)
            try await edit(#"{"tags": ["乙", "丙"]}"#)
            for (filter, count) in [
                (AssetFilter(tag: "甲", limit: 9), 0), (AssetFilter(tag: "乙", limit: 9), 1), (AssetFilter(tag: "丙", limit: 9), 1),
                (AssetFilter(name: "旧名", limit: 9), 0), (AssetFilter(tag: "丙", name: "新名", limit: 9), 1),
            ] {
                #expect(try await service.listed(filter).count == count)
                #expect(try await service.listed(filter, tenant: UUID()) == [])
            }
            #expect(try await service.send(.delete, "/v1/assets/\(asset.id.lowercase)").status == .noContent)
            #expect(try await service.count("asset_keys") == 0)
            // The sweeper's deletions too.
            _ = try await service.presign(AssetPresignRequest(filename: "b.png", contentType: "image/png"))
            try await service.database.setClock(offset: .seconds(30 * 86_400))
            let sweeper = AssetSweeper(
                store: AssetSweeperStore(system: service.database.system), objects: service.objects, logger: .silent)
            try await sweeper.sweep()
            #expect(try await service.count("content_assets") == 0)
            #expect(try await service.count("asset_keys") == 0)
        }
    }

    /// The filter says of each asset what the asset says of itself.
    @Test func rightsAreFilteredAsTheyAreShown() async throws {
        try await ContentCenterHarness.run { service in
            try await service.stock(400)
            // Every way in which beginning and end can stand.
            try await service.database.superuser.query(
                """
                UPDATE content_assets SET rights_holder = CASE WHEN n % 7 > 0 THEN '某' END,
                    rights_valid_from = CASE WHEN n % 7 > 0 AND n % 3 > 0 THEN app_now() + make_interval(days => n % 5 * 20 - 50) END,
                    rights_expires_at = CASE WHEN n % 7 > 0 AND n % 4 > 0 THEN app_now() + make_interval(days => n % 5 * 20 - 49 + n % 11 * 6) END
                FROM (SELECT id AS i, row_number() OVER (ORDER BY id)::int AS n FROM content_assets) s WHERE id = s.i
                """)
            let all = try await service.list(AssetFilter(limit: 1_000))
            #expect(all.count == 400)
            for state in AssetRightsState.allCases {
                let wanted = all.filter { $0.rightsState == state }.map(\.id)
                let found = try await service.list(AssetFilter(rights: state, limit: 1_000))
                #expect(found.map(\.id) == wanted && !wanted.isEmpty, "\(state)")
            }
        }
    }

    /// A filtered page reads what it shows and little else, however many assets there are.
    @Test func aFilteredPageDoesNotReadTheLibrary() async throws {
        try await ContentCenterHarness.run { service in
            try await service.stock(4_000)
            try await service.stock(500, tenant: UUID())
            try await service.database.superuser.query(
                """
                UPDATE content_assets SET filename = '湖边日落.png', tags = tags || '{罕见}'::text[], rights_holder = '某',
                    rights_expires_at = app_now() - interval '1 day'
                WHERE id IN (SELECT id FROM content_assets WHERE tenant_id = \(ContentCenterHarness.tenant) ORDER BY id LIMIT 3)
                """)
            try await service.database.superuser.query("ANALYZE content_assets, asset_keys")
            let filters = [
                AssetFilter(tag: "罕见", limit: 51), AssetFilter(name: "湖边日", limit: 51), AssetFilter(name: "湖", limit: 51),
                AssetFilter(rights: .expired, limit: 51), AssetFilter(tag: "罕见", name: "日落", limit: 51),
                AssetFilter(rights: .valid, limit: 51), AssetFilter(rights: .expiring, name: "png", limit: 51),
            ]
            for filter in filters {
                let read = try await service.rowsRead(by: filter)
                #expect(read <= 100, "\(filter)")
            }
            // What all have comes from the newest on.
            for filter in [AssetFilter(tag: "常见", limit: 51), AssetFilter(name: "png", limit: 51), AssetFilter(limit: 51)] {
                #expect(try await service.rowsRead(by: filter) <= 400, "\(filter)")
            }
        }
    }

    // MARK: Tags

    @Test func tagsAreRenamedAndMergedInTheWholeLibrary() async throws {
        try await ContentCenterHarness.run { service in
            let count = AssetFilingStore.renamingBatch + 30
            try await service.stock(count)
            let stranger = UUID()
            try await service.stock(3, tenant: stranger)
            try await service.database.superuser.query(
                "UPDATE content_assets SET tags = '{a,夏天,b,夏日}' WHERE tenant_id = \(ContentCenterHarness.tenant)")
            let answer = try await service.rename(#"{"from": ["夏天", "夏日"], "to": "夏季"}"#)
            #expect(try answer.decode(AssetTagRenamingResult.self) == AssetTagRenamingResult(changed: count, isComplete: true))
            let tags = try await service.database.superuser.query(
                "SELECT DISTINCT tags, revision FROM content_assets WHERE tenant_id = \(ContentCenterHarness.tenant)")
            #expect(try tags.map { try $0.decode("tags", as: [String].self) } == [["a", "夏季", "b"]])
            // Whoever has read them reads them again.
            #expect(try tags.map { try $0.decode("revision", as: Int.self) } == [2])
            #expect(try await service.listed(AssetFilter(tag: "夏季", limit: 1_000)).count == count)
            #expect(try await service.listed(AssetFilter(tag: "夏天", limit: 1_000)).isEmpty)
            #expect(try await service.listed(AssetFilter(tag: "常见", limit: 9), tenant: stranger).count == 3)
            let again = try await service.rename(#"{"from": ["夏天", "夏日"], "to": "夏季"}"#)
            #expect(try again.decode(AssetTagRenamingResult.self).changed == 0)
            // Each step tells of its own.
            let told = try await service.events().filter { $0.type == AssetTagsRenamed.type }.map {
                try $0.decode(AssetTagsRenamed.self)
            }
            #expect(told.map(\.assetIds.count) == [AssetFilingStore.renamingBatch, 30])
            #expect(Set(told.flatMap(\.assetIds)).count == count && told.allSatisfy { $0.to == "夏季" })
            // Onto one that some have already.
            let merged = try await service.rename(#"{"from": ["夏季"], "to": "a"}"#)
            #expect(try merged.decode(AssetTagRenamingResult.self).changed == count)
            #expect(try await service.list(AssetFilter(limit: 1)).first?.tags == ["a", "b"])
        }
    }

    @Test(arguments: [
        (#"{"from": [], "to": "a"}"#, ["/from"]), (#"{"from": ["a"]}"#, ["/to"]),
        (#"{"from": ["b", "a"], "to": "a"}"#, ["/from/1"]),
        (#"{"from": ["b", "b"], "to": "a"}"#, ["/from/1"]), (#"{"from": [""], "to": ""}"#, ["/from/0", "/to"]),
        (#"{"from": ["b"], "to": "a", "colour": 1}"#, ["/colour"]),
    ]) func badRenamingsPointAtTheField(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let answer = try await service.rename(body)
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.map(\.pointer) == pointers)
            #expect(try await service.rename(body, scopes: ["contents:read"]).status == .forbidden)
        }
    }

    @Test func theTagsThatAreUsedMostComeFirst() async throws {
        try await ContentCenterHarness.run { service in
            func tags(_ query: String = "", tenant: UUID = ContentCenterHarness.tenant) async throws -> [String] {
                try await service.send(.get, "/v1/assets/tags\(query)", tenant: tenant, scopes: ["contents:read"])
                    .decode(AssetTags.self).items.map { "\($0.tag) \($0.assets)" }
            }
            #expect(try await tags() == [])
            for (mark, list) in [#"["夏季", "门店"]"#, #"["夏季", "u", "t"]"#, #"["夏至", "夏季"]"#, "[]"].enumerated() {
                let asset = try await service.upload(SampleFiles.png(marked: UInt64(mark)), as: "t夏.png", "image/png")
                _ = try await service.edit(asset, #"{"tags": \#(list)}"#)
            }
            #expect(try await Set(tags()) == ["夏季 3", "门店 1", "夏至 1", "u 1", "t 1"])
            #expect(try await tags().first == "夏季 3")
            #expect(try await tags("?limit=1") == ["夏季 3"])
            #expect(try await tags("?prefix=%E5%A4%8F") == ["夏季 3", "夏至 1"])
            #expect(try await tags("?prefix=t") == ["t 1"])
            #expect(try await tags("?prefix=%25") == [])
            #expect(try await tags(tenant: UUID()) == [])
            for query in ["?limit=0", "?limit=101", "?prefix=", "?colour=1"] {
                let refused = try await service.send(.get, "/v1/assets/tags\(query)")
                #expect(refused.status == .unprocessableContent, "\(query)")
            }
        }
    }

    /// Whoever changes many at once, names files that many contents show, or takes contents into the index waits for nobody in a circle.
    @Test func changesOfManyDoNotBlockEachOther() async throws {
        try await ContentCenterHarness.run { service in
            var ids: [UUID] = []
            for mark in 0..<12 {
                ids.append(try await service.upload(SampleFiles.png(marked: UInt64(mark)), as: "a.png", "image/png").id)
            }
            // Each shows all of them, some in one order and some in the other.
            for index in 0..<8 {
                _ = try await service.create(.showing(index.isMultiple(of: 2) ? Array(ids.prefix(9)) : ids.prefix(9).reversed()))
            }
            let all = ids
            @Sendable func organize(_ ids: [UUID], _ tag: String) async throws -> HTTPStatus {
                let order = AssetOrganizing(assetIds: ids, addTags: [tag])
                return try await service.send(.post, "/v1/assets/organize", body: JSON.encode(order)).status
            }
            for round in 0..<6 {
                let statuses = try await withThrowingTaskGroup(of: HTTPStatus.self) { group in
                    group.addTask { try await organize(all, "x\(round)") }
                    group.addTask { try await organize(all.reversed(), "y\(round)") }
                    group.addTask { try await service.rename(#"{"from": ["x\#(round)", "y\#(round)"], "to": "z"}"#).status }
                    for id in all.prefix(6) {
                        group.addTask {
                            let path = "/v1/assets/\(id.lowercase)"
                            let tag = try await service.send(.get, path).headers["ETag"] ?? ""
                            let body = Array(#"{"filename": "第\#(round)轮.png"}"#.utf8)
                            return try await service.send(.patch, path, headers: ["If-Match": tag], body: body).status
                        }
                    }
                    group.addTask {
                        for _ in 0..<4 { try await service.indexer.takeIn() }
                        _ = try await service.indexer.listAll(of: nil)
                        return .ok
                    }
                    return try await group.reduce(into: [HTTPStatus]()) { $0.append($1) }
                }
                #expect(Set(statuses).isSubset(of: [.ok, .preconditionFailed]), "\(statuses)")
            }
        }
    }
}

extension ContentCenterHarness {
    fileprivate func list(_ filter: AssetFilter, tenant: UUID = tenant) async throws -> [LibraryAsset] {
        try await AssetsStore(database: database.app).list(filter, for: AssetViewer(tenantId: tenant, subject: "user-1"))
    }

    fileprivate func listed(_ filter: AssetFilter, tenant: UUID = tenant) async throws -> [String] {
        try await list(filter, tenant: tenant).map(\.filename)
    }

    fileprivate func rename(_ body: String, scopes: [String] = ["contents:read", "contents:write"]) async throws -> TestResponse {
        try await send(.post, "/v1/assets/tags/rename", scopes: scopes, body: Array(body.utf8))
    }

    /// So many assets, without bytes.
    fileprivate func stock(_ count: Int, tenant: UUID = tenant) async throws {
        let ids = (0..<count).map { _ in UUID.version7() }
        try await database.superuser.query(
            """
            INSERT INTO content_assets (tenant_id, id, origin, state, filename, media_type, size, sha256, created_by, tags)
            SELECT \(tenant), id, 'upload', 'ready', n || '.png', 'image/png', 1, decode(repeat('00', 32), 'hex'), 'x', '{常见}'
            FROM unnest(\(ids)) WITH ORDINALITY AS a (id, n)
            """)
    }

    /// How many rows of tables and indexes the list goes through.
    fileprivate func rowsRead(by filter: AssetFilter) async throws -> Int {
        let plan = try await database.app.query(
            "EXPLAIN (ANALYZE, FORMAT JSON) \(AssetsStore.list(filter, for: AssetViewer(tenantId: Self.tenant, subject: "user-1")))",
            tenant: Self.tenant
        ).only.decode("QUERY PLAN", as: JSONText.self)
        func read(_ node: JSONValue) -> Int {
            func number(_ name: String) -> Double {
                if case .number(let text)? = node[name] { Double(text) ?? 0 } else { 0 }
            }
            var sum = 0
            if case .string(let kind)? = node["Node Type"], kind.contains("Scan") {
                let each = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck")
                sum = Int(each * number("Actual Loops"))
            }
            if case .array(let inner)? = node["Plans"] { sum += inner.reduce(0) { $0 + read($1) } }
            return sum
        }
        guard case .array(let plans) = try JSONValue(parsing: plan.bytes), let top = plans.first?["Plan"] else {
            throw PlanUnreadable()
        }
        return read(top)
    }
}

private struct PlanUnreadable: Error {}
