import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// Words that tenants forbid in all their texts, as orchestration-service tells of them.
@Suite("Banned words", .timeLimit(.minutes(3)))
struct BannedWordsTests {
    @Test("In whatever order events come and however often, the list ends as the highest versions say")
    func anyOrder() async throws {
        let told: [(BannedWordsChanged, Int64)] = [
            (.init(added: ["甲", "乙", "iPhone"]), 1), (.init(removed: ["甲"]), 2),
            (.init(added: ["IPHONE"], removed: ["iPhone"]), 3),
            (.init(added: ["甲"], removed: ["乙"]), 4), (.init(removed: ["丙"]), 5),
        ]
        let orders = [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 3, 2, 4, 1, 0], [2, 1, 4, 0, 3, 3]]
        for order in orders {
            try await BudgetHarness.run { harness in
                for index in order { try await harness.tell(told[index].0, version: told[index].1) }
                #expect(try await harness.bannedWords.words(of: TestContext.tenant) == ["IPHONE", "甲"], "\(order)")
                let revision = try await harness.bannedWords.revision(of: TestContext.tenant)
                // Told again it is nothing new.
                for index in order { try await harness.tell(told[index].0, version: told[index].1) }
                #expect(try await harness.bannedWords.revision(of: TestContext.tenant) == revision)
                #expect(try await harness.bannedWords.revision(of: TestContext.otherTenant) == nil)
            }
        }
    }

    @Test("A thousand words at once and two events at once")
    func atOnce() async throws {
        try await BudgetHarness.run { harness in
            let words = (0..<BannedWordsChanged.most).map { "词\($0)" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await harness.tell(.init(added: words), version: 1) }
                group.addTask { try await harness.tell(.init(added: words.reversed()), version: 2) }
                try await group.waitForAll()
            }
            #expect(try await harness.bannedWords.words(of: TestContext.tenant).count == words.count)
        }
    }

    @Test("Of an erased tenant nothing is kept; what is no such event is parked")
    func erased() async throws {
        try await BudgetHarness.run { harness in
            try await TenantErasureStore(database: harness.database.app).mark(TestContext.tenant, erasure: UUID())
            try await harness.tell(.init(added: ["甲"]), version: 1)
            #expect(try await harness.database.superuser.query("SELECT FROM banned_words").isEmpty)
            let broken = try event(["added": "甲"], version: 1)
            let consumer = BannedWordsConsumer(store: harness.bannedWords)
            await #expect(throws: PermanentFailure.self) { try await consumer.change(broken) }
        }
    }

    @Test("The unified call is held to them as soon as they are told, the tenant's alone", arguments: [false, true])
    func generate(streamed: Bool) async throws {
        let (draft, clean) = ("这一款比友商的好。出门前涂好。", "这一款用着更顺手。出门前涂好。")
        let vendor = try ScriptedVendor([
            .answers { request in
                let isRewrite = request.body.contains("passages")
                if streamed && !isRewrite { return ModelFault.stream(draft) }
                let text = isRewrite ? ModelTexts.passages("这一款用着更顺手。") : draft
                return ScriptedVendor.Reply.httpText(
                    200, ScriptedVendor.Reply.completion(text, model: "gpt-4o-mini", finish: "stop"))
            }
        ])
        try await TitleService.run(primary: vendor) { service in
            let store = BannedWordsStore(database: service.database.app)
            func ask(_ tenant: UUID = TestContext.tenant) async throws -> (text: String?, findings: [ComplianceFinding]) {
                let response = try await service.callModel(
                    TitleService.generate, ["task": "copy", "input": "防晒霜"], tenant: tenant,
                    accept: streamed ? "text/event-stream" : nil)
                let end = streamed ? try #require(try ReadEvents(response).data("done").first) : try response.json()
                let findings = try (end["findings"]?.array ?? []).map { try JSON.decode(ComplianceFinding.self, from: $0) }
                return (streamed ? try ReadEvents(response).text() : end["output"]?.string, findings)
            }
            let before = try await ask()
            #expect(before.text == draft && before.findings.isEmpty)
            try await store.apply(.init(added: ["友商", "清仓"]), version: 1, of: TestContext.tenant)
            let held = try await ask()
            #expect(held.text == clean)
            #expect(held.findings.map { "\($0.word) \($0.category) \($0.action.rawValue)" } == ["友商 banned rewritten"])
            #expect(try await ask(TestContext.otherTenant).text == draft)
            try await store.apply(.init(removed: ["友商"]), version: 2, of: TestContext.tenant)
            #expect(try await ask().text == draft)
        }
    }

    @Test("A template holds to them too")
    func template() async throws {
        try await TitleService.run { service in
            try await BannedWordsStore(database: service.database.app).apply(
                .init(added: ["防晒霜"]), version: 1, of: TestContext.tenant)
            for tenant in [TestContext.tenant, TestContext.otherTenant] {
                let answer = try await service.callModel(
                    TitleService.generate, ["task": "copy", "input": "夏季防晒霜怎么选"], tenant: tenant
                ).json()
                #expect(answer["provider"]?.string == "template")
                let holds = answer["output"]?.string?.contains("防晒霜") == true
                #expect(holds == (tenant == TestContext.otherTenant), "\(answer)")
            }
        }
    }

    @Test("The service hears of them by way of the broker")
    func hears() async throws {
        let template = DatabaseTemplate(service: "agent", migrations: AgentCenterMigrations.all)
        try await TestDatabase.withClone(of: template) { database in
            try await TestBroker.withBroker(queues: [.bannedWords]) { broker in
                let publisher = Publisher(broker: broker)
                try await TestApplication.run(
                    Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                    broker: broker.configuration.url, brokerPrefix: broker.configuration.prefix, scope: .everything
                ) { _ in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await publisher.run() }
                        try await eventually("the publisher is connected") { publisher.isConnected }
                        try await publisher.publish(OutgoingMessage(try event(BannedWordsChanged(added: ["甲"]), version: 1)))
                        try await eventually("the word is kept") {
                            try await !database.superuser.query("SELECT FROM banned_words").isEmpty
                        }
                        group.cancelAll()
                    }
                }
            }
            #expect(try await BannedWordsStore(database: database.app).words(of: TestContext.tenant) == ["甲"])
        }
    }
}

private func event(_ data: some Encodable, version: Int64) throws -> CloudEvent {
    CloudEvent(
        id: .version7(), source: "orchestration-service", type: BannedWordsChanged.type, subject: TestContext.tenant.text,
        time: Date(), tenantId: TestContext.tenant, version: version, data: try JSON.encode(data))
}

extension BudgetHarness {
    fileprivate var bannedWords: BannedWordsStore { BannedWordsStore(database: database.app) }

    fileprivate func tell(_ changed: BannedWordsChanged, version: Int64) async throws {
        try await BannedWordsConsumer(store: bannedWords).change(event(changed, version: version))
    }
}
