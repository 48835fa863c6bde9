import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Jobs
import Messaging
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// What an upload brings about of itself.
@Suite(.timeLimit(.minutes(5))) struct AssetPreviewTests {
    @Test func aPictureIsShownSmall() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.picture, as: "a.png", "image/png")
            // The upload waits for nobody.
            #expect(asset.state == .ready && asset.thumbnail == nil)
            let path = "/v1/assets/\(asset.id.lowercase)"
            let before = try await service.send(.get, path).headers["ETag"]
            #expect(try await service.previewJobs() == [.queued])
            // Said again, it orders nothing.
            _ = try await service.send(.post, "\(path)/complete")
            try await service.makePreviews()
            #expect(try await service.previewJobs() == [.succeeded])
            let answer = try await service.send(.get, path)
            let shown = try answer.decode(LibraryAsset.self)
            let thumbnail = try #require(shown.thumbnail)
            #expect((thumbnail.mediaType, thumbnail.width, thumbnail.height) == ("image/jpeg", 320, 240))
            #expect(shown.cover == nil && shown.watermarkJobId == nil && shown.revision == asset.revision)
            let file = try await service.get(thumbnail.url)
            #expect(file.status == .ok && FileMagic(file.body) == .type(.jpeg))
            // Who has seen it without is told, who has seen it is not; and who edits it is in nobody's way.
            #expect(answer.headers["ETag"] != before)
            let seen = try #require(answer.headers["ETag"])
            #expect(try await service.send(.get, path, headers: ["If-None-Match": seen]).status == .notModified)
            let edited = try await service.send(
                .patch, path, headers: ["If-Match": try #require(before)], body: Array(#"{"filename": "b.png"}"#.utf8))
            #expect(try edited.decode(LibraryAsset.self).thumbnail?.width == 320)
            #expect(
                try await service.send(.get, "/v1/assets").decode(Page<LibraryAsset>.self).items.map(\.thumbnail?.width) == [320])
            // It is no asset, and no plan counts it.
            #expect(
                try await service.send(.get, "/v1/assets/usage").decode(AssetUsage.self).bytes == SampleMedia.picture.count)
            #expect(try await service.send(.get, "/v1/media/jobs").decode(Page<MediaJob>.self).items.isEmpty)
            #expect(try await service.events().filter { $0.type.hasPrefix("media.") }.isEmpty)
            #expect(try await service.send(.delete, path).status == .noContent)
            #expect(service.files() == [])
            #expect(try await service.count("asset_garbage") == 0)
        }
    }

    @Test func aVideoShowsItsBestFrame() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.blackThenScene, as: "a.mp4", "video/mp4")
            try await service.makePreviews()
            let shown = try await service.send(.get, "/v1/assets/\(asset.id.lowercase)").decode(LibraryAsset.self)
            #expect((shown.cover?.width, shown.cover?.height) == (320, 240))
            #expect((shown.thumbnail?.width, shown.thumbnail?.height) == (320, 240))
            // Nearly black compresses to next to nothing.
            for preview in [shown.cover, shown.thumbnail] {
                #expect(try await service.get(#require(preview).url).body.count > 8_000)
            }
            #expect(service.workLeftOver() == [])
        }
    }

    /// A word in a video's clothes, a drawing, a document: they are kept, and have no preview.
    @Test func whatCannotBeShownHasNone() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.upload(SampleFiles.movie("isom"), as: "a.mp4", "video/mp4")
            _ = try await service.upload(SampleFiles.svg, as: "a.svg", "image/svg+xml")
            try await service.makePreviews()
            #expect(try await service.previewJobs() == [.failed])
            #expect(try await service.count("asset_previews") == 0)
            #expect(service.kept() == 2)
        }
    }

    @Test func anAssetThatIsGoneMeanwhileLeavesNothing() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.picture, as: "a.png", "image/png")
            let job = try #require(try await service.previewJobIds().first)
            let object = UUID.version7()
            let worker = service.worker { attempt in
                try await attempt.announce([object])
                try await service.objects.put([1, 2, 3], as: object)
                _ = try await service.send(.delete, "/v1/assets/\(asset.id.lowercase)")
                let picture = PlannedOutput(kind: .thumbnail, name: "w1", file: "w1.jpg", type: .jpeg, width: 1, height: 1)
                try await attempt.keep([StoredPreview(picture, object: object)], of: asset.id)
            }
            await worker.begin(job, tenant: ContentCenterHarness.tenant).value
            #expect(try await service.previewJobs() == [.succeeded])
            #expect(service.kept() == 1)
            try await service.database.setClock(offset: .seconds(3_601))
            try await service.sweep()
            #expect(service.files() == [])
        }
    }

    @Test func aMarkGoesOnACopy() async throws {
        try await ContentCenterHarness.run { service in
            let logo = try await service.upload(SampleMedia.logo, as: "logo.png", "image/png").id
            for mark in [AssetWatermark(text: "青禾旗舰店", corner: .topLeft), AssetWatermark(overlayAssetId: logo, size: 30)] {
                let announced = try await service.presign(
                    AssetPresignRequest(filename: "a.png", contentType: "image/png", watermark: mark))
                #expect(try await service.put(SampleMedia.picture, to: announced).status == .ok)
                let path = "/v1/assets/\(announced.assetId.lowercase)"
                let asset = try await service.send(.post, "\(path)/complete").decode(LibraryAsset.self)
                let id = try #require(asset.watermarkJobId)
                // Said again, it is the same.
                #expect(try await service.send(.post, "\(path)/complete").decode(LibraryAsset.self).watermarkJobId == id)
                var job = try await service.mediaJob(id)
                #expect((job.type, job.priority, job.status, job.assetId) == (.watermark, .batch, .queued, asset.id))
                await service.media.worker.begin(id, tenant: ContentCenterHarness.tenant).value
                job = try await service.mediaJob(id)
                #expect(job.status == .succeeded && job.createdBy == asset.createdBy)
                let copy = try #require(job.outputs.first?.assetId)
                #expect(copy != asset.id)
                // What was uploaded is what is there.
                #expect(try await service.get(service.downloadURL(asset.id).url).body == SampleMedia.picture)
                #expect(try await service.get(service.downloadURL(copy).url).body != SampleMedia.picture)
            }
        }
    }

    @Test(arguments: [
        (#"{"filename": "a.pdf", "contentType": "application/pdf", "watermark": {"text": "x"}}"#, "/watermark", "not_available"),
        (#"{"filename": "a.png", "contentType": "image/png", "watermark": {}}"#, "/watermark/text", "required"),
        (
            #"{"filename": "a.png", "contentType": "image/png", "watermark": {"text": "x", "opacity": 0}}"#, "/watermark/opacity",
            "out_of_range"
        ),
        (
            #"{"filename": "a.png", "contentType": "image/png", "watermark": {"overlayAssetId": "0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"}}"#,
            "/watermark/overlayAssetId", "not_found"
        ),
    ]) func aMarkThatCannotBeIsRefused(body: String, pointer: String, code: String) async throws {
        try await ContentCenterHarness.run { service in
            for path in ["/v1/assets/presign", "/v1/assets/multipart"] {
                let text = path.hasSuffix("presign") ? body : body.replacing("\"filename\"", with: "\"size\": 9, \"filename\"")
                let answer = try await service.send(.post, path, body: Array(text.utf8))
                #expect(answer.status == .unprocessableContent)
                #expect(try answer.problem().errors?.map(\.pointer) == [pointer])
                #expect(try answer.problem().errors?.map(\.code) == [code])
            }
            #expect(try await service.count("content_assets") == 0)
        }
    }
}

extension ContentCenterHarness {
    func previewJobIds() async throws -> [UUID] {
        try await database.superuser.query("SELECT id FROM jobs WHERE kind = \(AssetPreviews.kind) ORDER BY id").map {
            try $0.decode("id")
        }
    }

    func previewJobs() async throws -> [JobState] {
        try await database.superuser.query("SELECT state FROM jobs WHERE kind = \(AssetPreviews.kind) ORDER BY id").map {
            try $0.decode("state")
        }
    }

    func makePreviews() async throws {
        for job in try await previewJobIds() { await media.worker.begin(job, tenant: Self.tenant).value }
    }
}
