import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Files of the library, found whether a content shows them or not.
@Suite(.timeLimit(.minutes(3))) struct AssetSearchTests {
    @Test func aFileIsFoundByItsNameTagsAndFolders() async throws {
        try await ContentCenterHarness.run { service in
            let top = try await service.assetFolder("春季项目")
            let inner = try await service.assetFolder("门店视频", in: top.id)
            let asset = try await service.upload(SampleFiles.movie("isom"), as: "湖边日落-Final.mp4", "video/mp4")
            _ = try await service.upload(SampleFiles.png, as: "别的.png", "image/png")
            _ = try await service.edit(asset, #"{"tags": ["露营"], "folderId": "\#(inner.id.lowercase)"}"#)
            try await service.indexer.takeInAll()
            // By names, beginnings, initials, a misspelling; the folder and the one above it.
            for (query, field) in [
                ("湖边日落", SearchField.title), ("fina", .title), ("finl", .title), ("hbrl", .title), ("露营", .label),
                ("门店", .folder),
                ("春季项目", .folder), ("“日落-final”", .title),
            ] {
                let answer = try await service.find(query, "&type=asset")
                #expect(answer.items.map(\.asset?.id) == [asset.id], "\(query)")
                #expect(answer.items.first?.matchedFields == [field], "\(query)")
            }
            let hit = try #require(try await service.find("湖边", "&type=asset").items.first)
            #expect(hit.type == .asset && hit.content == nil && hit.asset?.filename == "湖边日落-Final.mp4")
            #expect(hit.title.filter(\.isMatch).map(\.text) == ["湖边"])
            #expect(try await service.find("湖边", "&type=asset", tenant: UUID()) == .nothing)

            let other = try await service.edit(service.asset(asset.id), #"{"filename": "山顶日出.mp4", "tags": []}"#)
            let renamed = try await service.send(
                .patch, "/v1/asset-folders/\(top.id.lowercase)", body: Array(#"{"name": "秋季"}"#.utf8))
            #expect(renamed.status == .ok)
            try await service.indexer.takeInAll()
            for (query, total) in [("湖边", 0), ("露营", 0), ("春季", 0), ("秋季", 1), ("山顶", 1)] {
                #expect(try await service.find(query, "&type=asset").total == total, "\(query)")
            }
            // A word that only it had is known no more.
            #expect(try await service.find("finl").corrections == [])
            #expect(try await service.send(.delete, "/v1/assets/\(other.id.lowercase)").status == .noContent)
            #expect(try await service.find("山顶", "&type=asset").items.isEmpty)
            try await service.indexer.takeInAll()
            #expect(try await service.find("山顶", "&type=asset").total == 0)
            #expect(try await service.count("search_asset_documents") == 1)
            #expect(try await service.count("search_asset_changes") == 0)
        }
    }

    @Test func contentsAndFilesAreFoundTogetherAndApart() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("防晒推荐", "通勤")
            let labels = Array(#"{"topic": "夏季", "tags": ["主推"]}"#.utf8)
            _ = try await service.send(.patch, "/v1/contents/\(content.id)/labels", body: labels)
            let picture = try await service.upload(SampleFiles.png, as: "防晒.png", "image/png")
            _ = try await service.edit(picture, #"{"tags": ["主推"]}"#)
            let film = try await service.upload(SampleFiles.movie("isom"), as: "防晒教程.mp4", "video/mp4")
            try await service.indexer.takeInAll()
            func ids(_ more: String) async throws -> [UUID?] {
                let response = try await service.send(.get, "/v1/search?q=%E9%98%B2%E6%99%92\(more)")
                #expect(response.status == .ok, "\(response.text)")
                return try response.decode(SearchAnswer.self).items.map { $0.content?.id ?? $0.asset?.id }
            }
            let all = try await ids("&sort=newest")
            #expect(all == [film.id, picture.id, content.id])
            for (more, expected) in [
                ("&type=asset", [film.id, picture.id]), ("&type=content", [content.id]), ("&assetKind=video", [film.id]),
                ("&kind=copy", [content.id]), ("&topic=%E5%A4%8F%E5%AD%A3", [content.id]),
                ("&tag=%E4%B8%BB%E6%8E%A8", [picture.id, content.id]),
            ] {
                #expect(try await ids("&sort=newest\(more)") == expected, "\(more)")
            }
            for sort in ["newest", "relevance"] {
                var (seen, cursor): ([UUID?], String?) = ([], nil)
                repeat {
                    let more = cursor.map { "&cursor=\($0)" } ?? ""
                    let page = try await service.send(.get, "/v1/search?q=%E9%98%B2%E6%99%92&limit=1&sort=\(sort)\(more)").decode(
                        SearchAnswer.self)
                    #expect(page.total == 3 && page.items.count == 1)
                    seen += page.items.map { $0.content?.id ?? $0.asset?.id }
                    cursor = page.nextCursor
                } while cursor != nil
                #expect(try await seen == ids("&sort=\(sort)"), "\(sort)")
            }
            let response = try await service.send(.get, "/v1/search?q=%E9%98%B2%E6%99%92&labelFacets=true")
            let facets = try response.decode(SearchAnswer.self).facets
            #expect(facets.type.map(\.value) == ["asset", "content"] && facets.type.map(\.count) == [2, 1])
            #expect(facets.assetKind.map(\.value) == ["image", "video"] && facets.kind.map(\.value) == ["copy"])
            #expect(facets.tag == [SearchFacetValue(value: "主推", count: 2)])
            #expect(facets.topic == [SearchFacetValue(value: "夏季", count: 1)])
            #expect(facets.spaceId == [])
            #expect(try await service.find("防晒").facets.tag == nil)
        }
    }

    /// What is limited to some roles is neither shown nor counted, and is there again when the limit goes.
    @Test func aFileOfOtherRolesIsNotFound() async throws {
        try await ContentCenterHarness.run { service in
            let secret = try await service.upload(SampleFiles.png, as: "底价表.png", "image/png")
            let open = try await service.upload(SampleFiles.jpeg, as: "底价说明.jpg", "image/jpeg")
            try await service.indexer.takeInAll()
            func find(_ roles: [String]) async throws -> SearchAnswer {
                try await service.send(
                    .get, "/v1/search?q=%E5%BA%95%E4%BB%B7&labelFacets=true", subject: "somebody", roles: roles,
                    scopes: ["contents:read"]
                ).decode(SearchAnswer.self)
            }
            #expect(try await find(["operator"]).total == 2)
            var limited = NewMaterial(kind: .file, title: "内部", assetIds: [secret.id])
            limited.audience = ["sales_lead"]
            _ = try await service.material(limited)
            let seen = try await find(["operator"])
            #expect(seen.items.map(\.asset?.id) == [open.id] && seen.total == 1)
            #expect(seen.facets.type == [SearchFacetValue(value: "asset", count: 1)])
            #expect(try await find(["sales_lead"]).total == 2)
        }
    }

    /// A video that no content shows, by what was heard in it; the subtitle file by what it says.
    @Test func aVideoIsFoundByWhatIsSaidInIt() async throws {
        try await ContentCenterHarness.run { service in
            let video = try await service.upload(SampleFiles.movie("isom"), as: "a.mp4", "video/mp4").id
            try await service.indexer.takeInAll()
            #expect(try await service.find("补涂防晒", "&type=asset").total == 0)
            let heard = try await service.hear(["两小时后补涂防晒"], in: video)
            try await service.indexer.takeInAll()
            let answer = try await service.find("补涂防晒", "&type=asset")
            #expect(Set(answer.items.map(\.asset?.id)) == [video, heard])
            #expect(answer.items.map(\.matchedFields) == [[.subtitle], [.subtitle]])
            #expect(answer.items.first?.snippet.filter(\.isMatch).map(\.text) == ["补涂防晒"])
        }
    }

    @Test func aRebuildTakesInAssetsToo() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.upload(SampleFiles.png, as: "日落.png", "image/png")
            try await service.indexer.takeInAll()
            try await service.database.superuser.query("DELETE FROM search_asset_documents")
            #expect(try await service.find("日落", "&type=asset").total == 0)
            #expect(try await service.indexer.listAllAssets(of: UUID()) == 0)
            #expect(try await service.indexer.listAllAssets(of: nil) == 1)
            try await service.indexer.takeInAll()
            #expect(try await service.find("日落", "&type=asset").total == 1)
        }
    }

    /// One that was read earlier never replaces one that was read later, nor brings back what has gone.
    @Test func aLateWorkerChangesNothing() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "旧名.png", "image/png")
            let store = AssetIndexerStore(app: service.database.app, system: service.database.system)
            let late = try await store.claim(limit: 10)
            #expect(late.map(\.id) == [asset.id])
            _ = try await service.edit(asset, #"{"filename": "新名.png"}"#)
            try await service.indexer.takeInAll()
            try await service.database.superuser.query("UPDATE content_assets SET filename = '旧名.png'")
            try await store.takeIn(late, of: ContentCenterHarness.tenant, again: [])
            let kept = try await service.database.superuser.query("SELECT body FROM search_asset_documents").only
            #expect(try kept.decode("body", as: String.self) == "新名.png")
        }
    }

    /// The way in is the index, although row-level security holds.
    @Test func queriesGoThroughTheIndex() async throws {
        try await ContentCenterHarness.run { service in
            for index in 0..<3 { _ = try await service.upload(SampleFiles.png, as: "日落\(index).png", "image/png") }
            try await service.indexer.takeInAll()
            let (read, used) = try await service.database.app.transaction(tenant: ContentCenterHarness.tenant) { transaction in
                let found = try await transaction.query(
                    "SELECT id FROM search_assets(ARRAY['日落'], '{}', NULL, NULL, NULL, NULL, app_now(), false, 10, '{}')")
                #expect(found.count == 3)
                let row = try await transaction.query(
                    """
                    SELECT pg_stat_get_xact_numscans('search_asset_documents'::regclass) AS read,
                           pg_stat_get_xact_numscans('search_asset_documents_terms'::regclass) AS used
                    """
                ).only
                return (try row.decode("read", as: Int.self), try row.decode("used", as: Int.self))
            }
            #expect(read == 0)
            #expect(used > 0)
        }
    }

    @Test func spacesAreFoundByTheirNames() async throws {
        try await ContentCenterHarness.run { service in
            for name in ["夏季 Campaign", "秋季", "100%"] {
                let answer = try await service.send(.post, "/v1/spaces", body: JSON.encode(NewContentSpace(name: name)))
                #expect(answer.status == .created)
            }
            for (query, names) in [
                ("campaign", ["夏季 Campaign"]), ("%E5%AD%A3", ["夏季 Campaign", "秋季"]), ("%25", ["100%"]), ("none", []),
            ] {
                let page = try await service.send(.get, "/v1/spaces?q=\(query)").decode(Page<ContentSpace>.self)
                #expect(page.items.map(\.name) == names, "\(query)")
            }
        }
    }
}

extension ContentCenterHarness {
    fileprivate func assetFolder(_ name: String, in parent: UUID? = nil) async throws -> AssetFolder {
        try await send(.post, "/v1/asset-folders", body: JSON.encode(NewAssetFolder(name: name, parentId: parent))).decode(
            AssetFolder.self)
    }
}
