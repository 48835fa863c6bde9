import ConcurrencySupport
import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// A vendor whose vector for a text begins with the text's length, in as many dimensions as asked; a token costs 20e-9 USD.
enum EmbeddingVendor {
    static let small = "text-embedding-3-small"

    /// - Parameters:
    ///   - tokens: for each input.
    ///   - change: of the items, e.g. their order.
    static func replies(
        tokens: Int = 10, asNumbers: Bool = false, usage: Bool = true,
        _ change: @escaping @Sendable ([JSONValue]) -> [JSONValue] = { $0 }
    ) -> ScriptedVendor.Reply {
        .answers { received in
            let body = try? JSONValue(parsing: Array(received.body.utf8))
            let inputs = body?["input"]?.array ?? []
            let dimensions = body?["dimensions"]?.int ?? 1_536
            let items = inputs.enumerated().map { index, input -> JSONValue in
                let length = input.string?.count ?? -(input.array?.count ?? 0)
                let numbers = [Float(length), 0.5] + [Float](repeating: -0.25, count: max(0, dimensions - 2))
                let embedding: JSONValue =
                    asNumbers
                    ? .array(numbers.map { .number($0.description) })
                    : .string(Base64.encode(Vector(numbers)?.bytes ?? []))
                return ["object": "embedding", "index": .number(String(index)), "embedding": embedding]
            }
            var answer: JSONObject = .init()
            answer["object"] = "list"
            answer["model"] = .string(small)
            answer["data"] = .array(change(items))
            if usage {
                let total = JSONValue.number(String(tokens * inputs.count))
                answer["usage"] = ["prompt_tokens": total, "total_tokens": total]
            }
            return ScriptedVendor.Reply.httpText(200, String(decoding: JSONValue.object(answer).encode(), as: UTF8.self))
        }
    }

    static func inputs(_ received: ScriptedVendor.Received) throws -> [String] {
        try JSONValue(parsing: Array(received.body.utf8))["input"]?.array?.compactMap(\.string) ?? []
    }
}

extension TitleService {
    func embed(
        _ body: JSONValue, tenant: UUID = TestContext.tenant, subject: String = "user-1", scopes: [String] = ["ai:generate"],
        deadlineMs: Int = 58_000
    ) async throws -> TestResponse {
        var headers = try TestContext.headers(
            from: .gatewayBFF, to: .agentCenter, as: TestContext.principal(tenant: tenant, subject: subject, scopes: scopes))
        headers["Content-Type"] = "application/json"
        headers["X-Deadline-Ms"] = String(deadlineMs)
        return try await app.client.send(.post, "/v1/embeddings", headers: headers, body: body.encode())
    }

    /// The vectors of texts, four dimensions each.
    func vectors(of texts: [String], tenant: UUID = TestContext.tenant) async throws -> EmbeddingsAnswer {
        let response = try await embed(
            ["model": "auto", "input": .array(texts.map { .string($0) }), "dimensions": 4], tenant: tenant)
        #expect(response.status == .ok, "\(response.text)")
        return try response.decode(EmbeddingsAnswer.self)
    }
}

@Suite("POST /v1/embeddings")
struct EmbeddingsTests {
    @Test("Vectors in the order of the inputs, whatever the vendor's order; exactly billed", arguments: [false, true])
    func vectors(asNumbers: Bool) async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies(asNumbers: asNumbers) { $0.reversed() }])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.vectors(of: ["一", "二二", "三三三"])
            #expect(answer.data.map(\.index) == [0, 1, 2])
            #expect(
                answer.data.map(\.embedding) == [
                    .numbers([1, 0.5, -0.25, -0.25]), .numbers([2, 0.5, -0.25, -0.25]), .numbers([3, 0.5, -0.25, -0.25]),
                ])
            #expect(answer.object == "list" && answer.model == EmbeddingVendor.small)
            #expect(answer.usage == EmbeddingsUsage(promptTokens: 30, totalTokens: 30, cachedInputs: 0))

            let row = try #require(try await service.ledger().first)
            #expect(row.provider == "openai" && row.model == EmbeddingVendor.small)
            #expect(row.promptTokens == 30 && row.completionTokens == 0)
            #expect(row.cost == 600 && row.spent == 600)
            #expect(row.price == "openai/text-embedding-3-small@2024-01-25" && !row.isDegraded)
            #expect(row.attempts.map(\.outcome) == ["answered"])
        }
        let request = try #require(vendor.received.first)
        #expect(request.head.hasPrefix("POST /embeddings "))
        let body = try JSONValue(parsing: Array(request.body.utf8))
        #expect(body["encoding_format"]?.string == "base64" && body["dimensions"]?.int == 4)
        #expect(body["model"]?.string == EmbeddingVendor.small)
        #expect(body["user"]?.string?.count == 32)
        #expect(!request.body.contains(TestContext.tenant.uuidString.lowercased()))
    }

    @Test("Base64 is little-endian float32, and the model's own length is not asked for")
    func base64() async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies()])
        try await TitleService.run(primary: vendor) { service in
            for dimensions in [JSONValue.null, 1_536] {
                var body: JSONObject = .init()
                body["model"] = .string("openai/" + EmbeddingVendor.small)
                body["input"] = "五个字的话"
                body["encoding_format"] = "base64"
                if !dimensions.isNull { body["dimensions"] = dimensions }
                let answer = try await service.embed(.object(body)).decode(EmbeddingsAnswer.self)
                guard case .base64(let text)? = answer.data.first?.embedding else {
                    Issue.record("not base64")
                    return
                }
                let bytes = try #require(Base64.decode(text))
                #expect(bytes.count == 6_144)
                // 5.0 is 0x40A00000, 0.5 is 0x3F000000.
                #expect(bytes.prefix(8) == [0, 0, 0xA0, 0x40, 0, 0, 0, 0x3F])
            }
        }
        // Both are the same vector.
        #expect(vendor.received.count == 1)
        #expect(try JSONValue(parsing: Array(#require(vendor.received.first).body.utf8))["dimensions"] == nil)
    }

    @Test("What is known costs nothing and is not asked again; the same text twice is asked once")
    func cache() async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies()])
        try await TitleService.run(primary: vendor) { service in
            let first = try await service.vectors(of: ["甲", "乙乙", "甲"])
            #expect(first.usage == EmbeddingsUsage(promptTokens: 20, totalTokens: 20, cachedInputs: 0))
            #expect(first.data[0].embedding == first.data[2].embedding)
            let second = try await service.vectors(of: ["丙丙丙", "甲", "乙乙"])
            #expect(second.usage == EmbeddingsUsage(promptTokens: 10, totalTokens: 10, cachedInputs: 2))
            #expect(second.data[1].embedding == first.data[0].embedding)
            let third = try await service.vectors(of: ["甲", "丙丙丙"])
            #expect(third.usage == EmbeddingsUsage(promptTokens: 0, totalTokens: 0, cachedInputs: 2))
            // What nobody was asked for leaves no row.
            #expect(try await service.ledger().map(\.cost) == [400, 200])
            let metrics = service.app.runtime.metrics.render()
            #expect(metrics.contains(#"agent_embedding_inputs_total{outcome="hit"} 4"#))
            #expect(metrics.contains(#"agent_embedding_inputs_total{outcome="miss"} 3"#))
            #expect(metrics.contains(#"agent_embedding_inputs_total{outcome="repeated"} 1"#))
        }
        #expect(try vendor.received.map(EmbeddingVendor.inputs) == [["甲", "乙乙"], ["丙丙丙"]])
    }

    @Test("Other lengths, other models and other tenants have vectors of their own")
    func spaces() async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies()])
        try await TitleService.run(primary: vendor) { service in
            _ = try await service.vectors(of: ["甲"])
            let other = try await service.vectors(of: ["甲"], tenant: TestContext.otherTenant)
            #expect(other.usage.promptTokens == 10 && other.usage.cachedInputs == 0)
            for body: JSONValue in [
                ["model": "auto", "input": "甲", "dimensions": 5],
                ["model": "text-embedding-3-large", "input": "甲", "dimensions": 4],
            ] {
                #expect(try await service.embed(body).decode(EmbeddingsAnswer.self).usage.cachedInputs == 0)
            }
            #expect(vendor.received.count == 4)
            let owners = try await service.database.superuser.query(
                "SELECT tenant_id, count(*) AS n FROM ai_embeddings GROUP BY 1 ORDER BY 1")
            #expect(
                try owners.map { try $0.decode("tenant_id", as: UUID.self) } == [TestContext.tenant, TestContext.otherTenant])
            #expect(try owners.map { try $0.decode("n", as: Int.self) } == [3, 1])
        }
    }

    @Test("The unified call embeds too, from the same cache", arguments: [false, true])
    func unified(isList: Bool) async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies()])
        try await TitleService.run(primary: vendor) { service in
            let input: JSONValue = isList ? ["甲", "乙乙"] : "甲"
            for attempt in 1...2 {
                let response = try await service.callModel(TitleService.generate, ["task": "embed", "input": input])
                #expect(response.status == .ok, "\(response.text)")
                let answer = try response.decode(AIGenerateAnswer.self)
                #expect(answer.output == (isList ? .many([]) : .one("")))
                #expect(answer.embeddings?.map(\.count) == (isList ? [1_536, 1_536] : [1_536]))
                #expect(answer.embeddings?[0].prefix(3) == [1, 0.5, -0.25])
                #expect(answer.provider == "openai" && answer.modelName == EmbeddingVendor.small && !answer.degraded)
                #expect(answer.usage.costNano == (attempt > 1 ? "0" : isList ? "400" : "200"))
            }
            let refused = try await service.callModel(
                TitleService.generate, ["task": "embed", "model": "gpt-4o-mini", "input": input])
            #expect(try refused.problem().errors?.map(\.code) == ["no_embeddings"])
        }
        #expect(vendor.received.count == 1)
    }

    @Test("Tokens are taken in place of a text, and never meet one")
    func tokens() async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies()])
        try await TitleService.run(primary: vendor) { service in
            for input: JSONValue in [[1, 2, 3], [[1, 2, 3], [4]]] {
                let response = try await service.embed(["model": "auto", "input": input, "dimensions": 2])
                #expect(response.status == .ok, "\(response.text)")
            }
            #expect(vendor.received.count == 2)
            #expect(vendor.received[0].body.contains(#""input":[[1,2,3]]"#))
            #expect(vendor.received[1].body.contains(#""input":[[4]]"#))
            let long = JSONValue.array([.array((0...8_192).map { .number(String($0)) })])
            let refused = try await service.embed(["model": "auto", "input": long])
            #expect(refused.status == .unprocessableContent)
            #expect(try refused.problem().errors?.map(\.pointer) == ["/input/0"])
        }
    }

    @Test("Many inputs go out in batches that vendors take")
    func batches() async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies()])
        try await TitleService.run(primary: vendor) { service in
            let texts = (1...1_100).map { "第\($0)条" }
            let answer = try await service.vectors(of: texts)
            #expect(answer.data.count == 1_100 && answer.usage.promptTokens == 11_000)
            #expect(answer.data[1_099].embedding == .numbers([6, 0.5, -0.25, -0.25]))
            #expect(try await service.ledger().map(\.cost) == [220_000])
        }
        #expect(try vendor.received.map { try EmbeddingVendor.inputs($0).count }.sorted() == [76, 512, 512])
    }

    @Test("Batches hold no more tokens than vendors take at once")
    func batching() {
        let texts = [60_000, 39_999, 2, 150_000, 5].map { EmbeddingInput.text(String(repeating: "a", count: $0)) }
        #expect(EmbeddingBatching.batches(of: texts) == [0..<2, 2..<3, 3..<4, 4..<5])
        #expect(EmbeddingBatching.batches(of: []) == [])
        #expect(
            EmbeddingBatching.batches(of: Array(repeating: .tokens([1]), count: 1_025)) == [0..<512, 512..<1_024, 1_024..<1_025])
    }

    @Test("A budget that does not hold the call refuses it before the vendor hears of it; settled to the last unit")
    func budget() async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies(tokens: 2)])
        try await TitleService.run(primary: vendor) { service in
            let budgets = BudgetHarness(database: service.database)
            // 6 bytes are 6 tokens at most.
            let budget = try await budgets.addBudget(nano: 160)
            #expect(try await service.vectors(of: ["甲乙"]).usage.promptTokens == 2)
            #expect(try await budgets.standing(of: budget) == .init(settled: 40, settledCalls: 1))
            let refused = try await service.embed(["model": "auto", "input": "丙丁戊", "dimensions": 4])
            #expect(refused.status == .tooManyRequests)
            #expect(try refused.problem().code == "budget.exhausted")
            // What is known needs no budget.
            #expect(try await service.vectors(of: ["甲乙"]).usage.cachedInputs == 1)
            #expect(try await service.vectors(of: ["己庚"]).usage.promptTokens == 2)
            #expect(try await budgets.standing(of: budget) == .init(settled: 80, settledCalls: 2))
            #expect(try await budgets.books().reservations == 0)
        }
        #expect(vendor.received.count == 2)
    }

    @Test("An API key's own budget counts its embeddings")
    func keyBudget() async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies()])
        try await TitleService.run(primary: vendor) { service in
            let budgets = BudgetHarness(database: service.database)
            let key = UUID.version7()
            let budget = try await budgets.addBudget(scope: "api_key", subject: key.uuidString.lowercased(), calls: 1)
            let subject = "client:\(key.uuidString.lowercased())"
            for (text, status) in [("一", HTTPStatus.ok), ("二", .tooManyRequests)] {
                #expect(
                    try await service.embed(["model": "auto", "input": .string(text), "dimensions": 4], subject: subject).status
                        == status)
            }
            #expect(try await service.embed(["model": "auto", "input": "三", "dimensions": 4]).status == .ok)
            #expect(try await budgets.standing(of: budget).settledCalls == 1)
        }
    }

    @Test("A client that leaves stops the vendor's work, and holds no money")
    func leaving() async throws {
        let vendor = try ScriptedVendor([.stall(after: "")])
        try await TitleService.run(primary: vendor, environment: ["MODEL_FIRST_TOKEN_TIMEOUT": "60s"]) { service in
            let budgets = BudgetHarness(database: service.database)
            let budget = try await budgets.addBudget(nano: 1_000_000)
            let client = Task { try await service.embed(["model": "auto", "input": "甲", "dimensions": 4]) }
            try await eventually { vendor.received.count == 1 }
            client.cancel()
            _ = await client.result
            try await eventually { vendor.abandoned == 1 }
            try await eventually { try await budgets.books().reservations == 0 }
            #expect(try await budgets.standing(of: budget).settled == 0)
            // The vendor may bill it all the same: one token by our count.
            #expect(try await service.ledger().map(\.spent) == [20])
            #expect(try await service.ledger().map(\.cost) == [0])
        }
    }

    @Test("The cache forgets what was not used, what is too much, and what the tenant does not want kept")
    func retention() async throws {
        let vendor = try ScriptedVendor([EmbeddingVendor.replies()])
        try await TitleService.run(primary: vendor) { service in
            let store = EmbeddingsStore(app: service.app.runtime.database, system: service.app.runtime.system)
            let superuser = service.database.superuser
            func count() async throws -> Int {
                try await superuser.query("SELECT count(*) AS n FROM ai_embeddings").only.decode("n")
            }
            _ = try await service.vectors(of: ["一", "二", "三"])
            _ = try await service.vectors(of: ["一"], tenant: TestContext.otherTenant)
            try await superuser.query(
                "UPDATE ai_embeddings SET last_used_at = app_now() - interval '40 days' WHERE content_sha256 = \(SHA256.hash("一"))"
            )
            // Using it keeps it.
            _ = try await service.vectors(of: ["一"])
            try await store.sweep(days: 30, most: 100)
            #expect(try await count() == 3)
            try await store.sweep(days: 30, most: 2)
            #expect(try await count() == 2)
            try await superuser.query(
                "INSERT INTO ai_tenant_settings (tenant_id, retention_days) VALUES (\(TestContext.tenant), 0)")
            try await store.sweep(days: 30, most: 100)
            #expect(try await count() == 0)
            _ = try await service.vectors(of: ["四"])
            #expect(try await count() == 0)
        }
    }
}
