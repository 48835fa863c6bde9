import ConcurrencySupport
import ConfigReading
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// Nothing is set aside for a model without a price and nothing charged: under a budget in money it would spend without end.
@Suite("Models without a price")
struct UnpricedModelTests {
    private static let hello: JSONValue = [["role": "user", "content": "你好"]]
    private static let local = ["OPENAI_MODEL": "local-model"]

    private static func plan(_ names: [String], for call: ModelCall, limited: Bool) async throws -> RoutePlan {
        var models = AIGeneration.scripted(names.map { ($0, ScriptedModel([.say("ok")])) })
        models.limitsMoney = { _ in limited }
        return try await models.plan(
            ChatRequest(messages: [.init(role: .user, content: "你好")], maxTokens: 10), for: call)
    }

    @Test("are passed over where money is limited, and only there; a model asked for by name says so")
    func plans() async throws {
        func names(_ plan: RoutePlan) -> [String] { plan.routes.map(\.modelName) }
        let free = try await Self.plan(["local-model", "gpt-4o"], for: .routed(), limited: false)
        #expect(names(free) == ["local-model", "gpt-4o"] && free.worstCase == 0)
        let held = try await Self.plan(["local-model", "gpt-4o"], for: .routed(), limited: true)
        #expect(names(held) == ["gpt-4o"] && held.worstCase > 0 && held.leastCase == held.worstCase && held.note == nil)
        #expect(held.firstChoices == 1)
        let named = try await Self.plan(["gpt-4o", "local-model"], for: .routed(model: "local-model"), limited: true)
        #expect(names(named) == ["gpt-4o"] && named.note?.contains("local-model 没有价格") == true)
        let none = try await Self.plan(["local-model"], for: .routed(), limited: true)
        #expect(none.routes.isEmpty && none.absence == .unpriced && none.worstCase == 0)
    }

    @Test("A price that holds later is none now")
    func later() {
        let route = ModelRoute(provider: "deepseek", modelName: "deepseek-flash", model: ScriptedModel([.say("ok")]))
        let start = PriceTable.day(2026, 10, 1)
        #expect(PriceTable.standard.hasPrice(of: route, at: start))
        #expect(!PriceTable.standard.hasPrice(of: route, at: start.addingTimeInterval(-1)))
    }

    @Test("No face of the service asks one under a budget in money; templates say why, the others refuse")
    func faces() async throws {
        let vendor = try ScriptedVendor([.says("好", model: "local-model")])
        try await TitleService.run(primary: vendor, environment: Self.local) { service in
            try await BudgetHarness(database: service.database).addBudget(nano: 1_000_000_000)
            let title = try await service.write(.sample(count: 1))
            #expect(title.degraded && title.provider == "template")
            #expect(title.degradedReason?.contains("适用的预算限制金额，而策略中的模型没有价格") == true)
            let text = try await service.callModel(TitleService.generate, ["task": "reply", "input": "多少钱？"]).json()
            #expect(text["degraded"]?.bool == true && text["degradedReason"]?.string?.contains("没有价格") == true)
            let chat = try await service.callModel(TitleService.chat, ["model": "auto", "messages": Self.hello])
            #expect(chat.status == .forbidden && chat.headers["Retry-After"] == nil)
            #expect(try chat.problem().code == "model.unpriced")
            let setting: JSONValue = ["capabilities": ["embeddings"], "contextTokens": 8_192, "dimensions": 4]
            let put = try await service.administer(.put, "/v1/ai/models/openai/local-vectors", setting)
            #expect(put.status == .noContent, "\(put.text)")
            let vectors = try await service.embed(["model": "local-vectors", "input": "甲"])
            #expect(vectors.status == .forbidden, "\(vectors.text)")
            #expect(try vectors.problem().code == "model.unpriced")
            #expect(try await BudgetHarness(database: service.database).books().reservations == 0)
        }
        #expect(vendor.received.isEmpty)
    }

    @Test(
        "Budgets in calls, soft ones and those of others do not hold it back",
        arguments: [
            ("tenant", nil, nil, true), ("tenant", nil, 9, false), ("user", "somebody-else", 9, true),
            ("scene", "other", 9, true),
        ]
            as [(String, String?, Int64?, Bool)])
    func others(scope: String, subject: String?, nano: Int64?, isHard: Bool) async throws {
        let vendor = try ScriptedVendor([.says("好", model: "local-model")])
        try await TitleService.run(primary: vendor, environment: Self.local) { service in
            try await BudgetHarness(database: service.database).addBudget(
                scope: scope, subject: subject, nano: nano, calls: nano == nil ? 9 : nil, isHard: isHard)
            let chat = try await service.callModel(TitleService.chat, ["model": "auto", "messages": Self.hello])
            #expect(chat.status == .ok, "\(chat.text)")
        }
        #expect(vendor.received.count == 1)
    }

    @Test("A price of 0 says that it is free: it is asked from then on, and the catalogue shows that it has a price")
    func free() async throws {
        let start = PriceTable.day(2027, 1, 1)
        var changes = CatalogueChanges()
        changes.prices = [
            PriceTable.Entry(
                provider: "openai", models: ["local-model"], validFrom: start,
                rates: .init(cachedPrompt: 0, prompt: 0, completion: 0), peakRates: nil, source: "our own machine")
        ]
        let vendor = ModelCatalogue.Configured(
            provider: .init(name: "openai", dialect: .openai, baseURL: "http://scripted", key: Secret("none")),
            models: ["local-model"])
        let (catalogue, _) = changes.applied(to: .seeded([vendor])) { _, _ in nil }
        for (instant, isAsked) in [(start.addingTimeInterval(-1), false), (start, true)] {
            let models = AIGeneration(
                routing: Routing(catalogue: CatalogueHolder(catalogue)) { _, _, _ in ScriptedModel([.say("ok")]) },
                metrics: GenerationMetrics(MetricsRegistry()), logger: .silent, now: { instant }, limitsMoney: { _ in true })
            let question = ChatRequest(messages: [.init(role: .user, content: "你好")], maxTokens: 10)
            let plan = try await models.plan(question, for: .routed())
            #expect(plan.routes.count == (isAsked ? 1 : 0) && plan.worstCase == 0)
            let view = ModelCatalogueView(catalogue, tenantId: TestContext.tenant, at: instant)
            #expect(view.models.first { $0.name == "local-model" }?.hasPrice == isAsked)
            #expect(view.models.first { $0.name == "gpt-4o" }?.hasPrice == true)
        }
    }
}

extension TitleService {
    /// As the platform's administrator.
    fileprivate func administer(_ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil) async throws -> TestResponse {
        var headers = try TestContext.headers(
            from: .gatewayBFF, to: .agentCenter,
            as: TestContext.principal(roles: ["system_admin"], scopes: ["ai:admin", "ai:usage"]))
        if body != nil { headers["Content-Type"] = "application/json" }
        return try await app.client.send(method, path, headers: headers, body: body?.encode() ?? [])
    }
}
