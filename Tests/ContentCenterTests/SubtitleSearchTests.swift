import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Contents found by what is said in their videos.
@Suite(.timeLimit(.minutes(2))) struct SubtitleSearchTests {
    @Test func aSentenceGoesOnOverItsCues() {
        let cues = [
            SubtitleCue(startMilliseconds: 0, endMilliseconds: 1, lines: ["油皮选清爽的，", "干皮选滋"]),
            SubtitleCue(startMilliseconds: 1, endMilliseconds: 2, lines: ["润的。"]),
            SubtitleCue(startMilliseconds: 2, endMilliseconds: 3, lines: ["润的。", "use it", "twice a day!", "下期见"]),
        ]
        #expect(SubtitleTexts.text(of: cues) == "油皮选清爽的，干皮选滋润的。\nuse it twice a day!\n下期见")
        #expect(SubtitleTexts.text(of: []) == "")
    }

    @Test func onlySoMuchOfWhatIsSaidCounts() {
        let cues = (0..<3_000).map { SubtitleCue(startMilliseconds: $0, endMilliseconds: $0 + 1, lines: ["第\($0)句话"]) }
        let text = SubtitleTexts.text(of: cues)
        #expect(text.filter { !$0.isNewline }.count == SubtitleTexts.length)
        #expect(SubtitleTexts.passages(in: text).allSatisfy { $0.count < SubtitleTexts.passageLength + 10 })
    }

    /// Whatever is written counts for more than what is said.
    @Test func whatIsSaidIsFoundAfterWhatIsWritten() async throws {
        try await ContentCenterHarness.run { service in
            for index in 0..<10 { _ = try await service.copy("填充\(index)", "日常内容") }
            let spoken = try await service.film("一日", saying: ["今天聊聊补", "涂防晒。", "别的话"])
            let written = try await service.copy("无题", "补涂防晒的顺序")
            try await service.indexer.takeInAll()
            let answer = try await service.find("补涂防晒")
            #expect(answer.contents.map(\.id) == [written.id, spoken.content])
            #expect(answer.items.map(\.score) == answer.items.map(\.score).sorted(by: >))
            #expect(answer.items.map(\.matchedFields) == [[.body], [.subtitle]])
            #expect(answer.items.map(\.snippetField) == [.body, .subtitle])
            #expect(answer.items[1].snippet.filter(\.isMatch).map(\.text) == ["补涂防晒"])
            #expect(answer.items[1].snippet.map(\.text).joined() == "今天聊聊补涂防晒。")
            // Exactly so, over the end of a cue.
            #expect(try await service.titles("“聊聊补涂”") == ["一日"])
            #expect(try await service.find("补涂防晒", tenant: UUID()) == .nothing)
        }
    }

    @Test func theSnippetSaysWhereItIsFrom() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("防晒", "通勤")
            let labels = Array(#"{"topic": "露营装备", "tags": ["新手必看"]}"#.utf8)
            _ = try await service.send(.patch, "/v1/contents/\(content.id)/labels", body: labels)
            try await service.indexer.takeInAll()
            for (query, field) in [("防晒", SearchField.title), ("通勤", .body), ("新手必看", .label)] {
                let hit = try #require(try await service.find(query).items.first)
                #expect(
                    hit.matchedFields.first == field && hit.snippet.contains(where: \.isMatch) == (field != .title), "\(query)")
            }
            _ = try await service.film("片", saying: ["随便"], file: "湖边日落.mp4")
            try await service.indexer.takeInAll()
            let hit = try #require(try await service.find("湖边日落").items.first)
            #expect(hit.matchedFields == [.file] && hit.snippetField == .file)
            #expect(hit.snippet.filter(\.isMatch).map(\.text) == ["湖边日落"])
        }
    }

    /// What was heard, as somebody edited it last; the words of before again once that is gone, and of another job in any case.
    @Test func whatWasHeardIsFoundAsItWasEdited() async throws {
        try await ContentCenterHarness.run { service in
            let film = try await service.film("一日", saying: [])
            let heard = try await service.hear(["听错的话"], in: film.video)
            func edit(_ id: UUID, _ line: String) async throws -> UUID {
                let cue = AssetCue(startMs: 0, endMs: 900, lines: [line])
                return try await service.editCues(id, AssetCuesEdit(cues: [cue])).decode(LibraryAsset.self).id
            }
            let first = try await edit(heard, "改对的句")
            let second = try await edit(first, "润色之后")
            try await service.indexer.takeInAll()
            #expect(try await service.titles("润色之后") == ["一日"])
            for query in ["听错的话", "改对的句"] { #expect(try await service.titles(query) == [], "\(query)") }
            for id in [heard, second] {
                #expect(try await service.send(.delete, "/v1/assets/\(id.lowercase)").status == .noContent)
            }
            try await service.indexer.takeInAll()
            #expect(try await service.titles("改对的句") == ["一日"])

            _ = try await service.hear(["再次转写"], in: film.video)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("再次转写") == ["一日"])
            #expect(try await service.titles("改对的句") == [])
        }
    }

    /// Another file, the newer of two jobs, other bytes, none.
    @Test func otherSubtitlesAreFoundInstead() async throws {
        try await ContentCenterHarness.run { service in
            let film = try await service.film("一日", saying: ["第一次听写"])
            try await service.indexer.takeInAll()
            #expect(try await service.titles("第一次听写") == ["一日"])

            let second = try await service.hear(["再次转写"], in: film.video)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("再次转写") == ["一日"])
            #expect(try await service.titles("第一次听写") == [])

            // Whoever writes it down knows better.
            let linked = try await service.subtitles(["人工校对"])
            func edit(_ video: VideoFile, ifVersion version: Int) async throws {
                let patch = ContentPatch(body: ContentBodyPatch(video: video))
                #expect(try await service.patch(film.content, patch, ifVersion: version).status == .ok)
                try await service.indexer.takeInAll()
            }
            try await edit(VideoFile(assetId: film.video, subtitleAssetId: linked), ifVersion: 1)
            #expect(try await service.titles("人工校对") == ["一日"])
            #expect(try await service.titles("再次转写") == [])
            // Nobody deletes what a content shows.
            #expect(try await service.send(.delete, "/v1/assets/\(linked.lowercase)").status == .conflict)

            let other = try await service.subtitles(["换了内容"])
            try await service.database.superuser.query(
                """
                UPDATE content_assets a SET sha256 = b.sha256, object_id = b.object_id FROM content_assets b
                WHERE a.id = \(linked) AND b.id = \(other)
                """)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("换了内容") == ["一日"])
            #expect(try await service.titles("人工校对") == [])

            try await edit(VideoFile(assetId: film.video), ifVersion: 2)
            #expect(try await service.titles("再次转写") == ["一日"])
            #expect(try await service.send(.delete, "/v1/assets/\(second.lowercase)").status == .noContent)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("再次转写") == [])
            #expect(try await service.titles("第一次听写") == ["一日"])
            try await edit(VideoFile(), ifVersion: 3)
            #expect(try await service.titles("第一次听写") == [])
        }
    }

    /// What a video was made from says the same, and what was burnt into it says it as it was burnt.
    @Test func whatWasMadeFromAVideoSaysTheSame() async throws {
        try await ContentCenterHarness.run { service in
            let source = try await service.upload(SampleFiles.movie("isom"), as: "源.mp4", "video/mp4").id
            let smaller = try await service.made(.transcode, from: source)
            let film = try await service.film("成片", showing: smaller)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("两小时补涂") == [])
            _ = try await service.hear(["两小时补涂"], in: source)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("两小时补涂") == ["成片"])

            let edited = try await service.subtitles(["三小时补涂"])
            let burnt = try await service.made(.burnSubtitle, from: smaller, params: MediaJobParams(subtitleAssetId: edited))
            let patch = ContentPatch(body: ContentBodyPatch(video: VideoFile(assetId: burnt)))
            #expect(try await service.patch(film.content, patch, ifVersion: 1).status == .ok)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("三小时补涂") == ["成片"])
            #expect(try await service.titles("“两小时补涂”") == [])
        }
    }

    @Test func onlySubtitlesOfTheTenantAreLinked() async throws {
        try await ContentCenterHarness.run { service in
            let picture = try await service.upload(SampleFiles.png, as: "a.png", "image/png").id
            let text = try await service.upload(Array("文字".utf8), as: "a.txt", "text/plain").id
            let foreign = try await service.subtitles(["别家的"], tenant: UUID())
            for id in [picture, text, foreign, UUID()] {
                let body = VideoBody(
                    topic: "a", platform: .douyin, title: "a", text: "", hashtags: [], video: VideoFile(subtitleAssetId: id))
                let draft = NewContent(step: "v", title: "a", body: .video(body), source: VersionSource(kind: .human))
                let answer = try await service.send(.post, "/v1/contents", body: JSON.encode(draft))
                #expect(try answer.problem().errors?.map(\.pointer) == ["/body/video/subtitleAssetId"])
            }
            #expect(try await service.count("contents") == 0)
        }
    }

    /// A store that is away keeps nobody's texts out of the index; the file is read when it is back.
    @Test func aFileThatCannotBeReadIsReadLater() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.film("一日", saying: ["补涂防晒"])
            _ = try await service.film("没有话", saying: [], raw: "WEBVTT\n\nno times at all")
            let kept = service.directory.appending(path: "kept")
            let away = service.directory.appending(path: "away")
            try FileManager.default.moveItem(at: kept, to: away)
            try Data().write(to: kept)
            try await service.indexer.takeIn()
            #expect(Set(try await service.titles("一日")) == ["一日"])
            #expect(try await service.titles("补涂防晒") == [])
            #expect(try await service.count("search_changes") == 2)
            try FileManager.default.removeItem(at: kept)
            try FileManager.default.moveItem(at: away, to: kept)
            try await service.database.setClock(offset: .seconds(60))
            try await service.indexer.takeInAll()
            #expect(try await service.titles("补涂防晒") == ["一日"])
            #expect(try await service.count("search_changes") == 0)
            #expect(try await service.count("subtitle_texts") == 2)
        }
    }

    @Test func aRebuildFindsItAgain() async throws {
        try await ContentCenterHarness.run { service in
            _ = try await service.film("一日", saying: ["补涂防晒"])
            try await service.indexer.takeInAll()
            try await service.database.superuser.query("DELETE FROM search_documents")
            try await service.database.superuser.query("DELETE FROM subtitle_texts")
            #expect(try await service.titles("补涂防晒") == [])
            #expect(try await service.indexer.listAll(of: nil) == 1)
            try await service.indexer.takeInAll()
            #expect(try await service.titles("补涂防晒") == ["一日"])
        }
    }

    /// What is said is part of what a content means: with other subtitles its vector is asked for anew.
    @Test func whatIsSaidIsPartOfTheMeaning() async throws {
        try await ContentCenterHarness.run { service in
            func pending() async throws -> [SemanticText] {
                try await service.send(.get, "/v1/search/vectors/pending?model=m").decode(SemanticPending.self).items
            }
            let film = try await service.film("一日", saying: ["补涂防晒"])
            try await service.indexer.takeInAll()
            #expect(try await pending().map(\.text) == ["一日\n旅行\n补涂防晒"])
            let vector = MeaningVectorTests.base64([Float](repeating: 1, count: 16))
            let vectors = SemanticVectors(
                model: "m", items: [SemanticVector(contentId: film.content, version: 1, vector: vector)])
            #expect(try await service.send(.put, "/v1/search/vectors", body: JSON.encode(vectors)).status == .noContent)
            _ = try await service.indexer.listAll(of: nil)
            try await service.indexer.takeInAll()
            #expect(try await pending().isEmpty)
            _ = try await service.hear(["再次转写"], in: film.video)
            try await service.indexer.takeInAll()
            #expect(try await pending().map { $0.text.contains("再次转写") } == [true])
        }
    }
}

extension ContentCenterHarness {
    /// A subtitle file.
    fileprivate func subtitles(_ lines: [String], tenant: UUID = tenant) async throws -> UUID {
        let cues = lines.enumerated().map {
            SubtitleCue(startMilliseconds: $0 * 1_000, endMilliseconds: $0 * 1_000 + 900, lines: [$1])
        }
        return try await upload(Array(SubtitleForm.vtt.text(of: cues).utf8), as: "a.vtt", "text/vtt", tenant: tenant).id
    }

    /// A content with a video in which that is heard.
    fileprivate func film(
        _ title: String, saying lines: [String] = [], raw: String? = nil, showing video: UUID? = nil, file: String? = nil
    ) async throws -> (content: UUID, video: UUID) {
        let shown: UUID
        if let video {
            shown = video
        } else {
            shown = try await upload(SampleFiles.movie("isom"), as: file ?? "\(title).mp4", "video/mp4").id
        }
        if let raw {
            _ = try await job(.subtitle, from: shown, made: upload(Array(raw.utf8), as: "a.vtt", "text/vtt").id, kind: .vtt)
        } else if !lines.isEmpty {
            _ = try await hear(lines, in: shown)
        }
        let body = VideoBody(
            topic: "旅行", platform: .douyin, title: title, text: "", hashtags: [], video: VideoFile(assetId: shown))
        let draft = NewContent(step: "video", title: title, body: .video(body), source: VersionSource(kind: .human))
        return (try await create(draft).id, shown)
    }

    /// As if a job had heard it.
    @discardableResult
    func hear(_ lines: [String], in video: UUID) async throws -> UUID {
        try await job(.subtitle, from: video, made: subtitles(lines), kind: .vtt)
    }

    /// As if a job had made a video.
    fileprivate func made(_ type: MediaJobType, from video: UUID, params: MediaJobParams? = nil) async throws -> UUID {
        let asset = try await upload(SampleFiles.movie("isom"), as: "\(type.rawValue).mp4", "video/mp4").id
        return try await job(type, from: video, made: asset, kind: .mp4, params: params)
    }

    private func job(
        _ type: MediaJobType, from video: UUID, made asset: UUID, kind: MediaOutputKind, params: MediaJobParams? = nil
    ) async throws -> UUID {
        let id = try await orderMedia(MediaJobRequest(type: type == .subtitle ? .probe : type, assetId: video, params: params))
            .decode(MediaJobAccepted.self).jobId
        try await database.superuser.query("UPDATE media_jobs SET type = \(type.rawValue) WHERE id = \(id)")
        try await database.superuser.query(
            """
            INSERT INTO media_outputs (tenant_id, job_id, kind, name, position, asset_id, details)
            VALUES (\(Self.tenant), \(id), \(kind.rawValue), 'x', 0, \(asset), '{}')
            """)
        return asset
    }
}
