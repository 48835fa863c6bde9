import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Testing

@testable import ContentCenter

@Suite struct ContentReviewTests {
    @Test func aTextIsHandedInChangedAndApprovedBySomebodyElse() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let submitted = try await service.review(content.id, .submit, tag: "1")
            #expect(submitted.status == .ok)
            #expect(submitted.headers["ETag"] == "\"1.2\"")
            #expect(try submitted.decode(Content.self).status == .inReview)

            let back = try await service.review(content.id, .requestChanges, tag: "1", note: "标题太长", subject: "boss")
            #expect(try back.decode(Content.self).status == .changesRequested)
            #expect(try await service.patch(content.id, ContentPatch(title: "短"), ifVersion: 1).status == .ok)
            #expect(try await service.review(content.id, .submit, tag: "2").status == .ok)
            let approved = try await service.review(content.id, .approve, tag: "2", subject: "boss")
            #expect(try approved.decode(Content.self).status == .approved)
            #expect(try await service.page("/v1/contents?status=approved").items.map(\.id) == [content.id])

            let entries = try await service.reviews(of: content.id)
            #expect(entries.map(\.action) == ["approve", "submit", "request_changes", "submit"])
            #expect(entries.map(\.version) == [2, 2, 1, 1])
            #expect(entries.map(\.actor) == ["boss", "user-1", "boss", "user-1"])
            #expect(entries.map(\.note) == [nil, nil, "标题太长", nil])

            let events = try await service.events()
            #expect(events.map(\.version) == [1, 2, 3, 4, 5, 6])
            let last = try #require(events.last)
            #expect(last.type == ContentStatusChanged.type)
            #expect(try last.decode(ContentStatusChanged.self).status == .approved)
        }
    }

    @Test func anEditTakesAnApprovalBack() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.approved()
            let edited = try await service.patch(content.id, ContentPatch(title: "改了一个字"), ifVersion: 1)
            #expect(try edited.decode(Content.self).status == .draft)
            let entries = try await service.reviews(of: content.id)
            #expect(entries.first?.action == "edit")
            #expect(entries.first?.from == .approved)
            let event = try #require(try await service.events().last)
            #expect(try event.decode(ContentVersionCreated.self).status == .draft)
            // The same under hold: nothing brings the approval of the older text back.
            let other = try await service.approved()
            #expect(try await service.review(other.id, .hold, tag: "1", subject: "boss").status == .ok)
            #expect(try await service.patch(other.id, ContentPatch(title: "又改"), ifVersion: 1).status == .ok)
            let released = try await service.review(other.id, .release, tag: "2", subject: "boss")
            #expect(try released.decode(Content.self).status == .draft)
        }
    }

    @Test func aFlowsVersionTakesAnApprovalBackToo() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.approved()
            let version = NewVersion(step: "again", body: NewContent.sample.body, source: VersionSource(kind: .model, name: "m"))
            let written = try await service.send(
                .post, "/v1/contents/\(content.id.lowercase)/versions", operation: UUID(), headers: ["If-Match": "\"1\""],
                body: JSON.encode(version))
            #expect(try written.decode(Content.self).status == .draft)
        }
    }

    @Test func approvesOnlyWhatWasRead() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            #expect(try await service.review(content.id, .submit, tag: "1").status == .ok)
            #expect(try await service.patch(content.id, ContentPatch(title: "换了"), ifVersion: 1).status == .ok)
            let blind = try await service.review(content.id, .approve, tag: "1", subject: "boss")
            #expect(blind.status == .preconditionFailed)
            // With a revision, exactly that is meant.
            #expect(try await service.review(content.id, .approve, tag: "2.2", subject: "boss").status == .preconditionFailed)
            #expect(try await service.review(content.id, .approve, tag: "2.3", subject: "boss").status == .ok)
            let without = try await service.send(
                .post, "/v1/contents/\(content.id.lowercase)/hold", scopes: ["contents:approve"])
            #expect(without.status == .preconditionRequired)
        }
    }

    @Test func nobodyApprovesTheirOwnTextUnlessTheyMay() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            #expect(try await service.review(content.id, .submit, tag: "1").status == .ok)
            let own = try await service.review(content.id, .approve, tag: "1")
            #expect(own.status == .forbidden)
            #expect(try own.problem().code == "content.own_text")
            let allowed = try await service.review(content.id, .approve, tag: "1", more: ["contents:approve_own"])
            #expect(allowed.status == .ok)
        }
    }

    @Test func refusesWhatLeadsNowhereAndChangesNothing() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            for action in [ReviewAction.withdraw, .approve, .requestChanges, .release] {
                let answer = try await service.review(content.id, action, tag: "1", note: "x", subject: "boss")
                #expect(answer.status == .conflict, "\(action)")
                #expect(try answer.problem().code == "content.wrong_status")
            }
            let silent = try await service.review(content.id, .requestChanges, tag: "1", subject: "boss")
            #expect(try silent.problem().errors?.map(\.pointer) == ["/note"])
            #expect(try await service.reviews(of: content.id).isEmpty)
            #expect(try await service.events().count == 1)
        }
    }

    @Test func writersSubmitAndOnlyReviewersApprove() async throws {
        try await ContentCenterHarness.run { service in
            let path = "/v1/contents/\(try await service.create().id.lowercase)/"
            for action in ReviewAction.allCases {
                let scope = action.isAuthors ? "contents:approve" : "contents:write"
                let answer = try await service.send(
                    .post, path + action.rawValue, scopes: ["contents:read", scope], headers: ["If-Match": "\"1\""],
                    body: Array(#"{"note": "x"}"#.utf8))
                #expect(answer.status == .forbidden, "\(action)")
            }
        }
    }

    @Test func aRepeatMovesNothingTwice() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let operation = UUID()
            for _ in 0..<3 {
                let answer = try await service.review(content.id, .submit, tag: "1", operation: operation)
                #expect(try answer.decode(Content.self).status == .inReview)
            }
            #expect(try await service.reviews(of: content.id).count == 1)
        }
    }

    @Test func oneOfManyReviewersIsFirst() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            #expect(try await service.review(content.id, .submit, tag: "1").status == .ok)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        let action: ReviewAction = index.isMultiple(of: 2) ? .approve : .withdraw
                        return try await service.review(content.id, action, tag: "1.2", subject: "boss-\(index)").status.code
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 412 }.count == 19)
            #expect(try await service.reviews(of: content.id).count == 2)
        }
    }

    @Test func aMoveChangesTheTag() async throws {
        try await ContentCenterHarness.run { service in
            let path = "/v1/contents/\(try await service.create().id.lowercase)"
            #expect(try await service.send(.get, path, headers: ["If-None-Match": "\"1\""]).status == .notModified)
            let id = try #require(UUID(uuidString: String(path.suffix(36))))
            #expect(try await service.review(id, .submit, tag: "1").status == .ok)
            #expect(try await service.send(.get, path, headers: ["If-None-Match": "\"1\""]).status == .ok)
            #expect(try await service.send(.get, path, headers: ["If-None-Match": "\"1.2\""]).status == .notModified)
        }
    }

    @Test func anotherTenantFindsNothing() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            for action in ReviewAction.allCases {
                let answer = try await service.review(content.id, action, tag: "1", note: "x", tenant: UUID())
                #expect(answer.status == .notFound, "\(action)")
            }
            let history = try await service.send(.get, "/v1/contents/\(content.id.lowercase)/reviews", tenant: UUID())
            #expect(history.status == .notFound)
        }
    }
}

extension ContentCenterHarness {
    func review(
        _ id: UUID, _ action: ReviewAction, tag: String, note: String? = nil, subject: String = "user-1", more: [String] = [],
        tenant: UUID = tenant, operation: UUID? = nil
    ) async throws -> TestResponse {
        try await send(
            .post, "/v1/contents/\(id.lowercase)/\(action.rawValue)", tenant: tenant, subject: subject,
            scopes: ["contents:read", "contents:write", "contents:approve"] + more, operation: operation,
            headers: ["If-Match": "\"\(tag)\""], body: JSON.encode(ReviewNote(note: note)))
    }

    func reviews(of id: UUID) async throws -> [ContentReviewEntry] {
        try await send(.get, "/v1/contents/\(id.lowercase)/reviews").decode(Page<ContentReviewEntry>.self).items
    }

    func approved() async throws -> Content {
        let content = try await create()
        #expect(try await review(content.id, .submit, tag: "1").status == .ok)
        return try await review(content.id, .approve, tag: "1", subject: "boss").decode(Content.self)
    }
}
