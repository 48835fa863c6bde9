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

/// Media jobs from the order to what they made, with real files and FFmpeg.
@Suite(.timeLimit(.minutes(5))) struct MediaJobsTests {
    @Test func aVideoIsLookedAtBeforeItIsPublished() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.video, as: "片子.mp4", "video/mp4")
            let job = try await service.media(MediaJobRequest(type: .probe, assetId: asset.id))
            #expect(job.status == .succeeded && job.progress == 100 && job.outputs.isEmpty && job.error == nil)
            let probe = try #require(job.probe)
            #expect((probe.width, probe.height, probe.durationMs, probe.frameRate) == (320, 240, 2_000, 25))
            #expect((probe.videoCodec, probe.audioCodec, probe.size) == ("h264", "aac", SampleMedia.video.count))
            #expect(probe.douyin?.isAccepted == true && probe.douyin?.findings.map(\.code) == ["low_resolution"])
            #expect(probe.douyin?.findings.first?.message == "分辨率低于 720p")
        }
    }

    @Test func aCoverIsAnAssetWithASignedAddress() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.blackThenScene, as: "a.mp4", "video/mp4")
            let operation = UUID()
            let request = MediaJobRequest(type: .cover, assetId: asset.id, priority: .interactive)
            let answer = try await service.orderMedia(request, operation: operation)
            #expect(answer.status == .accepted)
            let accepted = try answer.decode(MediaJobAccepted.self)
            #expect(accepted.status == .queued)
            #expect(answer.headers["Location"] == "/v1/media/jobs/\(accepted.jobId.lowercase)")
            #expect(try await service.orderMedia(request, operation: operation).decode(MediaJobAccepted.self) == accepted)
            await service.media.worker.begin(accepted.jobId, tenant: ContentCenterHarness.tenant).value
            let job = try await service.mediaJob(accepted.jobId)
            #expect(job.status == .succeeded && job.startedAt != nil && job.finishedAt != nil)
            let cover = try #require(job.outputs.first)
            #expect(
                (job.outputs.count, cover.kind, cover.mediaType, cover.width, cover.height) == (1, .cover, "image/jpeg", 320, 240)
            )
            let file = try await service.get(cover.url)
            #expect(file.status == .ok && FileMagic(file.body) == .type(.jpeg) && file.body.count == cover.size)
            // Nearly black compresses to next to nothing; the scene does not.
            #expect(file.body.count > 8_000)
            let kept = try await service.send(.get, "/v1/assets/\(try #require(cover.assetId).lowercase)").decode(
                LibraryAsset.self)
            #expect(
                kept.filename == "a-cover.jpg" && kept.sha256 == Hex.encode(SHA256.hash(file.body)) && kept.createdBy == "user-1")
            // Nor does the repeat of its order begin anything: it says how the job stands.
            let repeated = try await service.orderMedia(request, operation: operation).decode(MediaJobAccepted.self)
            #expect(repeated == MediaJobAccepted(jobId: accepted.jobId, status: .succeeded))
            // A second attempt at a job that is over makes nothing.
            await service.media.worker.begin(accepted.jobId, tenant: ContentCenterHarness.tenant).value
            #expect(try await service.count("media_outputs") == 1)
            #expect(try await service.count("media_jobs") == 1)
            let events = try await service.events().filter { $0.type.hasPrefix("media.") }
            #expect(Set(events.map(\.type)) == [MediaJobMoved.progressedType, MediaJobMoved.succeededType])
            #expect(events.map(\.version) == events.map(\.version).sorted())
            let end = try #require(events.last).decode(MediaJobMoved.self)
            #expect(
                end.outputs == [MediaOutputReference(kind: .cover, name: "cover", assetId: cover.assetId)] && end.progress == 100)
            #expect(service.workLeftOver() == [])
        }
    }

    @Test func aVideoBecomesHLSAndAnMP4ThatStartsAtOnce() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4")
            let job = try await service.media(MediaJobRequest(type: .transcode, assetId: asset.id))
            #expect(job.status == .succeeded, "\(job)")
            // Never larger than the source, whatever rates are usual.
            #expect(job.outputs.map(\.kind) == [.hls, .hlsRendition, .mp4, .cover])
            #expect(job.outputs.map(\.name) == ["master", "240p", "240p", "cover"])
            let video = try await service.get(job.outputs[2].url).body
            #expect(topBoxes(video).firstIndex(of: "moov") ?? 9 < topBoxes(video).firstIndex(of: "mdat") ?? 0)

            let path = "/v1/media/jobs/\(job.jobId.lowercase)/hls"
            let master = try await service.send(.get, path + "/master.m3u8")
            #expect(master.headers["Content-Type"] == "application/vnd.apple.mpegurl")
            #expect(master.text.contains("RESOLUTION=320x240,CODECS=\"avc1.6400") && master.text.hasSuffix("\n240p.m3u8\n"))
            let playlist = try await service.send(.get, path + "/240p.m3u8").text
            let ranges = playlist.matches(of: /BYTERANGE[:=]"?(\d+)@(\d+)/).compactMap { match in
                Int(match.1).flatMap { size in Int(match.2).map { (size, $0) } }
            }
            let address = try #require(playlist.split(separator: "\n").first { $0.hasPrefix("http") }.map(String.init))
            let size = try #require(job.outputs[1].size)
            #expect(ranges.count >= 2 && ranges.allSatisfy { $0.0 + $0.1 <= size })
            let first = try await service.get(address, headers: ["Range": "bytes=0-\(ranges[0].0 - 1)"])
            #expect(first.status == .partialContent && topBoxes(first.body) == ["ftyp", "moov"])
            for name in ["720p.m3u8", "240p", "x"] {
                #expect(try await service.send(.get, "\(path)/\(name)").status == .notFound)
            }
            #expect(try await service.send(.get, path + "/master.m3u8", tenant: UUID()).status == .notFound)
            #expect(service.workLeftOver() == [])
            try await PlaylistPassTests.playsWithoutASignIn(job.outputs[0].url, service)
        }
    }

    @Test func picturesSoundsAndJoinedVideos() async throws {
        try await ContentCenterHarness.run { service in
            let video = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4").id
            let upright = try await service.upload(SampleMedia.uprightSilentVideo, as: "b.mp4", "video/mp4").id
            let picture = try await service.upload(SampleMedia.picture, as: "a.png", "image/png").id
            let logo = try await service.upload(SampleMedia.logo, as: "logo.png", "image/png").id
            let cases: [(MediaJobRequest, [String])] = [
                (
                    .init(type: .thumbnail, assetId: upright, params: .init(format: .webp, widths: [60, 9_60])),
                    ["image/webp 60x107", "image/webp 240x426"]
                ),
                (.init(type: .thumbnail, assetId: picture), ["image/jpeg 320x240"]),
                (.init(type: .imageVariants, assetId: logo, params: .init(widths: [50])), ["image/webp 50x25"]),
                (.init(type: .imageVariants, assetId: logo, params: .init(format: .jpeg, widths: [50])), ["image/jpeg 50x25"]),
                (
                    .init(type: .watermark, assetId: picture, params: .init(text: "店铺: 50% 'off'", corner: .topLeft)),
                    ["image/jpeg 400x300"]
                ),
                (.init(type: .watermark, assetId: video, params: .init(overlayAssetId: logo)), ["video/mp4 320x240"]),
                (.init(type: .concat, params: .init(assetIds: [upright, video])), ["video/mp4 240x426"]),
                (.init(type: .audio, assetId: video), ["audio/mp4 0x0"]),
            ]
            for (request, outputs) in cases {
                let job = try await service.media(request)
                #expect(job.status == .succeeded, "\(request) \(job)")
                #expect(job.outputs.map { "\($0.mediaType) \($0.width ?? 0)x\($0.height ?? 0)" } == outputs)
                for output in job.outputs {
                    let file = try await service.get(output.url).body
                    let type = try #require(FileType(rawValue: output.mediaType))
                    #expect(FileMagic(file).map { $0.fits(type) } == true)
                }
                if request.type == .concat { #expect(job.outputs.first?.durationMs == 3_000) }
            }
        }
    }

    @Test func aBrokenFileFailsForGoodAndSaysWhy() async throws {
        try await ContentCenterHarness.run { service in
            // What its first bytes say, and nothing behind them.
            let asset = try await service.upload(SampleFiles.movie("isom"), as: "a.mp4", "video/mp4")
            let job = try await service.media(MediaJobRequest(type: .transcode, assetId: asset.id))
            #expect(job.status == .failed)
            #expect(job.error == MediaJobError(code: "media.unreadable", message: "文件无法解码"))
            let attempts: Int = try await service.database.superuser.query(
                "SELECT attempt FROM jobs WHERE id = \(job.jobId)"
            ).only.decode("attempt")
            #expect(attempts == 1)
            let end = try #require(try await service.events().last)
            #expect(end.type == MediaJobMoved.failedType)
            #expect(try end.decode(MediaJobMoved.self).code == "media.unreadable")
            let sound = try await service.upload(SampleMedia.uprightSilentVideo, as: "a.mp4", "video/mp4")
            let silent = try await service.media(MediaJobRequest(type: .audio, assetId: sound.id))
            #expect(silent.error?.code == "media.no_audio")
            _ = try await service.send(.delete, "/v1/assets/\(sound.id.lowercase)")
            let late = try await service.media(
                MediaJobRequest(type: .cover, assetId: asset.id, params: .init(atSecond: 5)),
                before: {
                    _ = try await service.send(.delete, "/v1/assets/\(asset.id.lowercase)")
                })
            #expect(late.error?.code == "media.source_gone")
            #expect(service.workLeftOver() == [])
        }
    }

    @Test func whatAJobMakesCountsAgainstTheQuota() async throws {
        try await ContentCenterHarness.run(environment: ["ASSET_QUOTA_BYTES": "\(SampleMedia.video.count + 100)"]) { service in
            let asset = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4")
            let job = try await service.media(MediaJobRequest(type: .cover, assetId: asset.id))
            #expect(job.error?.code == "media.quota_exceeded")
            #expect(try await service.count("asset_objects") == 1)
            #expect(service.files().filter { $0.hasPrefix("kept/") }.count == 1)
        }
    }

    @Test func aJobThatWaitsIsCanceledAtOnce() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4")
            let id = try await service.orderMedia(MediaJobRequest(type: .cover, assetId: asset.id)).decode(MediaJobAccepted.self)
                .jobId
            for _ in 0..<2 {
                let answer = try await service.send(.post, "/v1/media/jobs/\(id.lowercase)/cancel")
                #expect(try answer.decode(MediaJob.self).status == .canceled)
            }
            await service.media.worker.begin(id, tenant: ContentCenterHarness.tenant).value
            #expect(try await service.mediaJob(id).outputs.isEmpty)
            #expect(try await service.events().map(\.type).filter { $0.hasPrefix("media.") } == [MediaJobMoved.canceledType])
            for (method, suffix) in [(HTTPMethod.get, ""), (.post, "/cancel"), (.get, "/hls/master.m3u8")] {
                let foreign = try await service.send(method, "/v1/media/jobs/\(id.lowercase)\(suffix)", tenant: UUID())
                #expect(foreign.status == .notFound)
                #expect(try foreign.problem().code == "media_job.not_found")
            }
        }
    }

    @Test func theListShowsOnesOwnPageByPage() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4").id
            var ids: [UUID] = []
            for type in [MediaJobType.cover, .probe, .cover] {
                ids.insert(
                    try await service.orderMedia(MediaJobRequest(type: type, assetId: asset)).decode(MediaJobAccepted.self).jobId,
                    at: 0)
            }
            func list(_ query: String, tenant: UUID = ContentCenterHarness.tenant) async throws -> Page<MediaJob> {
                try await service.send(.get, "/v1/media/jobs?\(query)", tenant: tenant).decode(Page<MediaJob>.self)
            }
            let first = try await list("limit=2")
            #expect(first.items.map(\.jobId) == Array(ids.prefix(2)))
            let cursor = try #require(first.nextCursor)
            #expect(try await list("limit=2&cursor=\(cursor)").items.map(\.jobId) == [ids[2]])
            #expect(try await list("type=probe").items.map(\.jobId) == [ids[1]])
            #expect(try await list("status=queued&assetId=\(asset.lowercase)").items.count == 3)
            #expect(try await list("status=failed").items.isEmpty)
            #expect(try await list("limit=9", tenant: UUID()).items.isEmpty)
        }
    }
}

/// Orders that are refused, and sources from elsewhere.
@Suite(.timeLimit(.minutes(5))) struct MediaSourceTests {
    @Test(arguments: [
        (#"{}"#, ["/type"]), (#"{"type": "sing"}"#, ["/type"]), (#"{"type": "cover"}"#, ["/assetId"]),
        (#"{"type": "cover", "assetId": "x"}"#, ["/assetId"]),
        (#"{"type": "cover", "assetId": "0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"}"#, ["/assetId"]),
        (#"{"type": "cover", "assetId": "0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20", "sourceUrl": "https://a/b"}"#, ["/sourceUrl"]),
        (#"{"type": "cover", "sourceUrl": "https://a/b", "profiles": ["720p"]}"#, ["/profiles"]),
        (
            #"{"type": "transcode", "sourceUrl": "https://a/b", "profiles": ["720p", "720p", "8k"]}"#,
            ["/profiles/1", "/profiles/2"]
        ),
        (
            #"{"type": "cover", "sourceUrl": "https://a/b", "params": {"atSecond": -1, "widths": [1]}}"#,
            ["/params/atSecond", "/params/widths"]
        ),
        (
            #"{"type": "thumbnail", "sourceUrl": "https://a/b", "params": {"widths": [15, 20, 1.5]}}"#,
            ["/params/widths/0", "/params/widths/2"]
        ),
        (#"{"type": "transcode", "sourceUrl": "https://a/b", "profiles": []}"#, ["/profiles"]),
        (
            #"{"type": "transcode", "sourceUrl": "https://a/b", "params": {"hls": false, "mp4": false, "cover": false}}"#,
            ["/params/hls"]
        ),
        (#"{"type": "thumbnail", "sourceUrl": "https://a/b", "params": {"widths": []}}"#, ["/params/widths"]),
        (#"{"type": "watermark", "sourceUrl": "https://a/b"}"#, ["/params"]),
        (#"{"type": "watermark", "sourceUrl": "https://a/b", "params": {"opacity": 0}}"#, ["/params/text", "/params/opacity"]),
        (#"{"type": "watermark", "sourceUrl": "https://a/b", "params": {"text": "上新😀"}}"#, ["/params/text"]),
        (
            #"{"type": "concat", "assetId": "x", "params": {"assetIds": ["x", "y"]}}"#,
            ["/params/assetIds/0", "/params/assetIds/1", "/assetId"]
        ),
        (#"{"type": "concat"}"#, ["/params"]),
        (
            #"{"type": "burn_subtitle", "sourceUrl": "https://a/b", "params": {"mode": "paint"}}"#,
            ["/params/subtitleAssetId", "/params/mode"]
        ),
        (#"{"type": "subtitle", "sourceUrl": "https://a/b", "params": {"language": "中文"}}"#, ["/params/language"]),
        (#"{"type": "cover", "sourceUrl": "https://cdn.example.com/a.mp4"}"#, ["/sourceUrl"]),
        (#"{"type": "cover", "sourceUrl": "s3://bucket/raw/xxx.mp4"}"#, ["/sourceUrl"]),
        (#"{"type": "cover", "sourceUrl": "file:///etc/passwd"}"#, ["/sourceUrl"]),
        (#"{"type": "transcode", "sourceUrl": "https://a/b", "priority": "interactive"}"#, ["/priority"]),
        (
            #"{"type": "watermark", "sourceUrl": "https://a/b", "params": {"text": "x"}, "priority": "interactive"}"#,
            ["/priority"]
        ),
    ])
    func aBadOrderIsRefused(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let answer = try await service.send(.post, "/v1/media/jobs", body: Array(body.utf8))
            #expect(answer.status == .unprocessableContent)
            #expect(Set(try answer.problem().errors?.map(\.pointer) ?? []) == Set(pointers))
            #expect(try await service.count("jobs") == 0)
        }
    }

    @Test func aJobTakesOnlyWhatItCanWorkOn() async throws {
        try await ContentCenterHarness.run { service in
            let picture = try await service.upload(SampleMedia.picture, as: "a.png", "image/png").id
            let drawing = try await service.upload(SampleFiles.svg, as: "a.svg", "image/svg+xml").id
            let foreign = try await service.upload(SampleMedia.picture, as: "a.png", "image/png", tenant: UUID()).id
            let pending = try await service.presign(AssetPresignRequest(filename: "a.png", contentType: "image/png")).assetId
            let cases: [(MediaJobType, UUID, String)] = [
                (.transcode, picture, "wrong_type"), (.thumbnail, drawing, "wrong_type"), (.thumbnail, foreign, "not_found"),
                (.thumbnail, pending, "not_ready"),
            ]
            for (type, id, code) in cases {
                let answer = try await service.orderMedia(MediaJobRequest(type: type, assetId: id))
                #expect(try answer.problem().errors?.map(\.code) == [code])
            }
        }
    }

    @Test func ourOwnSignedAddressIsASource() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.picture, as: "a.png", "image/png")
            let url = try await service.downloadURL(asset.id).url
            let job = try await service.media(MediaJobRequest(type: .thumbnail, sourceUrl: url))
            #expect(job.status == .succeeded && job.outputs.first?.width == 320)
            for wrong in [
                url + "0", url.replacing("image%2Fpng", with: "video%2Fmp4"), url.replacing("/objects/", with: "/objects/x/"),
            ] {
                let answer = try await service.orderMedia(MediaJobRequest(type: .thumbnail, sourceUrl: wrong))
                #expect(try answer.problem().errors?.map(\.code) == ["expired"])
            }
        }
    }

    /// Nothing that another host answers is believed: neither its word for a type, nor where it sends us.
    @Test func anAllowedOriginIsFetchedByUsAndLookedAt() async throws {
        var router = Router()
        router.on(.get, "/a.png") { _ in Response(.ok, headers: ["Content-Type": "text/html"], body: .bytes(SampleMedia.picture))
        }
        let playlist = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
        router.on(.get, "/a.mp4") { _ in Response(.ok, headers: ["Content-Type": "video/mp4"], body: .bytes(Array(playlist.utf8)))
        }
        router.on(.get, "/list.mp4") { _ in
            Response(
                .ok, headers: ["Content-Type": "video/mp4"], body: .bytes(Array("ffconcat version 1.0\nfile /etc/passwd\n".utf8)))
        }
        router.on(.get, "/moved.png") { _ in Response(HTTPStatus(302), headers: ["Location": "http://169.254.169.254/latest/"]) }
        try await LiveServer.serving(router) { server in
            let origin = "http://127.0.0.1:\(server.port)"
            try await ContentCenterHarness.run(environment: ["MEDIA_SOURCE_ORIGINS": origin]) { service in
                let fetched = try await service.media(MediaJobRequest(type: .thumbnail, sourceUrl: origin + "/a.png"))
                #expect(fetched.status == .succeeded && fetched.probe?.mediaType == "image/png")
                for (path, code) in [
                    ("/a.mp4", "media.source_refused"), ("/list.mp4", "media.source_refused"),
                    ("/moved.png", "media.source_unreachable"),
                    ("/none.png", "media.source_unreachable"),
                ] {
                    let job = try await service.media(MediaJobRequest(type: .probe, sourceUrl: origin + path))
                    #expect(job.error?.code == code, "\(path)")
                }
                #expect(service.workLeftOver() == [] && service.files().count == 1)
            }
        }
    }

    @Test func whatIsSaidBecomesSubtitlesThatGoIntoTheVideo() async throws {
        let answer = #"{"text": "大家好。", "segments": [{"start": 0.2, "end": 1.4, "text": "大家好，今天聊聊防晒霜。"}]}"#
        var router = Router()
        router.on(.post, "/v1/audio/transcriptions", options: RouteOptions(maxBodyBytes: 1 << 20)) { request in
            let heard = request.body.count > 1_000
            return Response(
                heard ? .ok : .badRequest, headers: ["Content-Type": "application/json"], body: .bytes(Array(answer.utf8)))
        }
        try await LiveServer.serving(router) { server in
            let settings = ["ASR_BASE_URL": "http://127.0.0.1:\(server.port)/v1", "ASR_API_KEY": "x"]
            try await ContentCenterHarness.run(environment: settings) { service in
                let video = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4").id
                let job = try await service.media(MediaJobRequest(type: .subtitle, assetId: video))
                #expect(job.outputs.map(\.mediaType) == ["application/x-subrip", "text/vtt"], "\(job)")
                let text = try await service.get(try #require(job.outputs.first).url).text
                #expect(text == "1\r\n00:00:00,200 --> 00:00:01,400\r\n大家好，今天聊聊防晒霜。\r\n\r\n")
                for mode in MediaSubtitleMode.allCases {
                    let params = MediaJobParams(subtitleAssetId: job.outputs.last?.assetId, mode: mode)
                    let made = try await service.media(MediaJobRequest(type: .burnSubtitle, assetId: video, params: params))
                    #expect(made.outputs.map(\.kind) == [.mp4], "\(made)")
                    let file = try await service.get(try #require(made.outputs.first).url).body
                    #expect(file.firstIndex(of: Array("tx3g".utf8)) != nil ? mode == .mux : mode == .burn)
                }
                let backwards = "1\n00:00:05,000 --> 00:00:04,000\n好\n"
                let bad = try await service.upload(Array(backwards.utf8), as: "a.srt", "application/x-subrip").id
                let failed = try await service.media(
                    MediaJobRequest(type: .burnSubtitle, assetId: video, params: .init(subtitleAssetId: bad)))
                #expect(failed.error?.code == "media.bad_subtitles")
            }
        }
        try await ContentCenterHarness.run { service in
            let refused = try await service.orderMedia(MediaJobRequest(type: .subtitle, sourceUrl: "https://a/b"))
            #expect(try refused.problem().errors?.map(\.code) == ["not_available"])
        }
    }

    @Test(arguments: [
        "https://cdn.example.com/a.mp4", "https://cdn.example.com/a.mp4?x=1", "http://127.0.0.1:9/a",
        "https://b.example.com/media/a.mp4",
    ]) func allowedAddresses(address: String) {
        #expect(Self.origins.allow(address))
    }

    @Test(arguments: [
        "https://cdn.example.com.evil.com/a", "https://cdn.example.com@evil.com/a", "http://cdn.example.com/a",
        "https://cdn.example.com:8443/a",
        "https://cdn.example.com", "https://CDN.example.com/a", "https://cdn.example.com/a b",
        "https://cdn.example.com\\@evil.com/",
        "https://b.example.com/other/a", "https://b.example.com/media/../other/a", "https://b.example.com/media/%2E%2e/other",
        "https://b.example.com/media/..", "file:///etc/passwd", "http://127.0.0.1:90/a", "",
    ]) func otherAddresses(address: String) {
        #expect(!Self.origins.allow(address))
    }

    private static let origins = MediaOrigins(["https://cdn.example.com", "http://127.0.0.1:9", "https://b.example.com/media"])

    /// What a signature or a token stands in would lie in the job's row for ever.
    @Test(arguments: [
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00", "?OSSAccessKeyId=a&Signature=b", "?v=1&access_token=x",
        "?a=1;sig=2",
        "?q-sign-algorithm=sha1", "?%73ig=1", "?X-Goog-Signature=1", "?auth_key=1-0-0-x",
    ])
    func anAddressWithASecretIsRefused(query: String) async throws {
        #expect(!MediaOrigins.carriesSecret("https://cdn.example.com/a.mp4?v=2&size=720"))
        try await ContentCenterHarness.run(environment: ["MEDIA_SOURCE_ORIGINS": "https://cdn.example.com"]) { service in
            let request = MediaJobRequest(type: .probe, sourceUrl: "https://cdn.example.com/a.mp4\(query)")
            let answer = try await service.orderMedia(request)
            #expect(try answer.problem().errors?.map(\.code) == ["carries_secret"])
            #expect(try await service.count("jobs") == 0)
        }
    }

    /// Past the upload's own checks: a list in a video's clothes that names a video which is there. FFmpeg left to its own guess reads it.
    @Test(arguments: [
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nother.ts\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile other.mp4\n",
    ])
    func ffmpegReadsAFileOnlyAsWhatWeSayItIs(text: String) async throws {
        let workspace = MediaWorkspace(directory: FileManager.default.temporaryDirectory.appending(path: "work-\(UUID())").path)
        defer { try? FileManager.default.removeItem(atPath: workspace.directory) }
        let ffmpeg = FFmpeg(memory: 2 << 30, timeLimit: .seconds(60))
        try await workspace.withFolder(of: UUID(), fence: 1) { folder in
            try await folder.write(text, to: "source0.mp4")
            try Data(SampleMedia.video).write(to: URL(fileURLWithPath: folder.path(of: "other.mp4")))
            let segment = MediaStep(arguments: ["-i", "other.mp4", "-c", "copy", "-f", "mpegts", "other.ts"])
            try await ffmpeg.run(segment, in: folder.path) { _ in }
            let guessing = MediaStep(
                arguments: [
                    "-protocol_whitelist", "file,pipe", "-i", "source0.mp4", "-frames:v", "1", "-f", "image2", "guess.jpg",
                ])
            try await ffmpeg.run(guessing, in: folder.path) { _ in }
            #expect(try await folder.size(of: "guess.jpg") ?? 0 > 0)
            let input = try #require(MediaInput(name: "source0.mp4", type: .mp4))
            await #expect(throws: MediaFailure.unreadable) {
                try await ffmpeg.facts(of: input, size: text.utf8.count, in: folder.path)
            }
            let step = MediaStep(arguments: FFmpeg.input(input) + ["-frames:v", "1", "-f", "image2", "out.jpg"])
            await #expect(throws: MediaFailure.unreadable) { try await ffmpeg.run(step, in: folder.path) { _ in } }
        }
    }

    @Test func aHugePictureIsRefusedBeforeItIsDecoded() async throws {
        try await ContentCenterHarness.run { service in
            // Larger than 8K and in order otherwise: FFmpeg by itself would make it small without a word.
            let asset = try await service.upload(SampleMedia.hugePicture, as: "a.png", "image/png")
            let job = try await service.media(MediaJobRequest(type: .thumbnail, assetId: asset.id))
            #expect(job.error?.code == "media.too_large")
        }
    }

    @Test func partsThatAreTooMuchTogetherAreNotFetched() async throws {
        try await ContentCenterHarness.run { service in
            let video = try await service.upload(SampleMedia.uprightSilentVideo, as: "a.mp4", "video/mp4").id
            try await service.database.superuser.query("UPDATE content_assets SET size = \(MediaSources.largest / 2 + 1)")
            let answer = try await service.orderMedia(MediaJobRequest(type: .concat, params: .init(assetIds: [video, video])))
            #expect(try answer.problem().errors?.map(\.pointer) == ["/params/assetIds"])
            #expect(try answer.problem().errors?.map(\.code) == ["too_large"])
        }
    }
}

/// The boxes of an MP4 at its top level, in their order.
private func topBoxes(_ file: [UInt8]) -> [String] {
    var (names, offset): ([String], Int) = ([], 0)
    while offset + 8 <= file.count {
        let size = file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        names.append(String(decoding: file[offset + 4..<offset + 8], as: UTF8.self))
        guard size >= 8 else { break }
        offset += size
    }
    return names
}

extension ContentCenterHarness {
    func orderMedia(_ request: MediaJobRequest, operation: UUID? = nil) async throws -> TestResponse {
        try await send(.post, "/v1/media/jobs", operation: operation, body: JSON.encode(request))
    }

    func mediaJob(_ id: UUID) async throws -> MediaJob {
        try await send(.get, "/v1/media/jobs/\(id.lowercase)").decode(MediaJob.self)
    }

    /// Orders it and waits for its end.
    ///
    /// - Parameter before: between the order and the work.
    func media(_ request: MediaJobRequest, before: () async throws -> Void = {}) async throws -> MediaJob {
        let answer = try await orderMedia(request)
        #expect(answer.status == .accepted, "\(answer.text)")
        let id = try answer.decode(MediaJobAccepted.self).jobId
        try await before()
        await media.worker.begin(id, tenant: Self.tenant).value
        return try await mediaJob(id)
    }

    /// What is left in the folder where jobs work.
    func workLeftOver() -> [String] { files().filter { $0.hasPrefix("media/") } }
}
