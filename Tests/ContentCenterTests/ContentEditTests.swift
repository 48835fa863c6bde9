import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Testing

@testable import ContentCenter

/// The second edit (二次编辑): `PATCH /v1/contents/{id}` and `GET /v1/contents/{id}/versions`.
@Suite struct ContentEditTests {
    @Test func anOlderVersionIsTheNewestAgain() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let path = "/v1/contents/\(content.id.lowercase)"
            #expect(try await service.patch(content.id, ContentPatch(title: "二"), ifVersion: 1).status == .ok)
            let first = try await service.send(.get, "\(path)/versions/1").decode(ContentVersion.self)
            #expect(first.title == content.title && first.body == content.body && first.restoredFrom == nil)
            func restore(_ version: String, tag: String?, operation: UUID? = nil) async throws -> TestResponse {
                let headers: HTTPHeaders = tag.map { ["If-Match": "\"\($0)\""] } ?? [:]
                return try await service.send(
                    .post, "\(path)/versions/\(version)/restore", subject: "user-2", operation: operation, headers: headers)
            }
            #expect(try await restore("1", tag: nil).problem().code == "content.version_required")
            #expect(try await restore("1", tag: "1").problem().code == "content.version_conflict")
            for version in ["3", "0", "x", "99999999999"] {
                #expect(try await restore(version, tag: "2").status == .notFound)
                #expect(try await service.send(.get, "\(path)/versions/\(version)").status == .notFound)
            }
            let missing = try await service.send(.get, "\(path)/versions/99").problem()
            #expect(missing.code == "content.version_not_found" && missing.title == "内容没有这个版本")
            #expect(try await service.send(.get, "\(path)/versions/1", tenant: UUID()).problem().code == "content.not_found")
            let operation = UUID()
            for _ in 0..<2 {
                let third = try await restore("1", tag: "2", operation: operation).decode(Content.self)
                #expect(third.version == 3 && third.title == content.title && third.body == content.body)
                #expect(third.source == content.source && third.author == "user-2")
            }
            let kept = try await service.send(.get, "\(path)/versions/3").decode(ContentVersion.self)
            #expect(kept.restoredFrom == 1 && kept.source == content.source)
            // It says so already.
            #expect(try await restore("1", tag: "3").decode(Content.self).version == 3)
            #expect(try await service.send(.get, "\(path)/versions/1", tenant: UUID()).status == .notFound)
            #expect(
                try await service.events().map(\.type).suffix(2).map { $0.hasPrefix("content.version.created") } == [true, true])
        }
    }

    @Test func anEditMakesTheNextVersionByAPerson() async throws {
        try await ContentCenterHarness.run { service in
            let before = try await service.create()
            let response = try await service.patch(
                before.id,
                ContentPatch(
                    title: "新名字", candidates: [.init(title: "3 个细节看懂猫砂盆"), .init(title: "我自己写的")], selected: .value(1)),
                ifVersion: 1)
            #expect(response.status == .ok)
            #expect(response.headers["ETag"] == "\"2\"")
            let after = try response.decode(Content.self)
            #expect(after.version == 2)
            #expect(after.title == "新名字")
            #expect(after.author == "user-1")
            #expect(after.source == VersionSource(kind: .human))
            #expect(after.titles?.candidates.map(\.score) == [81, nil])
            #expect(after.titles?.selected == 1)
            #expect(after.createdAt == before.createdAt)
            #expect(try await service.send(.get, "/v1/contents/\(before.id.lowercase)").decode(Content.self) == after)

            let events = try await service.events()
            #expect(events.map(\.type) == [ContentDraftCreated.type, ContentVersionCreated.type])
            #expect(events.map(\.version) == [1, 2])
            #expect(events[1].subject == before.id.lowercase)
            #expect(
                try events[1].decode(ContentVersionCreated.self)
                    == ContentVersionCreated(contentId: before.id, kind: "title_set", status: .draft, version: 2, title: "新名字"))
        }
    }

    @Test func historyKeepsEveryVersionAsItWas() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            for version in 1...6 {
                #expect(
                    try await service.patch(content.id, ContentPatch(title: "v\(version + 1)"), ifVersion: version).status == .ok)
            }
            var path = "/v1/contents/\(content.id.lowercase)/versions?limit=3"
            var versions: [ContentVersion] = []
            while true {
                let page = try await service.send(.get, path).decode(Page<ContentVersion>.self)
                versions += page.items
                guard let cursor = page.nextCursor else { break }
                path = "/v1/contents/\(content.id.lowercase)/versions?limit=3&cursor=\(cursor)"
            }
            #expect(versions.map(\.version) == [7, 6, 5, 4, 3, 2, 1])
            #expect(versions.map(\.title) == ["v7", "v6", "v5", "v4", "v3", "v2", "猫砂盆"])
            #expect(versions.last?.source == NewContent.sample.source)
            #expect(versions.last?.body == content.body)
        }
    }

    @Test func ofFiftyParallelEditsOneWins() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        try await service.patch(content.id, ContentPatch(title: "editor \(index)"), ifVersion: 1).status.code
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 1, 412: 49])
            let history = try await service.send(.get, "/v1/contents/\(content.id.lowercase)/versions")
                .decode(Page<ContentVersion>.self)
            #expect(history.items.map(\.version) == [2, 1])
            #expect(try await service.events().count == 2)
        }
    }

    @Test func anEditNamesTheVersionItEdits() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let path = "/v1/contents/\(content.id.lowercase)"
            func edit(_ header: String?) async throws -> HTTPStatus {
                let headers: HTTPHeaders = header.map { ["If-Match": $0] } ?? [:]
                return try await service.send(.patch, path, headers: headers, body: Array(#"{"title": "x"}"#.utf8)).status
            }
            #expect(try await edit(nil) == .preconditionRequired)
            #expect(try await edit("1") == .unprocessableContent)
            #expect(try await edit("*") == .unprocessableContent)
            #expect(try await edit(#""0""#) == .preconditionFailed)
            #expect(try await edit(#""2""#) == .preconditionFailed)
            #expect(try await edit(#"W/"1""#) == .preconditionFailed)
            #expect(try await service.count("content_versions") == 1)
            #expect(try await edit(#""9", "1""#) == .ok)
        }
    }

    @Test func aPatchThatChangesNothingMakesNoVersion() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            for patch in [ContentPatch(), ContentPatch(title: content.title)] {
                let response = try await service.patch(content.id, patch, ifVersion: 1)
                #expect(response.status == .ok)
                #expect(response.headers["ETag"] == "\"1\"")
            }
            #expect(try await service.patch(content.id, ContentPatch(), ifVersion: 2).status == .preconditionFailed)
            #expect(try await service.events().count == 1)
        }
    }

    @Test func aRepeatedEditFindsItsVersion() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let content = try await service.create()
            let first = try await service.patch(content.id, ContentPatch(title: "一"), ifVersion: 1, operation: operation)
            #expect(try await service.patch(content.id, ContentPatch(title: "二"), ifVersion: 2).status == .ok)
            let repeated = try await service.patch(content.id, ContentPatch(title: "一"), ifVersion: 1, operation: operation)
            #expect(repeated.status == .ok)
            #expect(repeated.body == first.body)
            #expect(try await service.count("content_versions") == 3)

            let other = try await service.create()
            let reused = try await service.patch(other.id, ContentPatch(title: "三"), ifVersion: 1, operation: operation)
            #expect(reused.status == .conflict)
            #expect(try reused.problem().code == "operation.reused")
            #expect(try await service.send(.get, "/v1/contents/\(other.id.lowercase)").decode(Content.self) == other)
        }
    }

    @Test func tellsWhereAChoicePointsPastTheCandidates() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let response = try await service.patch(content.id, ContentPatch(selected: .value(2)), ifVersion: 1)
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().errors?.map(\.pointer) == ["/selected"])
            #expect(try await service.count("content_versions") == 1)
        }
    }

    @Test func aMergePatchMediaTypeIsUnderstoodAndAForeignOneIsNot() async throws {
        try await ContentCenterHarness.run { service in
            let path = "/v1/contents/\(try await service.create().id.lowercase)"
            let body = Array(#"{"title": "x"}"#.utf8)
            var headers: HTTPHeaders = ["If-Match": "\"1\"", "Content-Type": "application/merge-patch+json"]
            #expect(try await service.send(.patch, path, headers: headers, body: body).status == .ok)
            headers["Content-Type"] = "text/plain"
            #expect(try await service.send(.patch, path, headers: headers, body: body).status == .unsupportedMediaType)
        }
    }
}
