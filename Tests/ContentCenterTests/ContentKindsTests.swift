import DTO
import Foundation
import HTTPCore
import HTTPServing
import Testing

@testable import ContentCenter

/// Contents of every kind through the service: saved, read, edited, grouped, versioned by flows.
@Suite struct ContentKindsTests {
    static let drafts: [NewContent] = [
        .sample,
        NewContent(
            step: "copy.douyin", title: "猫砂盆",
            body: .copy(
                CopyBody(
                    topic: "猫砂盆", platform: .douyin, text: "正文", hashtags: ["猫"], callToAction: "点赞",
                    brief: ContentBrief(audience: "新手", bannedWords: ["最好"]))),
            source: VersionSource(kind: .template, name: "t"), groupId: UUID()),
        NewContent(
            step: "image_text", title: "猫砂盆",
            body: .imageText(
                ImageTextBody(
                    topic: "猫砂盆", platform: .xiaohongshu, title: "三张图", text: "正文", hashtags: [],
                    slots: [ImageSlot(caption: "", alt: "", prompt: "a cat")])),
            source: VersionSource(kind: .model, name: "m")),
        NewContent(
            step: "video_script", title: "猫砂盆",
            body: .videoScript(
                VideoScriptBody(
                    topic: "猫砂盆", platform: .douyin, scriptType: .liveTeaser, durationSeconds: 10, hook: "别急",
                    scenes: [
                        VideoScene(
                            index: 1, startSecond: 0, durationSeconds: 10, shot: "特写", camera: "", visual: "猫", line: "你好",
                            subtitle: "", bgm: "", props: ["猫砂"])
                    ], cta: "关注", hashtags: [], totalSeconds: 10)),
            source: VersionSource(kind: .model, name: "m")),
    ]

    static var script: NewContent { drafts[3] }

    @Test(arguments: drafts) func everyKindIsSavedReadAndEdited(draft: NewContent) async throws {
        try await ContentCenterHarness.run { service in
            let saved = try await service.create(draft)
            #expect(saved.kind == draft.kind)
            #expect(saved.body == draft.body)
            #expect(saved.groupId == draft.groupId)
            #expect(saved.completeness == .draft)
            #expect(try await service.send(.get, "/v1/contents/\(saved.id.lowercase)").decode(Content.self) == saved)
            let patch =
                draft.kind == .titleSet
                ? ContentPatch(candidates: [.init(title: "新标题")]) : ContentPatch(body: ContentBodyPatch(hashtags: ["新"]))
            let edited = try await service.patch(saved.id, patch, ifVersion: 1)
            #expect(edited.status == .ok)
            #expect(try edited.decode(Content.self).version == 2)
            #expect(try edited.decode(Content.self).body != draft.body)
            // What the writer was asked for stays with the text.
            if case .copy(let before) = draft.body, case .copy(let after) = try edited.decode(Content.self).body {
                #expect(after.brief == before.brief)
            }
            let list = try await service.page("/v1/contents?kind=\(draft.kind.rawValue)")
            #expect(list.items.map(\.id) == [saved.id])
        }
    }

    @Test func aGroupListsItsOwn() async throws {
        try await ContentCenterHarness.run { service in
            let grouped = Self.drafts[1]
            let mine = try await service.create(grouped)
            _ = try await service.create()
            let group = try #require(grouped.groupId)
            #expect(try await service.page("/v1/contents?groupId=\(group.lowercase)").items.map(\.id) == [mine.id])
            #expect(try await service.page("/v1/contents?groupId=\(group.lowercase)", tenant: UUID()).items.isEmpty)
            let malformed = try await service.send(.get, "/v1/contents?groupId=1")
            #expect(try malformed.problem().errors?.map(\.pointer) == ["?groupId"])
        }
    }

    @Test(arguments: [
        (#"{"hook": ""}"#, 3, ["/body/hook"]),
        (
            #"{"scenes": [{"durationSeconds": 0, "shot": "", "camera": "", "visual": "", "line": "", "subtitle": "", "bgm": "", "props": []}]}"#,
            3, ["/body/scenes/0/durationSeconds", "/body/scenes/0/visual"]
        ),
        (#"{"scenes": []}"#, 3, ["/body/scenes"]),
        (#"{"text": "甲"}"#, 3, ["/body/text"]),
        (#"{"text": 3, "hashtags": [""], "colour": 1}"#, 1, ["/body/text", "/body/hashtags/0", "/body/colour"]),
        (##"{"hashtags": ["#露营", "＃露", "a b", "露营", "露营"]}"##, 1, [0, 1, 2, 4].map { "/body/hashtags/\($0)" }),
        (#"{"slots": [{"caption": "", "alt": "", "prompt": ""}]}"#, 2, ["/body/slots/0/prompt"]),
        (
            #"{"slots": [{"caption": "", "alt": "", "prompt": "a", "assetId": "11111111-1111-4111-8111-111111111111"}]}"#, 2,
            ["/body/slots/0/assetId"]
        ),
    ]) func badEditsPointAtTheField(body: String, kind: Int, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let saved = try await service.create(Self.drafts[kind])
            let answer = try await service.send(
                .patch, "/v1/contents/\(saved.id.lowercase)", headers: ["If-Match": "\"1\""],
                body: Array("{\"body\": \(body)}".utf8))
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.map(\.pointer) == pointers)
            #expect(try await service.count("content_versions") == 1)
        }
    }

    @Test func aScriptWithAGapIsNotSaved() async throws {
        try await ContentCenterHarness.run { service in
            var draft = Self.drafts[3]
            guard case .videoScript(var script) = draft.body else { return #expect(draft.kind == .videoScript) }
            script.scenes.append(script.scenes[0])
            script.scenes[1].index = 2
            script.scenes[1].startSecond = 11
            draft.body = .videoScript(script)
            let answer = try await service.send(.post, "/v1/contents", body: JSON.encode(draft))
            #expect(try answer.problem().errors?.map(\.pointer) == ["/body/scenes/1/startSecond"])
        }
    }

    @Test func aFlowWritesTheNextVersionOnce() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let saved = try await service.create(Self.drafts[1])
            let path = "/v1/contents/\(saved.id.lowercase)/versions"
            let next = NewVersion(
                step: "regenerate",
                body: .copy(CopyBody(topic: "猫砂盆", platform: .douyin, text: "改写", hashtags: [])),
                source: VersionSource(kind: .model, name: "m"))
            func write(_ version: NewVersion, ifMatch: String?, operation: UUID?) async throws -> TestResponse {
                let headers: HTTPHeaders = ifMatch.map { ["If-Match": $0] } ?? [:]
                return try await service.send(
                    .post, path, operation: operation, headers: headers, body: try JSON.encode(version))
            }
            #expect(try await write(next, ifMatch: nil, operation: operation).status == .preconditionRequired)
            let written = try await write(next, ifMatch: "\"1\"", operation: operation)
            #expect(written.status == .ok)
            let content = try written.decode(Content.self)
            #expect(content.version == 2)
            #expect(content.source.kind == .model)
            #expect(content.groupId == saved.groupId)
            #expect(try await write(next, ifMatch: "\"1\"", operation: operation).body == written.body)
            #expect(try await write(next, ifMatch: "\"1\"", operation: UUID()).status == .preconditionFailed)
            let other = NewVersion(step: "regenerate", body: Self.drafts[0].body, source: next.source)
            #expect(try await write(other, ifMatch: "\"2\"", operation: UUID()).problem().errors?.map(\.pointer) == ["/kind"])
            #expect(try await service.count("content_versions") == 2)
        }
    }
}

/// `POST /v1/assets` and `GET /v1/assets/{id}/content`.
@Suite struct AssetsTests {
    /// The first bytes tell a PNG.
    static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]

    @Test func aPictureIsKeptOncePerTenant() async throws {
        try await ContentCenterHarness.run { service in
            func keep(_ tenant: UUID = ContentCenterHarness.tenant) async throws -> Asset {
                let answer = try await service.send(
                    .post, "/v1/assets", tenant: tenant, headers: ["Content-Type": "image/png"], body: Self.png)
                #expect(answer.status == .created)
                return try answer.decode(Asset.self)
            }
            let first = try await keep()
            #expect(first.size == 11)
            #expect(first.sha256.count == 64)
            #expect(try await keep() == first)
            let other = try await keep(UUID())
            #expect(other.id != first.id)
            #expect(other.sha256 == first.sha256)

            let path = "/v1/assets/\(first.id.lowercase)/content"
            let read = try await service.send(.get, path)
            #expect(read.status == .ok)
            #expect(read.body == Self.png)
            #expect(read.headers["Content-Type"] == "image/png")
            #expect(try await service.send(.get, path, headers: ["If-None-Match": "\"\(first.sha256)\""]).status == .notModified)
            #expect(try await service.send(.get, path, tenant: UUID()).status == .notFound)
            #expect(try await service.send(.get, "/v1/assets/\(other.id.lowercase)/content").status == .notFound)
            #expect(try await service.send(.get, "/v1/assets/x/content").status == .notFound)
            #expect(try await service.send(.get, path, scopes: []).status == .forbidden)
        }
    }

    @Test func onlyPicturesThatAreWhatTheySayAreKept() async throws {
        try await ContentCenterHarness.run { service in
            func keep(_ type: String, _ bytes: [UInt8]) async throws -> HTTPStatus {
                try await service.send(.post, "/v1/assets", headers: ["Content-Type": type], body: bytes).status
            }
            let statuses = [
                try await keep("image/svg+xml", Array("<svg/>".utf8)), try await keep("image/jpeg", Self.png),
                try await keep("image/png", Array("<html>".utf8)),
                try await keep("image/png", Self.png + Array(repeating: 0, count: 8 << 20)),
            ]
            #expect(statuses == [.unsupportedMediaType, .unprocessableContent, .unprocessableContent, .contentTooLarge])
            #expect(try await service.count("content_assets") == 0)
        }
    }

    @Test func aSlotShowsOnlyTheTenantsOwnPictures() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.send(.post, "/v1/assets", headers: ["Content-Type": "image/png"], body: Self.png)
                .decode(Asset.self)
            var draft = ContentKindsTests.drafts[2]
            guard case .imageText(var body) = draft.body else { return #expect(draft.kind == .imageText) }
            body.slots[0].assetId = asset.id
            draft.body = .imageText(body)
            let saved = try await service.create(draft)
            #expect(saved.completeness == .finished)
            #expect(try await service.page("/v1/contents?completeness=finished").items.map(\.id) == [saved.id])
            #expect(try await service.page("/v1/contents?completeness=draft").items.isEmpty)
            let foreign = try await service.send(.post, "/v1/contents", tenant: UUID(), body: JSON.encode(draft))
            #expect(foreign.status == .unprocessableContent)
            #expect(try foreign.problem().errors?.map(\.pointer) == ["/body/slots/0/assetId"])
        }
    }
}
