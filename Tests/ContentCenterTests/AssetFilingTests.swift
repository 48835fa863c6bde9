import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Folders, tags, names, and where assets are used.
@Suite struct AssetFilingTests {
    // MARK: Folders

    @Test func foldersAreATree() async throws {
        try await ContentCenterHarness.run { service in
            let summer = try await service.folder("夏季")
            let beach = try await service.folder("海边", in: summer.id)
            let taken = try await service.newFolder("海边", in: summer.id)
            #expect(try taken.problem().code == "folder.name_taken")
            // At the top too, where there is no parent.
            #expect(try await service.newFolder("夏季").status == .conflict)
            // The same name lies elsewhere.
            let winter = try await service.folder("冬季")
            _ = try await service.folder("海边", in: winter.id)
            #expect(try await service.newFolder("x", in: UUID()).problem().errors?.map(\.pointer) == ["/parentId"])

            let ring = try await service.change(summer.id, #"{"parentId": "\#(beach.id.lowercase)"}"#)
            #expect(try ring.problem().errors?.map(\.code) == ["ring"])
            #expect(
                try await service.change(summer.id, #"{"parentId": "\#(summer.id.lowercase)"}"#).status == .unprocessableContent)
            let moved = try await service.change(beach.id, #"{"parentId": "\#(winter.id.lowercase)", "name": "雪地"}"#)
            #expect(try moved.decode(AssetFolder.self).parentId == winter.id)
            let top = try await service.change(beach.id, #"{"parentId": null}"#).decode(AssetFolder.self)
            #expect(top.parentId == nil)
            #expect(top.name == "雪地")

            let inWinter = try await service.folders("?parentId=\(winter.id.lowercase)")
            #expect(inWinter.map(\.name) == ["海边"])
            #expect(try await service.folders().count == 4)
            #expect(try await service.folders("?limit=2").count == 2)
        }
    }

    @Test func foldersLieAtMostEightDeep() async throws {
        try await ContentCenterHarness.run { service in
            var chain: [AssetFolder] = []
            for level in 1...FolderRule.maxDepth { chain.append(try await service.folder("\(level)", in: chain.last?.id)) }
            #expect(try await service.newFolder("9", in: chain.last?.id).problem().errors?.map(\.code) == ["too_deep"])
            // What comes along counts.
            let branch = try await service.folder("枝")
            _ = try await service.folder("叶", in: branch.id)
            let target = chain[FolderRule.maxDepth - 2].id.lowercase
            #expect(
                try await service.change(branch.id, #"{"parentId": "\#(target)"}"#).problem().errors?.map(\.code) == ["too_deep"])
            let higher = chain[FolderRule.maxDepth - 3].id.lowercase
            #expect(try await service.change(branch.id, #"{"parentId": "\#(higher)"}"#).status == .ok)
        }
    }

    /// Each of two moves is right by itself, together they would make a ring.
    @Test func movesThatRaceMakeNoRing() async throws {
        try await ContentCenterHarness.run { service in
            let (tenant, database) = (ContentCenterHarness.tenant, service.database.app)
            for round in 1...5 {
                let (first, second) = (try await service.folder("a\(round)"), try await service.folder("b\(round)"))
                func move(_ id: UUID, under parent: UUID) -> SQL {
                    "UPDATE asset_folders SET parent_id = \(parent) WHERE tenant_id = \(tenant) AND id = \(id)"
                }
                // Past the check of the flow, so that only the database is asked.
                let outcomes = await withTaskGroup(of: String?.self) { group in
                    for sql in [move(first.id, under: second.id), move(second.id, under: first.id)] {
                        group.addTask {
                            do {
                                _ = try await database.query(sql, tenant: tenant)
                                return nil
                            } catch { return (error as? PostgresError)?.constraint ?? "\(error)" }
                        }
                    }
                    return await group.reduce(into: [String?]()) { $0.append($1) }
                }
                #expect(outcomes.compactMap { $0 } == ["asset_folders_ring"])
            }
        }
    }

    @Test func onlyAnEmptyFolderGoes() async throws {
        try await ContentCenterHarness.run { service in
            let outer = try await service.folder("外")
            let inner = try await service.folder("内", in: outer.id)
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            _ = try await service.edit(asset, #"{"folderId": "\#(inner.id.lowercase)"}"#)
            func delete(_ folder: AssetFolder) async throws -> TestResponse {
                try await service.send(.delete, "/v1/asset-folders/\(folder.id.lowercase)")
            }
            #expect(try await delete(outer).problem().code == "folder.not_empty")
            #expect(try await delete(inner).problem().code == "folder.not_empty")
            #expect(try await service.send(.delete, "/v1/assets/\(asset.id.lowercase)").status == .noContent)
            #expect(try await delete(inner).status == .noContent)
            #expect(try await delete(outer).status == .noContent)
            #expect(try await delete(outer).status == .notFound)
        }
    }

    @Test func aRepeatMakesOneFolder() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let body = try JSON.encode(NewAssetFolder(name: "一"))
            let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await service.send(.post, "/v1/asset-folders", operation: operation, body: body)
                            .decode(AssetFolder.self).id
                    }
                }
                return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
    }

    @Test(arguments: [
        (#"{"name": "a/b"}"#, ["/name"]), (#"{"name": ".."}"#, ["/name"]), (#"{}"#, ["/name"]),
        (#"{"name": "a", "parentId": 1}"#, ["/parentId"]),
    ]) func badFoldersPointAtTheField(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let answer = try await service.send(.post, "/v1/asset-folders", body: Array(body.utf8))
            #expect(answer.status == .unprocessableContent)
            let errors = try answer.problem().errors
            #expect(errors?.map(\.pointer) == pointers)
            for error in errors ?? [] where error.code == "path" { #expect(error.message.contains("文件夹")) }
        }
    }

    // MARK: Assets

    @Test func anEditNamesWhatItHasSeen() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            let path = "/v1/assets/\(asset.id.lowercase)"
            let tag = try #require(try await service.send(.get, path).headers["ETag"])
            #expect(tag == "\"\(asset.revision)\"")
            #expect(try await service.send(.get, path, headers: ["If-None-Match": tag]).status == .notModified)
            let body = Array(#"{"filename": "封面.png", "tags": ["夏季", "封面"]}"#.utf8)
            #expect(try await service.send(.patch, path, body: body).status == .preconditionRequired)
            let statuses = try await withThrowingTaskGroup(of: HTTPStatus.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        let body = Array(#"{"filename": "\#(index).png"}"#.utf8)
                        return try await service.send(.patch, path, headers: ["If-Match": tag], body: body).status
                    }
                }
                return try await group.reduce(into: [HTTPStatus]()) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == .ok }.count == 1)
            #expect(statuses.filter { $0 == .preconditionFailed }.count == 9)
            let edited = try await service.edit(service.asset(asset.id), String(decoding: body, as: UTF8.self))
            #expect(edited.filename == "封面.png")
            #expect(edited.tags == ["夏季", "封面"])
            #expect(edited.revision == asset.revision + 2)
            // Nothing new: nothing changes.
            #expect(try await service.edit(edited, #"{"tags": ["夏季", "封面"]}"#).revision == edited.revision)
            let other = try await service.send(.patch, path, tenant: UUID(), headers: ["If-Match": tag], body: Array("{}".utf8))
            #expect(other.status == .notFound)
        }
    }

    @Test(arguments: [
        (#"{"filename": "a.mp4"}"#, ["/filename"]), (#"{"filename": "../a.png"}"#, ["/filename"]),
        (#"{"folderId": "0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"}"#, ["/folderId"]), (#"{"tags": ["a", "a"]}"#, ["/tags/1"]),
        (#"{"rights": {"note": "x"}}"#, ["/rights/holder"]),
        (
            #"{"rights": {"holder": "x", "territories": ["cn", "CN", "XX", "TW", "ZZ", "CN"]}}"#,
            ["/rights/territories/0", "/rights/territories/2", "/rights/territories/4", "/rights/territories/5"]
        ),
        (#"{"tags": ["夏\u200b季"]}"#, ["/tags/0"]),
        (
            #"{"rights": {"holder": "x", "validFrom": "2026-01-02T00:00:00Z", "expiresAt": "2026-01-01T00:00:00Z"}}"#,
            ["/rights/expiresAt"]
        ),
        (#"{"rights": {"holder": "x", "expiresAt": "soon"}}"#, ["/rights/expiresAt"]), (#"{"mediaType": "a/b"}"#, ["/mediaType"]),
    ]) func badEditsPointAtTheField(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            let answer = try await service.tryEdit(asset, body)
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.map(\.pointer) == pointers)
            #expect(try await service.asset(asset.id) == asset)
        }
    }

    @Test func listsFindAssetsByWhereTheyLieAndWhatIsSaidOfThem() async throws {
        try await ContentCenterHarness.run { service in
            let outer = try await service.folder("外")
            let inner = try await service.folder("内", in: outer.id)
            let files = [("Sommer.png", outer.id), ("夏季封面.png", inner.id), ("c.png", nil)]
            var ids: [UUID] = []
            for (index, (name, folder)) in files.enumerated() {
                let request = AssetPresignRequest(
                    filename: name, contentType: "image/png", folderId: folder, tags: index == 1 ? ["封面"] : nil)
                let presigned = try await service.presign(request)
                _ = try await service.put(SampleFiles.png(marked: UInt64(index)), to: presigned)
                #expect(try await service.send(.post, "/v1/assets/\(presigned.assetId.lowercase)/complete").status == .ok)
                ids.append(presigned.assetId)
            }
            _ = try await service.edit(
                service.asset(ids[2]), #"{"rights": {"holder": "x", "expiresAt": "2020-01-01T00:00:00Z"}}"#)
            for (query, found) in [
                ("folderId=\(outer.id.lowercase)", [0]), ("folderId=\(outer.id.lowercase)&recursive=true", [1, 0]),
                ("folderId=\(inner.id.lowercase)", [1]), ("unfiled=true", [2]), ("tag=%E5%B0%81%E9%9D%A2", [1]),
                ("name=sOMM", [0]), ("name=%E5%AD%A3%E5%B0%81", [1]), ("rights=expired", [2]), ("rights=unstated", [1, 0]),
                ("folderId=\(UUID().lowercase)", []), ("name=%25", []),
            ] {
                #expect(try await service.assets("?\(query)").map(\.id) == found.map { ids[$0] }, "\(query)")
            }
            let both = try await service.send(.get, "/v1/assets?folderId=\(outer.id.lowercase)&unfiled=true")
            #expect(try both.problem().errors?.map(\.pointer) == ["?unfiled"])
            let nowhere = try await service.send(
                .post, "/v1/assets/presign",
                body: JSON.encode(AssetPresignRequest(filename: "a.png", contentType: "image/png", folderId: UUID())))
            #expect(try nowhere.problem().errors?.map(\.pointer) == ["/folderId"])
        }
    }

    @Test func manyAreMovedAndTaggedTogetherOrNotAtAll() async throws {
        try await ContentCenterHarness.run { service in
            let folder = try await service.folder("夏季")
            var ids: [UUID] = []
            for mark in 1...3 {
                ids.append(try await service.upload(SampleFiles.png(marked: UInt64(mark)), as: "a.png", "image/png").id)
            }
            func organize(_ ids: [UUID], _ rest: String) async throws -> TestResponse {
                let list = ids.map { "\"\($0.lowercase)\"" }.joined(separator: ", ")
                return try await service.send(
                    .post, "/v1/assets/organize", body: Array(#"{"assetIds": [\#(list)], \#(rest)}"#.utf8))
            }
            let first = try await organize(ids, #""folderId": "\#(folder.id.lowercase)", "addTags": ["a", "b"]"#)
            #expect(try first.decode(AssetsOrganized.self).changed == 3)
            let second = try await organize(Array(ids.prefix(1)), #""addTags": ["c"], "removeTags": ["a"]"#)
            #expect(try second.decode(AssetsOrganized.self).changed == 1)
            #expect(try await service.asset(ids[0]).tags == ["b", "c"])
            #expect(try await service.asset(ids[1]).tags == ["a", "b"])
            #expect(try await organize(ids, #""addTags": ["b"]"#).decode(AssetsOrganized.self).changed == 0)
            #expect(try await service.send(.get, "/v1/asset-folders/\(folder.id.lowercase)").decode(AssetFolder.self).assets == 3)

            let crowd = (1...29).map { "\"t\($0)\"" }.joined(separator: ", ")
            for (answer, pointers) in [
                (try await organize([ids[0], UUID()], #""addTags": ["z"]"#), ["/assetIds/1"]),
                (try await organize(ids, #""addTags": [\#(crowd)]"#), ["/assetIds/0", "/assetIds/1", "/assetIds/2"]),
                (try await organize([ids[0], ids[0]], #""addTags": ["z"]"#), ["/assetIds/1"]),
                (try await organize(ids, #""folderId": "\#(UUID().lowercase)""#), ["/folderId"]),
            ] {
                #expect(answer.status == .unprocessableContent)
                #expect(try answer.problem().errors?.map(\.pointer) == pointers)
            }
            #expect(try await service.asset(ids[0]).tags == ["b", "c"])
            #expect(try await organize(ids, #""folderId": null"#).decode(AssetsOrganized.self).changed == 3)
        }
    }

    // MARK: Uses

    @Test func whatShowsAnAssetIsListedAndKeepsIt() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleFiles.png, as: "a.png", "image/png")
            let other = try await service.upload(SampleFiles.png(marked: 1), as: "b.png", "image/png")
            #expect(try await service.uses(of: asset.id).isEmpty)
            let content = try await service.create(.showing([asset.id, asset.id]))
            let newer = try await service.create(.showing([asset.id]))
            let edit = ContentPatch(body: ContentBodyPatch(slots: NewContent.slots([other.id])))
            #expect(try await service.patch(content.id, edit, ifVersion: 1).status == .ok)
            let uses = try await service.uses(of: asset.id)
            #expect(uses.map(\.contentId) == [newer.id, content.id])
            #expect(uses.map(\.current) == [true, false])
            #expect(uses.map(\.places) == [["/body/slots/0/assetId"], []])
            #expect(uses.map(\.versions) == [[1], [1]])
            #expect(try await service.uses(of: other.id).map(\.versions) == [[2]])
            #expect(try await service.send(.get, "/v1/assets/\(asset.id.lowercase)/uses", tenant: UUID()).status == .notFound)

            let path = "/v1/assets/\(asset.id.lowercase)"
            #expect(try await service.send(.delete, path).problem().code == "asset.in_use")
            // What lies in the bin may come back.
            #expect(try await service.bin(newer.id).status == .noContent)
            #expect(try await service.uses(of: asset.id).map(\.inBin) == [true, false])
            #expect(try await service.send(.delete, path).status == .conflict)
            #expect(try await service.patch(content.id, ContentPatch(title: "x"), ifVersion: 2).status == .ok)
            try await service.database.superuser.query("DELETE FROM contents WHERE id = \(newer.id)")
            // Only an old version shows it.
            #expect(try await service.send(.delete, path).status == .noContent)
            #expect(try await service.send(.get, "/v1/contents/\(content.id.lowercase)/versions").status == .ok)
        }
    }

    /// Either the content is there and the asset stays, or the asset is gone and the content is refused.
    @Test func aDeletionAndAUseThatRaceAgree() async throws {
        try await ContentCenterHarness.run { service in
            for mark in 1...8 {
                let asset = try await service.upload(SampleFiles.png(marked: UInt64(mark)), as: "a.png", "image/png")
                let body = try JSON.encode(NewContent.showing([asset.id]))
                async let saved = service.send(.post, "/v1/contents", body: body)
                async let deleted = service.send(.delete, "/v1/assets/\(asset.id.lowercase)")
                let statuses = [try await saved.status.code, try await deleted.status.code]
                #expect([[201, 409], [422, 204]].contains(statuses), "\(statuses)")
            }
        }
    }
}

@Suite struct FolderRuleTests {
    private let path = (0..<8).map { _ in UUID() }

    @Test func aFolderLiesInNoneThatLiesInIt() throws {
        #expect(throws: FolderError.ring) { try FolderRule.check(path[2], height: 1, under: path) }
        try FolderRule.check(UUID(), height: 1, under: Array(path.prefix(7)))
    }

    @Test func whatComesAlongCounts() throws {
        #expect(throws: FolderError.tooDeep) { try FolderRule.check(nil, height: 1, under: path) }
        #expect(throws: FolderError.tooDeep) { try FolderRule.check(UUID(), height: 3, under: Array(path.prefix(6))) }
        try FolderRule.check(UUID(), height: 2, under: Array(path.prefix(6)))
        try FolderRule.check(UUID(), height: 8, under: [])
    }
}

extension ContentCenterHarness {
    func newFolder(_ name: String, in parent: UUID? = nil) async throws -> TestResponse {
        try await send(.post, "/v1/asset-folders", body: JSON.encode(NewAssetFolder(name: name, parentId: parent)))
    }

    func folder(_ name: String, in parent: UUID? = nil) async throws -> AssetFolder {
        let answer = try await newFolder(name, in: parent)
        #expect(answer.status == .created)
        return try answer.decode(AssetFolder.self)
    }

    func change(_ folder: UUID, _ body: String) async throws -> TestResponse {
        try await send(.patch, "/v1/asset-folders/\(folder.lowercase)", body: Array(body.utf8))
    }

    func folders(_ query: String = "") async throws -> [AssetFolder] {
        try await send(.get, "/v1/asset-folders\(query)").decode(Page<AssetFolder>.self).items
    }

    func asset(_ id: UUID) async throws -> LibraryAsset {
        try await send(.get, "/v1/assets/\(id.lowercase)").decode(LibraryAsset.self)
    }

    func assets(_ query: String = "") async throws -> [LibraryAsset] {
        let answer = try await send(.get, "/v1/assets\(query)")
        #expect(answer.status == .ok)
        return try answer.decode(Page<LibraryAsset>.self).items
    }

    func tryEdit(_ asset: LibraryAsset, _ body: String) async throws -> TestResponse {
        try await send(
            .patch, "/v1/assets/\(asset.id.lowercase)", headers: ["If-Match": "\"\(asset.revision)\""], body: Array(body.utf8))
    }

    /// An edit that succeeds.
    func edit(_ asset: LibraryAsset, _ body: String) async throws -> LibraryAsset {
        let answer = try await tryEdit(asset, body)
        #expect(answer.status == .ok)
        return try answer.decode(LibraryAsset.self)
    }

    func uses(of id: UUID) async throws -> [AssetUse] {
        try await send(.get, "/v1/assets/\(id.lowercase)/uses").decode(Page<AssetUse>.self).items
    }
}

extension NewContent {
    /// An image-text that shows these pictures.
    static func showing(_ ids: [UUID]) -> NewContent {
        NewContent(
            step: "image_text", title: "图文",
            body: .imageText(
                ImageTextBody(
                    topic: "猫砂盆", platform: .xiaohongshu, title: "三步选好猫砂盆", text: "正文", hashtags: [], callToAction: nil,
                    slots: slots(ids))),
            source: VersionSource(kind: .human))
    }

    static func slots(_ ids: [UUID]) -> [ImageSlot] {
        ids.map { ImageSlot(caption: "", alt: "", prompt: "猫砂盆", assetId: $0, problem: nil) }
    }
}
