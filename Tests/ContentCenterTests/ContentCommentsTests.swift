import DTO
import Foundation
import HTTPCore
import HTTPServing
import Testing

@testable import ContentCenter

@Suite struct ContentCommentsTests {
    @Test func isSaidAboutAPlaceSettledAndOpenedAgain() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let path = "/v1/contents/\(content.id.lowercase)/comments"
            let first = try await service.comment(
                NewContentComment(text: "换个说法", pointer: "/body/candidates/1/title"), on: content.id)
            #expect(first.version == 1)
            #expect(first.pointer == "/body/candidates/1/title")
            #expect(try await service.patch(content.id, ContentPatch(title: "新"), ifVersion: 1).status == .ok)
            let second = try await service.comment(NewContentComment(text: "好多了"), on: content.id)
            #expect(second.version == 2)

            let resolved = try await service.send(.post, "\(path)/\(first.id.lowercase)/resolve", subject: "user-2")
            #expect(try resolved.decode(ContentComment.self).resolvedBy == "user-2")
            // Who settled it first did.
            let again = try await service.send(.post, "\(path)/\(first.id.lowercase)/resolve", subject: "user-3")
            #expect(try again.decode(ContentComment.self) == resolved.decode(ContentComment.self))
            #expect(try await service.comments(path).map(\.id) == [first.id, second.id])
            #expect(try await service.comments(path + "?resolved=true").map(\.id) == [first.id])
            #expect(try await service.comments(path + "?resolved=false").map(\.id) == [second.id])
            let reopened = try await service.send(.post, "\(path)/\(first.id.lowercase)/reopen")
            #expect(try reopened.decode(ContentComment.self) == first)
        }
    }

    @Test func onlyItsAuthorOrAReviewerDeletesIt() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let path = "/v1/contents/\(content.id.lowercase)/comments"
            let mine = try await service.comment(NewContentComment(text: "一"), on: content.id)
            let other = try await service.comment(NewContentComment(text: "二"), on: content.id)
            #expect(try await service.send(.delete, "\(path)/\(mine.id.lowercase)", subject: "user-2").status == .forbidden)
            #expect(try await service.send(.delete, "\(path)/\(mine.id.lowercase)").status == .noContent)
            #expect(try await service.send(.delete, "\(path)/\(mine.id.lowercase)").status == .notFound)
            let scopes = ["contents:write", "contents:approve"]
            let byReviewer = try await service.send(
                .delete, "\(path)/\(other.id.lowercase)", subject: "boss", scopes: scopes)
            #expect(byReviewer.status == .noContent)
            #expect(try await service.comments(path).isEmpty)
        }
    }

    @Test(arguments: [
        (#"{}"#, ["/text"]), (#"{"text": " "}"#, ["/text"]), (#"{"text": "a", "version": 2}"#, ["/version"]),
        (#"{"text": "a", "pointer": "/body/nothing"}"#, ["/pointer"]),
        (#"{"text": "a", "pointer": "/body/candidates/01"}"#, ["/pointer"]),
        (#"{"text": "a", "pointer": "/author"}"#, ["/pointer"]), (#"{"text": "a", "pointer": "body"}"#, ["/pointer"]),
        (#"{"text": "a", "colour": 1}"#, ["/colour"]),
    ])
    func refusesABadOneAndStoresNothing(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let answer = try await service.send(
                .post, "/v1/contents/\(content.id.lowercase)/comments", body: Array(body.utf8))
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.map(\.pointer) == pointers)
            #expect(try await service.count("content_comments") == 0)
        }
    }

    @Test func aRepeatIsSaidOnce() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let operation = UUID()
            let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await service.comment(NewContentComment(text: "一次"), on: content.id, operation: operation).id
                    }
                }
                return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
    }

    @Test func pagesGoOnAndAnotherTenantFindsNothing() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            var made: [UUID] = []
            for index in 0..<5 {
                made.append(try await service.comment(NewContentComment(text: "\(index)"), on: content.id).id)
            }
            let path = "/v1/contents/\(content.id.lowercase)/comments"
            let first = try await service.send(.get, path + "?limit=3").decode(Page<ContentComment>.self)
            let cursor = try #require(first.nextCursor)
            let rest = try await service.send(.get, path + "?limit=3&cursor=\(cursor)").decode(Page<ContentComment>.self)
            #expect(first.items.map(\.id) + rest.items.map(\.id) == made)
            #expect(rest.nextCursor == nil)

            let comment = "\(path)/\(made[0].lowercase)"
            let body = Array(#"{"text": "x"}"#.utf8)
            let other = "/v1/contents/\(try await service.create().id.lowercase)/comments/\(made[0].lowercase)"
            let answers = [
                try await service.send(.get, path, tenant: UUID()),
                try await service.send(.post, path, tenant: UUID(), body: body),
                try await service.send(.delete, comment, tenant: UUID()),
                try await service.send(.post, comment + "/resolve", tenant: UUID()),
                // Of the same tenant, but of another content.
                try await service.send(.post, other + "/resolve"), try await service.send(.delete, other),
            ]
            #expect(answers.map(\.status) == Array(repeating: .notFound, count: answers.count))
            #expect(try await service.count("content_comments") == 5)
        }
    }
}

extension ContentCenterHarness {
    func comment(_ comment: NewContentComment, on id: UUID, operation: UUID? = nil) async throws -> ContentComment {
        let answer = try await send(
            .post, "/v1/contents/\(id.lowercase)/comments", operation: operation, body: JSON.encode(comment))
        #expect(answer.status == .created)
        return try answer.decode(ContentComment.self)
    }

    func comments(_ path: String) async throws -> [ContentComment] {
        try await send(.get, path).decode(Page<ContentComment>.self).items
    }
}
