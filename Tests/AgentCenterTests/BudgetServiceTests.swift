import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

extension TitleService {
    /// An internal call of the gateway for somebody of the tenant.
    func call(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, ifMatch: String? = nil, tenant: UUID = TestContext.tenant,
        scopes: [String] = ["ai:admin", "ai:usage"]
    ) async throws -> TestResponse {
        var headers = try TestContext.headers(
            from: .gatewayBFF, to: .agentCenter, as: TestContext.principal(tenant: tenant, scopes: scopes))
        if body != nil { headers["Content-Type"] = "application/json" }
        headers["If-Match"] = ifMatch
        return try await app.client.send(method, path, headers: headers, body: body?.encode() ?? [])
    }

    func budget(_ fields: JSONValue, tenant: UUID = TestContext.tenant) async throws -> Budget {
        let response = try await call(.post, "/v1/ai/budgets", fields, tenant: tenant)
        #expect(response.status == .created, "\(response.text)")
        return try response.decode(Budget.self)
    }

    func standing(of budget: Budget) async throws -> BudgetStanding {
        try await call(.get, "/v1/ai/budgets/\(budget.id.uuidString)").decode(Budget.self).current
    }

    /// Work of a desk beside the service's own.
    @discardableResult
    func spend(
        _ cost: Int64, worstCase: Int64? = nil, tenant: UUID = TestContext.tenant, subject: String = "user-1",
        scene: String = "douyin-title-zh", provider: String = "openai", operation: UUID = UUID()
    ) async throws -> UUID {
        let ticket = try await BudgetHarness(database: database).desk().open(
            .sample(tenant: tenant, subject: subject, operation: operation, scene: scene), worstCase: worstCase ?? cost)
        _ = try await ticket.settle(.sample(cost: cost, provider: provider, prompt: "给张三 13800138000 写标题"), answer: #""好""#)
        return operation
    }

    /// Sets the clock of stored instants.
    func setTime(_ text: String) async throws {
        let instant = try #require(RFC3339.parse(text))
        try await database.setClock(offset: .milliseconds(Int64(instant.timeIntervalSinceNow * 1_000)))
    }
}

@Suite("/v1/ai/budgets")
struct BudgetServiceTests {
    private static let daily: JSONValue = [
        "name": "每天", "scope": "tenant", "period": "day", "zone": "Asia/Shanghai", "limitNano": "1000", "limitCalls": 10,
    ]

    @Test("Made, shown as it stands, changed under its version, removed")
    func life() async throws {
        try await TitleService.run { service in
            let made = try await service.call(.post, "/v1/ai/budgets", Self.daily)
            #expect(made.status == .created && made.headers["ETag"] == "\"1\"")
            let budget = try made.decode(Budget.self)
            #expect(budget.hard && budget.currency == "USD" && budget.limitNano == "1000" && budget.limitCalls == 10)
            let again = try await service.call(.post, "/v1/ai/budgets", Self.daily)
            #expect(again.status == .conflict)
            #expect(try again.problem().code == "budget.already_there")

            try await service.spend(300)
            // Held by a desk that the keeper does not take for dead.
            let others = PostgresUsageStore(database: service.database.app, forOthers: true) { _ in "USD" }
            _ = try await UsageDesk(store: others).open(.sample(deadline: .after(.seconds(600))), worstCase: 500)
            let current = try await service.standing(of: budget)
            #expect(current.settledNano == "300" && current.reservedNano == "500" && current.remainingNano == "200")
            #expect(current.settledCalls == 1 && current.reservedCalls == 1 && current.remainingCalls == 8)
            #expect(current.end.timeIntervalSince(current.start) == 86_400)

            let path = "/v1/ai/budgets/\(budget.id.uuidString)"
            let setting: JSONValue = ["name": "更少", "limitNano": "700"]
            #expect(try await service.call(.put, path, setting).status == .preconditionRequired)
            #expect(try await service.call(.put, path, setting, ifMatch: "\"2\"").status == .preconditionFailed)
            let changed = try await service.call(.put, path, setting, ifMatch: "\"1\"")
            #expect(changed.status == .ok && changed.headers["ETag"] == "\"2\"", "\(changed.text)")
            let now = try changed.decode(Budget.self)
            // Lower than what is spoken for: nothing is left, and never less than nothing.
            #expect(now.name == "更少" && now.limitCalls == nil && now.current.remainingNano == "0")
            await #expect(throws: BudgetExhausted.self) { try await service.spend(1) }

            #expect(try await service.call(.delete, path, ifMatch: "\"1\"").status == .preconditionFailed)
            #expect(try await service.call(.delete, path, ifMatch: "\"2\"").status == .noContent)
            #expect(try await service.call(.get, path).status == .notFound)
            try await service.spend(5_000)
        }
    }

    @Test("Bad input is refused, each field by its name")
    func badInput() async throws {
        let cases: [(JSONValue, [String])] = [
            (["colour": 1], ["/name", "/scope", "/period", "/zone", "/limitNano", "/colour"]),
            (
                [
                    "name": "", "scope": "planet", "period": "week", "zone": 8, "limitNano": "1.5", "limitCalls": -1,
                    "hard": "yes",
                ],
                ["/name", "/scope", "/period", "/zone", "/limitNano", "/limitCalls", "/hard"]
            ),
            (
                [
                    "name": "x", "scope": "tenant", "subject": "s", "period": "day", "zone": "UTC", "limitCalls": 1,
                    "currency": "CNY",
                ],
                ["/subject", "/currency"]
            ),
            (["name": "x", "scope": "api_key", "subject": "s", "period": "day", "zone": "UTC", "limitCalls": 1], ["/subject"]),
            (["name": "x", "scope": "user", "subject": "s", "period": "day", "zone": "UTC", "limitCalls": 1], ["/subject"]),
            (["name": "x", "scope": "user", "period": "day", "zone": "UTC", "limitNano": "1000000000000000001"], ["/limitNano"]),
        ]
        try await TitleService.run { service in
            for (body, pointers) in cases {
                let response = try await service.call(.post, "/v1/ai/budgets", body)
                #expect(response.status == .unprocessableContent, "\(response.text)")
                #expect(try Set(response.problem().errors?.map(\.pointer) ?? []) == Set(pointers), "\(response.text)")
            }
            for zone in ["Mars/Olympus", "CST", "+08", "asia/shanghai", "posix/Asia/Shanghai", "Factory", "localtime"] {
                let body: JSONValue = ["name": "x", "scope": "tenant", "period": "day", "zone": .string(zone), "limitCalls": 1]
                let response = try await service.call(.post, "/v1/ai/budgets", body)
                #expect(response.status == .unprocessableContent, "\(zone)")
                #expect(try response.problem().errors?.map(\.code) == ["unknown_zone"], "\(zone)")
            }
            #expect(try await service.call(.get, "/v1/ai/budgets").decode(Page<Budget>.self).items.isEmpty)
        }
    }

    @Test("Who may look may not change, and nobody sees another tenant's")
    func access() async throws {
        try await TitleService.run { service in
            let budget = try await service.budget(Self.daily)
            let path = "/v1/ai/budgets/\(budget.id.uuidString)"
            let setting: JSONValue = ["name": "x", "limitCalls": 1]
            for (method, path, body) in [
                (HTTPMethod.post, "/v1/ai/budgets", Self.daily), (.put, path, setting), (.delete, path, nil),
                (.put, "/v1/ai/settings", ["retentionDays": 1]), (.delete, "/v1/ai/usage/texts?user=x", nil),
            ] as [(HTTPMethod, String, JSONValue?)] {
                #expect(
                    try await service.call(method, path, body, ifMatch: "\"1\"", scopes: ["ai:usage"]).status == .forbidden)
            }
            for path in [path, "/v1/ai/budgets", "/v1/ai/usage", "/v1/ai/usage/records", "/v1/ai/settings"] {
                #expect(try await service.call(.get, path, scopes: ["ai:generate"]).status == .forbidden)
            }
            let other = TestContext.otherTenant
            #expect(try await service.call(.get, path, tenant: other).status == .notFound)
            #expect(try await service.call(.put, path, setting, ifMatch: "\"1\"", tenant: other).status == .notFound)
            #expect(try await service.call(.delete, path, ifMatch: "\"1\"", tenant: other).status == .notFound)
            #expect(try await service.call(.get, "/v1/ai/budgets", tenant: other).decode(Page<Budget>.self).items.isEmpty)
            #expect(try await service.call(.get, path).decode(Budget.self) == budget)
        }
    }

    @Test("A budget that each user has for itself shows who used most; pages follow each other")
    func each() async throws {
        try await TitleService.run { service in
            let users = try await service.budget([
                "name": "每人", "scope": "user", "period": "month", "zone": "Europe/Berlin", "limitCalls": 3, "hard": false,
            ])
            let scene = try await service.budget([
                "name": "场景", "scope": "scene", "subject": "s-1", "period": "day", "zone": "UTC", "limitNano": "9",
            ])
            try await service.spend(4, subject: "li", scene: "s-1")
            try await service.spend(7, subject: "wang")
            let shown = try await service.call(.get, "/v1/ai/budgets/\(users.id.uuidString)").decode(Budget.self)
            #expect(shown.current.settledNano == "11" && shown.current.settledCalls == 2)
            #expect(shown.current.remainingCalls == nil)
            #expect(shown.subjects?.map(\.subject) == ["wang", "li"])
            #expect(shown.subjects?.map(\.remainingCalls) == [2, 2])
            #expect(try await service.standing(of: scene).remainingNano == "5")

            let first = try await service.call(.get, "/v1/ai/budgets?limit=1").decode(Page<Budget>.self)
            #expect(first.items.map(\.id) == [scene.id])
            let cursor = try #require(first.nextCursor)
            let second = try await service.call(.get, "/v1/ai/budgets?limit=1&cursor=\(cursor)").decode(Page<Budget>.self)
            #expect(second.items.map(\.id) == [users.id] && second.nextCursor == nil)
        }
    }

    @Test("A budget that is made in the middle of its period shows what the ledger has at once")
    func middle() async throws {
        try await TitleService.run { service in
            try await service.spend(40)
            let budget = try await service.budget(Self.daily)
            #expect(
                budget.current.settledNano == "40" && budget.current.settledCalls == 1 && budget.current.remainingNano == "960")
        }
    }

    @Test("Days begin at midnight of the budget's zone, also where they have 25 or 23 hours")
    func summerTime() async throws {
        // Berlin leaves summer time on 25 October 2026 and enters it on 28 March 2027.
        for (morning, evening, hours, nextDay) in [
            ("2026-10-24T22:30:00Z", "2026-10-25T22:30:00Z", 25, "2026-10-25T23:00:01Z"),
            ("2027-03-27T23:30:00Z", "2027-03-28T21:30:00Z", 23, "2027-03-28T22:00:01Z"),
        ] {
            try await TitleService.run { service in
                try await service.setTime(morning)
                let budget = try await service.budget([
                    "name": "柏林", "scope": "tenant", "period": "day", "zone": "Europe/Berlin", "limitCalls": 1,
                ])
                #expect(budget.current.end.timeIntervalSince(budget.current.start) == Double(hours) * 3_600)
                try await service.spend(1)
                try await service.setTime(evening)
                let error = await #expect(throws: BudgetExhausted.self) { try await service.spend(1) }
                let seconds = try #require(error).retryAfterSeconds
                #expect((1_700...1_800).contains(seconds), "half an hour to midnight: \(seconds)")
                try await service.setTime(nextDay)
                try await service.spend(1)
                #expect(try await service.standing(of: budget).settledCalls == 1)
            }
        }
    }

    @Test("Months begin with their first day in the budget's zone")
    func month() async throws {
        try await TitleService.run { service in
            // 00:30 on 1 December in Shanghai; November still in UTC.
            try await service.setTime("2026-11-30T16:30:00Z")
            let shanghai = try await service.budget([
                "name": "上海", "scope": "tenant", "period": "month", "zone": "Asia/Shanghai", "limitCalls": 5,
            ])
            let utc = try await service.budget([
                "name": "UTC", "scope": "scene", "subject": "douyin-title-zh", "period": "month", "zone": "UTC", "limitCalls": 1,
            ])
            #expect(RFC3339.format(shanghai.current.start) == "2026-11-30T16:00:00.000Z")
            #expect(RFC3339.format(utc.current.start) == "2026-11-01T00:00:00.000Z")
            try await service.spend(1)
            await #expect(throws: BudgetExhausted.self) { try await service.spend(1) }
            try await service.setTime("2026-12-01T00:00:01Z")
            try await service.spend(1)
            #expect(try await service.standing(of: utc).settledCalls == 1)
            #expect(try await service.standing(of: shanghai).settledCalls == 2)
        }
    }
}
