import ConfigReading
import DTO
import Foundation
import HTTPCalling
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter
@testable import Sandbox

/// `s3://bucket/raw/xxx.mp4` as seed 001 §10.3 prints it, against the stand-in that checks every signature.
@Suite struct MediaS3SourceTests {
    private static func withBucket(
        _ body: @escaping @Sendable (ContentCenterHarness, HTTPClient, S3Bucket) async throws -> Void
    ) async throws {
        let server = try SandboxServer(port: 0)
        server.start()
        defer { server.stop() }
        let endpoint = "http://127.0.0.1:\(server.port)/s3"
        let environment = [
            "S3_BUCKET": "marketing", "S3_ENDPOINT": endpoint, "S3_ACCESS_KEY_ID": S3Vendor.accessKeyId,
            "S3_SECRET_ACCESS_KEY": S3Vendor.secret, "MEDIA_SOURCE_ORIGINS": "s3://bucket/raw/,s3://marketing/raw",
        ]
        let http = HTTPClient()
        let signer = SigV4(accessKeyId: S3Vendor.accessKeyId, secretAccessKey: Secret(S3Vendor.secret), region: "us-east-1")
        let bucket = S3Bucket(location: S3Location(endpoint: endpoint, bucket: "bucket", signer: signer), http: http) {
            Int(Date().timeIntervalSince1970)
        }
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await ContentCenterHarness.run(environment: environment) { try await body($0, http, bucket) })
        } catch { result = .failure(error) }
        await http.shutdown()
        try result.get()
    }

    @Test func whatLiesInAnAllowedBucketIsASource() async throws {
        try await Self.withBucket { service, _, bucket in
            _ = try await bucket.send(bucket.signed(.put, "/raw/xxx.mp4", body: SampleMedia.video))
            _ = try await bucket.send(bucket.signed(.put, "/raw/素材 1?.png", body: SampleMedia.picture))
            let seeds = MediaJobRequest(type: .transcode, sourceUrl: "s3://bucket/raw/xxx.mp4", profiles: [.p1080, .p720])
            let job = try await service.media(seeds)
            #expect(job.status == .succeeded, "\(job)")
            #expect(job.outputs.contains { $0.kind == .mp4 })
            let named = try await service.media(MediaJobRequest(type: .thumbnail, sourceUrl: "s3://bucket/raw/素材 1?.png"))
            #expect(named.status == .succeeded, "\(named)")
            let gone = try await service.media(MediaJobRequest(type: .probe, sourceUrl: "s3://bucket/raw/none.mp4"))
            #expect(gone.error?.code == "media.source_unreachable")
        }
    }

    /// By its object's name; whose it is says its row.
    @Test func anAssetOfTheTenantIsASource() async throws {
        try await Self.withBucket { service, http, _ in
            let presigned = try await service.presign(AssetPresignRequest(filename: "a.png", contentType: "image/png"))
            let sent = try await http.send(
                ClientRequest(
                    .put, presigned.uploadUrl, headers: ["Content-Type": "image/png"], body: .bytes(SampleMedia.picture)))
            #expect(sent.status == .ok)
            let asset = "/v1/assets/\(presigned.assetId.lowercase)"
            #expect(try await service.send(.post, "\(asset)/complete").status == .ok)
            let object: UUID = try await service.database.superuser.query("SELECT object_id FROM content_assets").only
                .decode("object_id")
            let name = "s3://marketing/kept/\(object.lowercase.suffix(2))/\(object.lowercase)"
            let job = try await service.media(MediaJobRequest(type: .thumbnail, sourceUrl: name))
            #expect(job.status == .succeeded && job.assetId == presigned.assetId)
            for (address, tenant, code) in [
                (name, UUID(), "not_found"),
                ("s3://marketing/kept/zz/\(object.lowercase)", ContentCenterHarness.tenant, "expired"),
                ("s3://marketing/kept/\(object.lowercase)", ContentCenterHarness.tenant, "expired"),
                ("s3://marketing/raw/../kept/x", ContentCenterHarness.tenant, "not_allowed"),
                ("s3://bucket/other/xxx.mp4", ContentCenterHarness.tenant, "not_allowed"),
                ("s3://bucket2/raw/xxx.mp4", ContentCenterHarness.tenant, "not_allowed"),
            ] {
                let order = MediaJobRequest(type: .thumbnail, sourceUrl: address)
                let refused = try await service.send(.post, "/v1/media/jobs", tenant: tenant, body: JSON.encode(order))
                #expect(try refused.problem().errors?.map(\.code) == [code], "\(address)")
                #expect(try refused.problem().errors?.map(\.pointer) == ["/sourceUrl"], "\(address)")
            }
        }
    }

    @Test(arguments: [
        "s3://bucket", "s3://bucket/", "s3://b/x", "s3://Bucket/x", "s3:///x", "s3://bucket/a//b", "s3://bucket/./a",
        "s3://bucket/a/..", "s3://bucket/a\u{0}", "https://bucket/x", "s3://bu%63ket/x",
    ]) func whatIsNoNameOfAnObjectIsNone(text: String) {
        #expect(S3Name(text) == nil)
    }

    @Test func aNameIsABucketAndAKey() throws {
        let name = try #require(S3Name("s3://bucket/raw/视频 1.mp4"))
        #expect(name.bucket == "bucket")
        #expect(name.key == "/raw/视频 1.mp4")
        let origins = MediaOrigins(["s3://bucket/raw", "https://cdn.example.com"])
        #expect(origins.allow("s3://bucket/raw/a.mp4"))
        #expect(!origins.allow("s3://bucket/rawer/a.mp4"))
        #expect(!origins.allow("s3://bucket/raw/../a.mp4"))
        #expect(S3Name.isPrefix("s3://bucket") && S3Name.isPrefix("s3://bucket/raw/") && !S3Name.isPrefix("s3://"))
    }
}
