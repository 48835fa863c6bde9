import ConcurrencySupport
import ConfigReading
import Cryptography
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

@Suite("The model catalogue")
struct ModelCatalogueTests {
    private static let environment = ["DATA_ENCRYPTION_KEYS": "k1=" + Base64.encode(Array(repeating: 7, count: 32))]
    private static let answering = [ScriptedVendor.Reply.says(ModelTitles.json())]

    private static func administrator(_ tenant: UUID = TestContext.tenant, of platform: Bool = false) -> Principal {
        TestContext.principal(
            tenant: tenant, roles: [platform ? "system_admin" : "tenant_admin"], scopes: ["ai:admin", "ai:usage"])
    }

    private static func send(
        _ service: TitleService, _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil,
        as principal: Principal = administrator()
    ) async throws -> TestResponse {
        var headers = try TestContext.headers(from: .gatewayBFF, to: .agentCenter, as: principal)
        if body != nil { headers["Content-Type"] = "application/json" }
        return try await service.app.client.send(method, path, headers: headers, body: body?.encode() ?? [])
    }

    private static func catalogue(
        _ service: TitleService, as principal: Principal = administrator()
    ) async throws -> ModelCatalogueView {
        try await send(service, .get, "/v1/ai/catalogue", as: principal).decode(ModelCatalogueView.self)
    }

    private static func keys(_ vendor: ScriptedVendor) -> [String] {
        vendor.received.compactMap { received in
            received.head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("authorization:") }
                .map { String($0.dropFirst("Authorization: Bearer ".count)) }
        }
    }

    @Test("shows what was seeded, and no key")
    func seeded() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let response = try await Self.send(service, .get, "/v1/ai/catalogue")
            #expect(!response.text.contains("sk-primary-secret"))
            let view = try response.decode(ModelCatalogueView.self)
            #expect(
                view.providers == [ModelProvider(name: "openai", dialect: "openai", baseUrl: vendor.url, usesTenantKey: false)])
            #expect(view.models.contains { $0.name == "deepseek-flash" && $0.capabilities.contains("tools") })
            #expect(view.aliases.contains { $0.name == "deepseek/chat" })
            let mini = try #require(view.prices.first { $0.model == "gpt-4o-mini" })
            #expect(mini.rates == TokenRates(promptNano: "150", cachedPromptNano: "75", completionNano: "600"))
            #expect(view.policies.map(\.isOwn) == [false])
        }
    }

    @Test("A tenant's own key is used for its calls only, stored sealed, and gone when removed")
    func tenantKey() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let put = try await Self.send(service, .put, "/v1/ai/providers/openai/key", ["key": "sk-of-the-tenant"])
            #expect(put.status == .noContent)
            #expect(try await Self.catalogue(service).providers.map(\.usesTenantKey) == [true])
            #expect(
                try await Self.catalogue(service, as: Self.administrator(TestContext.otherTenant)).providers.map(\.usesTenantKey)
                    == [false])
            _ = try await service.write()
            _ = try await service.write(tenant: TestContext.otherTenant)
            #expect(Self.keys(vendor) == ["sk-of-the-tenant", "sk-primary-secret"])

            let row = try await service.database.superuser.query(
                "SELECT to_jsonb(k)::text || encode(key_sealed, 'escape') AS text FROM tenant_provider_keys k"
            ).only
            #expect(try !row.decode("text", as: String.self).contains("sk-of-the-tenant"))

            #expect(
                try await Self.send(
                    service, .delete, "/v1/ai/providers/openai/key", as: Self.administrator(TestContext.otherTenant)
                ).status == .notFound)
            #expect(try await Self.send(service, .delete, "/v1/ai/providers/openai/key").status == .noContent)
            _ = try await service.write()
            #expect(Self.keys(vendor).last == "sk-primary-secret")
        }
    }

    @Test("Without encryption keys no provider's key is stored")
    func noEncryption() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor) { service in
            let response = try await Self.send(service, .put, "/v1/ai/providers/openai/key", ["key": "sk-x"])
            #expect(response.status == .serviceUnavailable)
            #expect(try response.problem().code == "catalogue.keys_not_configured")
        }
    }

    @Test("A tenant's policy decides its routes: by scene before for every scene")
    func policy() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let routes: JSONValue = ["routes": [["provider": "openai", "model": "gpt-4o", "weight": 3]]]
            let put = try await Self.send(service, .put, "/v1/ai/policies/*", routes)
            #expect(put.status == .ok, "\(put.text)")
            #expect(try put.decode(RoutingPolicyView.self).routes.first?.totalTimeoutMs == 120_000)
            _ = try await service.write()
            _ = try await service.write(tenant: TestContext.otherTenant)
            #expect(vendor.received[0].body.contains(#""model":"gpt-4o""#))
            #expect(vendor.received[1].body.contains(#""model":"gpt-4o-mini""#))
            #expect(try await Self.send(service, .delete, "/v1/ai/policies/*").status == .noContent)
            _ = try await service.write()
            #expect(vendor.received[2].body.contains(#""model":"gpt-4o-mini""#))
        }
    }

    @Test("The platform's administrators add providers, models, names and prices; nobody else does")
    func platform() async throws {
        let (vendor, other) = (try ScriptedVendor(Self.answering), try ScriptedVendor(Self.answering))
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let platform = Self.administrator(of: true)
            let later = RFC3339.format(Date().addingTimeInterval(3_600))
            let rates: JSONValue = ["promptNano": "5", "cachedPromptNano": "1", "completionNano": "9"]
            let changes: [(HTTPMethod, String, JSONValue)] = [
                (
                    .put, "/v1/ai/providers/house",
                    ["dialect": "compatible", "baseUrl": .string(other.url + "/"), "key": "sk-house"]
                ),
                (.put, "/v1/ai/models/house/qwen", ["capabilities": ["json_object"], "contextTokens": 32_000]),
                (
                    .post, "/v1/ai/aliases",
                    ["name": "best", "provider": "house", "model": "qwen", "validFrom": "2020-01-01T00:00:00Z"]
                ),
                (
                    .post, "/v1/ai/prices",
                    [
                        "provider": "house", "model": "qwen", "validFrom": .string(later), "rates": rates, "source": "a contract",
                    ]
                ),
            ]
            for (method, path, body) in changes {
                let refused = try await Self.send(service, method, path, body)
                #expect(refused.status == .forbidden)
                #expect(try refused.problem().code == "auth.platform_administrator_only")
            }
            for (method, path, body) in changes {
                let response = try await Self.send(service, method, path, body, as: platform)
                #expect(response.status.isSuccess, "\(path): \(response.text)")
            }
            // Names and prices are added, never changed.
            for (method, path, body) in changes.suffix(2) {
                #expect(try await Self.send(service, method, path, body, as: platform).status == .conflict)
            }
            var request = TitleWritingRequest.sample()
            request.model = "best"
            let answer = try await service.write(request)
            #expect(answer.provider == "house")
            #expect(Self.keys(other) == ["sk-house"])
            #expect(other.received.first?.body.contains(#""model":"qwen""#) == true)
            #expect(other.received.first?.body.contains(#""max_tokens":"#) == true)

            #expect(try await Self.send(service, .delete, "/v1/ai/providers/house", as: platform).status == .noContent)
            #expect(try await Self.send(service, .delete, "/v1/ai/providers/house", as: platform).status == .notFound)
            #expect(try await Self.send(service, .delete, "/v1/ai/models/house/qwen", as: platform).status == .noContent)
            #expect(try await !Self.catalogue(service).models.contains { $0.provider == "house" })
        }
    }

    @Test("A provider that is added where the platform has no routes of its own is asked by auto, behind those that were there")
    func addedProvider() async throws {
        let house = try ScriptedVendor(Self.answering)
        let platform = Self.administrator(of: true)
        let provider: JSONValue = ["dialect": "openai", "baseUrl": .string(house.url), "key": "sk-house"]
        try await TitleService.run(environment: Self.environment) { service in
            #expect(try await service.write().provider == "template")
            #expect(try await Self.send(service, .put, "/v1/ai/providers/openai", provider, as: platform).status == .noContent)
            let answer = try await service.write()
            #expect(answer.provider == "openai" && answer.modelName.hasPrefix("gpt-4o-mini") && !answer.degraded)
            #expect(Self.keys(house) == ["sk-house"])
        }
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            #expect(try await Self.send(service, .put, "/v1/ai/providers/house", provider, as: platform).status == .noContent)
            let setting: JSONValue = ["capabilities": ["json_object"], "contextTokens": 32_000]
            #expect(try await Self.send(service, .put, "/v1/ai/models/house/qwen", setting, as: platform).status == .noContent)
            let routes = try #require(await Self.catalogue(service).policies.first).routes
            func ranks(_ provider: String) -> [Int] { routes.filter { $0.provider == provider }.map { $0.rank ?? 0 } }
            #expect(ranks("openai").max() ?? 0 < ranks("house").min() ?? 0)
            #expect(try await service.write().provider == "openai")
            #expect(house.received.count == 1)
        }
    }

    @Test("Names with capitals and slashes are registered, listed and called as they are, whatever the case they are asked in")
    func deepNames() async throws {
        let (vendor, house) = (
            try ScriptedVendor([.says("别家")]), try ScriptedVendor([.says("好", model: "deepseek-ai/DeepSeek-V3")])
        )
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let platform = Self.administrator(of: true)
            let provider: JSONValue = ["dialect": "openai", "baseUrl": .string(house.url), "key": "sk-house"]
            #expect(try await Self.send(service, .put, "/v1/ai/providers/house", provider, as: platform).status == .noContent)
            let setting: JSONValue = ["capabilities": ["json_object"], "contextTokens": 32_000]
            for name in ["deepseek-ai%2FDeepSeek-V3", "Qwen2.5-72B"] {
                let put = try await Self.send(service, .put, "/v1/ai/models/house/\(name)", setting, as: platform)
                #expect(put.status == .noContent, "\(put.text)")
            }
            for name in ["%2FDeepSeek-V3", "a%2F%2Fb", "a%2F"] {
                let put = try await Self.send(service, .put, "/v1/ai/models/house/\(name)", setting, as: platform)
                #expect(put.status == .notFound)
            }
            let names = [
                ("deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-V3"), ("DEEPSEEK-AI/deepseek-v3", "deepseek-ai/DeepSeek-V3"),
                ("house/deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-V3"), ("Qwen2.5-72B", "Qwen2.5-72B"),
                ("house/qwen2.5-72b", "Qwen2.5-72B"),
            ]
            for (name, model) in names {
                let chat = try await service.callModel(
                    TitleService.chat, ["model": .string(name), "messages": [["role": "user", "content": "你好"]]])
                #expect(chat.status == .ok, "\(name): \(chat.text)")
                #expect(try chat.json()["degraded"] == nil)
                let text = try await service.callModel(
                    TitleService.generate, ["task": "reply", "input": "多少钱？", "model": .string(name)])
                #expect(text.status == .ok, "\(name): \(text.text)")
                #expect(house.received.suffix(2).allSatisfy { $0.body.contains(#""model":"\#(model)""#) })
                let headers = try TestContext.headers(
                    from: .gatewayBFF, to: .agentCenter, as: TestContext.principal(scopes: ["ai:generate"]))
                let path = "/v1/models/" + name.replacing("/", with: "%2F")
                let listed = try await service.app.client.send(.get, path, headers: headers)
                #expect(try listed.decode(OpenAIModel.self).id.lowercased() == name.lowercased())
            }
            #expect(vendor.received.isEmpty && house.received.count == 2 * names.count)
            let gone = try await Self.send(service, .delete, "/v1/ai/models/house/deepseek-ai%2FDeepSeek-V3", as: platform)
            #expect(gone.status == .noContent)
        }
    }

    @Test("A full name whose parts are as long as they may be is taken at every face, and one character more is not")
    func longNames() async throws {
        let (provider, model) = (String(repeating: "p", count: 64), String(repeating: "m", count: 64))
        let (vendor, house) = (try ScriptedVendor([.says("别家")]), try ScriptedVendor([.says(ModelTitles.json(), model: model)]))
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let platform = Self.administrator(of: true)
            let changes: [(String, JSONValue)] = [
                ("/v1/ai/providers/\(provider)", ["dialect": "openai", "baseUrl": .string(house.url), "key": "sk-house"]),
                ("/v1/ai/models/\(provider)/\(model)", ["capabilities": ["json_object"], "contextTokens": 32_000]),
            ]
            for (path, setting) in changes {
                let put = try await Self.send(service, .put, path, setting, as: platform)
                #expect(put.status == .noContent, "\(put.text)")
            }
            let full = "\(provider)/\(model)"
            var request = TitleWritingRequest.sample()
            request.model = full
            let answer = try await service.write(request)
            #expect(answer.provider == provider && answer.modelName == model && !answer.degraded)
            for (name, isTooLong) in [(full, false), (full + "m", true)] {
                let faces: [(String, JSONValue)] = [
                    (TitleService.chat, ["model": .string(name), "messages": [["role": "user", "content": "你好"]]]),
                    (TitleService.generate, ["model": .string(name), "task": "reply", "input": "多少钱？"]),
                    ("/v1/embeddings", ["model": .string(name), "input": "甲"]),
                ]
                for (path, body) in faces {
                    let said = try await service.callModel(path, body).text
                    #expect(said.contains("too_long") == isTooLong, "\(path): \(said)")
                }
            }
            request.model += "m"
            let refused = try await service.send(request, deadlineMs: 8_000)
            #expect(refused.status == .unprocessableContent)
            #expect(try refused.problem().errors?.map(\.code).contains("too_long") == true)
        }
        #expect(vendor.received.isEmpty)
    }

    @Test("A disabled model is skipped by policies, and refused by name and by other names")
    func disabled() async throws {
        let vendor = try ScriptedVendor([.says("好", model: "gpt-4o-2024-11-20")])
        try await TitleService.run(
            primary: vendor, environment: Self.environment.merging(["OPENAI_FALLBACK_MODEL": "gpt-4o"]) { $1 }
        ) { service in
            let platform = Self.administrator(of: true)
            let setting: JSONValue = ["capabilities": ["json_schema"], "contextTokens": 128_000, "enabled": false]
            #expect(
                try await Self.send(service, .put, "/v1/ai/models/openai/gpt-4o-mini", setting, as: platform).status
                    == .noContent)
            func ask(_ model: String) async throws -> TestResponse {
                try await service.callModel(
                    TitleService.chat, ["model": .string(model), "messages": [["role": "user", "content": "你好"]]])
            }
            #expect(try await ask("auto").status == .ok)
            #expect(vendor.received.count == 1 && vendor.received[0].body.contains(#""model":"gpt-4o""#))
            for name in ["gpt-4o-mini", "openai/gpt-4o-mini", "openai/chat"] {
                #expect(try await ask(name).status == .notFound)
                let text = try await service.callModel(
                    TitleService.generate, ["task": "reply", "input": "多少钱？", "model": .string(name)])
                #expect(text.status == .unprocessableContent)
            }
            // Where no model is left, waiting does not help.
            #expect(
                try await Self.send(service, .put, "/v1/ai/models/openai/gpt-4o", setting, as: platform).status == .noContent)
            let none = try await ask("auto")
            #expect(none.status == .notFound && none.headers["Retry-After"] == nil)
            let problem = try none.problem()
            #expect(problem.code == "model.none_enabled" && problem.detail == "策略中的模型均已停用或不存在")
            let text = try await service.callModel(TitleService.generate, ["task": "reply", "input": "多少钱？"]).json()
            #expect(text["degradedReason"]?.string == "策略中的模型均已停用或不存在，内容由模板生成")
            #expect(vendor.received.count == 1)
        }
    }

    @Test("Bad input is told field by field and changes nothing")
    func badInput() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let platform = Self.administrator(of: true)
            let cases: [(HTTPMethod, String, JSONValue, [String])] = [
                (.put, "/v1/ai/providers/x", ["dialect": "latin", "baseUrl": "ftp://x"], ["/dialect", "/baseUrl"]),
                (.put, "/v1/ai/providers/x", ["dialect": "openai", "baseUrl": "http://user@x/"], ["/baseUrl"]),
                (.put, "/v1/ai/providers/template", ["dialect": "openai", "baseUrl": "http://x/"], [""]),
                (
                    .put, "/v1/ai/models/openai/x", ["capabilities": ["json_object", "magic"], "contextTokens": 0],
                    ["/capabilities/1", "/contextTokens"]
                ),
                (
                    .post, "/v1/ai/aliases", ["name": "auto", "provider": "openai", "model": "no-such"],
                    ["/model", "/name", "/validFrom"]
                ),
                (
                    .post, "/v1/ai/aliases",
                    ["name": "auto ", "provider": "openai", "model": "gpt-4o", "validFrom": "2020-01-01T00:00:00Z"], ["/name"]
                ),
                (
                    .post, "/v1/ai/prices",
                    [
                        "provider": "openai", "model": "gpt-4o", "validFrom": "2020-01-01T00:00:00Z", "source": "s",
                        "rates": ["promptNano": "1.5", "cachedPromptNano": "-1", "completionNano": "9"],
                    ], ["/rates/promptNano", "/rates/cachedPromptNano", "/validFrom"]
                ),
                (
                    .put, "/v1/ai/policies/s",
                    [
                        "routes": [
                            ["provider": "openai", "model": "gone"], ["provider": "openai", "model": "gpt-4o", "tasks": ["x"]],
                        ]
                    ],
                    ["/routes/0/model", "/routes/1/tasks/0"]
                ),
                (.put, "/v1/ai/policies/s", ["routes": []], ["/routes"]),
                // Routes that could never hold.
                (
                    .put, "/v1/ai/policies/s",
                    [
                        "routes": [
                            ["provider": "deepseek", "model": "deepseek-flash"], ["provider": "nobody", "model": "gpt-4o"],
                            [
                                "provider": "openai", "model": "gpt-4o", "tasks": ["title", "embed"],
                                "needs": ["vision", "thinking"],
                            ],
                            [
                                "provider": "openai", "model": "text-embedding-3-small", "tasks": ["embed", "title"],
                                "needs": ["tools"],
                            ],
                        ]
                    ],
                    [
                        "/routes/0/provider", "/routes/1/model", "/routes/2/tasks/1", "/routes/2/needs/1", "/routes/3/tasks/1",
                        "/routes/3/needs/0",
                    ]
                ),
                (
                    .put, "/v1/ai/policies/s",
                    [
                        "routes": [
                            ["provider": "openai", "model": "gpt-4o", "languages": ["zh", "en"], "tasks": ["title"]],
                            ["provider": "openai", "model": "gpt-4o", "languages": ["zh"], "tasks": ["title"]],
                            ["provider": "openai", "model": "gpt-4o", "languages": ["EN", "zh"], "tasks": ["title"], "rank": 2],
                        ]
                    ], ["/routes/2"]
                ),
                (
                    .put, "/v1/ai/policies/s",
                    [
                        "routes": [
                            [
                                "provider": "openai", "model": "gpt-4o",
                                "languages": ["中文", "zh_CN", "e", "en--US", "zh-Hant", "ZH-hant", "1-a"],
                            ]
                        ]
                    ],
                    [0, 1, 2, 3, 5, 6].map { "/routes/0/languages/\($0)" }
                ),
                (.put, "/v1/ai/models/nobody/x", ["capabilities": [], "contextTokens": 1_000], [""]),
                (
                    .post, "/v1/ai/aliases",
                    ["name": "be\u{200B}st", "provider": "openai", "model": "gpt-4o", "validFrom": "2020-01-01T00:00:00Z"],
                    ["/name"]
                ),
                (
                    .put, "/v1/ai/policies/s",
                    ["routes": [["provider": "openai", "model": "gpt-4o", "minLength": 600, "maxLength": 599]]],
                    ["/routes/0/maxLength"]
                ),
            ]
            for (method, path, body, pointers) in cases {
                let response = try await Self.send(service, method, path, body, as: platform)
                #expect(response.status == .unprocessableContent, "\(path): \(response.text)")
                #expect(try Set(response.problem().errors?.map(\.pointer) ?? []) == Set(pointers), "\(path)")
            }
            let revision = try await service.database.superuser.query("SELECT revision FROM catalogue_revision").only
            #expect(try revision.decode("revision", as: Int64.self) == 0)
        }
    }

    @Test("Providers and models whose names differ in case only are refused: they are found whatever the case")
    func caseOnly() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let platform = Self.administrator(of: true)
            let provider: JSONValue = ["dialect": "openai", "baseUrl": "http://127.0.0.1:9", "enabled": false]
            let model: JSONValue = ["capabilities": [], "contextTokens": 1_000]
            let calls: [(String, JSONValue, HTTPStatus)] = [
                ("providers/OpenAI", provider, .conflict), ("models/openai/GPT-4o", model, .conflict),
                ("providers/House", provider, .noContent), ("providers/House", provider, .noContent),
                ("providers/house", provider, .conflict), ("providers/TEMPLATE", provider, .unprocessableContent),
                // A provider that is not called yet may have models.
                ("models/House/Qwen", model, .noContent), ("models/House/Qwen", model, .noContent),
                ("models/House/qwen", model, .conflict), ("models/openai/Qwen", model, .noContent),
            ]
            for (path, body, status) in calls {
                let put = try await Self.send(service, .put, "/v1/ai/" + path, body, as: platform)
                #expect(put.status == status, "\(path): \(put.text)")
                if status == .conflict { #expect(try put.problem().code == "catalogue.name_taken") }
            }
        }
    }

    @Test("Another replica learns of a change without being told")
    func replicas() async throws {
        let vendor = try ScriptedVendor(Self.answering)
        try await TitleService.run(primary: vendor, environment: Self.environment) { service in
            let runtime = service.app.runtime
            let holder = CatalogueHolder(ModelCatalogue.seeded([]))
            let desk = CatalogueDesk(
                store: CatalogueStore(app: runtime.database, system: runtime.system), holder: holder, keys: nil, logger: .silent)
            let watching = Task { try await desk.run() }
            defer { watching.cancel() }
            let put = try await Self.send(
                service, .put, "/v1/ai/policies/douyin-title-zh", ["routes": [["provider": "openai", "model": "gpt-4o"]]])
            #expect(put.status == .ok)
            try await eventually {
                holder.current(for: TestContext.tenant).policies.contains { $0.scene == "douyin-title-zh" }
            }
            #expect(!holder.common.policies.contains { $0.scene == "douyin-title-zh" })
        }
    }

    @Test("A price holds from its instant; what was charged before stays priced as it was")
    func priceHistory() throws {
        let start = PriceTable.day(2027, 1, 1)
        var changes = CatalogueChanges()
        changes.prices = [
            PriceTable.Entry(
                provider: "openai", models: ["gpt-4o-mini"], validFrom: start,
                rates: .init(cachedPrompt: 1, prompt: 2, completion: 3), peakRates: nil, source: "test")
        ]
        let (common, _) = changes.applied(to: .seeded([])) { _, _ in nil }
        let before = try #require(
            common.prices.price(provider: "openai", model: "gpt-4o-mini", at: start.addingTimeInterval(-1)))
        let after = try #require(common.prices.price(provider: "openai", model: "gpt-4o-mini", at: start))
        #expect(before.rates.prompt == 150 && before.version == "openai/gpt-4o-mini@2024-07-18")
        #expect(after.rates.prompt == 2 && after.version == "openai/gpt-4o-mini@2027-01-01")
    }
}
