import ConcurrencySupport
import FoundationEssentials
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import AgentCenter

@Suite("The steps of paid work")
struct SpendingStepsTests {
    @Test("They read their own rows, however many there are")
    func ownRows() async throws {
        try await BudgetHarness.run { harness in
            let count = 60
            try await harness.addBudget(calls: count)
            var configuration = harness.database.appConfiguration
            configuration.poolSize = 1
            let database = Database(configuration: configuration)
            let desk = harness.desk(over: database)
            var tickets: [UsageTicket] = []
            for _ in 0..<count { tickets.append(try await desk.open(.sample(), worstCase: 1)) }
            for ticket in tickets { try await ticket.settle(.sample(cost: 1)) }
            // A connection says what it has read when it ends, at the latest.
            await database.close()
            func total(_ columns: String) async throws -> Int {
                try await harness.database.superuser.query(
                    """
                    SELECT coalesce(sum(\(unescaped: columns)), 0)::bigint AS total FROM pg_stat_user_tables
                    WHERE relname ~ '^ai_(completions|reservations)'
                    """
                ).only.decode("total")
            }
            try await eventually("the connection says what it did") { try await total("n_tup_ins") == 2 * count }
            #expect(try await total("seq_tup_read + coalesce(idx_tup_fetch, 0)") <= 2 * count)
        }
    }

    @Test("A receipt that comes twice in one round trip is written down once, and a claim is set aside once")
    func copies() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 1_000)
            let store = harness.store()
            let claim = UsageClaim(.sample(), worstCase: 100)
            guard case .busy = try await store.exchange([], [claim, claim]).admissions[1] else {
                Issue.record("the copy does not wait")
                return
            }
            #expect(try await harness.standing(of: budget) == .init(reserved: 100, reservedCalls: 1))
            let receipt = UsageReceipt(call: claim.call, ticketId: claim.ticketId, entry: .sample(cost: 70), answer: nil)
            _ = try await store.exchange([receipt, receipt], [])
            #expect(try await harness.standing(of: budget) == .init(settled: 70, settledCalls: 1))
            #expect(try await harness.books() == .init(rows: 1, calls: 1, cost: 70, spent: 70))
        }
    }

    @Test("Two operations under one ticket are charged each its own")
    func oneTicketForTwo() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 1_000)
            let (store, ticketId) = (harness.store(), UUID())
            let claims = (0..<2).map { _ in UsageClaim(.sample(), worstCase: 100, ticketId: ticketId) }
            _ = try await store.exchange([], claims)
            let receipts = zip(claims, [70, 30]).map { claim, cost in
                UsageReceipt(call: claim.call, ticketId: ticketId, entry: .sample(cost: cost), answer: nil)
            }
            _ = try await store.exchange(receipts, [])
            #expect(try await harness.standing(of: budget) == .init(settled: 100, settledCalls: 2))
            #expect(try await harness.books() == .init(rows: 2, calls: 2, cost: 100, spent: 100))
        }
    }

    @Test("Of two claims under one ticket the one that does not fit takes nothing from the other")
    func oneOfTwoUnderATicket() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 150)
            let (store, ticketId) = (harness.store(), UUID())
            let claims = (0..<2).map { _ in UsageClaim(.sample(), worstCase: 100, ticketId: ticketId) }
            let admissions = try await store.exchange([], claims).admissions
            guard case .granted = admissions[0], case .refused = admissions[1] else {
                Issue.record("\(admissions)")
                return
            }
            let receipt = UsageReceipt(call: claims[0].call, ticketId: ticketId, entry: .sample(cost: 70), answer: nil)
            _ = try await store.exchange([receipt], [])
            #expect(try await harness.standing(of: budget) == .init(settled: 70, settledCalls: 1))
        }
    }

    @Test("A claim made again after another's answer has come gives back what it held, and a model's late bill is taken")
    func answeredMeanwhile() async throws {
        try await BudgetHarness.run { harness in
            let budget = try await harness.addBudget(nano: 1_000)
            let store = harness.store()
            let call = ModelCall.sample()
            let lost = UsageClaim(call, worstCase: 100)
            _ = try await store.exchange([], [lost])
            // Its process is gone, another one takes over.
            try await store.leave()
            try await LedgerKeeper(
                store: LedgerKeeperStore(app: harness.database.app, system: harness.database.system), metrics: MetricsRegistry(),
                logger: .silent
            ).sweep()
            let next = UsageClaim(call, worstCase: 100)
            _ = try await store.exchange([], [next])
            #expect(try await harness.standing(of: budget) == .init(reserved: 100, reservedCalls: 1))
            // The first one answers after all, with a template.
            let late = UsageReceipt(
                call: call, ticketId: lost.ticketId, entry: .sample(cost: 0, provider: "template"), answer: #""template""#)
            _ = try await store.exchange([late], [])
            let bill = UsageReceipt(call: call, ticketId: next.ticketId, entry: .sample(cost: 30), answer: #""model""#)
            #expect(try await store.exchange([bill], []).answers == [#""template""#])
            #expect(try await harness.standing(of: budget) == .init(settled: 30, settledCalls: 1))
            let row = try await harness.database.superuser.query("SELECT provider, cost_nano FROM ai_usage_ledger").only
            #expect(try row.decode("provider", as: String.self) == "openai")
            #expect(try row.decode("cost_nano", as: Int64.self) == 30)
            // Held, and answered before it is claimed again.
            let other = ModelCall.sample()
            let (swept, held) = (UsageClaim(other, worstCase: 100), UsageClaim(other, worstCase: 100))
            _ = try await store.exchange([], [held])
            _ = try await store.exchange(
                [UsageReceipt(call: other, ticketId: swept.ticketId, entry: .sample(cost: 50), answer: #""late""#)], [])
            // What it held is there for whoever comes with it.
            let rest = UsageClaim(.sample(), worstCase: 900)
            let admissions = try await store.exchange([], [held, rest]).admissions
            guard case .answered = admissions[0], case .granted = admissions[1] else {
                Issue.record("\(admissions)")
                return
            }
            let standing = BudgetHarness.Standing(reserved: 900, settled: 30, reservedCalls: 1, settledCalls: 1)
            #expect(try await harness.standing(of: budget) == standing)
            #expect(try await harness.books().reservations == 1)
        }
    }

    @Test("Two steps of one operation whose holder is gone are taken over together")
    func twoStepsOfTheDead() async throws {
        try await BudgetHarness.run { harness in
            let (dead, store, operation) = (harness.store(), harness.store(), UUID())
            func claims() -> [UsageClaim] {
                ["a", "b"].map { UsageClaim(.sample(operation: operation, step: $0), worstCase: 1) }
            }
            _ = try await dead.exchange([], claims())
            try await dead.leave()
            let admissions = try await store.exchange([], claims()).admissions
            guard case .granted = admissions[0], case .granted = admissions[1] else {
                Issue.record("\(admissions)")
                return
            }
        }
    }

    @Test("What is settled while its claim is renewed is charged")
    func renewedMeanwhile() async throws {
        // Without a budget no lock keeps the two apart.
        try await BudgetHarness.run { harness in
            let ticket = try await harness.desk().open(.sample(), worstCase: 100)
            let (isRenewed, goOn) = (OneShot<Void>(), OneShot<Void>())
            async let renewal: Void = harness.database.superuser.transaction { transaction in
                try await transaction.query("UPDATE ai_reservations SET lease_until = lease_until + interval '1 second'")
                isRenewed.succeed()
                try await goOn.value()
            }
            try await isRenewed.value()
            async let settled: Void = ticket.settle(.sample(cost: 70))
            try await eventually("the settlement waits for the row") {
                try await !harness.database.superuser.query(
                    """
                    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                        AND query LIKE '%ai_finish%'
                    """
                ).isEmpty
            }
            goOn.succeed()
            _ = try await (renewal, settled)
            #expect(try await harness.books() == .init(rows: 1, calls: 1, cost: 70, spent: 70))
        }
    }

    @Test("Copies of a step travel one after the other, others together")
    func copiesApart() {
        let (copied, other) = (UsageClaim(.sample(), worstCase: 1), UsageClaim(.sample(), worstCase: 1))
        var waiting = UsageLanes.Batch()
        for claim in [copied, copied, other, copied] { waiting.claims.append((claim, OneShot())) }
        let trips = (0..<4).map { _ in waiting.takeFirst(256).claims.map(\.claim.ticketId) }
        #expect(trips == [[copied.ticketId, other.ticketId], [copied.ticketId], [copied.ticketId], []])
        for claim in [copied, other, other] { waiting.claims.append((claim, OneShot())) }
        #expect(waiting.takeFirst(1).claims.map(\.claim.ticketId) == [copied.ticketId])
        #expect(waiting.count == 2)
    }
}
