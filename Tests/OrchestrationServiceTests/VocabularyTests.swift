import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import TestSupport
import Testing

@testable import OrchestrationService

/// `/v1/vocabulary/…` through the whole service.
@Suite(.timeLimit(.minutes(3))) struct VocabularyTests {
    @Test(arguments: ["brand-words", "banned-words"])
    func aListIsReplacedAsAWhole(list: String) async throws {
        try await OrchestrationHarness.run { service in
            let first = try await put(service, list, #"{"words": ["喵喵家", " 猫砂 Pro ", "除臭"]}"#)
            #expect(first.status == .ok)
            #expect(try JSON.decode(VocabularyCount.self, from: first.body).count == 3)
            let before = try await words(service, list)
            #expect(before.map(\.word) == ["喵喵家", "猫砂 Pro", "除臭"])
            _ = try await put(service, list, #"{"words": ["新词", "除臭"]}"#)
            let after = try await words(service, list)
            #expect(after.map(\.word) == ["新词", "除臭"])
            // What stays keeps its time.
            #expect(after.last?.createdAt == before.last?.createdAt)
            _ = try await put(service, list, #"{"words": []}"#)
            #expect(try await words(service, list).isEmpty)
        }
    }

    @Test func theTwoListsAndTheTenantsAreApart() async throws {
        try await OrchestrationHarness.run { service in
            _ = try await put(service, "brand-words", #"{"words": ["喵喵家"]}"#)
            _ = try await put(service, "banned-words", #"{"words": ["臭"]}"#)
            _ = try await put(service, "brand-words", #"{"words": ["别家"]}"#, tenant: TestContext.otherTenant)
            #expect(try await words(service, "brand-words").map(\.word) == ["喵喵家"])
            #expect(try await words(service, "banned-words").map(\.word) == ["臭"])
            let store = TenantVocabularyStore(database: service.database.app)
            let vocabulary = try await store.vocabulary(of: TestContext.tenant)
            #expect(vocabulary == TenantVocabulary(brandWords: ["喵喵家"], bannedWords: ["臭"]))
        }
    }

    @Test func oneWordHasOneSpelling() async throws {
        try await OrchestrationHarness.run { service in
            let twice = try await put(service, "brand-words", #"{"words": ["iPhone", "喵", "ＩＰＨＯＮＥ", " iphone", "喵 "]}"#)
            #expect(twice.status == .unprocessableContent)
            let problem = try JSON.decode(ProblemBody.self, from: twice.body)
            #expect(
                problem.errors?.map { "\($0.pointer) \($0.code)" } == [
                    "/words/2 duplicate", "/words/3 duplicate", "/words/4 duplicate",
                ])
            #expect(try await words(service, "brand-words").isEmpty)

            #expect(try await one(service, .put, "brand-words", "IPHONE").status == .noContent)
            #expect(try await one(service, .put, "brand-words", "iPhone").status == .noContent)
            #expect(try await words(service, "brand-words").map(\.word) == ["iPhone"])
            #expect(try await one(service, .delete, "brand-words", "ｉphone").status == .noContent)
            #expect(try await one(service, .delete, "brand-words", "iPhone").status == .notFound)
        }
    }

    @Test func aFullListTakesNoMoreEvenAtOnce() async throws {
        try await OrchestrationHarness.run { service in
            let all = (0..<198).map { "\"词\($0)\"" }.joined(separator: ",")
            _ = try await put(service, "brand-words", #"{"words": [\#(all)]}"#)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<10 { group.addTask { try await one(service, .put, "brand-words", "新\(number)").status.code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 204 }.count == 2 && statuses.filter { $0 == 409 }.count == 8)
            // One that is there already finds its place.
            #expect(try await one(service, .put, "brand-words", "词7").status == .noContent)
        }
    }

    @Test func tenThousandBannedWordsFitAndAreRead() async throws {
        let (agent, contents) = (CopyWritingCenter(), RememberingContentCenter())
        try await OrchestrationHarness.run(agentCenter: agent.handler, contentCenter: contents.handler) { service in
            let long = String(repeating: "禁", count: 44)
            let all = (0..<10_000).map { "\"\(long)\($0)\"" }.joined(separator: ",")
            let answer = try await put(service, "banned-words", #"{"words": [\#(all)]}"#)
            #expect(answer.status == .ok)
            #expect(try JSON.decode(VocabularyCount.self, from: answer.body).count == 10_000)
            let over = try await put(service, "banned-words", #"{"words": [\#(all), "多"]}"#)
            #expect(over.status == .unprocessableContent)
            let made = try await service.send(
                .post, "/v1/copies", #"{"topic": "猫砂盆", "platforms": ["weibo"], "bannedWords": ["臭"]}"#,
                scopes: ["copies:generate", "contents:write"])
            #expect(made.status == .created)
            #expect(agent.requests.first?.bannedWords.count == 10_006)
        }
    }

    @Test func pagesInOrder() async throws {
        try await OrchestrationHarness.run { service in
            _ = try await put(service, "banned-words", #"{"words": ["丙", "甲", "乙"]}"#)
            let first = try await get(service, "banned-words?limit=2")
            #expect(first.items.map(\.word) == ["丙", "甲"])
            let rest = try await get(service, "banned-words?limit=2&cursor=\(try #require(first.nextCursor))")
            #expect(rest.items.map(\.word) == ["乙"] && rest.nextCursor == nil)
        }
    }

    @Test(arguments: [
        ("{}", "/words required"), (#"{"words": "a"}"#, "/words wrong_type"), (#"{"words": ["a", ""]}"#, "/words/1 too_short"),
        (#"{"words": [" "]}"#, "/words/0 blank"), (#"{"words": [], "list": 1}"#, "/list unknown_field"),
        (#"{"words": ["\#(String(repeating: "字", count: 51))"]}"#, "/words/0 too_long"),
    ])
    func tellsWhatIsWrong(body: String, expected: String) async throws {
        try await OrchestrationHarness.run { service in
            let answer = try await put(service, "brand-words", body)
            #expect(answer.status == .unprocessableContent)
            let problem = try JSON.decode(ProblemBody.self, from: answer.body)
            #expect(problem.errors?.map { "\($0.pointer) \($0.code)" } == [expected])
        }
    }

    @Test func asksForThePermissions() async throws {
        try await OrchestrationHarness.run { service in
            let read = try await service.send(.get, "/v1/vocabulary/brand-words", scopes: ["vocabulary:write"])
            let write = try await service.send(
                .put, "/v1/vocabulary/brand-words", #"{"words": []}"#, scopes: ["vocabulary:read"])
            let add = try await service.send(.put, "/v1/vocabulary/brand-words/a", scopes: ["vocabulary:read"])
            let remove = try await service.send(.delete, "/v1/vocabulary/brand-words/a", scopes: ["vocabulary:read"])
            #expect([read, write, add, remove].map(\.status) == Array(repeating: .forbidden, count: 4))
            let page = try await service.send(.get, "/v1/vocabulary/brand-words?limit=1001", scopes: ["vocabulary:read"])
            #expect(page.status == .unprocessableContent)
            let long = try await one(service, .put, "brand-words", String(repeating: "字", count: 51))
            #expect(long.status == .notFound)
        }
    }

    private func put(
        _ service: OrchestrationHarness, _ list: String, _ body: String, tenant: UUID = TestContext.tenant
    ) async throws -> TestResponse {
        try await service.send(.put, "/v1/vocabulary/\(list)", body, tenant: tenant, scopes: ["vocabulary:write"])
    }

    private func one(
        _ service: OrchestrationHarness, _ method: HTTPMethod, _ list: String, _ word: String
    ) async throws -> TestResponse {
        let path = try #require(word.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        return try await service.send(method, "/v1/vocabulary/\(list)/\(path)", scopes: ["vocabulary:write"])
    }

    private func get(_ service: OrchestrationHarness, _ target: String) async throws -> Page<VocabularyWord> {
        let answer = try await service.send(.get, "/v1/vocabulary/\(target)", scopes: ["vocabulary:read"])
        return try JSON.decode(Page<VocabularyWord>.self, from: answer.body)
    }

    private func words(_ service: OrchestrationHarness, _ list: String) async throws -> [VocabularyWord] {
        try await get(service, list).items
    }
}
