import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import TestSupport
import Testing

@testable import ContentCenter

/// What media jobs make for a content of kind `video` stands with the content (seed 001 §6 step 4).
@Suite struct ContentVideosTests {
    @Test func aContentShowsWhatItsJobsHaveMade() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create(.video)
            let path = "/v1/contents/\(content.id.lowercase)"
            func shown() async throws -> Content { try await service.send(.get, path).decode(Content.self) }
            #expect(try await shown() == content)
            let asset = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4")
            let order = MediaJobRequest(type: .transcode, assetId: asset.id, profiles: [.p360], contentId: content.id)
            let job = try await service.media(order) {
                let media = try #require(try await shown().media)
                #expect(media.status == .processing && media.renditions.isEmpty && media.coverUrl == nil)
            }
            #expect(job.status == .succeeded && job.contentId == content.id)
            let answer = try await service.send(.get, path, headers: ["If-None-Match": content.entityTag])
            #expect(answer.status == .ok && answer.headers["Cache-Control"] == "no-store")
            let media = try #require(answer.decode(Content.self).media)
            #expect(media.status == .ready && media.jobId == job.jobId && media.progress == 100)
            #expect(media.hlsUrl?.contains("/hls/master.m3u8?pass=") == true)
            #expect(media.renditions.map(\.kind) == [.hlsRendition, .mp4])
            #expect(media.renditions.allSatisfy { ($0.bitrate ?? 0) > 0 })
            #expect((media.durationMs ?? 0) > 0)
            let cover = try await service.get(#require(media.coverUrl))
            #expect(cover.status == .ok && FileMagic(cover.body) == .type(.jpeg))
            // No version was made, so nobody's edit comes too late; after an edit it is there still.
            #expect(answer.headers["ETag"] == content.entityTag)
            #expect(try await service.patch(content.id, ContentPatch(title: "新片名"), ifVersion: 1).status == .ok)
            #expect(try await shown().media?.jobId == job.jobId)

            // Made anew, it is shown as it was until there is something newer.
            let failing = try await service.upload(SampleMedia.cutVideo, as: "b.mp4", "video/mp4")
            let next = MediaJobRequest(type: .transcode, assetId: failing.id, contentId: content.id)
            let id = try await service.orderMedia(next).decode(MediaJobAccepted.self).jobId
            let meanwhile = try await shown().media
            #expect(meanwhile?.status == .processing && meanwhile?.jobId == id && meanwhile?.renditions.count == 2)
            #expect(try await service.send(.post, "/v1/media/jobs/\(id.lowercase)/cancel").status == .ok)
            #expect(try await shown().media?.status == .ready)
            let moved = try await service.events().filter { $0.subject == job.jobId.lowercase }
            let told = try moved.map { try $0.decode(MediaJobMoved.self).contentId }
            #expect(!told.isEmpty && Set(told) == [content.id])
        }
    }

    @Test func onlyAVideoOfTheTenantShowsIt() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.picture, as: "a.png", "image/png")
            let (title, binned) = (try await service.create(), try await service.create(.video))
            #expect(try await service.send(.delete, "/v1/contents/\(binned.id.lowercase)").status == .noContent)
            let theirs = try await service.create(.video, tenant: UUID())
            for id in [UUID(), title.id, binned.id, theirs.id] {
                let answer = try await service.orderMedia(
                    MediaJobRequest(type: .thumbnail, assetId: asset.id, contentId: id))
                #expect(try answer.problem().errors?.map(\.pointer) == ["/contentId"])
            }
            #expect(try await service.count("media_jobs") == 0)
        }
    }

    @Test func theNewestJobThatMakesAVideoSaysHowItStands() {
        func job(_ type: MediaJobType, _ status: MediaJobStatus, _ outputs: [MediaOutputKind] = []) -> MediaJob {
            let made = outputs.map { kind in
                MediaOutput(
                    kind: kind, name: "\(type)", assetId: nil, url: "\(type) \(kind)", mediaType: "", size: nil, width: nil,
                    height: nil, durationMs: 7, bitrate: nil)
            }
            return MediaJob(
                jobId: UUID(), type: type, priority: .normal, status: status, progress: 0, assetId: nil, outputs: made,
                probe: nil, error: nil, createdBy: "", createdAt: .now, startedAt: nil, finishedAt: nil)
        }
        #expect(ContentMedia([]) == nil)
        #expect(ContentMedia([job(.transcode, .canceled)]) == nil)
        let transcode = job(.transcode, .succeeded, [.hls, .hlsRendition, .mp4, .cover])
        let cover = job(.cover, .succeeded, [.cover])
        let both = ContentMedia([cover, transcode])
        #expect(both?.coverUrl == "cover cover" && both?.hlsUrl == "transcode hls" && both?.status == .ready)
        #expect(ContentMedia([job(.cover, .failed), transcode])?.status == .ready)
        let failed = ContentMedia([job(.watermark, .failed), transcode])
        #expect(failed?.status == .failed && failed?.renditions.count == 2 && failed?.durationMs == 7)
        #expect(ContentMedia([job(.cover, .running)])?.status == .processing)
    }
}

extension NewContent {
    static let video = NewContent(
        step: "video", title: "成片",
        body: .video(
            VideoBody(topic: "猫砂盆", platform: .douyin, title: "三步选好猫砂盆", text: "", hashtags: ["猫"], video: VideoFile())),
        source: VersionSource(kind: .human))
}
