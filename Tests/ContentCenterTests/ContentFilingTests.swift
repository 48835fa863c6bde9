import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

@Suite struct ContentFilingTests {
    // MARK: Spaces and labels

    @Test func keepsContentsInSpacesUnderTopicsAndTags() async throws {
        try await ContentCenterHarness.run { service in
            let space = try await service.space("夏季防晒")
            let content = try await service.create()
            _ = try await service.create(.sample.named("别的"))
            let labels = #"{"spaceId": "\#(space.id.lowercase)", "topic": "防晒", "tags": ["夏季", "通勤"]}"#
            let labelled = try await service.label(content.id, labels)
            #expect(labelled.status == .ok)
            #expect(labelled.headers["ETag"] == "\"1.2\"")
            let after = try labelled.decode(Content.self)
            #expect(after.spaceId == space.id)
            #expect(after.topic == "防晒")
            #expect(after.tags == ["夏季", "通勤"])
            for query in ["spaceId=\(space.id.lowercase)", "topic=%E9%98%B2%E6%99%92", "tag=%E9%80%9A%E5%8B%A4"] {
                #expect(try await service.page("/v1/contents?\(query)").items.map(\.id) == [content.id], "\(query)")
            }
            #expect(try await service.page("/v1/contents?tag=x").items.isEmpty)
            // What is not named stays, null takes away, and no version is made.
            let cleared = try await service.label(content.id, #"{"topic": null}"#).decode(Content.self)
            #expect(cleared.spaceId == space.id)
            #expect(cleared.topic == nil)
            #expect(cleared.version == 1)
            #expect(cleared.tags == ["夏季", "通勤"])
            // The text may still be edited by whoever has read that version.
            let edited = try await service.patch(content.id, ContentPatch(title: "新"), ifVersion: 1)
            #expect(try edited.decode(Content.self).tags == ["夏季", "通勤"])
        }
    }

    /// Both have read the same tags: the second does not take away what the first has added.
    @Test func ofTwoWhoReplaceTheTagsTheSecondIsRefused() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            func label(_ tags: String, ifMatch tag: String) async throws -> TestResponse {
                try await service.send(
                    .patch, "/v1/contents/\(content.id.lowercase)/labels", headers: ["If-Match": tag],
                    body: Array(#"{"tags": [\#(tags)]}"#.utf8))
            }
            let first = try await label(#""a""#, ifMatch: "\"1\"")
            #expect(first.status == .ok)
            let second = try await label(#""b""#, ifMatch: "\"1\"")
            #expect(second.status == .preconditionFailed)
            #expect(try second.problem().code == "content.version_conflict")
            #expect(try await label(#""b""#, ifMatch: "x").status == .unprocessableContent)
            let tag = try #require(first.headers["ETag"])
            #expect(try await label(#""a", "b""#, ifMatch: tag).decode(Content.self).tags == ["a", "b"])
            #expect(try await label(#""c""#, ifMatch: "*").decode(Content.self).tags == ["c"])
        }
    }

    @Test func labelsLeaveAnApprovalStanding() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.approved()
            #expect(try await service.label(content.id, #"{"tags": ["a"]}"#).decode(Content.self).status == .approved)
        }
    }

    @Test(arguments: [
        (#"{"spaceId": "0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"}"#, ["/spaceId"]), (#"{"tags": ["a", "a"]}"#, ["/tags/1"]),
        (#"{"tags": null}"#, ["/tags"]), (#"{"topic": " "}"#, ["/topic"]), (#"{"spaceId": "x"}"#, ["/spaceId"]),
        (#"{"colour": 1}"#, ["/colour"]),
    ])
    func refusesBadLabels(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let answer = try await service.label(content.id, body)
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.map(\.pointer) == pointers)
        }
    }

    @Test func aSpaceHasANameOfItsOwnAndGoesOnlyWhenEmpty() async throws {
        try await ContentCenterHarness.run { service in
            let space = try await service.space("一")
            let path = "/v1/spaces/\(space.id.lowercase)"
            let taken = try await service.send(.post, "/v1/spaces", body: JSON.encode(NewContentSpace(name: "一")))
            #expect(taken.status == .conflict)
            let other = try await service.space("二")
            let renamed = try await service.send(
                .patch, "/v1/spaces/\(other.id.lowercase)", body: Array(#"{"name": "一"}"#.utf8))
            #expect(renamed.status == .conflict)
            let changed = try await service.send(.patch, path, body: Array(#"{"name": "三", "description": "话"}"#.utf8))
            #expect(try changed.decode(ContentSpace.self).description == "话")
            let cleared = try await service.send(.patch, path, body: Array(#"{"description": null}"#.utf8))
            #expect(try cleared.decode(ContentSpace.self).name == "三")
            #expect(try cleared.decode(ContentSpace.self).description == nil)

            let content = try await service.create()
            _ = try await service.label(content.id, #"{"spaceId": "\#(space.id.lowercase)"}"#)
            #expect(try await service.send(.delete, path).status == .conflict)
            #expect(try await service.bin(content.id).status == .noContent)
            #expect(try await service.send(.delete, path).status == .noContent)
            // What lay in the bin comes back without a space.
            #expect(try await service.restore(content.id).decode(Content.self).spaceId == nil)
            let left = try await service.send(.get, "/v1/spaces").decode(Page<ContentSpace>.self)
            #expect(left.items.map(\.name) == ["二"])
        }
    }

    @Test func aRepeatMakesOneSpace() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let body = try JSON.encode(NewContentSpace(name: "一"))
            let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await service.send(.post, "/v1/spaces", operation: operation, body: body).decode(ContentSpace.self).id
                    }
                }
                return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
    }

    // MARK: The bin

    @Test func whatIsInTheBinIsGoneUntilItIsTakenBack() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let path = "/v1/contents/\(content.id.lowercase)"
            #expect(try await service.bin(content.id).status == .noContent)
            let gone = [
                try await service.send(.get, path), try await service.send(.get, path + "/versions"),
                try await service.send(.get, path + "/comments"), try await service.send(.get, path + "/reviews"),
                try await service.patch(content.id, ContentPatch(title: "x"), ifVersion: 1), try await service.bin(content.id),
                try await service.review(content.id, .submit, tag: "1"), try await service.label(content.id, "{}"),
            ]
            #expect(gone.map(\.status) == Array(repeating: .notFound, count: gone.count))
            #expect(try await service.page("/v1/contents").items.isEmpty)
            let bin = try await service.page("/v1/contents?deleted=true").items
            #expect(bin.map(\.id) == [content.id])
            #expect(bin.first?.deletedAt != nil)

            let back = try await service.restore(content.id)
            #expect(try back.decode(Content.self).body == content.body)
            // Again: it stays as it is.
            #expect(try await service.restore(content.id).headers["ETag"] == back.headers["ETag"])
            #expect(try await service.page("/v1/contents?deleted=true").items.isEmpty)
            let events = try await service.events()
            #expect(events.map(\.type) == [ContentDraftCreated.type, ContentBinned.deletedType, ContentBinned.restoredType])
            #expect(events.map(\.version) == [1, 2, 3])
        }
    }

    @Test func theBinIsEmptiedAfterThirtyDays() async throws {
        try await ContentCenterHarness.run { service in
            let (old, kept) = (try await service.create(), try await service.create())
            _ = try await service.comment(NewContentComment(text: "一"), on: old.id)
            #expect(try await service.review(old.id, .submit, tag: "1").status == .ok)
            for id in [old.id, kept.id] { #expect(try await service.bin(id).status == .noContent) }
            let stranger = try await service.create(tenant: UUID())
            #expect(try await BinSweeper.sweep(using: service.database.system) == 0)
            try await service.database.setClock(offset: .seconds(31 * 86_400))
            _ = try await service.restore(kept.id)
            #expect(try await BinSweeper.sweep(using: service.database.system) == 1)
            #expect(try await service.restore(old.id).status == .notFound)
            for (table, count) in [("contents", 2), ("content_versions", 2), ("content_comments", 0), ("content_reviews", 0)] {
                #expect(try await service.count(table) == count, "\(table)")
            }
            _ = stranger
        }
    }

    @Test func whatIsBeingPublishedStays() async throws {
        try await ContentCenterHarness.run { service in
            for status in PublishStanding.open {
                let content = try await service.create()
                _ = try await service.database.superuser.query(
                    "UPDATE contents SET status = \(status.rawValue) WHERE id = \(content.id)")
                #expect(try await service.bin(content.id).status == .conflict)
            }
        }
    }

    @Test func anotherTenantFindsNothing() async throws {
        try await ContentCenterHarness.run { service in
            let space = try await service.space("一")
            let content = try await service.create()
            let (contents, spaces) = ("/v1/contents/\(content.id.lowercase)", "/v1/spaces/\(space.id.lowercase)")
            let body = Array("{}".utf8)
            let answers = [
                try await service.send(.delete, contents, tenant: UUID()),
                try await service.send(.patch, contents + "/labels", tenant: UUID(), body: body),
                try await service.send(.post, contents + "/restore", tenant: UUID()),
                try await service.send(.get, spaces, tenant: UUID()), try await service.send(.delete, spaces, tenant: UUID()),
                try await service.send(.patch, spaces, tenant: UUID(), body: body),
            ]
            #expect(answers.map(\.status) == Array(repeating: .notFound, count: answers.count))
            // A space of another tenant is no place for one's own content.
            let stranger = UUID()
            let own = try await service.create(tenant: stranger)
            let foreign = try await service.send(
                .patch, "/v1/contents/\(own.id.lowercase)/labels", tenant: stranger,
                body: Array(#"{"spaceId": "\#(space.id.lowercase)"}"#.utf8))
            #expect(foreign.status == .unprocessableContent)
        }
    }

    // MARK: Kinds and sources

    @Test func aVideoIsFinishedWithItsFileAndAReplyAsksOnlyForWhatItHas() async throws {
        try await ContentCenterHarness.run { service in
            let script = try await service.create(ContentKindsTests.script)
            let video = VideoBody(
                topic: "猫砂盆", platform: .douyin, title: "三步选好猫砂盆", text: "", hashtags: ["猫"],
                video: VideoFile(scriptId: script.id))
            let made = try await service.create(
                NewContent(
                    step: "video", title: "成片", body: .video(video), source: VersionSource(kind: .replication, name: "hot")))
            #expect(made.completeness == .draft)
            #expect(made.source.kind == .replication)
            #expect(try await service.page("/v1/contents?kind=video").items.map(\.id) == [made.id])
            let unknown = try await service.patch(
                made.id, ContentPatch(body: ContentBodyPatch(video: VideoFile(assetId: UUID()))), ifVersion: 1)
            #expect(try unknown.problem().errors?.map(\.pointer) == ["/body/video/assetId"])
            // A script of the tenant: no other content, no other tenant's.
            let title = try await service.create()
            let theirs = try await service.create(ContentKindsTests.script, tenant: UUID())
            for id in [UUID(), title.id, theirs.id] {
                let patch = ContentPatch(body: ContentBodyPatch(video: VideoFile(scriptId: id)))
                let refused = try await service.patch(made.id, patch, ifVersion: 1)
                #expect(try refused.problem().errors?.map(\.pointer) == ["/body/video/scriptId"])
                var body = video
                body.video.scriptId = id
                let draft = NewContent(
                    step: "video", title: "成片", body: .video(body), source: VersionSource(kind: .replication, name: "hot"))
                let answer = try await service.send(.post, "/v1/contents", body: JSON.encode(draft))
                #expect(try answer.problem().errors?.map(\.pointer) == ["/body/video/scriptId"])
            }
            let foreign = try await service.patch(made.id, ContentPatch(body: ContentBodyPatch(hook: "x")), ifVersion: 1)
            #expect(try foreign.problem().errors?.map(\.pointer) == ["/body/hook"])

            let reply = ReplyTemplateBody(
                scene: "询价", text: "{{称呼}}您好", variables: [ReplyVariable(name: "称呼", fallback: "亲")])
            let template = try await service.create(
                NewContent(step: "reply", title: "询价回复", body: .replyTemplate(reply), source: VersionSource(kind: .human)))
            let edited = try await service.patch(
                template.id, ContentPatch(body: ContentBodyPatch(text: "{{称呼}}您好，{{价格}}")), ifVersion: 1)
            #expect(try edited.problem().errors?.map(\.pointer) == ["/body/text"])
            let unused = try await service.patch(template.id, ContentPatch(body: ContentBodyPatch(text: "您好")), ifVersion: 1)
            #expect(try unused.problem().errors?.map(\.pointer) == ["/body/variables/0"])
            let export = try await service.send(.get, "/v1/contents/\(template.id.lowercase)/export")
            #expect(export.text.contains("称呼"))
        }
    }

    // MARK: Differences

    @Test func showsWhatChanged() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            _ = try await service.patch(content.id, ContentPatch(title: "猫砂盆二", selected: .value(1)), ifVersion: 1)
            let path = "/v1/contents/\(content.id.lowercase)/diff"
            let diff = try await service.send(.get, path + "?from=1&to=2").decode(ContentDiff.self)
            #expect(diff.fields.map(\.pointer) == ["/title", "/body/selected"])
            #expect(
                diff.fields.first?.runs == [
                    ContentTextRun(kind: .same, text: "猫砂盆"), ContentTextRun(kind: .added, text: "二"),
                ])
            #expect(diff.fields.last?.change == .added)
            let back = try await service.send(.get, path + "?from=2&to=1").decode(ContentDiff.self)
            #expect(back.fields.last?.change == .removed)
            for query in ["?from=1&to=9", "?from=9&to=1"] {
                let missing = try await service.send(.get, path + query)
                #expect(missing.status == .notFound)
                #expect(try missing.problem().code == "content.version_not_found", "\(query)")
            }
            #expect(try await service.send(.get, path + "?from=1&to=2", tenant: UUID()).status == .notFound)
            for (query, pointers) in [("from=1", ["?to"]), ("", ["?from", "?to"]), ("from=0&to=2", ["?from"])] {
                let answer = try await service.send(.get, path + "?" + query)
                #expect(try answer.problem().errors?.map(\.pointer) == pointers, "\(query)")
            }
        }
    }
}

extension ContentCenterHarness {
    func space(_ name: String) async throws -> ContentSpace {
        let answer = try await send(.post, "/v1/spaces", body: JSON.encode(NewContentSpace(name: name)))
        #expect(answer.status == .created)
        return try answer.decode(ContentSpace.self)
    }

    func label(_ id: UUID, _ body: String) async throws -> TestResponse {
        try await send(.patch, "/v1/contents/\(id.lowercase)/labels", body: Array(body.utf8))
    }

    func bin(_ id: UUID) async throws -> TestResponse { try await send(.delete, "/v1/contents/\(id.lowercase)") }

    func restore(_ id: UUID) async throws -> TestResponse { try await send(.post, "/v1/contents/\(id.lowercase)/restore") }
}
