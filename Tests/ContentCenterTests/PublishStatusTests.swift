import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// Events about where a content stands on accounts come late, twice and in any order.
@Suite(.timeLimit(.minutes(3))) struct PublishStatusTests {
    /// Two tasks for one account, the second after the first had failed, and one for another account: every order of the five events, each
    /// event twice, ends as the right one does.
    @Test func everyOrderEndsInTheSameState() async throws {
        try await ContentCenterHarness.run { service in
            let tale = Tale()
            let orders = permutations(Array(tale.steps.indices))
            #expect(orders.count == 120)
            let expected = try await service.told(tale, in: Array(tale.steps.indices))
            #expect(expected.accounts.map(\.status) == [.published, .waitingUserAction])
            #expect(expected.accounts.first?.taskVersion == 2)
            #expect(expected.content == .waitingUserAction)
            #expect(expected.history.count == 5)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<4 {
                    group.addTask {
                        for number in stride(from: lane, to: orders.count, by: 4) {
                            let order = orders[number]
                            // Twice: at once, or once more after everything else.
                            let twice = number.isMultiple(of: 2) ? order.flatMap { [$0, $0] } : order + order.reversed()
                            let end = try await service.told(tale, in: twice)
                            #expect(end == expected, "\(twice)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func manyAtOnceEndAsOneAfterTheOther() async throws {
        try await ContentCenterHarness.run { service in
            let tale = Tale()
            let expected = try await service.told(tale, in: Array(tale.steps.indices))
            for _ in 0..<10 {
                let content = try await service.create()
                let events = tale.events(about: content.id)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for event in events + events { group.addTask { try await service.hear(event) } }
                    try await group.waitForAll()
                }
                #expect(try await service.end(of: content.id) == expected)
            }
        }
    }

    @Test func anOlderVersionsFateDoesNotMoveTheNewerOne() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let tale = Tale()
            try await service.hear(tale.events(about: content.id)[1])
            #expect(try await service.end(of: content.id).content == .failed)
            #expect(try await service.patch(content.id, ContentPatch(title: "新"), ifVersion: 1).status == .ok)
            #expect(try await service.end(of: content.id).content == .draft)
            try await service.hear(tale.events(about: content.id)[3])
            let end = try await service.end(of: content.id)
            #expect(end.content == .draft)
            #expect(end.accounts.map(\.status) == [.published])
        }
    }

    @Test func aReviewUnderWayShowsItself() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            #expect(try await service.review(content.id, .submit, tag: "1").status == .ok)
            for event in Tale().events(about: content.id) { try await service.hear(event) }
            #expect(try await service.end(of: content.id).content == .inReview)
        }
    }

    /// Wherever among the events a hold or a review ends, the content stands where the accounts say.
    @Test(arguments: [[ReviewAction.hold, .release], [.submit, .withdraw], [.submit, .approve]])
    func whatEndsAReviewShowsWhatTheAccountsSay(actions: [ReviewAction]) async throws {
        try await ContentCenterHarness.run { service in
            let tale = Tale()
            let expected = try await service.told(tale, in: Array(tale.steps.indices))
            for ending in 0...tale.steps.count {
                let content = try await service.create()
                let events = tale.events(about: content.id)
                func act(_ action: ReviewAction) async throws {
                    let answer = try await service.review(content.id, action, tag: "1", subject: "user-2")
                    #expect(answer.status == .ok, "\(action)")
                }
                for action in actions.dropLast() { try await act(action) }
                for event in events.prefix(ending) { try await service.hear(event) }
                for action in actions.suffix(1) { try await act(action) }
                for event in events.dropFirst(ending) { try await service.hear(event) }
                #expect(try await service.end(of: content.id) == expected, "\(actions) after \(ending)")
            }
        }
    }

    @Test func aContentStaysAsLongAsAnAccountPublishesOneOfItsVersions() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let events = Tale().events(about: content.id)
            try await service.hear(events[0])
            #expect(try await service.patch(content.id, ContentPatch(title: "新"), ifVersion: 1).status == .ok)
            #expect(try await service.end(of: content.id).content == .draft)
            let refused = try await service.send(.delete, "/v1/contents/\(content.id.lowercase)")
            #expect(refused.status == .conflict)
            #expect(try refused.problem().code == "content.being_published")
            #expect(try await service.end(of: content.id).content == .draft)
            try await service.hear(events[1])
            #expect(try await service.send(.delete, "/v1/contents/\(content.id.lowercase)").status == .noContent)
        }
    }

    @Test func tellsOfTheContentsOwnMoveAndNothingElse() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let events = Tale().events(about: content.id)
            for event in events + events { try await service.hear(event) }
            let told = try await service.events().filter { $0.type == ContentStatusChanged.type }
            let changes = try told.map { try $0.decode(ContentStatusChanged.self) }
            #expect(changes.allSatisfy { $0.action == "publish" })
            for (before, after) in zip(changes, changes.dropFirst()) { #expect(before.status == after.from) }
            #expect(told.map(\.version) == Array(2...Int64(told.count + 1)))
        }
    }

    @Test func whatIsNoEventOfTheKindIsParkedAndWhatIsAboutNothingIsPassedOver() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            var draft = Tale().steps[0]
            draft.status = .draft
            let wrong = draft.event(about: content.id)
            await #expect(throws: PermanentFailure.self) { try await service.hear(wrong) }
            var broken = Tale().events(about: content.id)[0]
            broken.data = Array("{}".utf8)
            let unreadable = broken
            await #expect(throws: PermanentFailure.self) { try await service.hear(unreadable) }
            for event in Tale().events(about: UUID()) { try await service.hear(event) }
            // Another tenant's event about this content.
            var foreign = Tale().events(about: content.id)[0]
            foreign.tenantId = UUID()
            try await service.hear(foreign)
            #expect(try await service.count("content_publish_changes") == 0)
            #expect(try await service.end(of: content.id).content == .draft)
        }
    }

    @Test func pagesAndAnotherTenant() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            for event in Tale().events(about: content.id) { try await service.hear(event) }
            let path = "/v1/contents/\(content.id.lowercase)/publish-status/history"
            var seen: [ContentPublishStatus] = []
            var next: String? = path + "?limit=2"
            while let url = next {
                let page = try await service.send(.get, url).decode(Page<ContentPublishStatus>.self)
                seen += page.items
                next = page.nextCursor.map { path + "?limit=2&cursor=\($0)" }
            }
            #expect(seen.count == 5)
            let end = try await service.end(of: content.id)
            #expect(seen == end.history)
            #expect(try await service.send(.get, path, tenant: UUID()).status == .notFound)
        }
    }
}

/// What happens to one content on two accounts.
private struct Tale {
    struct Step {
        var id: UUID
        var account: UUID
        var task: UUID
        var version: Int64
        var status: ContentStatus

        func event(about content: UUID) -> CloudEvent {
            let data = PublishStatusChanged(
                taskId: task, contentId: content, contentVersion: 1, accountId: account, platform: "douyin", status: status)
            return CloudEvent(
                id: id, source: "delivery-connector-douyin", type: PublishStatusChanged.type, subject: task.lowercase,
                time: Date(timeIntervalSince1970: 1_800_000_000 + TimeInterval(version)), tenantId: ContentCenterHarness.tenant,
                version: version, data: (try? JSON.encode(data)) ?? [])
        }
    }

    static let accounts = [UUID.version7(), UUID.version7()]
    static let tasks = [UUID.version7(), UUID.version7(), UUID.version7()]

    let steps: [Step] = [
        Step(id: .version7(), account: accounts[0], task: tasks[0], version: 8, status: .publishing),
        Step(id: .version7(), account: accounts[0], task: tasks[0], version: 9, status: .failed),
        // Tried again as another task, which counts from the beginning.
        Step(id: .version7(), account: accounts[0], task: tasks[1], version: 1, status: .unconfirmed),
        Step(id: .version7(), account: accounts[0], task: tasks[1], version: 2, status: .published),
        Step(id: .version7(), account: accounts[1], task: tasks[2], version: 2, status: .waitingUserAction),
    ]

    /// Under ids of their own, as the inbox knows an event by its id; their order is that of the steps.
    func events(about content: UUID) -> [CloudEvent] {
        steps.map { step in
            var step = step
            step.id = .version7()
            return step.event(about: content)
        }
    }
}

/// How a tale ends, without what differs from content to content.
private struct End: Equatable {
    var content: ContentStatus
    var accounts: [ContentPublishStatus]
    var history: [ContentPublishStatus]
}

extension ContentCenterHarness {
    fileprivate func hear(_ event: CloudEvent) async throws {
        try await PublishStatusConsumer(store: PublishStatusStore(database: database.app, onCommit: {})).record(event)
    }

    fileprivate func told(_ tale: Tale, in order: [Int]) async throws -> End {
        let content = try await create()
        let events = tale.events(about: content.id)
        for index in order { try await hear(events[index]) }
        return try await end(of: content.id)
    }

    fileprivate func end(of id: UUID) async throws -> End {
        let path = "/v1/contents/\(id.lowercase)"
        return End(
            content: try await send(.get, path).decode(Content.self).status,
            accounts: try await send(.get, path + "/publish-status").decode(Page<ContentPublishStatus>.self).items,
            history: try await send(.get, path + "/publish-status/history").decode(Page<ContentPublishStatus>.self).items)
    }
}

func permutations<Element>(_ items: [Element]) -> [[Element]] {
    guard items.count > 1 else { return [items] }
    return items.indices.flatMap { index in
        var rest = items
        let item = rest.remove(at: index)
        return permutations(rest).map { [item] + $0 }
    }
}
