import ConcurrencySupport
import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Messaging
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// What becomes of a tenant here that content-center has erased.
@Suite("Erased tenants", .timeLimit(.minutes(5)))
struct TenantErasureTests {
    /// Stands in every text that a tenant has here.
    private static let words = "告别的话"

    @Test("A new table cannot be forgotten")
    func everyTable() async throws {
        try await BudgetHarness.run { harness in
            let known = TenantErasureStore.tables + TenantErasureStore.tablesOfBills + ["erased_tenants"]
            let tables = try await harness.tenantTables()
            #expect(Set(tables) == Set(known))
        }
    }

    @Test("Every text goes, the money stays as it was, and so does everything of another tenant; heard again, it does nothing")
    func texts() async throws {
        try await BudgetHarness.run { harness in
            let (tenant, other) = (TestContext.tenant, TestContext.otherTenant)
            var budgets: [UUID: UUID] = [:]
            for each in [tenant, other] { budgets[each] = try await Self.fill(harness, each) }
            let budget = try #require(budgets[tenant])
            let before = try await harness.rows(of: other)
            // Of a table that nothing is in, this would show nothing.
            #expect(before.filter { $0.value == 0 }.map(\.key) == ["erased_tenants"])
            let (theirs, money) = (try await harness.texts(of: other), try await Self.money(harness, tenant, budget))
            #expect(theirs.contains(Self.words))

            let event = try Self.erased(tenant)
            // Twice at once, and once more: whatever comes of it comes once.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { try await harness.erasure.hear(event) } }
                try await group.waitForAll()
            }
            let revision = try await harness.revisions()
            try await harness.erasure.hear(event)
            #expect(revision == [1, 1])
            #expect(try await harness.revisions() == revision)

            let left = try await harness.rows(of: tenant).filter { $0.value > 0 }
            #expect(Set(left.keys) == Set(TenantErasureStore.tablesOfBills + ["erased_tenants"]))
            #expect(left["ai_usage_ledger"] == before["ai_usage_ledger"])
            #expect(try await harness.texts(of: tenant).contains(Self.words) == false)
            #expect(try await Self.money(harness, tenant, budget) == money)
            #expect(try await harness.rows(of: other) == before)
            #expect(try await harness.texts(of: other) == theirs)
            // How many pictures were made is what the bill is about.
            let attempts = try await harness.database.superuser.query(
                "SELECT DISTINCT attempts::text AS a FROM ai_usage_ledger WHERE tenant_id = \(tenant) AND attempts <> '[]'")
            #expect(
                try attempts.map { try $0.decode("a", as: String.self) }
                    == [#"[{"outcome": "rejected"}, {"detail": "3 × image", "outcome": "answered"}]"#])
            let mark = try await harness.database.superuser.query(
                "SELECT erasure_id, finished_at IS NOT NULL AS ended FROM erased_tenants"
            ).only
            #expect(try mark.decode("erasure_id", as: UUID.self) == event.decode(TenantContentErased.self).erasureId)
            #expect(try mark.decode("ended", as: Bool.self) == true)
        }
    }

    @Test("From the order on no model is asked, and what there is stays until it is done")
    func ordered() async throws {
        try await BudgetHarness.run { harness in
            _ = try await Self.fill(harness, TestContext.tenant)
            let before = try await harness.rows(of: TestContext.tenant)
            let ordered = try Self.event(TenantErasureOrdered(erasureId: UUID()), TestContext.tenant, TenantErasureOrdered.type)
            try await harness.erasure.hear(ordered)
            let claim = UsageClaim(.sample(), worstCase: 1)
            await #expect(throws: TenantErased.self) { _ = try await harness.store().exchange([], [claim]) }
            #expect(try await harness.rows(of: TestContext.tenant) == before.merging(["erased_tenants": 1]) { $1 })
            try await harness.erasure.hear(try Self.erased(TestContext.tenant))
            #expect(try await harness.texts(of: TestContext.tenant).contains(Self.words) == false)
        }
    }

    @Test("What was broken off is gone on with")
    func brokenOff() async throws {
        try await BudgetHarness.run { harness in
            _ = try await Self.fill(harness, TestContext.tenant)
            // As a process leaves it that is killed in the middle.
            let store = TenantErasureStore(database: harness.database.app)
            try await store.mark(TestContext.tenant, erasure: UUID())
            #expect(try await store.deleteBatch(of: "ai_embeddings", of: TestContext.tenant))
            #expect(try await store.eraseTexts(of: TestContext.tenant))
            try await harness.erasure.hear(try Self.erased(TestContext.tenant))
            #expect(try await harness.texts(of: TestContext.tenant).contains(Self.words) == false)
            #expect(try await harness.revisions() == [1, 1])
        }
    }

    @Test("A living tenant's versions and outcomes cannot be taken away by the server")
    func living() async throws {
        try await BudgetHarness.run { harness in
            _ = try await Self.fill(harness, TestContext.tenant)
            let store = TenantErasureStore(database: harness.database.app)
            await #expect {
                _ = try await store.deleteBatch(of: "prompt_outcomes", of: TestContext.tenant)
            } throws: {
                ($0 as? PostgresError)?.isInsufficientPrivilege == true
            }
            #expect(try await harness.rows(of: TestContext.tenant)["prompt_outcomes"] == 1)
        }
    }

    @Test("A call under way is booked to the last unit, and no word of it is kept")
    func underWay() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 1_000)
            let (store, operation) = (harness.store(), UUID())
            let claim = UsageClaim(.sample(operation: operation), worstCase: 90)
            let (_, admissions) = try await store.exchange([], [claim])
            let isGranted = if case .granted? = admissions.first { true } else { false }
            #expect(isGranted)
            try await harness.erasure.hear(try Self.erased(TestContext.tenant))

            var entry = LedgerEntry.sample(cost: 70, prompt: Self.words)
            entry.checks = [["word": .string(Self.words)]]
            entry.experiment = .init(experimentId: UUID(), arm: Self.words)
            entry.promptVersion = "title@2#\(UUID().text):\(Self.words)"
            var attempt = ModelAttempt(picturesBy: "openai", model: "m", count: 1, latencyMs: 1, priceVersion: nil, costNano: 70)
            attempt.detail = Self.words
            entry.attempts = [attempt]
            let receipt = UsageReceipt(call: claim.call, ticketId: claim.ticketId, entry: entry, answer: #""\#(Self.words)""#)
            // In one batch with new work they are sent one by one: see `UsageStoreFault.refused`.
            let next = UsageClaim(.sample(), worstCase: 1)
            let refusal = await #expect(throws: PostgresError.self) { _ = try await store.exchange([receipt], [next]) }
            #expect(refusal?.tellsOfErasedTenant == true)
            await #expect(throws: TenantErased.self) { _ = try await store.exchange([], [next]) }
            // Whoever asked gets the answer.
            let (answers, _) = try await store.exchange([receipt], [])
            #expect(answers == [receipt.answer])

            #expect(try await harness.books() == .init(rows: 1, calls: 1, cost: 70, spent: 70))
            #expect(try await harness.standing(of: budget) == .init(settled: 70, settledCalls: 1))
            #expect(try await harness.texts(of: TestContext.tenant).contains(Self.words) == false)
            let row = try await harness.database.superuser.query(
                "SELECT erased_at IS NOT NULL AS erased, prompt_version FROM ai_completions JOIN ai_usage_ledger USING (operation_id)"
            ).only
            #expect(try row.decode("erased", as: Bool.self) == true)
            #expect(try row.decode("prompt_version", as: String.self) == "title@2")
        }
    }

    @Test("One that is being written down while the mark is set is waited for")
    func race() async throws {
        try await BudgetHarness.run { harness in
            let ticket = try await harness.desk().open(.sample(), worstCase: 9)
            let both = try await harness.database.superuser.transaction { transaction in
                // The settlement has looked for a mark and found none when it comes to a halt here.
                try await transaction.execute("LOCK TABLE ai_usage_ledger IN ACCESS EXCLUSIVE MODE")
                let settling = Task {
                    _ = try await ticket.settle(.sample(cost: 9, prompt: Self.words), answer: #""\#(Self.words)""#)
                }
                try await eventually("the settlement waits") { try await harness.waits(for: "ai_usage_ledger%") }
                let erasing = Task { try await harness.erasure.hear(try Self.erased(TestContext.tenant)) }
                try await eventually("the mark waits for it") { try await harness.waits(for: "erased_tenants") }
                return [settling, erasing]
            }
            for each in both { try await each.value }
            #expect(try await harness.books() == .init(rows: 1, calls: 1, cost: 9, spent: 9))
            #expect(try await harness.texts(of: TestContext.tenant).contains(Self.words) == false)
        }
    }

    private static let calls: [(HTTPMethod, String, JSONValue)] = [
        (.post, TitleService.generate, ["task": "reply", "input": "多少钱？"]),
        (.put, "/v1/ai/providers/openai/key", ["key": "sk-of-the-tenant"]),
        (.put, "/v1/ai/policies/*", ["routes": [["provider": "openai", "model": "gpt-4o-mini"]]]),
        (.put, "/v1/ai/settings", ["retentionDays": 7]),
        (.post, "/v1/prompts/title/versions", ["text": .string(PromptSamples.title("甲版")), "note": ""]),
        (.put, "/v1/prompts/title/labels/canary", ["version": 0]),
        (.post, "/v1/experiments", ["prompt": "title", "arms": [["name": "a", "version": 0], ["name": "b", "version": 0]]]),
    ]

    @Test("Nothing of it is taken any more, and no model is asked")
    func refusals() async throws {
        let vendor = try ScriptedVendor([.says(ModelTitles.json())])
        let environment = ["DATA_ENCRYPTION_KEYS": "k1=" + Base64.encode(Array(repeating: 7, count: 32))]
        try await TitleService.run(primary: vendor, environment: environment) { service in
            try await BudgetHarness(database: service.database).erasure.hear(try Self.erased(TestContext.tenant))
            let scopes = ["ai:admin", "ai:usage", "ai:generate", "prompts:read", "prompts:write"]
            for (method, path, body) in Self.calls {
                let answer = try await service.call(method, path, body, scopes: scopes)
                #expect(answer.status == .forbidden, "\(path): \(answer.text)")
                let problem = try answer.problem()
                #expect(problem.code == "tenant.erased" && problem.title == "本企业的数据已删除，不能再写入" && !problem.retryable)
            }
            #expect(try await service.send().problem().code == "tenant.erased")
            let chat = try await service.callModel(
                TitleService.chat, ["model": "auto", "messages": [["role": "user", "content": "你好"]]])
            #expect(chat.status == .forbidden && chat.text.contains("tenant.erased"), "\(chat.text)")
            #expect(vendor.received.isEmpty)
            #expect(try await service.ledger().isEmpty)
            #expect(try await service.send(tenant: TestContext.otherTenant).status == .ok)
        }
    }

    @Test("Data that tells of no erasure is parked at once")
    func broken() async throws {
        try await BudgetHarness.run { harness in
            let event = try Self.event(["erasureId": 7], TestContext.tenant)
            await #expect(throws: PermanentFailure.self) { try await harness.erasure.hear(event) }
            #expect(try await harness.rows(of: TestContext.tenant)["erased_tenants"] == 0)
        }
    }

    @Test("The service hears of it by way of the broker")
    func hears() async throws {
        let template = DatabaseTemplate(service: "agent", migrations: AgentCenterMigrations.all)
        try await TestDatabase.withClone(of: template) { database in
            try await TestBroker.withBroker(queues: [.agentTenantErasures]) { broker in
                let publisher = Publisher(broker: broker)
                try await TestApplication.run(
                    Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                    broker: broker.configuration.url, brokerPrefix: broker.configuration.prefix, scope: .everything
                ) { _ in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await publisher.run() }
                        try await eventually("the publisher is connected") { publisher.isConnected }
                        try await publisher.publish(OutgoingMessage(try Self.erased(TestContext.tenant)))
                        try await eventually("the tenant is erased") {
                            try await !database.superuser.query("SELECT FROM erased_tenants WHERE finished_at IS NOT NULL")
                                .isEmpty
                        }
                        group.cancelAll()
                    }
                }
            }
            #expect(try await database.superuser.query("SELECT FROM erased_tenants").count == 1)
        }
    }

    // MARK: Helpers

    private static func erased(_ tenant: UUID) throws -> CloudEvent {
        try event(TenantContentErased(erasureId: UUID(), counts: []), tenant)
    }

    private static func event(
        _ data: some Encodable, _ tenant: UUID, _ type: String = TenantContentErased.type
    ) throws -> CloudEvent {
        CloudEvent(
            id: .version7(), source: "content-center", type: type, subject: tenant.text, time: Date(),
            tenantId: tenant, version: 1, data: try JSON.encode(data))
    }

    private struct Money: Equatable {
        let books: BudgetHarness.Books
        let standing: BudgetHarness.Standing
    }

    private static func money(_ harness: BudgetHarness, _ tenant: UUID, _ budget: UUID) async throws -> Money {
        Money(books: try await harness.books(of: tenant), standing: try await harness.standing(of: budget))
    }

    /// Something in every table, and of the larger ones more than goes at a time.
    ///
    /// - Returns: the tenant's budget.
    private static func fill(_ harness: BudgetHarness, _ tenant: UUID) async throws -> UUID {
        let budget = try await harness.addBudget(tenant: tenant, nano: 1_000)
        let (desk, many, id) = (harness.desk(), TenantErasureStore.batch + 1, UUID())
        let done = try await desk.open(.sample(tenant: tenant), worstCase: 9)
        _ = try await done.settle(.sample(cost: 9, prompt: words), answer: #""\#(words)""#)
        _ = try await desk.open(.sample(tenant: tenant), worstCase: 5)
        let hash = [UInt8](repeating: 1, count: 32)
        let attempts = #"[{"outcome":"rejected","detail":"\#(words)"},{"outcome":"answered","detail":"3 × image"}]"#
        let version = "title@2#\(id.text):\(words)"
        let statements: [SQL] = [
            """
            WITH calls AS (
                INSERT INTO ai_usage_ledger (tenant_id, operation_id, step, flow, task, scene, subject, provider, model_name,
                    prompt_tokens, cached_prompt_tokens, completion_tokens, cost_nano, calls, spent_nano, currency, is_estimated,
                    latency_ms, attempts, checks, experiment_id, experiment_arm, prompt_version, prompt_sha256, completion_sha256,
                    degraded, created_at)
                SELECT \(tenant), gen_random_uuid(), 's', 'TitleGeneration', 'title', 's', 'user-1', 'openai', 'm', 1, 0, 1, 3, 1, 3,
                    'USD', false, 1, \(JSONText(attempts))::jsonb, jsonb_build_array(\(words)::text), \(id), \(words),
                    \(version), \(hash), \(hash), false, app_now() - n % 3 * interval '40 days'
                FROM generate_series(1, \(many)) AS n RETURNING operation_id, created_at
            )
            INSERT INTO ai_completions (tenant_id, operation_id, step, ticket_id, created_at, answer, prompt, completion)
            SELECT \(tenant), operation_id, 's', gen_random_uuid(), created_at, to_json(\(words)::text), \(words), \(words) FROM calls
            """,
            """
            INSERT INTO ai_embeddings (tenant_id, provider, model, dimensions, content_sha256, vector)
            SELECT \(tenant), 'openai', 'm', 1, sha256(n::text::bytea), '\\x00000000' FROM generate_series(1, \(many)) AS n
            """,
            "UPDATE ai_budgets SET name = \(words) WHERE tenant_id = \(tenant)",
            "INSERT INTO ai_tenant_settings (tenant_id, retention_days) VALUES (\(tenant), 7)",
            "INSERT INTO tenant_provider_keys (tenant_id, provider, key_id, key_sealed) VALUES (\(tenant), 'openai', \(words), '\\x00')",
            "INSERT INTO routing_policies (tenant_id, scene, routes, updated_by) VALUES (\(tenant), \(words), '[]', \(words))",
            "INSERT INTO banned_words (tenant_id, word, is_removed, version) VALUES (\(tenant), \(words), false, 1)",
            "INSERT INTO banned_word_lists (tenant_id, revision) VALUES (\(tenant), 1)",
            "INSERT INTO prompt_tenants (tenant_id, revision) VALUES (\(tenant), 0)",
            "INSERT INTO prompts (tenant_id, name, last_version) VALUES (\(tenant), \(words), 1)",
            """
            INSERT INTO prompt_versions (tenant_id, name, number, text, note, created_by, operation_id)
            VALUES (\(tenant), \(words), 1, \(words), \(words), \(words), \(id))
            """,
            """
            INSERT INTO prompt_labels (tenant_id, name, label, version, revision, updated_by)
            VALUES (\(tenant), \(words), \(words), 1, 1, \(words))
            """,
            """
            INSERT INTO prompt_label_moves (tenant_id, name, label, revision, kind, moved_by, operation_id)
            VALUES (\(tenant), \(words), \(words), 1, 'moved', \(words), \(id))
            """,
            """
            INSERT INTO prompt_experiments (tenant_id, id, prompt, description, control, unit, salt, state, created_by, operation_id)
            VALUES (\(tenant), \(id), \(words), \(words), \(words), 'operation', \(words), 'running', \(words), \(id))
            """,
            """
            INSERT INTO prompt_experiment_arms (tenant_id, experiment_id, name, position, version, weight, is_control)
            VALUES (\(tenant), \(id), \(words), 1, 1, 1, true)
            """,
            """
            INSERT INTO prompt_experiment_changes (tenant_id, experiment_id, id, actor, change)
            VALUES (\(tenant), \(id), \(id), \(words), 'created')
            """,
            """
            INSERT INTO prompt_outcomes (tenant_id, experiment_id, unit, kind, arm, posted_by)
            VALUES (\(tenant), \(id), \(words), 'accepted', \(words), \(words))
            """,
            """
            INSERT INTO prompt_outcome_counts (tenant_id, experiment_id, arm, kind, count, valued, mean, squares)
            VALUES (\(tenant), \(id), \(words), 'accepted', 1, 0, 0, 0)
            """,
        ]
        for statement in statements { try await harness.database.app.query(statement, tenant: tenant) }
        return budget
    }
}

extension BudgetHarness {
    fileprivate var erasure: TenantErasureConsumer { TenantErasureConsumer(store: TenantErasureStore(database: database.app)) }

    fileprivate func tenantTables() async throws -> [String] {
        try await database.superuser.query(
            """
            SELECT c.relname::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
                AND a.attname = 'tenant_id' AND NOT a.attisdropped
            """
        ).map { try $0.decode("name") }
    }

    fileprivate func rows(of tenant: UUID) async throws -> [String: Int] {
        var rows: [String: Int] = [:]
        for table in try await tenantTables() {
            rows[table] = try await database.superuser.query(
                "SELECT count(*) AS n FROM \(identifier: table) WHERE tenant_id = \(tenant)"
            ).only.decode("n")
        }
        return rows
    }

    /// Everything of the tenant that can be read.
    fileprivate func texts(of tenant: UUID) async throws -> String {
        var texts = ""
        for table in try await tenantTables().sorted() {
            texts += try await database.superuser.query(
                """
                SELECT coalesce(string_agg(to_jsonb(t)::text, E'\\n' ORDER BY to_jsonb(t)::text), '') AS text
                FROM \(identifier: table) t WHERE tenant_id = \(tenant)
                """
            ).only.decode("text", as: String.self)
        }
        return texts
    }

    /// By which replicas learn that keys and prompts have changed.
    fileprivate func revisions() async throws -> [Int] {
        let row = try await database.superuser.query(
            "SELECT c.revision AS keys, p.revision AS prompts FROM catalogue_revision c, prompt_revision p"
        ).only
        return [try row.decode("keys"), try row.decode("prompts")]
    }
}
