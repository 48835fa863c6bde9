import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

extension ContentCenterHarness {
    var indexer: SearchIndexer {
        SearchIndexer(
            store: SearchIndexerStore(app: database.app, system: database.system),
            subtitles: SubtitleTexts(assets: library), logger: .silent)
    }

    func copy(_ title: String, _ text: String, hashtags: [String] = [], tenant: UUID = tenant) async throws -> Content {
        let body = CopyBody(topic: title, platform: .douyin, title: nil, text: text, hashtags: hashtags, callToAction: nil)
        return try await create(
            NewContent(step: "copy", title: title, body: .copy(body), source: VersionSource(kind: .human)), tenant: tenant)
    }

    /// Contents, unless `more` says what.
    func find(_ query: String, _ more: String = "", tenant: UUID = tenant) async throws -> SearchAnswer {
        let text = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let type = more.contains("type=") ? "" : "&type=content"
        let response = try await send(.get, "/v1/search?q=\(text)\(type)\(more)", tenant: tenant)
        #expect(response.status == .ok, "\(response.text)")
        return try response.decode(SearchAnswer.self)
    }

    func titles(_ query: String, _ more: String = "", tenant: UUID = tenant) async throws -> [String] {
        try await find(query, more, tenant: tenant).contents.map(\.title)
    }
}

extension SearchAnswer {
    var contents: [ContentSummary] { items.compactMap(\.content) }
}

@Suite struct ContentSearchTests {
    @Test func findsWhatContentsSay() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.copy("油皮防晒霜推荐", "清爽不闷，军训也能用", hashtags: ["夏日必备"])
            _ = try await service.copy("手机壳", "iPhone15 手机壳，SPF 无关 🔥")
            _ = try await service.copy("护手霜", "XiaoMi 联名")
            _ = try await service.create()
            try await service.indexer.takeInAll()
            #expect(try await service.titles("防晒") == ["油皮防晒霜推荐"])
            #expect(try await service.titles("军训 防晒") == ["油皮防晒霜推荐"])
            #expect(try await service.titles("夏日必备") == ["油皮防晒霜推荐"])
            #expect(try await service.titles("ＩＰＨＯＮＥ") == ["手机壳"])
            #expect(try await service.titles("ipho") == ["手机壳"])
            #expect(try await service.titles("iphone 15") == ["手机壳"])
            #expect(try await service.titles("🔥") == ["手机壳"])
            #expect(try await service.titles("再没味道") == ["猫砂盆"])
            #expect(try await service.titles("猫") == ["猫砂盆"])
            #expect(try await service.titles("fss").first == "油皮防晒霜推荐")
            #expect(try await service.titles("不存在的词") == [])
            // Two letters of a word that nothing has are no initials of it.
            _ = try await service.copy("生活好物", "正文")
            try await service.indexer.takeInAll()
            #expect(try await service.titles("shhw") == ["生活好物"])
            for noise in ["shop", "sharp", "fsxyz"] { #expect(try await service.titles(noise) == [], "\(noise)") }
            let corrected = try await service.find("xioami")
            #expect(corrected.contents.map(\.title) == ["护手霜"])
            #expect(corrected.corrections == [SearchCorrection(from: "xioami", to: "xiaomi")])
            let nothing = try await service.find("……")
            #expect(nothing == .nothing)
        }
    }

    @Test func whatHasAllWordsComesFirstAndTitlesCountMost() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.copy("只有一半", "说说油皮")
            _ = try await service.copy("正文里有", "油皮也有合适的防晒")
            _ = try await service.copy("油皮防晒", "标题里有")
            _ = try await service.copy("无关", "别的内容")
            for index in 0..<20 { _ = try await service.copy("填充\(index)", "日常内容") }
            try await service.indexer.takeInAll()
            let answer = try await service.find("油皮 防晒")
            #expect(answer.contents.map(\.title) == ["油皮防晒", "正文里有", "只有一半"])
            #expect(answer.items.map(\.score) == answer.items.map(\.score).sorted(by: >))
            #expect(try await service.titles("油皮 防晒", "&sort=newest") == ["油皮防晒", "正文里有"])
        }
    }

    @Test func quotesAskForTheWordsExactlySo() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.copy("甲", "平价替代")
            _ = try await service.copy("乙", "平价，价替，替代")
            try await service.indexer.takeInAll()
            #expect(Set(try await service.titles("平价替代")) == ["甲", "乙"])
            #expect(try await service.titles("“平价替代”") == ["甲"])
        }
    }

    @Test func showsWhereItWasFound() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.copy("<b>防晒</b>", "第一行\n通勤用的防晒，<script>")
            try await service.indexer.takeInAll()
            let hit = try #require(try await service.find("防晒 通勤").items.first)
            #expect(hit.title.filter(\.isMatch).map(\.text) == ["防晒"])
            #expect(hit.title.map(\.text).joined() == "<b>防晒</b>")
            #expect(hit.snippet.filter(\.isMatch).map(\.text) == ["通勤", "防晒"])
        }
    }

    @Test func showsLabelsAndNothingFromTheBin() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("防晒推荐", "通勤")
            let labelled = try await service.send(
                .patch, "/v1/contents/\(content.id.lowercase)/labels", body: Array(#"{"topic":"夏季","tags":["主推"]}"#.utf8))
            #expect(labelled.status == .ok)
            try await service.indexer.takeInAll()
            let found = try #require(try await service.find("防晒").contents.first)
            #expect(found.tags == ["主推"] && found.topic == "夏季")
            // Before the index knows it, and after.
            #expect(try await service.send(.delete, "/v1/contents/\(content.id.lowercase)").status == .noContent)
            #expect(try await service.titles("防晒").isEmpty)
            try await service.indexer.takeInAll()
            #expect(try await service.find("防晒").total == 0)
            #expect(try await service.send(.post, "/v1/contents/\(content.id.lowercase)/restore").status == .ok)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("防晒") == ["防晒推荐"])
        }
    }

    @Test func filtersAndCounts() async throws {
        try await ContentCenterHarness.run { service in
            let group = UUID()
            var draft = NewContent.sample
            draft.groupId = group
            let grouped = try await service.create(draft)
            _ = try await service.copy("猫砂盆文案", "猫砂盆怎么选")
            let last = try await service.copy("猫砂盆二", "猫砂盆")
            try await service.indexer.takeInAll()
            let all = try await service.find("猫砂盆")
            #expect(all.total == 3)
            #expect(all.isTotalExact)
            #expect(
                all.facets.kind == [SearchFacetValue(value: "copy", count: 2), SearchFacetValue(value: "title_set", count: 1)])
            #expect(all.facets.status == [SearchFacetValue(value: "draft", count: 3)])
            #expect(try await service.find("猫砂盆", "&kind=title_set").contents.map(\.id) == [grouped.id])
            #expect(try await service.find("猫砂盆", "&groupId=\(group.lowercase)").total == 1)
            #expect(try await service.find("猫砂盆", "&status=published") == .nothing)
            #expect(try await service.find("猫砂盆", "&completeness=draft").total == 3)
            let moment = ISO8601DateFormatter().string(from: last.createdAt.addingTimeInterval(3_600))
            #expect(try await service.find("猫砂盆", "&from=\(moment)").total == 0)
            #expect(try await service.find("猫砂盆", "&to=\(moment)").total == 3)
            // What was decided elsewhere is noticed.
            try await service.database.superuser.query("UPDATE contents SET status = 'published' WHERE id = \(last.id)")
            try await service.indexer.takeInAll()
            #expect(try await service.find("猫砂盆", "&status=published").contents.map(\.id) == [last.id])
        }
    }

    @Test func pagesStandStillWhileContentsArrive() async throws {
        try await ContentCenterHarness.run { service in
            for index in 0..<9 { _ = try await service.copy("防晒 \(index)", "好" + String(repeating: "油皮", count: index % 3)) }
            try await service.indexer.takeInAll()
            for sort in ["relevance", "newest"] {
                let expected = try await service.find("油皮 防晒", "&limit=100&sort=\(sort)").contents.map(\.id)
                #expect(expected.count == 6)
                var seen: [UUID] = []
                var more = "&limit=4&sort=\(sort)"
                while true {
                    let page = try await service.find("油皮 防晒", more)
                    #expect(page.items.count <= 4)
                    seen += page.contents.map(\.id)
                    guard let cursor = page.nextCursor else { break }
                    more = "&limit=4&sort=\(sort)&cursor=\(cursor)"
                }
                #expect(seen == expected, "\(sort)")
            }
        }
    }

    @Test func aCursorIsOfItsQueryOnly() async throws {
        try await ContentCenterHarness.run { service in
            for index in 0..<5 { _ = try await service.copy("防晒护手 \(index)", "正文") }
            try await service.indexer.takeInAll()
            let cursor = try #require(try await service.find("防晒", "&limit=2").nextCursor)
            #expect(try await service.find("防晒", "&limit=3&labelFacets=true&sort=relevance&cursor=\(cursor)").items.count == 3)
            for (query, more) in [
                ("护手", "&type=content"), ("防晒", ""), ("防晒", "&type=content&sort=newest"), ("防晒", "&type=content&tag=甲"),
            ] {
                let text =
                    "q=\(query)\(more)&cursor=\(cursor)".addingPercentEncoding(withAllowedCharacters: .urlQueryAllowed) ?? ""
                let answer = try await service.send(.get, "/v1/search?\(text)")
                #expect(try answer.problem().errors?.map(\.pointer) == ["?cursor"], "\(query)\(more)")
            }
        }
    }

    @Test func anEditIsFoundByWhatItSaysNow() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("防晒", "旧的正文")
            try await service.indexer.takeInAll()
            let edit = ContentPatch(title: "面膜", body: ContentBodyPatch(text: "新的正文"))
            #expect(try await service.patch(content.id, edit, ifVersion: 1).status == .ok)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("新的正文") == ["面膜"])
            #expect(try await service.titles("旧的") == [])
            // Its name is another now; the topic is not.
            #expect(try await service.titles("面膜") == ["面膜"])
            #expect(try await service.count("search_documents") == 1)
            #expect(try await service.count("search_changes") == 0)
        }
    }

    /// Changes come while others are being taken in, by several workers: in the end everything is found as it is.
    @Test func nothingIsMissedUnderRaces() async throws {
        try await ContentCenterHarness.run { service in
            let contents = try await withThrowingTaskGroup(of: Content.self) { group in
                for index in 0..<8 { group.addTask { try await service.copy("防晒\(index)", "起初") } }
                return try await group.reduce(into: [Content]()) { $0.append($1) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { for _ in 0..<20 { try await service.indexer.takeIn() } } }
                for content in contents {
                    group.addTask {
                        for version in 1...4 {
                            let edit = ContentPatch(body: ContentBodyPatch(text: version == 4 ? "最终正文" : "中间\(version)"))
                            let answer = try await service.patch(content.id, edit, ifVersion: version)
                            #expect(answer.status == .ok)
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await service.indexer.takeInAll()
            #expect(try await service.find("最终正文").total == 8)
            #expect(try await service.find("中间").total == 0)
            #expect(try await service.count("search_changes") == 0)
        }
    }

    @Test func aMisspellingThatWasCorrectedIsKnownNoMore() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("手机", "xioami phone")
            let other = try await service.copy("壳", "xiaomi phone")
            try await service.indexer.takeInAll()
            #expect(try await service.find("xioami").corrections == [])
            let patch = ContentPatch(body: ContentBodyPatch(text: "xiaomi"))
            #expect(try await service.patch(content.id, patch, ifVersion: 1).status == .ok)
            try await service.indexer.takeInAll()
            let corrected = try await service.find("xioami")
            #expect(corrected.corrections == [SearchCorrection(from: "xioami", to: "xiaomi")])
            #expect(corrected.total == 2)
            // Another one has it still, until it lies in the bin.
            #expect(try await service.find("phone").total == 1)
            #expect(try await service.count("search_words") == 2)
            #expect(try await service.send(.delete, "/v1/contents/\(other.id.lowercase)").status == .noContent)
            try await service.indexer.takeInAll()
            #expect(try await service.count("search_words") == 1)
        }
    }

    /// Workers that add the same words, each in the order of its own contents, do not wait for each other in a circle.
    @Test func workersDoNotBlockEachOther() async throws {
        try await ContentCenterHarness.run { service in
            for index in 0..<120 {
                let words = ["zebra", "apple", "mango", "kiwi"].map { "\($0)\(index % 7 == 0 ? "x" : "y")" }
                _ = try await service.copy("w\(index)", (index % 2 == 0 ? words : words.reversed()).joined(separator: " "))
            }
            for _ in 0..<5 {
                try await service.database.superuser.query("DELETE FROM search_words")
                _ = try await service.indexer.listAll(of: nil)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 { group.addTask { try await service.indexer.takeInAll() } }
                    try await group.waitForAll()
                }
            }
            #expect(try await service.count("search_changes") == 0)
        }
    }

    @Test func whatIsInTheBinIsNotFound() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("防晒霜", "油皮")
            try await service.indexer.takeInAll()
            #expect(try await service.find("防晒霜").total == 1)
            try await service.database.superuser.query("ALTER TABLE contents ADD COLUMN IF NOT EXISTS deleted_at timestamptz")
            for (isDeleted, total) in [(true, 0), (false, 1)] {
                try await service.database.superuser.query(
                    "UPDATE contents SET deleted_at = CASE WHEN \(isDeleted) THEN app_now() END WHERE id = \(content.id)")
                try await service.indexer.takeInAll()
                #expect(try await service.find("防晒霜").total == total)
            }
        }
    }

    @Test func labelsAndFileNamesAreFound() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("周末计划", "随便写写")
            _ = try await service.send(
                .patch, "/v1/contents/\(content.id)/labels", body: Array(#"{"topic": "露营装备", "tags": ["新手必看"]}"#.utf8))
            try await service.indexer.takeInAll()
            #expect(try await service.titles("露营") == ["周末计划"])
            #expect(try await service.titles("新手必看") == ["周末计划"])

            let asset = UUID.version7()
            _ = try await service.database.superuser.query(
                """
                INSERT INTO content_assets (tenant_id, id, media_type, size, sha256, origin, filename, created_by)
                VALUES (\(ContentCenterHarness.tenant), \(asset), 'video/mp4', 1, decode(repeat('00', 32), 'hex'), 'upload',
                    '湖边日落-终版.mp4', 'test')
                """)
            let video = VideoBody(
                topic: "旅行", platform: .douyin, title: "一日", text: "没有别的", hashtags: [], video: VideoFile(assetId: asset))
            let made = try await service.create(
                NewContent(step: "video", title: "一日", body: .video(video), source: VersionSource(kind: .human)))
            #expect(made.completeness == .finished)
            // A video is no cover.
            let cover = ContentPatch(body: ContentBodyPatch(video: VideoFile(assetId: asset, coverAssetId: asset)))
            let refused = try await service.patch(made.id, cover, ifVersion: 1)
            #expect(try refused.problem().errors?.map(\.pointer) == ["/body/video/coverAssetId"])
            try await service.indexer.takeInAll()
            #expect(try await service.titles("湖边日落") == ["一日"])
            _ = try await service.database.superuser.query("UPDATE content_assets SET filename = '山顶日出.mp4' WHERE id = \(asset)")
            try await service.indexer.takeInAll()
            #expect(try await service.titles("山顶日出") == ["一日"])
            #expect(try await service.titles("湖边日落") == [])
        }
    }

    @Test func whatNobodyCanReadKeepsNobodyWaiting() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("防晒霜", "油皮")
            _ = try await service.copy("洗面奶", "油皮")
            try await service.database.superuser.query(
                "UPDATE content_versions SET body = '{\"poem\": 1}' WHERE content_id = \(content.id)")
            try await service.indexer.takeInAll()
            #expect(try await service.titles("油皮") == ["洗面奶"])
            #expect(try await service.count("search_changes") == 1)
        }
    }

    /// The filters of the list, as long as the labels are so.
    @Test func looksWithinASpaceATopicOrATag() async throws {
        try await ContentCenterHarness.run { service in
            let space = try await service.send(.post, "/v1/spaces", body: JSON.encode(NewContentSpace(name: "一"))).decode(
                ContentSpace.self)
            let contents = [try await service.copy("防晒甲", "油皮"), try await service.copy("防晒乙", "油皮")]
            _ = try await service.copy("防晒丙", "夏季 通勤")
            func label(_ index: Int, _ labels: String) async throws {
                let path = "/v1/contents/\(contents[index].id.lowercase)/labels"
                #expect(try await service.send(.patch, path, body: Array(labels.utf8)).status == .ok)
                try await service.indexer.takeInAll()
            }
            try await label(0, #"{"spaceId": "\#(space.id.lowercase)", "topic": "夏季", "tags": ["通勤", "新"]}"#)
            try await label(1, #"{"topic": "夏季 通勤"}"#)
            let (summer, commute) = ("%E5%A4%8F%E5%AD%A3", "%E9%80%9A%E5%8B%A4")
            for (filter, found) in [
                ("&spaceId=\(space.id.lowercase)", ["防晒甲"]), ("&topic=\(summer)", ["防晒甲"]), ("&tag=\(commute)", ["防晒甲"]),
                ("&topic=\(summer)%20\(commute)", ["防晒乙"]), ("&tag=\(summer)", []), ("&spaceId=\(UUID().lowercase)", []),
                ("&tag=\(commute)&topic=\(summer)&spaceId=\(space.id.lowercase)&sort=newest", ["防晒甲"]),
            ] {
                #expect(try await service.titles("防晒", filter) == found, "\(filter)")
                // Also where only some of the words are found.
                #expect(try await service.titles("防晒 沙滩", filter) == found, "\(filter)")
            }
            try await label(0, #"{"spaceId": null, "topic": null, "tags": ["新"]}"#)
            #expect(try await service.titles("防晒", "&tag=\(commute)") == [])
            #expect(try await service.titles("防晒", "&spaceId=\(space.id.lowercase)") == [])
        }
    }

    @Test func aTenantFindsOnlyItsOwn() async throws {
        try await ContentCenterHarness.run { service in
            let stranger = UUID()
            _ = try await service.copy("防晒霜", "Xiaomi 小米")
            _ = try await service.copy("别家的防晒霜", "Huawei", tenant: stranger)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("防晒霜") == ["防晒霜"])
            #expect(try await service.titles("防晒霜", tenant: stranger) == ["别家的防晒霜"])
            #expect(try await service.titles("防晒霜", tenant: UUID()) == [])
            // Nor does anybody learn which words others use.
            #expect(try await service.find("xioami", tenant: stranger) == .nothing)
            // The functions take the tenant from the transaction; without one there is nothing.
            let rows = try await service.database.app.query(
                """
                SELECT * FROM search_contents(ARRAY['防晒'], '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, app_now(), false, 10, '{}')
                """)
            #expect(rows.isEmpty)
        }
    }

    /// The index is used although row-level security holds, and nothing is read from end to end.
    @Test func queriesGoThroughTheIndex() async throws {
        try await ContentCenterHarness.run { service in
            for index in 0..<5 { _ = try await service.copy("防晒\(index)", "油皮") }
            try await service.indexer.takeInAll()
            let (read, used) = try await service.database.app.transaction(tenant: ContentCenterHarness.tenant) { transaction in
                let found = try await transaction.query(
                    """
                    SELECT id FROM search_contents(ARRAY['防晒', '油皮'], '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, app_now(), false, 10, '{}')
                    """)
                #expect(found.count == 5)
                let row = try await transaction.query(
                    """
                    SELECT pg_stat_get_xact_numscans('search_documents'::regclass) AS read,
                           pg_stat_get_xact_numscans('search_documents_terms'::regclass) AS used
                    """
                ).only
                return (try row.decode("read", as: Int.self), try row.decode("used", as: Int.self))
            }
            #expect(read == 0)
            #expect(used > 0)
        }
    }

    @Test func segmentsChangeNothingButTheCost() async throws {
        try await ContentCenterHarness.run { service in
            try await service.database.superuser.query(
                "CREATE OR REPLACE FUNCTION search_segment_size() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT 2 $$")
            for index in 0..<9 {
                _ = try await service.copy("防晒\(index)", "油皮")
                // Those taken in together go into one.
                try await service.indexer.takeInAll()
            }
            #expect(try await service.count("search_segments") == 4)
            #expect(try await service.titles("防晒", "&sort=newest") == (0..<9).reversed().map { "防晒\($0)" })
            #expect(try await service.find("油皮 面膜").total == 9)
            #expect(try await service.titles("油皮 面膜", "&sort=newest") == (0..<9).reversed().map { "防晒\($0)" })
            // An edited content stays where it was, and is there once.
            let first = try #require(try await service.find("防晒0").contents.first)
            #expect(try await service.patch(first.id, ContentPatch(title: "面膜"), ifVersion: 1).status == .ok)
            try await service.indexer.takeInAll()
            #expect(try await service.find("面膜").contents.first?.id == first.id)
            #expect(try await service.count("search_documents") == 9)
        }
    }

    @Test func aRebuildTakesInEverything() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.copy("防晒", "甲")
            let stranger = UUID()
            _ = try await service.copy("防晒", "乙", tenant: stranger)
            try await service.indexer.takeInAll()
            // By one that knows as much as this server: otherwise it is mended without a rebuild.
            _ = try await service.database.superuser.pipeline([
                "SELECT set_config('search.reading', '1', true)", "UPDATE search_documents SET terms = '{}'",
            ])
            #expect(try await service.find("防晒").total == 0)
            #expect(try await service.indexer.listAll(of: stranger) == 1)
            try await service.indexer.takeInAll()
            #expect(try await service.find("防晒").total == 0)
            #expect(try await service.find("防晒", tenant: stranger).total == 1)
            #expect(try await service.indexer.listAll(of: nil) == 2)
            try await service.indexer.takeInAll()
            #expect(try await service.find("防晒").total == 1)
        }
    }

    @Test(arguments: [
        ("", ["?q"]), ("q=", ["?q"]), ("q=%20", ["?q"]), ("q=a&kind=poem", ["?kind"]), ("q=a&limit=101", ["?limit"]),
        ("q=a&sort=best", ["?sort"]), ("q=a&type=folder", ["?type"]),
        ("q=a&type=asset&kind=copy", ["?type"]), ("q=a&assetKind=image&type=content", ["?assetKind"]),
        ("q=a&from=yesterday", ["?from"]), ("q=a&cursor=x", ["?cursor"]),
        ("q=a&colour=1", ["?colour"]),
        ("q=a&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", ["?to"]), ("kind=poem", ["?q", "?kind"]), ("q=a&q=b", ["?q"]),
        ("q=\(String(repeating: "a", count: 101))", ["?q"]), ("q=a%01", ["?q"]),
    ])
    func refusesABadQuery(query: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let response = try await service.send(.get, "/v1/search?\(query)")
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().errors?.map(\.pointer) == pointers)
        }
    }

    @Test func asksForThePermission() async throws {
        try await ContentCenterHarness.run { service in
            let answer = try await service.send(.get, "/v1/search?q=a", scopes: ["contents:write"])
            #expect(answer.status == .forbidden)
        }
    }

    /// What looks like SQL, markup or an array is a text like any other.
    @Test(arguments: ["'; DROP TABLE contents; --", "{防晒}", "%_\\", "\"", "a\"b'c\\d", "NULL", "t:防晒 p:a i:fs"])
    func anyTextIsOnlyText(query: String) async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.copy("无关", "内容")
            try await service.indexer.takeInAll()
            #expect(try await service.find(query).total == 0)
        }
    }
}
