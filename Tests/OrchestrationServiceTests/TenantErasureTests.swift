import ConcurrencySupport
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

@testable import OrchestrationService

/// What becomes of a tenant here that content-center has erased.
@Suite(.timeLimit(.minutes(3))) struct TenantErasureTests {
    /// A new table cannot be forgotten.
    @Test func everyTableGoesOrIsTheMark() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let tables = try await tenantTables(database)
            #expect(Set(tables) == Set(TenantErasureStore.tables + TenantErasureStore.tablesOfJobs + ["erased_tenants"]))
        }
    }

    @Test func nothingIsLeftButTheMarkAndNobodyElseIsTouched() async throws {
        try await OrchestrationHarness.run { service in
            let (tenant, other) = (TestContext.tenant, TestContext.otherTenant)
            for each in [tenant, other] { try await fill(service.database, each) }
            let before = try await rows(service.database, other)
            // Of a table that nothing is in, this would show nothing.
            #expect(before.filter { $0.value == 0 }.map(\.key) == ["erased_tenants"])
            #expect(try await page(service, tenant).items.isEmpty == false)

            let event = try erased(tenant)
            // Twice at once, and once more: whatever comes of it comes once.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { try await service.erasure.hear(event) } }
                try await group.waitForAll()
            }
            try await service.erasure.hear(event)

            #expect(try await rows(service.database, tenant).filter { $0.value > 0 } == ["erased_tenants": 1])
            #expect(try await rows(service.database, other) == before)
            #expect(try await page(service, tenant).items.isEmpty)
            #expect(try await page(service, other).items.isEmpty == false)
            let mark = try await service.database.superuser.query("SELECT erasure_id, finished_at FROM erased_tenants").only
            #expect(try mark.decode("erasure_id", as: UUID.self) == event.decode(TenantContentErased.self).erasureId)
            #expect(try mark.decode("finished_at", as: Date?.self) != nil)
        }
    }

    @Test func fromTheOrderOnNothingBeginsAndWhatThereIsStays() async throws {
        try await OrchestrationHarness.run { service in
            try await fill(service.database, TestContext.tenant)
            let before = try await rows(service.database, TestContext.tenant)
            let ordered = try event(TenantErasureOrdered.type, TenantErasureOrdered(erasureId: UUID()), TestContext.tenant)
            try await service.erasure.hear(ordered)
            let answer = try await service.send(.post, "/v1/titles", #"{"topic": "a"}"#, scopes: everything)
            #expect(try answer.problem().code == "tenant.erased")
            #expect(try await rows(service.database, TestContext.tenant) == before.merging(["erased_tenants": 1]) { $1 })
            try await service.erasure.hear(try erased(TestContext.tenant))
            // Told of late, the order changes nothing.
            try await service.erasure.hear(ordered)
            #expect(try await rows(service.database, TestContext.tenant).filter { $0.value > 0 } == ["erased_tenants": 1])
        }
    }

    /// The queues are apart: what happened before may be told after.
    @Test func aDraftThatIsToldOfLateLeavesNoTrace() async throws {
        try await OrchestrationHarness.run { service in
            try await service.erasure.hear(try erased(TestContext.tenant))
            for tenant in [TestContext.tenant, TestContext.otherTenant] {
                let draft = ContentDraftCreated(
                    contentId: UUID(), kind: "copy", status: .draft, version: 1, title: "告别", operationId: nil)
                try await service.consumer.record([event(ContentDraftCreated.type, draft, tenant)])
            }
            let told = try await service.database.superuser.query("SELECT tenant_id FROM content_activity")
            #expect(try told.map { try $0.decode("tenant_id", as: UUID.self) } == [TestContext.otherTenant])
        }
    }

    /// Neither agent-center nor content-center is called: a call is a failure of the test.
    @Test(
        arguments: [
            ("/v1/titles", #"{"topic": "a"}"#), ("/v1/copies", #"{"topic": "a", "platforms": ["douyin"]}"#),
            ("/v1/image-texts", #"{"topic": "a"}"#),
            ("/v1/video-scripts", #"{"topic": "a", "scriptType": "vlog", "durationSeconds": 30}"#),
            ("/v1/contents/\(UUID().text)/regenerate", #"{"feedback": "a"}"#),
            ("/v1/contents/\(UUID().text)/pictures", #"{"slots": [1]}"#), ("/v1/runs/\(UUID().text)/retry", nil),
        ] as [(String, String?)])
    func noFlowBegins(path: String, body: String?) async throws {
        try await OrchestrationHarness.run { service in
            try await service.erasure.hear(try erased(TestContext.tenant))
            for headers in [[:], ["Prefer": "respond-async", "If-Match": "\"1\""]] as [HTTPHeaders] {
                let answer = try await service.send(
                    .post, path, body, scopes: everything, operation: UUID(), headers: headers)
                #expect(answer.status == .forbidden)
                let problem = try answer.problem()
                #expect(problem.code == "tenant.erased" && problem.title == "本企业的数据已删除，不能再写入" && !problem.retryable)
            }
            #expect(try await service.database.superuser.query("SELECT FROM jobs").isEmpty)
        }
    }

    @Test func nothingElseIsTakenEither() async throws {
        try await OrchestrationHarness.run { service in
            try await service.erasure.hear(try erased(TestContext.tenant))
            let answers = [
                try await service.send(.get, "/v1/search/semantic?q=a", scopes: everything),
                try await service.send(.put, "/v1/vocabulary/brand-words", #"{"words": ["a"]}"#, scopes: everything),
                try await service.send(.put, "/v1/vocabulary/banned-words/a", scopes: everything),
            ]
            for answer in answers { #expect(try answer.problem().code == "tenant.erased") }
            let picture = PictureReference(tenant: TestContext.tenant, run: UUID(), number: 1)
            let attempts = PictureAttemptsStore(database: service.database.app)
            await #expect(throws: TenantErased.self) {
                _ = try await attempts.begin(PictureAttempt(ticketId: UUID()), as: picture)
            }
            await #expect(throws: TenantErased.self) { try await attempts.save(PictureAttempt(ticketId: UUID()), as: picture) }
        }
    }

    /// From the mark on, while the rows are still going.
    @Test func aRunThatIsStillThereIsNotTakenUpAgain() async throws {
        try await OrchestrationHarness.run { service in
            let replica = Replica(service.database) { _ in throw TenantErased() }
            let run = try await replica.start(["a"])
            _ = try await replica.end(of: run)
            let store = TenantErasureStore(database: service.database.app)
            try await store.mark(TestContext.tenant, erasure: UUID())
            let answer = try await service.send(.post, "/v1/runs/\(run.id.text)/retry", scopes: everything)
            #expect(try answer.problem().code == "tenant.erased")
            #expect(try await service.shown(run.id).state == .failed)
        }
    }

    @Test func whoeverWaitsForARunIsTold() async throws {
        try await OrchestrationHarness.run { service in
            let gate = Gate()
            let replica = Replica(service.database) { step in
                try await gate.pass()
                return StepResult(value: step)
            }
            let run = try await replica.start(["a", "b"])
            try await eventually("the step is under way") { gate.arrived == 1 }
            try await service.erasure.hear(try erased(TestContext.tenant))
            gate.open()
            await #expect(throws: TenantErased.self) { _ = try await replica.end(of: run) }
            #expect(gate.arrived == 1)
            #expect(try await rows(service.database, TestContext.tenant).filter { $0.value > 0 } == ["erased_tenants": 1])
        }
    }

    @Test func dataThatTellsOfNoErasureIsParkedAtOnce() async throws {
        try await OrchestrationHarness.run { service in
            let broken = try event(TenantContentErased.type, ["erasureId": 7], TestContext.tenant)
            await #expect(throws: PermanentFailure.self) { try await service.erasure.hear(broken) }
            #expect(try await service.database.superuser.query("SELECT FROM erased_tenants").isEmpty)
        }
    }

    /// By way of the broker.
    @Test func theServiceHearsOfIt() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            try await TestBroker.withBroker(queues: [.tenantErasures]) { broker in
                let publisher = Publisher(broker: broker)
                try await TestApplication.run(
                    Application.self, database: database.appConfiguration.url, system: database.systemConfiguration.url,
                    broker: broker.configuration.url, brokerPrefix: broker.configuration.prefix, scope: .everything
                ) { _ in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await publisher.run() }
                        try await eventually("the publisher is connected") { publisher.isConnected }
                        try await publisher.publish(OutgoingMessage(try erased(TestContext.tenant)))
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

    private let everything = [
        "titles:generate", "copies:generate", "image_texts:generate", "video_scripts:generate", "contents:write", "contents:read",
        "ai:generate", "runs:read", "runs:cancel", "vocabulary:write",
    ]

    private func erased(_ tenant: UUID) throws -> CloudEvent {
        try event(TenantContentErased.type, TenantContentErased(erasureId: UUID(), counts: []), tenant)
    }

    private func event(_ type: String, _ data: some Encodable, _ tenant: UUID) throws -> CloudEvent {
        CloudEvent(
            id: .version7(), source: "content-center", type: type, subject: tenant.text, time: Date(), tenantId: tenant,
            version: 1,
            data: try JSON.encode(data))
    }

    private func page(_ service: OrchestrationHarness, _ tenant: UUID) async throws -> Page<Run> {
        let answer = try await service.send(.get, "/v1/runs", tenant: tenant, scopes: ["runs:read"])
        return try JSON.decode(Page<Run>.self, from: answer.body)
    }

    private func tenantTables(_ database: TestDatabase) async throws -> [String] {
        try await database.superuser.query(
            """
            SELECT c.relname::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
                AND a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relname <> 'outbox'
            """
        ).map { try $0.decode("name") }
    }

    private func rows(_ database: TestDatabase, _ tenant: UUID) async throws -> [String: Int] {
        var rows: [String: Int] = [:]
        for table in try await tenantTables(database) {
            rows[table] = try await database.superuser.query(
                "SELECT count(*) AS n FROM \(identifier: table) WHERE tenant_id = \(tenant)"
            ).only.decode("n")
        }
        return rows
    }

    /// Something in every table, and of the trace more than goes at a time.
    private func fill(_ database: TestDatabase, _ tenant: UUID) async throws {
        let replica = Replica(database) { StepResult(value: $0) }
        let run = try await replica.start(["a"], as: TestContext.principal(tenant: tenant, scopes: ProbeFlow.permissions))
        _ = try await replica.end(of: run)
        let statements: [SQL] = [
            """
            WITH waiting AS (
                INSERT INTO jobs (tenant_id, id, kind, payload, max_attempts)
                VALUES (\(tenant), \(UUID()), 'later', '{}', 1) RETURNING tenant_id, id, kind)
            INSERT INTO job_due (tenant_id, job_id, kind, due_at) SELECT tenant_id, id, kind, app_now() FROM waiting
            """,
            """
            INSERT INTO picture_attempts (tenant_id, run_id, number, state, ticket_id)
            VALUES (\(tenant), \(run.id), 1, 'calling', \(UUID()))
            """,
            """
            INSERT INTO content_activity (tenant_id, event_id, content_id, kind, version, title, occurred_at)
            SELECT \(tenant), gen_random_uuid(), gen_random_uuid(), 'copy', 1, '告别', app_now()
            FROM generate_series(1, \(TenantErasureStore.batch + 1))
            """,
            "INSERT INTO brand_words (tenant_id, word) VALUES (\(tenant), '喵喵家')",
            "INSERT INTO banned_words (tenant_id, word) VALUES (\(tenant), '竞品')",
            "INSERT INTO banned_word_revisions (tenant_id, revision) VALUES (\(tenant), 1)",
            "INSERT INTO semantic_tenants (tenant_id, model) VALUES (\(tenant), 'm')",
            "INSERT INTO inbox (tenant_id, consumer, event_id) VALUES (\(tenant), 'c', \(UUID()))",
        ]
        for statement in statements { _ = try await database.app.query(statement, tenant: tenant) }
    }
}

extension OrchestrationHarness {
    fileprivate var erasure: TenantErasureConsumer { TenantErasureConsumer(store: TenantErasureStore(database: database.app)) }
}
