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

@Suite("Money for pictures that another service makes")
struct SpendingHoldsTests {
    private static let picture: Int64 = 42_000_000
    private static let promptHash = String(repeating: "ab", count: 32)

    private static func hold(
        step: String = "image:1", provider: String = "openai", model: String = "gpt-image-1", images: Int = 1, ticket: UUID? = nil
    ) -> SpendingHoldRequest {
        SpendingHoldRequest(
            step: step, scene: "douyin-image-text-zh", provider: provider, model: model, images: images, ticketId: ticket)
    }

    private static func post(
        _ service: TitleService, _ path: String, _ body: some Encodable, operation: UUID?, tenant: UUID = TestContext.tenant,
        from caller: ServiceName = .orchestrationService
    ) async throws -> TestResponse {
        var headers = try TestContext.headers(
            from: caller, to: .agentCenter, as: TestContext.principal(tenant: tenant), operation: operation)
        headers["Content-Type"] = "application/json"
        return try await service.app.client.send(.post, path, headers: headers, body: try JSON.encode(body))
    }

    private static func granted(_ response: TestResponse) throws -> SpendingHold {
        #expect(response.status == .created, "\(response.text)")
        return try response.decode(SpendingHold.self)
    }

    private static func settlement(_ hold: SpendingHold, step: String = "image:1", images: Int = 1) -> SpendingSettlement {
        SpendingSettlement(
            step: step, ticketId: hold.ticketId, images: images, latencyMs: 1_200, promptSha256: promptHash)
    }

    @Test("Held, settled twice, asked again: paid once, and the ledger says what for")
    func paid() async throws {
        try await TitleService.run { service in
            let budgets = BudgetHarness(database: service.database)
            let budget = try await budgets.addBudget(nano: 3 * Self.picture)
            let operation = UUID()
            let hold = try Self.granted(await Self.post(service, "/v1/ai/holds", Self.hold(images: 2), operation: operation))
            #expect(hold.state == .granted && hold.amountNano == "84000000" && hold.currency == "USD")
            #expect(try await budgets.standing(of: budget) == .init(reserved: 2 * Self.picture, reservedCalls: 1))

            let busy = try await Self.post(service, "/v1/ai/holds", Self.hold(), operation: operation)
            #expect(busy.status == .conflict)
            #expect(try busy.problem().code == "operation.in_progress")

            let tooMany = try await Self.post(
                service, "/v1/ai/holds/settle", Self.settlement(hold, images: 3), operation: operation)
            #expect(tooMany.status == .unprocessableContent)
            #expect(try tooMany.problem().errors?.map(\.pointer) == ["/images"])

            // One of the two came out.
            for _ in 1...2 {
                let settled = try await Self.post(
                    service, "/v1/ai/holds/settle", Self.settlement(hold, images: 1), operation: operation)
                #expect(settled.status == .noContent, "\(settled.text)")
            }
            let late = try await Self.post(
                service, "/v1/ai/holds/release", SpendingRelease(step: "image:1", ticketId: hold.ticketId), operation: operation)
            #expect(late.status == .noContent)
            #expect(try await budgets.standing(of: budget) == .init(settled: Self.picture, settledCalls: 1))
            #expect(
                try await budgets.books() == .init(rows: 1, calls: 1, cost: Self.picture, spent: Self.picture))
            let row = try #require(try await service.ledger().first)
            #expect(row.provider == "openai" && row.model == "gpt-image-1")
            #expect(row.price == "openai/gpt-image-1@2025-04-23")
            #expect(row.attempts.map(\.detail) == ["1 × image"])
            let stored = try await service.database.superuser.query(
                "SELECT flow, scene, encode(prompt_sha256, 'hex') AS hash FROM ai_usage_ledger"
            ).only
            #expect(try stored.decode("flow", as: String.self) == "ImageTextCreation")
            #expect(try stored.decode("scene", as: String.self) == "douyin-image-text-zh")
            #expect(try stored.decode("hash", as: String.self) == Self.promptHash)

            let again = try Self.granted(await Self.post(service, "/v1/ai/holds", Self.hold(), operation: operation))
            #expect(again == SpendingHold(ticketId: hold.ticketId, state: .settled, amountNano: "42000000", currency: "USD"))
        }
    }

    @Test("Released: nothing is paid, and the step may be held again")
    func released() async throws {
        try await TitleService.run { service in
            let budgets = BudgetHarness(database: service.database)
            let budget = try await budgets.addBudget(nano: Self.picture)
            let operation = UUID()
            let hold = try Self.granted(await Self.post(service, "/v1/ai/holds", Self.hold(), operation: operation))
            let refused = try await Self.post(service, "/v1/ai/holds", Self.hold(step: "image:2"), operation: operation)
            #expect(refused.status == .tooManyRequests)
            #expect(try refused.problem().code == "budget.exhausted")
            #expect(refused.headers["Retry-After"].flatMap { Int($0) } ?? 0 >= 1)
            for _ in 1...2 {
                let release = SpendingRelease(step: "image:1", ticketId: hold.ticketId)
                #expect(
                    try await Self.post(service, "/v1/ai/holds/release", release, operation: operation).status == .noContent)
            }
            #expect(try await budgets.standing(of: budget) == .init())
            #expect(try await budgets.books() == .init())
            _ = try Self.granted(await Self.post(service, "/v1/ai/holds", Self.hold(step: "image:2"), operation: operation))
        }
    }

    @Test("A holder that names its ticket gets the same hold again, and only once")
    func named() async throws {
        try await TitleService.run { service in
            let budgets = BudgetHarness(database: service.database)
            let budget = try await budgets.addBudget(nano: Self.picture)
            let (operation, ticket) = (UUID(), UUID())
            for _ in 1...3 {
                let hold = try Self.granted(
                    await Self.post(service, "/v1/ai/holds", Self.hold(ticket: ticket), operation: operation))
                #expect(hold == .init(ticketId: ticket, state: .granted, amountNano: "42000000", currency: "USD"))
            }
            #expect(try await budgets.standing(of: budget) == .init(reserved: Self.picture, reservedCalls: 1))
            // It lasts from its last repeat on.
            try await service.database.setClock(offset: .seconds(150))
            _ = try Self.granted(await Self.post(service, "/v1/ai/holds", Self.hold(ticket: ticket), operation: operation))
            try await service.database.setClock(offset: .seconds(300))
            #expect(try await Self.post(service, "/v1/ai/holds", Self.hold(), operation: operation).status == .conflict)
        }
    }

    @Test("A hold outlives the replica that granted it; past its lease it is swept, and may be made and paid anew")
    func swept() async throws {
        try await TitleService.run { service in
            let budgets = BudgetHarness(database: service.database)
            let budget = try await budgets.addBudget(nano: Self.picture)
            let (operation, ticket) = (UUID(), UUID())
            let request = Self.hold(ticket: ticket)
            _ = try Self.granted(await Self.post(service, "/v1/ai/holds", request, operation: operation))
            // Every desk of a process is silent by now.
            try await service.database.setClock(offset: .seconds(60))
            #expect(try await Self.post(service, "/v1/ai/holds", Self.hold(), operation: operation).status == .conflict)
            try await service.database.setClock(offset: .seconds(240))
            try await LedgerKeeper(
                store: LedgerKeeperStore(app: service.database.app, system: service.database.system), metrics: MetricsRegistry(),
                logger: .silent
            ).sweep()
            #expect(try await budgets.books().reservations == 0)
            #expect(try await service.ledger().map(\.provider) == ["unknown"])
            let hold = try Self.granted(await Self.post(service, "/v1/ai/holds", request, operation: operation))
            #expect(hold.state == .granted)
            #expect(
                try await Self.post(service, "/v1/ai/holds/settle", Self.settlement(hold), operation: operation).status
                    == .noContent)
            #expect(try await budgets.standing(of: budget) == .init(settled: Self.picture, settledCalls: 1))
            #expect(
                try await budgets.books() == .init(rows: 1, calls: 1, cost: Self.picture, spent: 2 * Self.picture))
            #expect(try await service.ledger().map(\.provider) == ["openai"])
        }
    }

    @Test("A model without a price costs nothing, and the ledger says that there was none")
    func unpriced() async throws {
        try await TitleService.run { service in
            let operation = UUID()
            let hold = try Self.granted(
                await Self.post(service, "/v1/ai/holds", Self.hold(provider: "house", model: "sd/xl"), operation: operation))
            #expect(hold.amountNano == "0")
            #expect(
                try await Self.post(service, "/v1/ai/holds/settle", Self.settlement(hold), operation: operation).status
                    == .noContent)
            let row = try #require(try await service.ledger().first)
            #expect(row.provider == "house" && row.model == "sd/xl" && row.cost == 0 && row.price == nil)
        }
    }

    @Test("Under a budget in money a picture without a price is refused; a hold that was granted before is found")
    func unpricedUnderBudget() async throws {
        try await TitleService.run { service in
            func hold(_ operation: UUID, _ request: SpendingHoldRequest) async throws -> TestResponse {
                try await Self.post(service, "/v1/ai/holds", request, operation: operation)
            }
            let (before, ticket) = (UUID(), UUID())
            let request = Self.hold(provider: "house", model: "sd/xl", ticket: ticket)
            _ = try Self.granted(await hold(before, request))
            let budgets = BudgetHarness(database: service.database)
            try await budgets.addBudget(calls: 9)
            _ = try Self.granted(await hold(UUID(), Self.hold(provider: "house", model: "sd/xl")))
            try await budgets.addBudget(scope: "scene", subject: "douyin-image-text-zh", nano: 1_000_000_000)
            let refused = try await hold(UUID(), Self.hold(provider: "house", model: "sd/xl"))
            #expect(refused.status == .forbidden)
            let problem = try refused.problem()
            #expect(problem.code == "model.unpriced" && problem.detail?.contains("house/sd/xl") == true)
            #expect(try Self.granted(await hold(before, request)).ticketId == ticket)
            _ = try Self.granted(await hold(UUID(), Self.hold()))
        }
    }

    @Test("Only orchestration-service, only under an operation, and each tenant for itself")
    func callers() async throws {
        try await TitleService.run { service in
            let operation = UUID()
            let gateway = try await Self.post(service, "/v1/ai/holds", Self.hold(), operation: operation, from: .gatewayBFF)
            #expect(gateway.status == .forbidden)
            #expect(try gateway.problem().code == "auth.caller_not_allowed")
            let loose = try await Self.post(service, "/v1/ai/holds", Self.hold(), operation: nil)
            #expect(loose.status == .badRequest)
            #expect(try loose.problem().code == "operation.required")

            let hold = try Self.granted(await Self.post(service, "/v1/ai/holds", Self.hold(), operation: operation))
            let foreign = try await Self.post(
                service, "/v1/ai/holds/settle", Self.settlement(hold), operation: operation, tenant: TestContext.otherTenant)
            #expect(foreign.status == .notFound)
            _ = try await Self.post(
                service, "/v1/ai/holds/release", SpendingRelease(step: "image:1", ticketId: hold.ticketId), operation: operation,
                tenant: TestContext.otherTenant)
            // Still held.
            #expect(try await BudgetHarness(database: service.database).books().reservations == 1)
        }
    }

    @Test("Bad input is refused, each field by its name")
    func badInput() async throws {
        try await TitleService.run { service in
            let cases: [(String, JSONValue, [String])] = [
                ("", ["colour": 1], ["/step", "/scene", "/provider", "/model", "/images", "/colour"]),
                (
                    "",
                    ["step": "", "scene": "s", "provider": "template", "model": "m n", "images": 11, "ticketId": "x"],
                    ["/step", "/provider", "/model", "/images", "/ticketId"]
                ),
                ("/settle", [:], ["/step", "/ticketId", "/images", "/latencyMs", "/promptSha256"]),
                (
                    "/settle",
                    [
                        "step": "s", "ticketId": .string(UUID().uuidString), "images": 0, "latencyMs": -1,
                        "promptSha256": .string(String(repeating: "g", count: 64)),
                    ], ["/images", "/latencyMs", "/promptSha256"]
                ),
                ("/release", ["step": "s", "ticketId": 7], ["/ticketId"]),
            ]
            for (path, body, pointers) in cases {
                let response = try await Self.post(service, "/v1/ai/holds" + path, body, operation: UUID())
                #expect(response.status == .unprocessableContent, "\(response.text)")
                #expect(try Set(response.problem().errors?.map(\.pointer) ?? []) == Set(pointers), "\(response.text)")
            }
        }
    }
}
