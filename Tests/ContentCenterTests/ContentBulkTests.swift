import DTO
import Foundation
import HTTPCore
import HTTPServing
import Jobs
import Messaging
import Testing

@testable import ContentCenter

@Suite struct ContentBulkTests {
    @Test func eachContentIsDoneOrRefusedByItself() async throws {
        try await ContentCenterHarness.run { service in
            let (first, second) = (try await service.create(), try await service.create())
            let (missing, foreign) = (UUID(), try await service.create(tenant: UUID()).id)
            let ids = [first.id, missing, second.id, foreign]
            let tagged = try await service.done(ContentBulkRequest(action: .tag, ids: ids, tags: ["夏季"]))
            #expect(tagged.state == .succeeded)
            #expect(tagged.progress == 100)
            #expect(tagged.items.map(\.id) == ids)
            #expect(tagged.items.map(\.isDone) == [true, false, true, false])
            #expect(tagged.items.map(\.code) == [nil, "content.not_found", nil, "content.not_found"])
            #expect(Set(try await service.page("/v1/contents?tag=%E5%A4%8F%E5%AD%A3").items.map(\.id)) == [first.id, second.id])

            let space = try await service.space("项目")
            _ = try await service.done(ContentBulkRequest(action: .move, ids: [first.id], spaceId: space.id))
            #expect(try await service.page("/v1/contents?spaceId=\(space.id.lowercase)").items.map(\.id) == [first.id])
            _ = try await service.done(ContentBulkRequest(action: .untag, ids: [first.id], tags: ["夏季"]))
            #expect(try await service.page("/v1/contents?tag=%E5%A4%8F%E5%AD%A3").items.map(\.id) == [second.id])
            let deleted = try await service.done(ContentBulkRequest(action: .delete, ids: [first.id, second.id]))
            #expect(deleted.items.map(\.isDone) == [true, true])
            #expect(try await service.page("/v1/contents").items.isEmpty)
            _ = try await service.done(ContentBulkRequest(action: .restore, ids: [second.id]))
            #expect(try await service.page("/v1/contents").items.map(\.id) == [second.id])
        }
    }

    @Test func whatWasRefusedIsCountedAndSaidInWords() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let request = ContentBulkRequest(action: .approve, ids: [UUID(), content.id])
            let ordered = try await service.order(request).decode(ContentBulkJob.self)
            #expect((ordered.done, ordered.refused, ordered.items) == (0, 0, []))
            await service.worker.begin(ordered.id, tenant: ContentCenterHarness.tenant).value
            let job = try await service.job(ordered.id)
            #expect((job.state, job.total, job.done, job.refused) == (.succeeded, 2, 0, 2))
            let path = "/v1/content-jobs/\(job.id.lowercase)"
            let english = try await service.send(.get, path, headers: ["Accept-Language": "en"]).decode(ContentBulkJob.self)
            for (items, language) in [(job.items, LocalizedText.Language.zh), (english.items, .en)] {
                let single = ContentsError.notFound.problem.title.text(in: language)
                #expect(items.first?.title == single)
                #expect(items.allSatisfy { $0.code != nil && $0.title?.isEmpty == false })
            }
            let refusal = try #require(job.items.last?.detail)
            #expect(refusal != english.items.last?.detail)
        }
    }

    @Test func eachTenthAndTheEndAreToldOf() async throws {
        try await ContentCenterHarness.run { service in
            let (first, second) = (try await service.create(), try await service.create())
            let request = ContentBulkRequest(action: .tag, ids: [first.id, UUID(), second.id], tags: ["夏季"])
            let job = try await service.done(request)
            let events = try await service.jobEvents(of: job.id)
            let moved = try events.map { try $0.decode(ContentJobMoved.self) }
            let (progressed, succeeded) = (ContentJobMoved.progressedType, ContentJobMoved.succeededType)
            #expect(events.map(\.type) == [progressed, progressed, succeeded])
            #expect(moved.map(\.progress) == [33, 66, 100])
            #expect(moved.map(\.done) == [1, 1, 2])
            #expect(moved.map(\.refused) == [0, 1, 1])
            #expect(moved.last?.total == 3)
            #expect(events.map(\.version) == events.map(\.version).sorted())
            #expect(Set(events.map(\.tenantId)) == [ContentCenterHarness.tenant])
            // Of five hundred not one by one.
            let many = try await service.done(ContentBulkRequest(action: .delete, ids: (0..<60).map { _ in UUID() }))
            #expect(try await service.jobEvents(of: many.id).count <= 11)
        }
    }

    @Test func aTagTooManyIsRefusedAndNoneIsLost() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let tags = (1...LabelChange.maxTags).map { "标签\($0)" }
            _ = try await service.done(ContentBulkRequest(action: .tag, ids: [content.id], tags: tags))
            let beyond = try await service.done(ContentBulkRequest(action: .tag, ids: [content.id], tags: ["标签1", "夏季"]))
            #expect(beyond.items.map(\.code) == ["content.too_many_tags"])
            #expect(try await service.page("/v1/contents").items.map(\.tags) == [tags])
        }
    }

    @Test func reviewsByTheRulesOfTheSingleReview() async throws {
        try await ContentCenterHarness.run { service in
            let (mine, other) = (try await service.create(), try await service.create())
            let submitted = try await service.done(ContentBulkRequest(action: .submit, ids: [mine.id, other.id]))
            #expect(submitted.items.map(\.isDone) == [true, true])
            let again = try await service.done(ContentBulkRequest(action: .submit, ids: [mine.id]))
            #expect(again.items.map(\.code) == ["content.wrong_status"])
            let own = try await service.done(ContentBulkRequest(action: .approve, ids: [mine.id]))
            #expect(own.items.map(\.code) == ["content.own_text"])
            let approved = try await service.done(
                ContentBulkRequest(action: .approve, ids: [mine.id, other.id]), subject: "boss")
            #expect(approved.items.map(\.isDone) == [true, true])
            #expect(try await service.page("/v1/contents?status=approved").items.count == 2)
            let writer = try await service.order(ContentBulkRequest(action: .approve, ids: [mine.id]), scopes: ["contents:write"])
            #expect(writer.status == .forbidden)
        }
    }

    /// What was approved is what stood when it was ordered.
    @Test func approvesTheVersionsOfTheOrder() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            #expect(try await service.review(content.id, .submit, tag: "1").status == .ok)
            let answer = try await service.order(ContentBulkRequest(action: .approve, ids: [content.id]), subject: "boss")
            let job = try answer.decode(ContentBulkJob.self)
            #expect(job.state == .queued)
            #expect(try await service.patch(content.id, ContentPatch(title: "换了"), ifVersion: 1).status == .ok)
            await service.worker.begin(job.id, tenant: ContentCenterHarness.tenant).value
            #expect(try await service.job(job.id).items.map(\.code) == ["content.version_conflict"])
        }
    }

    @Test func aJobThatWaitsIsCanceledAndARepeatOrdersNothing() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let operation = UUID()
            let request = ContentBulkRequest(action: .delete, ids: [content.id])
            let first = try await service.order(request, operation: operation)
            #expect(first.status == .accepted)
            let job = try first.decode(ContentBulkJob.self)
            #expect(first.headers["Location"] == "/v1/content-jobs/\(job.id.lowercase)")
            #expect(try await service.order(request, operation: operation).decode(ContentBulkJob.self).id == job.id)
            let path = "/v1/content-jobs/\(job.id.lowercase)"
            for _ in 0..<2 {
                let canceled = try await service.send(.post, path + "/cancel").decode(ContentBulkJob.self)
                #expect(canceled.state == .canceled)
            }
            let told = try await service.jobEvents(of: job.id)
            #expect(told.map(\.type) == [ContentJobMoved.canceledType])
            #expect(try told.map { try $0.decode(ContentJobMoved.self).done } == [0])
            #expect(try await service.send(.get, path, tenant: UUID()).status == .notFound)
            #expect(try await service.send(.post, path + "/cancel", tenant: UUID()).status == .notFound)
            #expect(try await service.page("/v1/contents").items.count == 1)
        }
    }

    @Test(arguments: [
        (#"{}"#, ["/action", "/ids"]), (#"{"action": "tag", "ids": ["0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"]}"#, ["/tags"]),
        (#"{"action": "delete", "ids": []}"#, ["/ids"]), (#"{"action": "delete", "ids": ["x"]}"#, ["/ids/0"]),
        (#"{"action": "move", "ids": ["0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"], "tags": ["a"]}"#, ["/tags"]),
        (
            #"{"action": "move", "ids": ["0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"], "spaceId": "0199a3c2-5b1e-7c3d-9f21-3a5c7e9b1d20"}"#,
            ["/spaceId"]
        ),
    ])
    func refusesABadOrder(body: String, pointers: [String]) async throws {
        try await ContentCenterHarness.run { service in
            let answer = try await service.send(.post, "/v1/contents/bulk", body: Array(body.utf8))
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().errors?.map(\.pointer) == pointers)
            #expect(try await service.count("jobs") == 0)
        }
    }

    @Test func fiveHundredAreTheMost() async throws {
        try await ContentCenterHarness.run { service in
            let ids = (0...500).map { _ in UUID() }
            let answer = try await service.order(ContentBulkRequest(action: .delete, ids: ids))
            #expect(try answer.problem().errors?.map(\.code) == ["too_many_items"])
        }
    }
}

extension ContentCenterHarness {
    func order(
        _ request: ContentBulkRequest, subject: String = "user-1", scopes: [String] = ["contents:write", "contents:approve"],
        operation: UUID? = nil
    ) async throws -> TestResponse {
        try await send(
            .post, "/v1/contents/bulk", subject: subject, scopes: scopes, operation: operation, body: JSON.encode(request))
    }

    func job(_ id: UUID) async throws -> ContentBulkJob {
        try await send(.get, "/v1/content-jobs/\(id.lowercase)").decode(ContentBulkJob.self)
    }

    func jobEvents(of id: UUID) async throws -> [CloudEvent] { try await events().filter { $0.subject == id.lowercase } }

    /// Orders it and waits for its end.
    func done(_ request: ContentBulkRequest, subject: String = "user-1") async throws -> ContentBulkJob {
        let job = try await order(request, subject: subject).decode(ContentBulkJob.self)
        await worker.begin(job.id, tenant: Self.tenant).value
        return try await self.job(job.id)
    }
}
