import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Testing

@testable import ContentCenter

@Suite struct ContentsTests {
    // MARK: Saving

    @Test func savesADraftAndTellsOfItOnce() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let response = try await service.send(
                .post, "/v1/contents", operation: operation, body: JSON.encode(NewContent.sample))
            #expect(response.status == .created)
            #expect(response.headers["ETag"] == "\"1\"")
            let content = try response.decode(Content.self)
            #expect(response.headers["Location"] == "/v1/contents/\(content.id.lowercase)")
            #expect(content.status == .draft)
            #expect(content.version == 1)
            #expect(content.author == "user-1")
            #expect(content.body == NewContent.sample.body)
            #expect(content.source == NewContent.sample.source)

            let read = try await service.send(.get, "/v1/contents/\(content.id.lowercase)")
            #expect(try read.decode(Content.self) == content)

            let events = try await service.events()
            #expect(events.map(\.type) == [ContentDraftCreated.type])
            let event = try #require(events.first)
            #expect(event.subject == content.id.lowercase)
            #expect(event.tenantId == ContentCenterHarness.tenant)
            #expect(event.version == 1)
            #expect(event.operationId == operation)
            #expect(
                try event.decode(ContentDraftCreated.self)
                    == ContentDraftCreated(
                        contentId: content.id, kind: "title_set", status: .draft, version: 1, title: "猫砂盆", operationId: operation
                    ))
        }
    }

    @Test func aRepeatAnswersWhatWasStored() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let first = try await service.create(operation: operation)
            // What the repeat brings does not matter: the operation has its draft.
            let repeated = try await service.create(.sample.named("别的"), operation: operation)
            #expect(repeated == first)
            #expect(try await service.count("contents") == 1)
            #expect(try await service.count("content_versions") == 1)
            #expect(try await service.events().count == 1)
        }
    }

    @Test func aRepeatAfterAnEditStillAnswersWhatTheOperationStored() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let first = try await service.create(operation: operation)
            #expect(try await service.patch(first.id, ContentPatch(title: "新"), ifVersion: 1).status == .ok)
            #expect(try await service.create(operation: operation) == first)
        }
    }

    @Test func parallelRepeatsMakeOneDraft() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
                for _ in 0..<20 { group.addTask { try await service.create(operation: operation).id } }
                return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try await service.count("contents") == 1)
            #expect(try await service.events().count == 1)
        }
    }

    @Test func anotherStepOperationOrTenantIsAnotherDraft() async throws {
        try await ContentCenterHarness.run { service in
            let operation = UUID()
            var other = NewContent.sample
            other.step = "xiaohongshu"
            let ids: Set<UUID> = [
                try await service.create(operation: operation).id,
                try await service.create(other, operation: operation).id,
                try await service.create(operation: UUID()).id,
                try await service.create(tenant: UUID(), operation: operation).id,
                try await service.create().id,
                try await service.create().id,
            ]
            #expect(ids.count == 6)
        }
    }

    // MARK: Reading

    @Test func answersNotModifiedToWhoKnowsTheVersion() async throws {
        try await ContentCenterHarness.run { service in
            let path = "/v1/contents/\(try await service.create().id.lowercase)"
            for tag in [#""1""#, #"W/"1""#, #""7", "1""#, "*"] {
                let response = try await service.send(.get, path, headers: ["If-None-Match": tag])
                #expect(response.status == .notModified, "\(tag)")
                #expect(response.headers["ETag"] == "\"1\"")
                #expect(response.body.isEmpty)
            }
            for tag in [#""2""#, "1"] {
                #expect(try await service.send(.get, path, headers: ["If-None-Match": tag]).status == .ok, "\(tag)")
            }
        }
    }

    @Test func listsNewestFirstAndFilters() async throws {
        try await ContentCenterHarness.run { service in
            var names: [String] = []
            for index in 0..<5 { names.insert(try await service.create(.sample.named("n\(index)")).title, at: 0) }
            let all = try await service.page("/v1/contents")
            #expect(all.items.map(\.title) == names)
            #expect(all.nextCursor == nil)
            #expect(try await service.page("/v1/contents?kind=title_set&status=draft").items.count == 5)
            #expect(try await service.page("/v1/contents?status=published").items.isEmpty)
        }
    }

    @Test func pagesStandStillWhileContentsArrive() async throws {
        try await ContentCenterHarness.run { service in
            var expected: [UUID] = []
            for index in 0..<9 { expected.insert(try await service.create(.sample.named("n\(index)")).id, at: 0) }
            var seen: [UUID] = []
            var path = "/v1/contents?limit=4"
            while true {
                let page = try await service.page(path)
                seen += page.items.map(\.id)
                guard let cursor = page.nextCursor else { break }
                // Newer ones belong before the first page, and an edit moves nothing.
                _ = try await service.create(.sample.named("newer"))
                _ = try await service.patch(expected[8], ContentPatch(title: "edited \(seen.count)"), ifVersion: seen.count / 4)
                path = "/v1/contents?limit=4&cursor=\(cursor)"
            }
            #expect(seen == expected)
        }
    }

    @Test(arguments: [
        ("limit=0", "?limit"), ("limit=101", "?limit"), ("limit=x", "?limit"), ("kind=poem", "?kind"), ("status=gone", "?status"),
        ("cursor=%21%21", "?cursor"), ("cursor=", "?cursor"), ("cursor=eyJrIjoieCIsInAiOjF9", "?cursor"), ("page=2", "?page"),
    ])
    func refusesABadQuery(query: String, pointer: String) async throws {
        try await ContentCenterHarness.run { service in
            let response = try await service.send(.get, "/v1/contents?\(query)")
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().errors?.map(\.pointer) == [pointer])
        }
    }

    // MARK: Tenants and permissions

    @Test func anotherTenantsContentDoesNotExist() async throws {
        try await ContentCenterHarness.run { service in
            let stranger = UUID()
            let content = try await service.create()
            let path = "/v1/contents/\(content.id.lowercase)"
            let before = try await service.count("content_versions")
            let answers = [
                try await service.send(.get, path, tenant: stranger),
                try await service.send(.get, path + "/versions", tenant: stranger),
                try await service.patch(content.id, ContentPatch(title: "x"), ifVersion: 1, tenant: stranger),
                try await service.send(.get, "/v1/contents/\(UUID().lowercase)"),
                try await service.send(.get, "/v1/contents/not-a-uuid"),
            ]
            for answer in answers {
                #expect(answer.status == .notFound)
                #expect(!answer.text.contains(ContentCenterHarness.tenant.lowercase))
            }
            #expect(try await service.page("/v1/contents", tenant: stranger).items.isEmpty)
            #expect(try await service.count("content_versions") == before)
        }
    }

    @Test func asksForThePermission() async throws {
        try await ContentCenterHarness.run { service in
            let path = "/v1/contents/\(try await service.create().id.lowercase)"
            let body = try JSON.encode(NewContent.sample)
            let answers = [
                try await service.send(.get, path, scopes: ["contents:write"]),
                try await service.send(.get, "/v1/contents", scopes: []),
                try await service.send(.get, path + "/versions", scopes: ["contents:write"]),
                try await service.send(.post, "/v1/contents", scopes: ["contents:read"], body: body),
                try await service.send(.patch, path, scopes: ["contents:read"], body: Array("{}".utf8)),
            ]
            #expect(answers.map(\.status) == Array(repeating: .forbidden, count: 5))
            #expect(try await service.client.send(.get, path).status == .unauthorized)
        }
    }

    @Test(arguments: [
        ("{", 400, [""]), (#"{"step": 1, "step": 2}"#, 422, ["/step"]),
        ("[]", 422, [""]),
        (#"{"step": "a", "kind": "title_set", "title": "t", "source": {"kind": "human"}, "body": 7}"#, 422, ["/body"]),
    ])
    func refusesABadDraftAndStoresNothing(body: String, status: Int, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let response = try await service.send(.post, "/v1/contents", body: Array(body.utf8))
            #expect(response.status.code == status)
            #expect(try response.problem().errors?.map(\.pointer) ?? [] == pointers)
            #expect(try await service.count("contents") == 0)
        }
    }
}
