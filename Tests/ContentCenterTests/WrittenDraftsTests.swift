import DTO
import Foundation
import HTTPCore
import HTTPServing
import Testing

@testable import ContentCenter

/// `POST /v1/drafts`: contents that a person writes.
@Suite struct WrittenDraftsTests {
    private static let bodies: [(ContentKind, NewDraftBody)] =
        [
            (.titleSet, .titleSet(NewTitleSet(topic: "猫", platform: .douyin, candidates: [.init(title: "一")], selected: 0))),
            (.video, .other(.video(video(nil)))),
            (
                .replyTemplate,
                .other(
                    .replyTemplate(
                        ReplyTemplateBody(
                            scene: "询价", text: "{{称呼}}您好", variables: [ReplyVariable(name: "称呼", fallback: "亲")])))
            ),
        ] + ContentKindsTests.drafts.dropFirst().map { ($0.kind, .other($0.body)) }

    private static func video(_ asset: UUID?) -> VideoBody {
        VideoBody(
            topic: "猫", platform: .douyin, title: "猫的一天", text: "", hashtags: [],
            video: VideoFile(assetId: asset, coverAssetId: nil, subtitleAssetId: nil, scriptId: nil))
    }

    @Test(arguments: bodies) func everyKindIsWrittenByAPerson(kind: ContentKind, body: NewDraftBody) async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let draft = try JSON.encode(NewDraft(title: "手写", body: body))
            let response = try await service.send(.post, "/v1/drafts", operation: operation, body: draft)
            #expect(response.status == .created)
            #expect(response.headers["ETag"] == "\"1\"")
            let content = try response.decode(Content.self)
            #expect(response.headers["Location"] == "/v1/contents/\(content.id.lowercase)")
            #expect(content.kind == kind && content.status == .draft && content.author == "user-1")
            #expect(content.source == VersionSource(kind: .human))
            if let titles = content.titles { #expect(titles.candidates == [TitleSetEdit.written("一")]) }
            // The gateway sends a write whose answer got lost again.
            let again = try await service.send(.post, "/v1/drafts", operation: operation, body: draft)
            #expect(try again.decode(Content.self) == content)
            #expect(try await service.count("contents") == 1)
        }
    }

    @Test func aPersonsHashtagsStandWithoutTheirMarkAndOnce() async throws {
        try await ContentCenterHarness.run { service in
            let copy = CopyBody(
                topic: "露营", platform: .douyin, text: "正文", hashtags: ["#露营", "a b", "露营", "露营"], callToAction: nil)
            let draft = try JSON.encode(NewDraft(title: "手写", body: .other(.copy(copy))))
            let answer = try await service.send(.post, "/v1/drafts", body: draft)
            #expect(try answer.problem().errors?.map(\.pointer) == [0, 1, 3].map { "/body/hashtags/\($0)" })
            // What a flow hands in is kept, and read, as it is.
            let kept = try await service.create(
                NewContent(step: "copy", title: "模型", body: .copy(copy), source: VersionSource(kind: .model, name: "m")))
            #expect(try await service.send(.get, "/v1/contents/\(kept.id.lowercase)").decode(Content.self).body == .copy(copy))
            #expect(try await service.patch(kept.id, ContentPatch(title: "二"), ifVersion: 1).status == .ok)
        }
    }

    @Test(arguments: [
        (#""source":{"kind":"model","name":"m"},"body":{"scene":"a","text":"b","variables":[]}"#, ["/source"]),
        (#""step":"copy","body":{"scene":"a","text":"b","variables":[]}"#, ["/step"]),
        (#""body":{"scene":"","text":1,"variables":[]}"#, ["/body/scene", "/body/text"]),
        (#""body":{"scene":"a","text":"b","variables":[],"slots":[]}"#, ["/body/slots"]),
        (#""groupId":"1""#, ["/body", "/groupId"]),
    ])
    func badInputIsNamed(members: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let body = #"{"kind":"reply_template","title":"回复","# + members + "}"
            let response = try await service.send(.post, "/v1/drafts", body: Array(body.utf8))
            #expect(response.status == .unprocessableContent)
            #expect(Set(try response.problem().errors?.map(\.pointer) ?? []) == Set(pointers))
            #expect(try await service.count("contents") == 0)
        }
    }

    @Test func aScoreIsNoPersonsToGive() async throws {
        try await ContentCenterHarness.run { service in
            let body = #"""
                {"kind":"title_set","title":"标题","body":{"topic":"猫","platform":"douyin","candidates":
                [{"title":"一","score":99,"reasons":["好"],"formula":"number"},{"title":"二"},{"title":"二"}]}}
                """#
            let response = try await service.send(.post, "/v1/drafts", body: Array(body.utf8))
            let found = Set(try response.problem().errors?.map(\.pointer) ?? [])
            #expect(
                found
                    == ["score", "reasons", "formula"].reduce(into: ["/body/candidates/2/title"]) {
                        $0.insert("/body/candidates/0/\($1)")
                    }
            )
        }
    }

    @Test func aForeignFileIsRefused() async throws {
        try await ContentCenterHarness.run { service in
            let draft = NewDraft(title: "成片", body: .other(.video(Self.video(UUID()))))
            let response = try await service.send(.post, "/v1/drafts", body: try JSON.encode(draft))
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().errors?.map(\.pointer) == ["/body/video/assetId"])
        }
    }
}
