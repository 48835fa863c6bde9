import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

@Suite("Budgets")
struct BudgetTests {
    @Test("A cap for exactly 100 calls and a thousand at once: 100 served, 900 refused, money exact", arguments: [1, 2])
    func thousand(desks count: Int) async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 100 * 1_000)
            let desks = (0..<count).map { _ in harness.desk() }
            let tally = await Tally.of((0..<1_000).map { _ in UUID() }) { operation in
                let desk = desks[Int(operation.uuid.0) % count]
                _ = try await desk.once(.sample(operation: operation), worstCase: 1_000) { _ in
                    ("done", LedgerEntry.sample(cost: 1_000))
                }
            }
            #expect(tally == Tally(served: 100, refused: 900))
            #expect(try await harness.standing(of: budget) == .init(settled: 100_000, settledCalls: 100))
            #expect(try await harness.ledgerSums() == .init(settled: 100_000, settledCalls: 100))
            #expect(try await harness.books() == .init(rows: 100, calls: 100, cost: 100_000, spent: 100_000))
        }
    }

    @Test("A cap on the number of calls")
    func callLimit() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(calls: 100)
            let desks = [harness.desk(), harness.desk()]
            let tally = await Tally.of((0..<1_000).map { _ in UUID() }) { operation in
                _ = try await desks[Int(operation.uuid.0) % 2].once(.sample(operation: operation), worstCase: 70) { _ in
                    ("done", LedgerEntry.sample(cost: 7))
                }
            }
            #expect(tally == Tally(served: 100, refused: 900))
            #expect(try await harness.standing(of: budget) == .init(settled: 700, settledCalls: 100))
            #expect(try await harness.ledgerSums() == .init(settled: 700, settledCalls: 100))
        }
    }

    @Test("What is reserved counts against the limit, what was not used comes back")
    func rest() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 1_000)
            let desk = harness.desk()
            let ticket = try await desk.open(.sample(), worstCase: 900)
            #expect(try await harness.standing(of: budget) == .init(reserved: 900, reservedCalls: 1))
            await #expect(throws: BudgetExhausted.self) { try await desk.open(.sample(), worstCase: 101) }
            let small = try await desk.open(.sample(), worstCase: 100)
            try await ticket.settle(.sample(cost: 300))
            try await ticket.settle(.sample(cost: 300))
            await small.release()
            await small.release()
            #expect(try await harness.standing(of: budget) == .init(settled: 300, settledCalls: 1))
            #expect(try await harness.books() == .init(rows: 1, calls: 1, cost: 300, spent: 300))
            _ = try await desk.open(.sample(), worstCase: 700)
        }
    }

    @Test("A further attempt asks for more; what the budget does not hold is refused, and nothing is held twice")
    func extend() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 1_000)
            let desk = harness.desk()
            let ticket = try await desk.open(.sample(), worstCase: 400)
            #expect(try await ticket.extend(by: 600))
            #expect(try await !ticket.extend(by: 1))
            #expect(try await harness.standing(of: budget) == .init(reserved: 1_000, reservedCalls: 1))
            try await ticket.settle(.sample(cost: 950))
            #expect(try await !ticket.extend(by: 1))
            #expect(try await harness.standing(of: budget) == .init(settled: 950, settledCalls: 1))
        }
    }

    @Test("The refusal says which budget and when to come back")
    func refusal() async throws {
        try await BudgetHarness.run { harness in
            try await harness.addBudget(nano: 1_000_000, calls: nil)
            let id = try await harness.addBudget(scope: "user", period: "month", nano: 10)
            let error = await #expect(throws: BudgetExhausted.self) { try await harness.desk().open(.sample(), worstCase: 11) }
            let exhausted = try #require(error)
            #expect(exhausted.budgetId == id && exhausted.scope == "user" && exhausted.period == "month")
            #expect((1...31 * 86_400).contains(exhausted.retryAfterSeconds))
            let problem = exhausted.problem
            #expect(problem.status == .tooManyRequests && problem.code == "budget.exhausted")
            #expect(problem.headers["Retry-After"] == String(exhausted.retryAfterSeconds))
            let name = try #require(exhausted.name)
            #expect(problem.detail?.zh == "用户本月预算“\(name)”不足以支付本次调用")
            #expect(problem.detail?.en == "The budget '\(name)' of the user for this month does not hold the cost of this call")
            #expect(problem.budgetId == id)
            #expect(ProblemBody(problem, language: .zh, instance: nil, requestId: nil).budgetId == problem.budgetId)
        }
    }

    @Test("Each scope counts its own: users, scenes and keys, named or each for itself")
    func scopes() async throws {
        try await BudgetHarness.run { harness in
            let (key, otherKey) = (UUID(), UUID())
            let users = try await harness.addBudget(scope: "user", calls: 2)
            let wang = try await harness.addBudget(scope: "user", subject: "wang", period: "month", calls: 1)
            let scene = try await harness.addBudget(scope: "scene", subject: "chat-zh", calls: 1)
            let keys = try await harness.addBudget(scope: "api_key", calls: 1)
            let desk = harness.desk()
            func tries(_ subject: String, _ scene: String, _ apiKeyId: UUID? = nil) async throws -> UUID? {
                do {
                    let ticket = try await desk.open(
                        .sample(subject: subject, scene: scene, apiKeyId: apiKeyId), worstCase: 1)
                    try await ticket.settle(.sample(cost: 1))
                    return nil
                } catch let error as BudgetExhausted {
                    return error.budgetId
                }
            }
            #expect(try await tries("wang", "title") == nil)
            #expect(try await tries("wang", "title") == wang)
            #expect(try await tries("li", "chat-zh") == nil)
            #expect(try await tries("zhao", "chat-zh") == scene)
            #expect(try await tries("li", "title", key) == nil)
            #expect(try await tries("li", "title") == users)
            #expect(try await tries("zhao", "title", key) == keys)
            #expect(try await tries("zhao", "title", otherKey) == nil)
            // Whoever signed in with a key, in any flow.
            let program = "client:\(UUID().uuidString.lowercased())"
            #expect(try await tries(program, "title") == nil)
            #expect(try await tries(program, "title") == keys)
            #expect(try await harness.standing(of: users).settledCalls == 5)
        }
    }

    @Test("A soft budget counts and refuses nothing")
    func soft() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 5, isHard: false)
            let ticket = try await harness.desk().open(.sample(), worstCase: 10)
            try await ticket.settle(.sample(cost: 9))
            #expect(try await harness.standing(of: budget) == .init(settled: 9, settledCalls: 1))
        }
    }

    @Test("Templates cost no money and take no call; what the failed attempts cost is seen as spent")
    func template() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 100, calls: 1)
            let ticket = try await harness.desk().open(.sample(), worstCase: 100)
            try await ticket.settle(.sample(cost: 0, spent: 60, provider: "template"))
            #expect(try await harness.standing(of: budget) == .init())
            #expect(try await harness.books() == .init(rows: 1, calls: 0, cost: 0, spent: 60))
        }
    }

    @Test("A budget made in the middle of the period counts what the ledger has, and what is under way when it ends")
    func middle() async throws {
        try await BudgetHarness.run { harness in
            let desk = harness.desk()
            try await desk.open(.sample(), worstCase: 50).settle(.sample(cost: 40))
            let underway = try await desk.open(.sample(), worstCase: 50)
            let budget = try await harness.addBudget(nano: 100)
            let ticket = try await desk.open(.sample(), worstCase: 60)
            #expect(try await harness.standing(of: budget) == .init(reserved: 60, settled: 40, reservedCalls: 1, settledCalls: 1))
            try await underway.settle(.sample(cost: 30))
            try await ticket.settle(.sample(cost: 20))
            #expect(try await harness.standing(of: budget) == .init(settled: 90, settledCalls: 3))
            #expect(try await harness.ledgerSums() == .init(settled: 90, settledCalls: 3))
        }
    }

    @Test("A tenant's first budget waits for what settles at that moment, and misses nothing of it")
    func firstBudget() async throws {
        try await BudgetHarness.run { harness in
            let (isHeld, goOn) = (OneShot<Void>(), OneShot<Void>())
            let ticket = try await harness.desk().open(.sample(), worstCase: 900)
            async let holder: Void = harness.database.superuser.transaction { transaction in
                try await transaction.query("LOCK TABLE ai_usage_ledger IN SHARE MODE")
                isHeld.succeed()
                try await goOn.value()
            }
            try await isHeld.value()
            // It has found no budget, and is held up before it writes into the ledger.
            async let settled: Void = ticket.settle(.sample(cost: 300))
            try await eventually("the settlement is held up") { try await harness.waits(for: "ai_usage_ledger%") }
            let isMade = Locked(false)
            async let added = {
                defer { isMade.withLock { $0 = true } }
                return try await BudgetStore(database: harness.database.app).add(
                    NewBudget(
                        name: "first", scope: .tenant, subject: nil, period: .day, zone: "Asia/Shanghai", limitNano: "1000",
                        limitCalls: nil, currency: nil, hard: true), currency: "USD", tenantId: TestContext.tenant)
            }()
            try await eventually("the budget is made, or waits") {
                guard isMade.value else { return try await harness.waits(for: "ai_budgets") }
                // Whoever asks in between makes the counter.
                try await harness.desk().open(.sample(), worstCase: 1).release()
                return true
            }
            goOn.succeed()
            _ = try await (holder, settled)
            let budget = try #require(try await added)
            try await harness.desk().open(.sample(), worstCase: 700).settle(.sample(cost: 5))
            #expect(try await harness.standing(of: budget.id) == .init(settled: 305, settledCalls: 2))
        }
    }

    @Test("Two tenants: neither sees nor spends the other's budget")
    func tenants() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(calls: 1)
            let desk = harness.desk()
            try await desk.open(.sample(), worstCase: 5).settle(.sample(cost: 5))
            await #expect(throws: BudgetExhausted.self) { try await desk.open(.sample(), worstCase: 5) }
            let operation = UUID()
            try await desk.open(.sample(tenant: TestContext.otherTenant, operation: operation), worstCase: 5)
                .settle(.sample(cost: 5))
            #expect(try await harness.standing(of: budget).settledCalls == 1)
            for table in ["ai_budgets", "ai_budget_counters", "ai_usage_ledger", "ai_completions"] {
                let mine = try await harness.database.app.query(
                    "SELECT 1 FROM \(identifier: table)", tenant: TestContext.otherTenant)
                #expect(mine.count == (table.hasPrefix("ai_budget") ? 0 : 1), "\(table)")
                #expect(try await harness.database.app.query("SELECT 1 FROM \(identifier: table)").isEmpty, "\(table)")
            }
        }
    }

    @Test("One operation at two replicas: the second waits for the first's answer, or says that it is under way")
    func twoReplicas() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(calls: 5)
            let (first, second) = (harness.desk(), harness.desk())
            let operation = UUID()
            let ticket = try await first.open(.sample(operation: operation), worstCase: 10)
            await #expect(throws: OperationInProgress.self) {
                try await second.open(.sample(operation: operation, deadline: .after(.milliseconds(200))), worstCase: 10)
            }
            let waiting = Task {
                try await second.once(.sample(operation: operation), worstCase: 10) {
                    _ async throws -> (answer: String, entry: LedgerEntry) in
                    throw InternalFailure()
                }
            }
            _ = try await ticket.settle(.sample(cost: 7), answer: #""first""#)
            let (answer, isRepeat) = try await waiting.value
            #expect(answer == "first" && isRepeat)
            #expect(try await harness.standing(of: budget) == .init(settled: 7, settledCalls: 1))
            #expect(try await harness.books() == .init(rows: 1, calls: 1, cost: 7, spent: 7))
        }
    }
}
