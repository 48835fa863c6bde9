import ConcurrencySupport
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

/// The service in process over a cloned database, with scripted vendors.
struct TitleService: Sendable {
    let app: TestApplication
    let database: TestDatabase

    static func run<Value: Sendable>(
        primary: ScriptedVendor? = nil, fallback: ScriptedVendor? = nil, environment: [String: String] = [:],
        logger: Logger = .silent, _ body: @escaping @Sendable (TitleService) async throws -> Value
    ) async throws -> Value {
        // Near where a vendor falls silent; elsewhere none shall ring, however slow the machine is.
        let limit = [primary, fallback].contains { $0?.fallsSilent == true } ? "2s" : "20s"
        var variables = [
            "MODEL_VENDOR_ORDER": "openai,deepseek", "MODEL_CONNECT_TIMEOUT": "5s", "MODEL_FIRST_TOKEN_TIMEOUT": limit,
            "MODEL_IDLE_TIMEOUT": limit,
        ]
        if let primary { variables.merge(Self.openAI(at: primary.url)) { $1 } }
        if let fallback { variables.merge(["DEEPSEEK_BASE_URL": fallback.url, "DEEPSEEK_API_KEY": "sk-fallback-secret"]) { $1 } }
        variables.merge(environment) { $1 }
        let settings = variables
        let template = DatabaseTemplate(service: "agent", migrations: AgentCenterMigrations.all)
        return try await TestDatabase.withClone(of: template) { database in
            try await TestApplication.run(
                Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                environment: settings, logger: logger
            ) { app in
                try await body(TitleService(app: app, database: database))
            }
        }
    }

    /// The scripted vendor stands for OpenAI itself.
    private static func openAI(at url: String) -> [String: String] {
        ["OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-primary-secret", "OPENAI_DIALECT": "openai"]
    }

    func send(
        _ request: TitleWritingRequest = .sample(), tenant: UUID = TestContext.tenant, operation: UUID? = nil,
        deadlineMs: Int = 20_000
    ) async throws -> TestResponse {
        var headers = try TestContext.headers(
            from: .orchestrationService, to: .agentCenter, as: TestContext.principal(tenant: tenant), operation: operation)
        headers["Content-Type"] = "application/json"
        headers["X-Deadline-Ms"] = String(deadlineMs)
        return try await app.client.send(.post, "/v1/titles", headers: headers, body: try JSON.encode(request))
    }

    func write(
        _ request: TitleWritingRequest = .sample(), tenant: UUID = TestContext.tenant, operation: UUID? = nil,
        deadlineMs: Int = 20_000
    ) async throws -> TitleWritingAnswer {
        let response = try await send(request, tenant: tenant, operation: operation, deadlineMs: deadlineMs)
        #expect(response.status == .ok, "\(response.text)")
        return try response.decode(TitleWritingAnswer.self)
    }

    struct LedgerRow: Sendable {
        let provider: String
        let model: String
        let promptTokens: Int
        let cachedTokens: Int
        let completionTokens: Int
        let cost: Int64
        let spent: Int64
        let currency: String
        let price: String?
        let isDegraded: Bool
        let reason: String?
        let promptVersion: String
        let attempts: [ModelAttempt]
    }

    func ledger() async throws -> [LedgerRow] {
        let rows = try await database.superuser.query("SELECT * FROM ai_usage_ledger ORDER BY created_at")
        return try rows.map { row in
            LedgerRow(
                provider: try row.decode("provider"), model: try row.decode("model_name"),
                promptTokens: try row.decode("prompt_tokens"), cachedTokens: try row.decode("cached_prompt_tokens"),
                completionTokens: try row.decode("completion_tokens"), cost: try row.decode("cost_nano"),
                spent: try row.decode("spent_nano"), currency: try row.decode("currency"), price: try row.decode("price_version"),
                isDegraded: try row.decode("degraded"), reason: try row.decode("degraded_reason"),
                promptVersion: try row.decode("prompt_version"),
                attempts: try JSON.decode(
                    [ModelAttempt].self, from: Array(try row.decode("attempts", as: JSONText.self).text.utf8)))
        }
    }
}

@Suite("POST /v1/titles")
struct TitleServiceTests {
    @Test("A model's titles: judged, best first, exactly billed", arguments: [false, true])
    func model(streamed: Bool) async throws {
        let reply: ScriptedVendor.Reply =
            streamed ? .bytes(ScriptedVendor.Reply.streamText(ModelTitles.json()).joined()) : .says(ModelTitles.json())
        let vendor = try ScriptedVendor([reply])
        try await TitleService.run(primary: vendor, environment: ["MODEL_STREAMING": "\(streamed)"]) { service in
            let answer = try await service.write()
            #expect(Set(answer.candidates.map(\.title)) == Set(ModelTitles.texts.prefix(5)))
            #expect(answer.candidates.map(\.score) == answer.candidates.map(\.score).sorted(by: >))
            let metrics = try await service.app.client.send(.get, "/metrics").text
            #expect(metrics.contains(#"agent_model_first_token_seconds_count{route="openai/gpt-4o-mini"} 1"#) == streamed)
            #expect(answer.candidates.allSatisfy { !$0.reasons.isEmpty && (1...100).contains($0.score) })
            #expect(answer.provider == "openai")
            #expect(answer.modelName == "gpt-4o-mini-2024-07-18")
            #expect(!answer.degraded)
            #expect(answer.degradedReason == nil)
            #expect(answer.promptVersion == "title@0.4")
            let cost: Int64 = 60 * 75 + 40 * 150 + 40 * 600
            #expect(answer.usage == TokenUsage(promptTokens: 100, completionTokens: 40, costNano: "\(cost)", currency: "USD"))

            let rows = try await service.ledger()
            #expect(rows.count == 1)
            let row = try #require(rows.first)
            #expect(row.provider == "openai" && row.model == "gpt-4o-mini-2024-07-18")
            #expect([row.promptTokens, row.cachedTokens, row.completionTokens] == [100, 60, 40])
            #expect(row.cost == cost && row.spent == cost && row.currency == "USD")
            #expect(row.price == "openai/gpt-4o-mini@2024-07-18")
            #expect(!row.isDegraded && row.reason == nil)
            #expect(row.attempts.map(\.outcome) == ["answered"])
        }
        let request = try #require(vendor.received.first)
        #expect(request.head.hasPrefix("POST /chat/completions "))
        #expect(request.head.lowercased().contains("authorization: bearer sk-primary-secret"))
        let body = try JSONValue(parsing: Array(request.body.utf8))
        #expect((body["stream"]?.bool ?? false) == streamed)
        #expect(body["safety_identifier"]?.string?.count == 32)
        #expect(!request.body.contains(TestContext.tenant.uuidString.lowercased()))
    }

    @Test("Words that an editor should look at are reported where they stand, and go into the ledger")
    func warnings() async throws {
        let vendor = try ScriptedVendor([.says(#"{"titles":[{"title":"夏季防晒霜，原价买不亏吗？","formula":"question"}]}"#)])
        try await TitleService.run(primary: vendor) { service in
            let answer = try await service.write(.sample(count: 1))
            #expect(
                answer.findings == [
                    ComplianceFinding(
                        word: "原价", category: "price", severity: .warn, source: "明码标价和禁止价格欺诈规定第十六条",
                        pointer: "/candidates/0/title", start: 6, end: 8, action: .warned)
                ])
            #expect(try await service.ledgerChecks().first?["word"]?.string == "原价")
        }
    }

    @Test("An editor's wish changes the data of the question and not a byte of its instructions; 11,000 banned words are taken")
    func revision() async throws {
        let vendor = try ScriptedVendor([.says(ModelTitles.json())])
        try await TitleService.run(primary: vendor) { service in
            _ = try await service.write()
            var request = TitleWritingRequest.sample(bannedWords: (0..<11_000).map { "禁词\($0)号" })
            request.revision = TitleRevision(previous: ["旧标题"], feedback: "更口语")
            _ = try await service.write(request)
        }
        let bodies = try vendor.received.map { try JSONValue(parsing: Array($0.body.utf8)) }
        #expect(bodies[0]["messages"]?[0] == bodies[1]["messages"]?[0])
        let data = try ScriptedVendor.data(vendor.received[1])
        #expect(data["feedback"]?.string == "更口语" && data["previous"]?[0]?.string == "旧标题")
        #expect(data["bannedWords"]?.array?.count == 200)
    }

    @Test("Without a key the templates write, and say so; nothing is billed")
    func template() async throws {
        try await TitleService.run { service in
            let answer = try await service.write(.sample(count: 20))
            #expect(answer.candidates.count == 20)
            #expect(answer.provider == "template")
            #expect(answer.degraded)
            #expect(answer.degradedReason?.contains("未配置任何模型密钥") == true)
            #expect(answer.promptVersion == "title.template@2")
            #expect(answer.usage.costNano == "0")
            let row = try #require(try await service.ledger().first)
            #expect(row.provider == "template" && row.cost == 0 && row.spent == 0 && row.isDegraded && row.attempts.isEmpty)
            #expect(row.price == nil)
        }
    }

    @Test("A repeat of an operation gets the same answer and costs nothing; other operations and tenants do not")
    func repeated() async throws {
        let vendor = try ScriptedVendor([.says(ModelTitles.json())])
        try await TitleService.run(primary: vendor) { service in
            let operation = UUID()
            let first = try await service.write(operation: operation)
            let second = try await service.write(operation: operation)
            #expect(first == second)
            #expect(vendor.received.count == 1)
            _ = try await service.write(operation: UUID())
            #expect(vendor.received.count == 2)
            _ = try await service.write(tenant: TestContext.otherTenant, operation: operation)
            #expect(vendor.received.count == 3)
            #expect(try await service.ledger().count == 3)
        }
    }

    @Test("Ten at once under one operation ask the model once")
    func concurrentRepeats() async throws {
        let slow = try ScriptedVendor([
            .pieces(
                [
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n", "\n\n",
                    ScriptedVendor.Reply.completion(ModelTitles.json(), model: "gpt-4o-mini", finish: "stop"),
                ],
                pause: .milliseconds(150))
        ])
        try await TitleService.run(primary: slow) { service in
            let operation = UUID()
            let answers = try await withThrowingTaskGroup(of: TitleWritingAnswer.self) { group in
                for _ in 0..<10 { group.addTask { try await service.write(operation: operation) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers.map(\.candidates.description)).count == 1)
            #expect(slow.received.count == 1)
            #expect(try await service.ledger().count == 1)
        }
    }

    @Test("Each tenant sees its own rows only, as role app with either tenant set or none")
    func tenants() async throws {
        try await TitleService.run { service in
            _ = try await service.write()
            _ = try await service.write(tenant: TestContext.otherTenant)
            for table in ["ai_usage_ledger", "ai_completions"] {
                for tenant in [TestContext.tenant, TestContext.otherTenant] {
                    let rows = try await service.database.app.query("SELECT tenant_id FROM \(identifier: table)", tenant: tenant)
                    #expect(try rows.map { try $0.decode("tenant_id", as: UUID.self) } == [tenant])
                }
                #expect(try await service.database.app.query("SELECT 1 FROM \(identifier: table)").isEmpty)
            }
            await #expect(throws: PostgresError.self) {
                try await service.database.app.query(
                    "UPDATE ai_usage_ledger SET tenant_id = \(TestContext.otherTenant)", tenant: TestContext.tenant)
            }
        }
    }

    @Test("The catalogue has no hole in the wall between tenants")
    func catalogue() async throws {
        try await TitleService.run { service in
            let violations = try await CatalogueCheck.violations(
                in: service.database.superuser,
                globalTables: [
                    "ai_desks", "model_providers", "models", "model_aliases", "model_prices", "catalogue_revision",
                    "prompt_revision", "platform_routing_policies",
                ])
            #expect(violations.isEmpty, "\(violations)")
            #expect(try await CatalogueCheck.clockViolations(in: service.database.superuser) == [])
        }
    }

    @Test("Keys stand in no log line, and metrics name route and outcome")
    func secrets() async throws {
        let lines = LogLines()
        let vendor = try ScriptedVendor([
            .http(
                401,
                #"{"error":{"message":"Incorrect API key provided: sk-primary-secret","type":"x","param":null,"code":"invalid_api_key"}}"#
            )
        ])
        let logger = Logger(service: "agent-center", level: .debug, sink: LogSink(write: { lines.append($0) }))
        try await TitleService.run(primary: vendor, logger: logger) { service in
            let response = try await service.send()
            #expect(response.status == .ok)
            #expect(!response.text.contains("sk-primary"))
            let metrics = try await service.app.client.send(.get, "/metrics").text
            #expect(
                metrics.contains(
                    #"agent_model_calls_total{route="openai/gpt-4o-mini",purpose="ask",outcome="authentication"} 1"#),
                "\(metrics)")
            #expect(metrics.contains(#"agent_title_answers_total{outcome="template"} 1"#))
            let ready = try await service.app.client.send(.get, "/readyz")
            #expect(ready.status == .ok)
            #expect(ready.text.contains("model:openai/gpt-4o-mini"))
        }
        let text = lines.text
        #expect(text.contains("no usable answer from the model route"))
        #expect(!text.contains("sk-primary"))
    }

    @Test(
        "Bad input gets a precise refusal",
        arguments: [
            (#"{"topic":""}"#, "/topic"), (#"{"platform":"tiktok"}"#, "/platform"), (#"{"count":0}"#, "/count"),
            (#"{"count":21}"#, "/count"), (#"{"maxLength":4}"#, "/maxLength"), (#"{"maxLength":"30"}"#, "/maxLength"),
            (#"{"model":"gpt-9-imaginary"}"#, "/model"), (#"{"keywords":["a",2]}"#, "/keywords/1"), (#"{"extra":1}"#, "/extra"),
            (#"{"sellingPoints":["1","2","3","4","5","6","7","8","9","10","11"]}"#, "/sellingPoints"),
        ])
    func badInput(change: String, pointer: String) async throws {
        try await TitleService.run { service in
            var body = try #require(try JSONValue(parsing: try JSON.encode(TitleWritingRequest.sample())).object)
            for (name, value) in try #require(try JSONValue(parsing: Array(change.utf8)).object) { body[name] = value }
            var headers = try TestContext.headers(from: .orchestrationService, to: .agentCenter)
            headers["Content-Type"] = "application/json"
            let response = try await service.app.client.send(
                .post, "/v1/titles", headers: headers, body: JSONValue.object(body).encode())
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().errors?.map(\.pointer) == [pointer])
            #expect(try await service.ledger().isEmpty)
        }
    }

    @Test("Who may call: orchestration and the gateway, with a good token for us")
    func callers() async throws {
        try await TitleService.run { service in
            let body = try JSON.encode(TitleWritingRequest.sample())
            func status(_ token: String?) async throws -> Int {
                var headers: HTTPHeaders = ["Content-Type": "application/json"]
                headers["Authorization"] = token.map { "Bearer \($0)" }
                return try await service.app.client.send(.post, "/v1/titles", headers: headers, body: body).status.code
            }
            #expect(try await status(nil) == 401)
            #expect(try await status(TestContext.token(to: .contentCenter)) == 401)
            #expect(try await status(TestContext.token(to: .agentCenter, age: 120)) == 401)
            #expect(try await status(TestContext.token(from: .contentCenter, to: .agentCenter)) == 403)
            #expect(try await status(TestContext.token(from: .gatewayBFF, to: .agentCenter)) == 200)
        }
    }

    @Test("A limit and banned words that leave no title are refused, not answered badly")
    func nothingFits() async throws {
        try await TitleService.run { service in
            let characters = Set(TitlePatternLibrary.all.flatMap { $0.wordings(on: .douyin) }.joined()).subtracting("{}n")
            let response = try await service.send(
                .sample(bannedWords: characters.map(String.init) + ["3", "5", "7"], maxLength: 5))
            #expect(response.status == .unprocessableContent)
            #expect(try response.problem().code == "titles.no_title_fits")
            #expect(try await service.ledger().isEmpty)
        }
    }
}

final class LogLines: Sendable {
    private let bytes = Lock<[UInt8]>([])

    func append(_ line: [UInt8]) { bytes.withLock { $0 += line } }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}
