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

@Suite("/v1/ai/usage")
struct UsageServiceTests {
    private static let span = "from=2026-11-01T00:00:00Z&to=2026-12-31T00:00:00Z"

    private static func report(
        _ service: TitleService, _ query: String, tenant: UUID = TestContext.tenant
    ) async throws -> UsageReport {
        let response = try await service.call(.get, "/v1/ai/usage?\(span)&\(query)", tenant: tenant)
        #expect(response.status == .ok, "\(response.text)")
        return try response.decode(UsageReport.self)
    }

    @Test("Sums by day in a zone, scene, model, user and flow, several at once, page by page")
    func sums() async throws {
        try await TitleService.run { service in
            // 23:30 and 00:30 in Shanghai.
            try await service.setTime("2026-11-19T15:30:00Z")
            try await service.spend(100, subject: "li")
            try await service.setTime("2026-11-19T16:30:00Z")
            try await service.spend(20, subject: "wang", scene: "copy-zh")
            try await service.spend(0, worstCase: 9, subject: "wang", provider: "template")
            try await service.spend(1_000, tenant: TestContext.otherTenant)

            let days = try await Self.report(service, "zone=Asia/Shanghai")
            #expect(days.items.map(\.day) == ["2026-11-19", "2026-11-20"])
            #expect(days.items.map(\.sums.costNano) == ["100", "20"])
            #expect(days.items[1].scene == nil && days.items[1].user == nil)
            #expect(
                days.items[1].sums
                    == UsageSums(
                        records: 2, calls: 1, promptTokens: 20, cachedPromptTokens: 4, completionTokens: 10, costNano: "20",
                        spentNano: "20", degraded: 1))
            #expect(
                days.total
                    == UsageSums(
                        records: 3, calls: 2, promptTokens: 30, cachedPromptTokens: 6, completionTokens: 15, costNano: "120",
                        spentNano: "120", degraded: 1))
            #expect(days.currency == "USD" && days.zone == "Asia/Shanghai" && days.nextCursor == nil)
            #expect(try await Self.report(service, "zone=UTC").items.map(\.day) == ["2026-11-19"])

            let both = try await Self.report(service, "groupBy=user,model&limit=2")
            #expect(both.items.map(\.user) == ["li", "wang"])
            #expect(both.items.map(\.model) == ["openai/m", "openai/m"])
            #expect(both.items[0].day == nil)
            let cursor = try #require(both.nextCursor)
            let rest = try await Self.report(service, "groupBy=user,model&limit=2&cursor=\(cursor)")
            #expect(rest.items.map(\.model) == ["template/m"] && rest.nextCursor == nil && rest.total == days.total)
            #expect(try await Self.report(service, "groupBy=flow,scene").items.map(\.scene) == ["copy-zh", "douyin-title-zh"])

            let foreign = try await Self.report(service, "groupBy=user", tenant: TestContext.otherTenant)
            #expect(foreign.items.map(\.sums.costNano) == ["1000"])
        }
    }

    @Test("Bad questions are refused, each by its parameter")
    func badQuestions() async throws {
        try await TitleService.run { service in
            for (path, pointers) in [
                ("usage?groupBy=planet", ["?groupBy"]), ("usage?groupBy=day,day", ["?groupBy"]),
                ("usage?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", ["?from"]),
                ("usage?from=2024-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", ["?from"]),
                ("usage?from=yesterday&limit=0&colour=1", ["?from", "?limit", "?colour"]), ("usage?zone=CST", ["?zone"]),
                ("usage?cursor=xyz", ["?cursor"]), ("usage/records?limit=500&cursor=xyz", ["?limit", "?cursor"]),
            ] {
                let response = try await service.call(.get, "/v1/ai/" + path)
                #expect(response.status == .unprocessableContent, "\(path): \(response.text)")
                #expect(try Set(response.problem().errors?.map(\.pointer) ?? []) == Set(pointers), "\(path)")
            }
            let days = try await service.call(.put, "/v1/ai/settings", ["retentionDays": 3_651])
            #expect(try days.problem().errors?.map(\.pointer) == ["/retentionDays"])
        }
    }

    @Test("Records, newest first and each once over the pages; one of them with everything about it")
    func records() async throws {
        let vendor = try ScriptedVendor([.says(ModelTitles.json())])
        try await TitleService.run(primary: vendor) { service in
            var operations: [UUID] = []
            for cost in 1...4 { operations.append(try await service.spend(Int64(cost), scene: cost == 2 ? "copy-zh" : "s")) }
            let written = UUID()
            _ = try await service.write(operation: written)
            var (seen, cursor): ([UUID], String?) = ([], nil)
            repeat {
                let next = cursor.map { "&cursor=\($0)" } ?? ""
                let page = try await service.call(.get, "/v1/ai/usage/records?limit=2\(next)").decode(Page<UsageRecord>.self)
                seen += page.items.map(\.operationId)
                cursor = page.nextCursor
            } while cursor != nil
            #expect(seen == [written] + operations.reversed())
            let copies = try await service.call(.get, "/v1/ai/usage/records?scene=copy-zh").decode(Page<UsageRecord>.self)
            #expect(copies.items.map(\.operationId) == [operations[1]] && copies.items[0].detail == nil)

            let path = "/v1/ai/usage/records/\(written.uuidString)"
            let operation = try await service.call(.get, path).decode(UsageOperation.self)
            let record = try #require(operation.records.first)
            let detail = try #require(record.detail)
            #expect(operation.records.count == 1 && record.step == "titles" && record.promptVersion.hasPrefix("title@"))
            #expect(detail.attempts.map(\.outcome) == ["answered"])
            #expect(detail.attempts.first?.costNano == record.costNano)
            #expect(detail.promptSha256.count == 64 && detail.completion?.contains(ModelTitles.texts[0]) == true)

            let redacted = try await service.call(.get, "/v1/ai/usage/records/\(operations[0].uuidString)")
                .decode(UsageOperation.self).records.first?.detail
            #expect(redacted?.prompt == "给张三 [手机号] 写标题")

            #expect(try await service.call(.get, path, tenant: TestContext.otherTenant).status == .notFound)
            #expect(try await service.call(.get, "/v1/ai/usage/records/nonsense").status == .notFound)
            let foreign = try await service.call(.get, "/v1/ai/usage/records", tenant: TestContext.otherTenant)
            #expect(try foreign.decode(Page<UsageRecord>.self).items.isEmpty)
        }
    }

    @Test("Erasing text leaves every sum and counter as it was; a repeat of the operation is refused")
    func erasure() async throws {
        let vendor = try ScriptedVendor([.says(ModelTitles.json())])
        try await TitleService.run(primary: vendor) { service in
            let budget = try await service.budget([
                "name": "x", "scope": "tenant", "period": "day", "zone": "UTC", "limitNano": "1000000000",
            ])
            let written = UUID()
            _ = try await service.write(operation: written)
            let mine = try await service.spend(7, subject: "li")
            try await service.spend(9, subject: "li")
            let path = "/v1/ai/usage/records/\(written.uuidString)"
            func sums() async throws -> ([UsageSums], BudgetStanding) {
                let response = try await service.call(.get, "/v1/ai/usage?groupBy=user,model")
                let report = try response.decode(UsageReport.self)
                return ([report.total] + report.items.map(\.sums), try await service.standing(of: budget))
            }
            let before = try await sums()
            #expect(before.0.count == 3)

            let other = TestContext.otherTenant
            #expect(try await service.call(.delete, path + "/texts", tenant: other).status == .notFound)
            func erase(_ path: String, tenant: UUID = TestContext.tenant) async throws -> Int {
                try await service.call(.delete, path, tenant: tenant).decode(ErasedTexts.self).erased
            }
            #expect(try await erase("/v1/ai/usage/texts?user=li", tenant: other) == 0)
            #expect(try await erase(path + "/texts") == 1)
            #expect(try await erase(path + "/texts") == 0)
            #expect(try await erase("/v1/ai/usage/texts?user=li") == 2)

            let after = try await sums()
            #expect(before.0 == after.0 && before.1 == after.1)
            for operation in [written, mine] {
                let detail = try await service.call(.get, "/v1/ai/usage/records/\(operation.uuidString)")
                    .decode(UsageOperation.self).records.first?.detail
                #expect(detail != nil && detail?.prompt == nil && detail?.completion == nil && detail?.promptSha256.count == 64)
            }
            let again = try await service.send(operation: written)
            #expect(again.status == .conflict)
            #expect(try again.problem().code == "operation.answer_erased")
            #expect(vendor.received.count == 1)
        }
    }
}

@Suite("The keeper of the ledger")
struct LedgerKeeperTests {
    private static func keeper(_ harness: BudgetHarness) -> LedgerKeeper {
        LedgerKeeper(
            store: LedgerKeeperStore(app: harness.database.app, system: harness.database.system), metrics: .init(),
            logger: .silent)
    }

    private struct Kept: Equatable {
        var answers: Int
        var texts: Int
    }

    private static func kept(_ harness: BudgetHarness) async throws -> Kept {
        let row = try await harness.database.superuser.query(
            "SELECT count(answer) AS answers, count(coalesce(prompt, completion)) AS texts FROM ai_completions"
        ).only
        return Kept(answers: try row.decode("answers"), texts: try row.decode("texts"))
    }

    @Test("Texts go when their time is up, for each tenant by its own setting; answers stay for a day at least")
    func retention() async throws {
        try await BudgetHarness.run { harness in
            let (desk, keeper) = (harness.desk(), Self.keeper(harness))
            let settings = UsageReportStore(database: harness.database.app)
            try await settings.put(AISettings(retentionDays: 1), tenantId: TestContext.tenant)
            for tenant in [TestContext.tenant, TestContext.otherTenant] {
                _ = try await desk.open(.sample(tenant: tenant), worstCase: 9).settle(.sample(cost: 9), answer: #""a""#)
            }
            let sums = try await harness.books()
            try await keeper.erase()
            #expect(try await Self.kept(harness) == Kept(answers: 2, texts: 2))
            try await harness.database.setClock(offset: .seconds(86_400 + 60))
            try await keeper.erase()
            #expect(try await Self.kept(harness) == Kept(answers: 1, texts: 1))
            // The other tenant has said nothing: 30 days.
            try await harness.database.setClock(offset: .seconds(29 * 86_400))
            try await keeper.erase()
            #expect(try await Self.kept(harness) == Kept(answers: 1, texts: 1))
            try await harness.database.setClock(offset: .seconds(31 * 86_400))
            try await keeper.erase()
            #expect(try await Self.kept(harness) == Kept(answers: 0, texts: 0))
            #expect(try await harness.books() == sums)
        }
    }

    @Test("Who keeps nothing keeps answers for a day, so that a repeat finds them")
    func nothing() async throws {
        try await BudgetHarness.run { harness in
            let (desk, keeper) = (harness.desk(), Self.keeper(harness))
            _ = try await desk.open(.sample(), worstCase: 9).settle(.sample(cost: 9), answer: #""a""#)
            try await UsageReportStore(database: harness.database.app).put(
                AISettings(retentionDays: 0), tenantId: TestContext.tenant)
            try await harness.database.setClock(offset: .seconds(3_600))
            try await keeper.erase()
            #expect(try await Self.kept(harness) == Kept(answers: 1, texts: 0))
            _ = try await desk.open(.sample(), worstCase: 9).settle(.sample(cost: 9), answer: #""b""#)
            #expect(try await Self.kept(harness) == Kept(answers: 2, texts: 0))
            try await harness.database.setClock(offset: .seconds(2 * 86_400))
            try await keeper.erase()
            #expect(try await Self.kept(harness) == Kept(answers: 0, texts: 0))
        }
    }

    @Test("Reservations of the dead are ended once, by however many keepers; those of the living are left alone")
    func sweep() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 1_000)
            let (dead, alive) = (harness.store(), harness.store())
            for store in [dead, alive] {
                let desk = UsageDesk(store: store)
                for _ in 1...5 { _ = try await desk.open(.sample(deadline: .after(.seconds(600))), worstCase: 10) }
            }
            let keepers = (0..<3).map { _ in Self.keeper(harness) }
            for store in [dead, alive] { try await store.beat() }
            try await keepers[0].sweep()
            #expect(try await harness.books() == .init(reservations: 10))
            // Silence ends a desk after 5 s.
            try await harness.database.setClock(offset: .seconds(30))
            try await alive.beat()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for keeper in keepers { group.addTask { try await keeper.sweep() } }
                try await group.waitForAll()
            }
            // Whoever did not get the lock swept nothing; the next round finds nothing left.
            try await alive.beat()
            try await keepers[0].sweep()
            #expect(try await harness.books() == .init(rows: 5, spent: 50, reservations: 5))
            #expect(try await harness.standing(of: budget) == .init(reserved: 50, reservedCalls: 5))
            let rows = try await harness.database.superuser.query(
                "SELECT DISTINCT provider, degraded_reason FROM ai_usage_ledger")
            #expect(try rows.map { try $0.decode("provider", as: String.self) } == ["unknown"])
            // A lease ends too.
            try await harness.database.setClock(offset: .seconds(700))
            try await alive.beat()
            try await keepers[0].sweep()
            #expect(try await harness.books() == .init(rows: 10, spent: 100))
            #expect(try await harness.standing(of: budget) == .init())
        }
    }

    @Test("An answer that comes after the sweep is kept for the repeat, and not charged")
    func late() async throws {
        try await BudgetHarness.run { harness in
            let operation = UUID()
            let ticket = try await harness.desk().open(.sample(operation: operation), worstCase: 10)
            try await harness.database.setClock(offset: .seconds(30))
            try await Self.keeper(harness).sweep()
            #expect(try await ticket.settle(.sample(cost: 9), answer: #""late""#) == #""late""#)
            let (answer, isRepeat) = try await harness.desk().once(.sample(operation: operation), worstCase: 10) {
                _ async throws -> (answer: String, entry: LedgerEntry) in throw InternalFailure()
            }
            #expect(answer == "late" && isRepeat)
            #expect(try await harness.books() == .init(rows: 1, calls: 0, cost: 0, spent: 19))
        }
    }

    @Test("The tables of the months to come stand ready, and rows that came before their table move there")
    func partitions() async throws {
        try await BudgetHarness.run { harness in
            let start = try #require(RFC3339.parse("2031-05-10T00:00:00Z"))
            try await harness.database.setClock(offset: .milliseconds(Int64(start.timeIntervalSinceNow * 1_000)))
            try await harness.desk().open(.sample(), worstCase: 9).settle(.sample(cost: 9))
            func tables() async throws -> [String] {
                try await harness.database.superuser.query(
                    "SELECT DISTINCT tableoid::regclass::text AS name FROM ai_usage_ledger"
                ).map { try $0.decode("name") }
            }
            #expect(try await tables() == ["ai_usage_ledger_default"])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...2 { group.addTask { try await Self.keeper(harness).makePartitions() } }
                try await group.waitForAll()
            }
            #expect(try await tables() == ["ai_usage_ledger_2031_05"])
            for month in ["2031_06", "2031_07", "2031_08"] {
                let exists = try await harness.database.superuser.query(
                    "SELECT to_regclass(\("ai_usage_ledger_" + month)) IS NOT NULL AS there"
                ).only
                #expect(try exists.decode("there", as: Bool.self), "\(month)")
            }
            #expect(try await harness.books() == .init(rows: 1, calls: 1, cost: 9, spent: 9))
        }
    }
}
