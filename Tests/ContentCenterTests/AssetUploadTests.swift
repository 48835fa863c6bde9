import Cryptography
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

/// Uploads from announcement to download, through the service's routes and the object listener's.
@Suite struct AssetUploadTests {
    private static let png = SampleFiles.png

    @Test func anUploadGoesStraightToTheStoreAndComesBack() async throws {
        try await ContentCenterHarness.run { service in
            let presigned = try await service.presign(
                AssetPresignRequest(filename: "封面.png", contentType: "image/png", scope: "p1"))
            #expect(presigned.method == "PUT")
            #expect(presigned.headers.contentType == "image/png")
            let id = presigned.assetId
            let pending = try await service.send(.get, "/v1/assets/\(id.lowercase)").decode(LibraryAsset.self)
            #expect(pending.state == .pending)
            let early = try await service.send(.post, "/v1/assets/\(id.lowercase)/complete")
            #expect(try early.problem().code == "asset.not_uploaded")
            #expect(try await service.send(.get, "/v1/assets/\(id.lowercase)/download-url").problem().code == "asset.not_ready")

            #expect(try await service.put(Self.png, to: presigned).status == .ok)
            let completed = try await service.send(.post, "/v1/assets/\(id.lowercase)/complete")
            #expect(completed.status == .ok)
            let asset = try completed.decode(LibraryAsset.self)
            #expect(asset.state == .ready)
            #expect(asset.size == Self.png.count)
            #expect(asset.sha256 == Hex.encode(SHA256.hash(Self.png)))
            #expect(asset.filename == "封面.png")
            #expect(asset.scope == "p1")
            #expect(try await service.send(.get, "/v1/assets/\(id.lowercase)").decode(LibraryAsset.self) == asset)
            // Said again, the same, and told once.
            #expect(try await service.send(.post, "/v1/assets/\(id.lowercase)/complete").body == completed.body)
            let events = try await service.events()
            #expect(events.map(\.type) == ["asset.uploaded.v1"])

            let download = try await service.downloadURL(id)
            let answer = try await service.get(download.url)
            #expect(answer.status == .ok)
            #expect(answer.body == Self.png)
            #expect(answer.headers["Content-Type"] == "image/png")
            #expect(answer.headers["Content-Disposition"] == nil)
            #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
            let written = try await service.upload(Array("中文".utf8), as: "a.txt", "text/plain")
            let text = try await service.get(service.downloadURL(written.id).url)
            #expect(text.headers["Content-Type"] == "text/plain; charset=utf-8" && text.text == "中文")
            let part = try await service.get(download.url, headers: ["Range": "bytes=1-3"])
            #expect(part.status == .partialContent)
            #expect(part.text == "PNG")
            let tag = try #require(answer.headers["ETag"])
            #expect(try await service.get(download.url, headers: ["If-None-Match": tag]).status == .notModified)
            let saved = try await service.get(service.downloadURL(id, query: "?attachment=true").url)
            #expect(saved.headers["Content-Disposition"]?.contains("filename*=UTF-8''%E5%B0%81%E9%9D%A2.png") == true)
        }
    }

    @Test func whatIsRefusedLeavesNothingBehind() async throws {
        try await ContentCenterHarness.run { service in
            let hash = String(repeating: "0", count: 64)
            let cases: [(AssetPresignRequest, [UInt8], String, String)] = [
                (.init(filename: "a.png", contentType: "image/png", sha256: hash), Self.png, "/sha256", "mismatch"),
                (.init(filename: "a.png", contentType: "image/png"), SampleFiles.jpeg, "/contentType", "wrong_type"),
                (.init(filename: "a.png", contentType: "image/png"), [], "/size", "out_of_range"),
                (
                    .init(filename: "a.svg", contentType: "image/svg+xml"), Array("<svg onload='x'/>".utf8), "/contentType",
                    "script"
                ),
                (
                    .init(filename: "a.zip", contentType: "application/zip"), SampleFiles.zip([("a", 1_000, 500 << 20)]),
                    "/contentType", "archive_bomb"
                ),
                (
                    .init(filename: "a.zip", contentType: "application/zip"), SampleFiles.zip([("../a", 1, 1)]), "/contentType",
                    "archive_unsafe"
                ),
                (
                    .init(filename: "a.gif", contentType: "image/gif"), SampleFiles.gif + SampleFiles.zip([("a.class", 1, 1)]),
                    "/contentType", "polyglot"
                ),
            ]
            for (request, bytes, pointer, code) in cases {
                let presigned = try await service.presign(request)
                #expect(try await service.put(bytes, to: presigned).status == .ok)
                let path = "/v1/assets/\(presigned.assetId.lowercase)"
                let refused = try await service.send(.post, "\(path)/complete")
                #expect(refused.status == .unprocessableContent)
                let problem = try refused.problem()
                #expect(problem.code == "asset.refused")
                #expect(problem.errors?.map(\.pointer) == [pointer])
                #expect(problem.errors?.map(\.code) == [code])
                #expect(try await service.send(.get, path).status == .notFound)
            }
            #expect(service.files() == [])
            #expect(try await service.count("content_assets") == 0)
            #expect(try await service.events().isEmpty)
        }
    }

    @Test func theListenerTakesOnlyWhatWasSigned() async throws {
        try await ContentCenterHarness.run { service in
            let presigned = try await service.presign(
                AssetPresignRequest(filename: "a.png", contentType: "image/png", size: Self.png.count))
            let target = ContentCenterHarness.target(presigned.uploadUrl)
            func put(_ target: String, type: String = "image/png", _ bytes: [UInt8] = Self.png) async throws -> TestResponse {
                try await service.listener.send(.put, target, headers: ["Content-Type": type], body: bytes)
            }
            #expect(try await put(target, type: "text/html").problem().code == "object.wrong_type")
            #expect(try await put(target, Self.png + [0]).problem().code == "object.wrong_size")
            #expect(try await put(target + "0").problem().code == "object.signature_invalid")
            #expect(try await put(target.replacing(presigned.assetId.lowercase, with: UUID().lowercase)).status == .forbidden)
            // An upload's URL reads nothing, and a download's writes nothing.
            #expect(try await service.listener.send(.get, target).status == .forbidden)
            #expect(service.files() == [])
            #expect(try await put(target).status == .ok)
            _ = try await service.send(.post, "/v1/assets/\(presigned.assetId.lowercase)/complete")
            let download = try await service.downloadURL(presigned.assetId)
            let written = try await service.listener.send(
                .put, ContentCenterHarness.target(download.url), headers: ["Content-Type": "image/png"], body: Self.png)
            #expect(written.status == .forbidden)
            // What comes after the completion changes nothing, and is told so.
            #expect(try await put(target).problem().code == "object.kept")
            #expect(try await service.get(download.url).body == Self.png)
            for path in ["/healthz", "/metrics", "/v1/assets", "/objects", "/", "/objects/\(presigned.assetId.lowercase)/x"] {
                #expect(try await service.listener.send(.get, path).status == .notFound, "\(path)")
            }
        }
    }

    @Test func metricsCountWhatTheListenerDid() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(Self.png, as: "a.png", "image/png")
            let url = try await service.downloadURL(asset.id).url
            #expect(try await service.get(url, headers: ["Range": "bytes=1-3"]).status == .partialContent)
            #expect(try await service.get(url + "0").status == .forbidden)
            let metrics = try await service.client.send(.get, "/metrics").text
            for line in [
                #"object_requests_total{method="PUT",status="200"} 1"#, #"object_bytes_total{method="GET",status="206"} 3"#,
                #"object_requests_total{method="GET",status="403"} 1"#,
            ] { #expect(metrics.contains(line), "\(line)") }
        }
    }

    @Test func theSameBytesAreStoredOncePerTenant() async throws {
        try await ContentCenterHarness.run { service in
            let first = try await service.upload(Self.png, as: "a.png", "image/png")
            let second = try await service.upload(Self.png, as: "b.png", "image/png")
            #expect(first.id != second.id)
            #expect(first.sha256 == second.sha256)
            // A flow's picture with the same bytes shares them too.
            let flow = try await service.send(.post, "/v1/assets", headers: ["Content-Type": "image/png"], body: Self.png)
                .decode(Asset.self)
            #expect(service.files().count == 1)
            #expect(try await service.count("asset_objects") == 1)
            let other = try await service.upload(Self.png, as: "a.png", "image/png", tenant: UUID())
            #expect(service.files().count == 2)
            #expect(other.id != first.id)

            // The last one takes the bytes along.
            for id in [first.id, flow.id] {
                #expect(try await service.send(.delete, "/v1/assets/\(id.lowercase)").status == .noContent)
                #expect(try await service.send(.delete, "/v1/assets/\(id.lowercase)").status == .notFound)
                #expect(service.files().count == 2)
            }
            let url = try await service.downloadURL(second.id).url
            #expect(try await service.get(url).status == .ok)
            #expect(try await service.send(.delete, "/v1/assets/\(second.id.lowercase)").status == .noContent)
            #expect(try await service.get(url).status == .notFound)
            #expect(service.files().count == 1)
            #expect(try await service.count("asset_garbage") == 0)
        }
    }

    @Test func aCompletionIsDoneOnceHoweverManyAsk() async throws {
        try await ContentCenterHarness.run { service in
            let presigned = try await service.presign(AssetPresignRequest(filename: "a.png", contentType: "image/png"))
            _ = try await service.put(Self.png, to: presigned)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await service.send(.post, "/v1/assets/\(presigned.assetId.lowercase)/complete").status.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.contains(200))
            #expect(Set(statuses).isSubset(of: [200, 409]))
            #expect(try await service.send(.post, "/v1/assets/\(presigned.assetId.lowercase)/complete").status == .ok)
            #expect(try await service.events().count == 1)
            // What comes too late is told so, and kept nowhere.
            let late = try await service.put(Self.png + [0], to: presigned)
            #expect(late.status == .conflict)
            #expect(try late.problem().code == "object.kept")
            #expect(service.files().count == 1)
        }
    }

    @Test func aHundredUploadsAtOnce() async throws {
        try await ContentCenterHarness.run { service in
            let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        // Every tenth pair is the same picture.
                        try await service.upload(SampleFiles.png(marked: UInt64(index / 2)), as: "\(index).png", "image/png").id
                    }
                }
                return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
            }
            #expect(ids.count == 100)
            #expect(service.files().count == 50)
            #expect(try await service.count("asset_objects") == 50)
            var (seen, path): ([UUID], String?) = ([], "/v1/assets?limit=40")
            while let next = path {
                let page = try await service.send(.get, next).decode(Page<LibraryAsset>.self)
                seen += page.items.map(\.id)
                path = page.nextCursor.map { "/v1/assets?limit=40&cursor=\($0)" }
            }
            #expect(Set(seen) == ids)
            #expect(seen.count == 100)
        }
    }

    /// A completion moves the bytes over before it writes the row: refused by the quota, or dead in between, it leaves them there.
    @Test func anUploadThatWasMovedOverGoesWithItsRow() async throws {
        try await ContentCenterHarness.run(environment: ["ASSET_QUOTA_BYTES": "40"]) { service in
            func moved(sha256: String? = nil) async throws -> String {
                let upload = try await service.presign(
                    AssetPresignRequest(filename: "a.png", contentType: "image/png", sha256: sha256))
                _ = try await service.put(Self.png, to: upload)
                let arrived = try #require(try await service.objects.arrived(upload.assetId, in: nil))
                try await service.objects.keep(arrived)
                return "/v1/assets/\(upload.assetId.lowercase)"
            }
            let deleted = try await moved()
            #expect(try await service.send(.post, "\(deleted)/complete").problem().code == "asset.quota_exceeded")
            #expect(service.files().count == 1)
            #expect(try await service.send(.delete, deleted).status == .noContent)
            #expect(service.files() == [])
            let refused = try await moved(sha256: String(repeating: "0", count: 64))
            #expect(try await service.send(.post, "\(refused)/complete").status == .unprocessableContent)
            #expect(service.files() == [])
        }
    }

    @Test func whatIsMovedOverOnlyAfterTheDeletionIsSwept() async throws {
        try await ContentCenterHarness.run { service in
            let upload = try await service.presign(AssetPresignRequest(filename: "a.png", contentType: "image/png"))
            _ = try await service.put(Self.png, to: upload)
            #expect(try await service.send(.delete, "/v1/assets/\(upload.assetId.lowercase)").status == .noContent)
            try await service.objects.put(Self.png, as: upload.assetId)
            try await service.database.setClock(offset: ObjectGarbage.patience + .seconds(1))
            try await AssetSweeper(
                store: AssetSweeperStore(system: service.database.system), objects: service.objects, logger: .silent
            ).sweep()
            #expect(service.files() == [])
            #expect(try await service.count("asset_garbage") == 0)
        }
    }

    @Test(arguments: [
        (#"{"filename": "../a.png", "contentType": "image/png"}"#, ["/filename"]),
        (#"{"filename": "a.exe", "contentType": "image/png"}"#, ["/filename"]),
        (#"{"filename": "a.png", "contentType": "text/html"}"#, ["/contentType"]),
        (#"{"filename": "a.svg", "contentType": "image/svg+xml", "size": 2000000}"#, ["/size"]),
        (#"{"filename": "a.png", "contentType": "image/png", "size": 0, "sha256": "xyz"}"#, ["/size", "/sha256"]),
        (#"{"contentType": "image/png", "colour": 1}"#, ["/filename", "/colour"]),
    ]) func badAnnouncementsPointAtTheField(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let answer = try await service.send(.post, "/v1/assets/presign", body: Array(body.utf8))
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.map(\.pointer) == pointers)
            #expect(try await service.count("content_assets") == 0)
        }
    }

    @Test func otherTenantsSeeNothing() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(Self.png, as: "a.png", "image/png")
            let pending = try await service.presign(AssetPresignRequest(filename: "b.png", contentType: "image/png")).assetId
            let other = UUID()
            for id in [asset.id, pending] {
                let path = "/v1/assets/\(id.lowercase)"
                #expect(try await service.send(.get, path, tenant: other).status == .notFound)
                #expect(try await service.send(.delete, path, tenant: other).status == .notFound)
                #expect(try await service.send(.post, "\(path)/complete", tenant: other).status == .notFound)
                #expect(try await service.send(.get, "\(path)/download-url", tenant: other).status == .notFound)
                #expect(try await service.send(.get, "\(path)/content", tenant: other).status == .notFound)
            }
            #expect(try await service.send(.get, "/v1/assets", tenant: other).decode(Page<LibraryAsset>.self).items.isEmpty)
            #expect(try await service.send(.get, "/v1/assets/\(asset.id.lowercase)").status == .ok)
        }
    }

    @Test func whatContentsShowStays() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(Self.png, as: "a.png", "image/png")
            var draft = ContentKindsTests.drafts[2]
            guard case .imageText(var body) = draft.body else { return #expect(draft.kind == .imageText) }
            body.slots[0].assetId = asset.id
            draft.body = .imageText(body)
            // People's pictures may stand where flows' do; announced ones may not.
            _ = try await service.create(draft)
            let refused = try await service.send(.delete, "/v1/assets/\(asset.id.lowercase)")
            #expect(try refused.problem().code == "asset.in_use")
            let shown = try await service.send(.get, "/v1/assets/\(asset.id.lowercase)/content")
            #expect(shown.body == Self.png)
            body.slots[0].assetId = try await service.presign(AssetPresignRequest(filename: "b.png", contentType: "image/png"))
                .assetId
            draft.body = .imageText(body)
            #expect(try await service.send(.post, "/v1/contents", body: JSON.encode(draft)).status == .unprocessableContent)
        }
    }

    @Test func picturesFromBeforeThereWasAStoreAreServed() async throws {
        try await ContentCenterHarness.run { service in
            let (id, tenant) = (UUID(), ContentCenterHarness.tenant)
            try await service.database.superuser.query(
                """
                INSERT INTO content_assets (tenant_id, id, sha256, media_type, size, created_by)
                VALUES (\(tenant), \(id), \(SHA256.hash(Self.png)), 'image/png', \(Self.png.count), 'x')
                """)
            try await service.database.superuser.query(
                "INSERT INTO content_asset_bytes (tenant_id, asset_id, bytes) VALUES (\(tenant), \(id), \(Self.png))")
            #expect(try await service.send(.get, "/v1/assets/\(id.lowercase)/content").body == Self.png)
            #expect(try await service.get(service.downloadURL(id).url).body == Self.png)
            #expect(try await service.count("content_asset_bytes") == 0)
            #expect(try await service.send(.get, "/v1/assets/\(id.lowercase)/content").body == Self.png)
        }
    }

    @Test func theRepeatOfAnOperationAnnouncesOnce() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let request = AssetPresignRequest(filename: "a.png", contentType: "image/png")
            let first = try await service.presign(request, operation: operation)
            #expect(try await service.presign(request, operation: operation).assetId == first.assetId)
            #expect(try await service.presign(request).assetId != first.assetId)
        }
    }

    @Test func abandonedUploadsAreSwept() async throws {
        try await ContentCenterHarness.run { service in
            let kept = try await service.upload(Self.png, as: "a.png", "image/png")
            let abandoned = try await service.presign(AssetPresignRequest(filename: "b.png", contentType: "image/png"))
            _ = try await service.put(SampleFiles.png(marked: 7), to: abandoned)
            let sweeper = AssetSweeper(
                store: AssetSweeperStore(system: service.database.system), objects: service.objects, logger: .silent)
            try await sweeper.sweep()
            #expect(service.files().count == 2)
            try await service.database.setClock(offset: .seconds(3_600 + 24 * 3_600 + 1))
            // Garbage that a crash left.
            let object = UUID()
            try await service.objects.put([1], as: object)
            try await service.database.superuser.query(
                "INSERT INTO asset_garbage (tenant_id, object_id) VALUES (\(ContentCenterHarness.tenant), \(object))")
            try await sweeper.sweep()
            #expect(service.files().count == 1)
            #expect(try await service.send(.get, "/v1/assets/\(abandoned.assetId.lowercase)").status == .notFound)
            #expect(try await service.get(service.downloadURL(kept.id).url).status == .ok)
            // Its completion might be under way.
            #expect(try await service.count("asset_garbage") == 1)
            try await service.database.setClock(offset: .seconds(3_600 + 3 * 24 * 3_600))
            try await sweeper.sweep()
            #expect(try await service.count("asset_garbage") == 0)
        }
    }

    /// The row has gone, and whoever would have removed the bytes.
    @Test func aSweeperThatDiesLeavesNothing() async throws {
        try await ContentCenterHarness.run { service in
            let id = try await service.presign(AssetPresignRequest(filename: "a.png", contentType: "image/png")).assetId
            try await service.objects.put(Self.png, as: id)
            let store = AssetSweeperStore(system: service.database.system)
            #expect(try await store.forget(AssetSweeperStore.Item(tenantId: ContentCenterHarness.tenant, id: id)))
            #expect(service.files().count == 1)
            try await service.database.setClock(offset: ObjectGarbage.patience + .seconds(1))
            try await AssetSweeper(store: store, objects: service.objects, logger: .silent).sweep()
            #expect(service.files() == [])
            #expect(try await service.count("asset_garbage") == 0)
        }
    }
}
