import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import OrchestrationService

/// What others hear of a tenant's banned words.
@Suite(.timeLimit(.minutes(3))) struct BannedWordsEventsTests {
    @Test func everyChangeIsToldOnceAndInOrder() async throws {
        try await OrchestrationHarness.run { service in
            try await service.replace(["友商", "iPhone", " 清仓 "])
            try await service.change(.put, "甩卖")
            try await service.change(.put, "IPHONE")
            try await service.change(.put, "甩卖")
            try await service.change(.delete, "友商")
            try await service.change(.delete, "友商", expecting: 404)
            try await service.replace(["清仓", "新词", "甩卖"])
            try await service.replace(["新词", "清仓", "甩卖"])
            let told = try await service.told()
            #expect(told.map(\.version) == [1, 2, 3, 4, 5])
            #expect(
                told.map(\.changed) == [
                    .init(added: ["友商", "iPhone", "清仓"]), .init(added: ["甩卖"]), .init(added: ["IPHONE"], removed: ["iPhone"]),
                    .init(removed: ["友商"]), .init(added: ["新词"], removed: ["IPHONE"]),
                ])
        }
    }

    @Test func ofBrandWordsNobodyHears() async throws {
        try await OrchestrationHarness.run { service in
            try await service.replace(["喵喵家"], list: "brand-words")
            #expect(try await service.told().isEmpty)
        }
    }

    @Test func changesAtOnceHaveVersionsOfTheirOwn() async throws {
        try await OrchestrationHarness.run { service in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 { group.addTask { try await service.change(.put, "词\(number)") } }
                try await group.waitForAll()
            }
            #expect(try await service.told().map(\.version) == Array(1...12))
        }
    }

    @Test func aGreatChangeComesInParts() throws {
        let (few, many) = ((0..<3).map { "旧\($0)" }, (0..<2_500).map { "新\($0)" })
        let parts = WordChanges(added: many, removed: few).events
        #expect(parts.map { $0.added.count + $0.removed.count } == [1_000, 1_000, 503])
        #expect(parts.flatMap(\.added) == many && parts.flatMap(\.removed) == few)
        let removals = WordChanges(removed: many).events
        #expect(removals.map(\.removed.count) == [1_000, 1_000, 500] && removals.flatMap(\.removed) == many)
        #expect(WordChanges().events.isEmpty)
    }

    /// Whoever changes a list of old before anybody has announced it.
    @Test func theFirstChangeTellsTheWholeList() async throws {
        try await OrchestrationHarness.run { service in
            try await service.database.app.query(
                "INSERT INTO banned_words (tenant_id, word) VALUES (\(TestContext.tenant), '友商'), (\(TestContext.tenant), '清仓')",
                tenant: TestContext.tenant)
            try await service.change(.delete, "友商")
            try await service.change(.put, "甩卖")
            let told = try await service.told()
            #expect(told.map(\.changed) == [.init(added: ["清仓"], removed: ["友商"]), .init(added: ["甩卖"])])
        }
    }

    /// As they were set before changes were told.
    @Test func wordsOfOldAreToldOnce() async throws {
        try await OrchestrationHarness.run { service in
            try await service.database.app.query(
                "INSERT INTO banned_words (tenant_id, word) VALUES (\(TestContext.tenant), '友商'), (\(TestContext.tenant), '清仓')",
                tenant: TestContext.tenant)
            let store = VocabularyStore(app: service.database.app, system: service.database.system) {}
            let announcement = BannedWordsAnnouncement(store: store, logger: .silent)
            // By two replicas at once.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { try await announcement.announce() } }
                try await group.waitForAll()
            }
            try await announcement.announce()
            let told = try await service.told()
            #expect(told.map(\.version) == [1] && told.map(\.changed) == [.init(added: ["友商", "清仓"])])
        }
    }
}

extension OrchestrationHarness {
    fileprivate func replace(_ words: [String], list: String = "banned-words") async throws {
        let body = JSONValue(dictionaryLiteral: ("words", .array(words.map { .string($0) }))).encode()
        let answer = try await send(
            .put, "/v1/vocabulary/\(list)", String(decoding: body, as: UTF8.self), scopes: ["vocabulary:write"])
        #expect(answer.status == .ok)
    }

    fileprivate func change(_ method: HTTPMethod, _ word: String, expecting status: Int = 204) async throws {
        let path = try #require(word.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let answer = try await send(method, "/v1/vocabulary/banned-words/\(path)", scopes: ["vocabulary:write"])
        #expect(answer.status.code == status)
    }

    fileprivate func told() async throws -> [(version: Int64, changed: BannedWordsChanged)] {
        try await database.superuser.query(
            "SELECT event::text AS event FROM outbox WHERE type = \(BannedWordsChanged.type) ORDER BY id"
        ).map { row in
            let event = try CloudEvent(decoding: Array(try row.decode("event", as: String.self).utf8))
            #expect(event.tenantId == TestContext.tenant && event.subject == TestContext.tenant.text)
            return (event.version, try event.decode(BannedWordsChanged.self))
        }
    }
}
