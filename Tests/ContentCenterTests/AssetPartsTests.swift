import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Uploads in parts, and what a tenant may keep.
@Suite struct AssetPartsTests {
    private static let partSize = 5 << 20

    /// An MPEG-4 of two parts and a bit, with a hole.
    private static let movie: [UInt8] = {
        var bytes = SampleFiles.movie("isom")
        bytes += [UInt8](repeating: 0, count: partSize)
        let tail = [UInt8]((0..<250).map { UInt8($0) })
        for _ in 0..<(partSize + 1_000) / tail.count { bytes += tail }
        return bytes
    }()

    private func begin(_ service: ContentCenterHarness, _ request: AssetMultipartRequest) async throws -> AssetMultipart {
        let answer = try await service.send(.post, "/v1/assets/multipart", body: JSON.encode(request))
        #expect(answer.status == .created)
        return try answer.decode(AssetMultipart.self)
    }

    private func send(_ service: ContentCenterHarness, _ bytes: ArraySlice<UInt8>, to part: AssetPartURL) async throws
        -> HTTPStatus
    {
        try await service.listener.send(
            .put, ContentCenterHarness.target(part.uploadUrl), headers: ["Content-Type": part.headers.contentType],
            body: Array(bytes)
        ).status
    }

    @Test func partsComeInAnyOrderAndAgain() async throws {
        try await ContentCenterHarness.run { service in
            let movie = Self.movie
            let upload = try await begin(
                service,
                AssetMultipartRequest(
                    filename: "a.mp4", contentType: "video/mp4", size: movie.count, sha256: Hex.encode(SHA256.hash(movie)),
                    partSize: Self.partSize))
            #expect(upload.partCount == 3)
            let path = "/v1/assets/\(upload.assetId.lowercase)"
            func arrived() async throws -> [Int] {
                try await service.send(.get, "\(path)/parts").decode(AssetParts.self).parts.map(\.partNumber)
            }
            let urls = try await service.send(.get, "\(path)/part-urls").decode(AssetPartURLs.self).parts
            #expect(urls.map(\.size) == [Self.partSize, Self.partSize, movie.count - 2 * Self.partSize])
            let pieces = [movie[..<Self.partSize], movie[Self.partSize..<2 * Self.partSize], movie[(2 * Self.partSize)...]]
            #expect(try await send(service, pieces[2], to: urls[2]) == .ok)
            // Sent wrongly, then again: what was there before shows through no hole.
            #expect(try await send(service, [UInt8](repeating: 9, count: Self.partSize)[...], to: urls[0]) == .ok)
            #expect(try await send(service, pieces[0], to: urls[0]) == .ok)
            #expect(try await send(service, pieces[1].dropLast(), to: urls[1]) == .forbidden)
            #expect(try await arrived() == [1, 3])
            #expect(try await service.send(.post, "\(path)/complete").problem().code == "asset.not_uploaded")
            #expect(try await send(service, pieces[1], to: urls[1]) == .ok)
            #expect(try await arrived() == [1, 2, 3])
            let completed = try await service.send(.post, "\(path)/complete")
            #expect(completed.status == .ok)
            #expect(try await service.get(service.downloadURL(upload.assetId).url).body == movie)
            #expect(service.files().count == 1)
            #expect(try await service.send(.get, "\(path)/parts").problem().code == "asset.not_in_parts")
        }
    }

    @Test func anAbortedUploadLeavesNothing() async throws {
        try await ContentCenterHarness.run { service in
            let upload = try await begin(
                service,
                AssetMultipartRequest(
                    filename: "a.mp4", contentType: "video/mp4", size: Self.partSize + 1, partSize: Self.partSize))
            let path = "/v1/assets/\(upload.assetId.lowercase)"
            let urls = try await service.send(.get, "\(path)/part-urls?from=2&count=5").decode(AssetPartURLs.self).parts
            #expect(urls.map(\.partNumber) == [2])
            #expect(try await send(service, [1], to: urls[0]) == .ok)
            #expect(!service.files().isEmpty)
            #expect(try await service.send(.delete, path).status == .noContent)
            #expect(service.files() == [])
            #expect(try await service.send(.get, "\(path)/parts", tenant: UUID()).status == .notFound)
        }
    }

    @Test func aWholeWithAnotherHashIsRefused() async throws {
        try await ContentCenterHarness.run { service in
            let bytes = SampleFiles.movie("isom")
            let upload = try await begin(
                service,
                AssetMultipartRequest(
                    filename: "a.mp4", contentType: "video/mp4", size: bytes.count, sha256: String(repeating: "0", count: 64)))
            let path = "/v1/assets/\(upload.assetId.lowercase)"
            let urls = try await service.send(.get, "\(path)/part-urls").decode(AssetPartURLs.self).parts
            #expect(try await send(service, bytes[...], to: urls[0]) == .ok)
            #expect(try await service.send(.post, "\(path)/complete").problem().errors?.map(\.pointer) == ["/sha256"])
            #expect(service.files() == [])
        }
    }

    @Test(arguments: [
        (#"{"filename": "a.mp4", "contentType": "video/mp4"}"#, ["/size"]),
        (#"{"filename": "a.mp4", "contentType": "video/mp4", "size": 5368709121}"#, ["/size"]),
        (#"{"filename": "a.mp4", "contentType": "video/mp4", "size": 1, "partSize": 1}"#, ["/partSize"]),
    ]) func badAnnouncementsPointAtTheField(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let answer = try await service.send(.post, "/v1/assets/multipart", body: Array(body.utf8))
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.map(\.pointer) == pointers)
        }
    }

    @Test func whatIsAnnouncedAndWhatFlowsMakeCountsToo() async throws {
        try await ContentCenterHarness.run(environment: ["ASSET_QUOTA_BYTES": "1000"]) { service in
            func announce(_ size: Int, operation: UUID? = nil) async throws -> TestResponse {
                let request = AssetPresignRequest(filename: "a.png", contentType: "image/png", size: size)
                return try await service.send(.post, "/v1/assets/presign", operation: operation, body: JSON.encode(request))
            }
            let operation = UUID()
            #expect(try await announce(600, operation: operation).status == .created)
            // Announced once more it is the same upload.
            #expect(try await announce(600, operation: operation).status == .created)
            #expect(try await announce(600).problem().code == "asset.quota_exceeded")
            #expect(try await announce(400).status == .created)
            let usage = try await service.send(.get, "/v1/assets/usage").decode(AssetUsage.self)
            #expect(usage == AssetUsage(bytes: 0, objects: 0, pendingBytes: 1_000, limitBytes: 1_000))
            // Nobody sends what nobody may send any more.
            try await service.database.setClock(offset: .seconds(AssetUpload.urlLifetime + 1))
            #expect(try await announce(1_000).status == .created)

            let picture = SampleFiles.png + [UInt8](repeating: 0, count: 1_000)
            let made = try await service.send(.post, "/v1/assets", headers: ["Content-Type": "image/png"], body: picture)
            #expect(try made.problem().code == "asset.quota_exceeded")
            #expect(service.files() == [])
            #expect(try await service.count("asset_garbage") == 0)
        }
    }

    @Test func anUploadThatNobodyGoesOnWithTakesNoRoom() async throws {
        try await ContentCenterHarness.run(environment: ["ASSET_QUOTA_BYTES": "1000"]) { service in
            func pending() async throws -> Int {
                try await service.send(.get, "/v1/assets/usage").decode(AssetUsage.self).pendingBytes
            }
            let upload = try await begin(service, AssetMultipartRequest(filename: "a.mp4", contentType: "video/mp4", size: 900))
            let another = try JSON.encode(AssetPresignRequest(filename: "a.png", contentType: "image/png", size: 200))
            let refused = try await service.send(.post, "/v1/assets/presign", body: another).problem()
            #expect(refused.code == "asset.quota_exceeded")
            #expect(refused.detail?.contains("/api/assets?state=pending") == true)
            // Within a day of whoever goes on with it, not of its beginning.
            let path = "/v1/assets/\(upload.assetId.lowercase)"
            try await service.database.setClock(offset: AssetUsageStore.patience - .seconds(60))
            #expect(try await service.send(.get, "\(path)/part-urls").status == .ok)
            try await service.database.setClock(offset: AssetUsageStore.patience * 2 - .seconds(120))
            #expect(try await pending() == 900)
            try await service.database.setClock(offset: AssetUsageStore.patience * 2)
            #expect(try await pending() == 0)
            #expect(try await service.send(.post, "/v1/assets/presign", body: another).status == .created)
            // It may still be gone on with.
            #expect(try await service.send(.get, "\(path)/part-urls").status == .ok)
            #expect(try await pending() == 1_100)
        }
    }

    /// `content-center quota`: what is the tenant's own wins over its plan, and that over what is usual.
    @Test func aTenantsPlanSaysWhatItMayKeep() async throws {
        let plans = ["ASSET_PLAN_QUOTAS": "standard=1000,pro=2000", "ASSET_QUOTA_BYTES": "500"]
        try await ContentCenterHarness.run(environment: plans) { service in
            func limit(of tenant: UUID = ContentCenterHarness.tenant) async throws -> Int {
                try await service.send(.get, "/v1/assets/usage", tenant: tenant).decode(AssetUsage.self).limitBytes
            }
            let store = AssetQuotaStore(system: service.database.system)
            #expect(try await limit() == 1_000)
            for (word, bytes) in [
                ("plan:pro", 2_000), ("70", 70), ("plan:standard", 70), ("usual", 1_000), ("plan:pro", 2_000), ("0", 0),
                ("usual", 2_000),
            ] {
                let change = try #require(AssetQuotaChange(word, plans: ["standard": 1_000, "pro": 2_000]))
                try await store.apply(change, to: ContentCenterHarness.tenant)
                #expect(try await limit() == bytes, "\(word)")
            }
            #expect(try await limit(of: UUID()) == 1_000)
        }
        for word in ["plan:none", "plan:", "-1", "1 GB", "usual "] {
            #expect(AssetQuotaChange(word, plans: ["pro": 1]) == nil, "\(word)")
        }
        // A plan that is not in the settings any more.
        #expect(AssetQuotas(usual: 500, plans: ["pro": 2_000]).bytes(own: nil, plan: "gone") == 500)
        #expect(AssetQuotas(usual: 500).bytes(own: nil, plan: nil) == 500)
    }

    @Test func aTenantKeepsNoMoreThanItsPlanAllows() async throws {
        try await ContentCenterHarness.run { service in
            func usage() async throws -> AssetUsage { try await service.send(.get, "/v1/assets/usage").decode(AssetUsage.self) }
            #expect(try await usage() == AssetUsage(bytes: 0, objects: 0, limitBytes: 100 << 30))
            let (first, second) = (SampleFiles.png(marked: 1), SampleFiles.png(marked: 2))
            try await service.database.superuser.query(
                "INSERT INTO asset_quotas (tenant_id, bytes) VALUES (\(ContentCenterHarness.tenant), \(first.count + 1))")
            let kept = try await service.upload(first, as: "a.png", "image/png")
            // The same bytes cost nothing more.
            _ = try await service.upload(first, as: "b.png", "image/png")
            #expect(try await usage() == AssetUsage(bytes: first.count, objects: 1, limitBytes: first.count + 1))
            let early = try await service.send(
                .post, "/v1/assets/presign",
                body: JSON.encode(AssetPresignRequest(filename: "c.png", contentType: "image/png", size: 2)))
            #expect(try early.problem().code == "asset.quota_exceeded")

            let presigned = try await service.presign(AssetPresignRequest(filename: "c.png", contentType: "image/png"))
            #expect(try await service.put(second, to: presigned).status == .ok)
            let path = "/v1/assets/\(presigned.assetId.lowercase)"
            #expect(try await service.send(.post, "\(path)/complete").problem().code == "asset.quota_exceeded")
            for asset in try await service.send(.get, "/v1/assets?state=ready").decode(Page<LibraryAsset>.self).items {
                #expect(asset.sha256 == kept.sha256)
                #expect(try await service.send(.delete, "/v1/assets/\(asset.id.lowercase)").status == .noContent)
            }
            #expect(try await usage().bytes == 0)
            #expect(try await service.send(.post, "\(path)/complete").status == .ok)
            #expect(try await usage().bytes == second.count)
        }
    }
}
